"""Which file of a repository to take, when a person has no opinion about quantizations."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.engine.fit import Room
from app.features.model_estimate import TIGHT, WELL, by_size
from app.hub.files import ModelFile, quantization_words

BITS_IN_ORDER = ("4", "5", "6", "3", "8", "2", "16", "1", "32")
"""Four bits lose little and take little; with less room three are better than nothing."""
TAGS_IN_ORDER = ("Q4_K_M", "UD-Q4_K_XL", "Q4_K_XL", "Q4_K_L", "MXFP4", "Q4_K_S", "IQ4_NL", "IQ4_XS", "Q4_0", "Q4_1")


def recommended(models: Sequence[ModelFile], room: Room) -> ModelFile | None:
    """The balanced file where it fits into memory now, else the nearest that does; None where none does."""
    fitting = [
        model for model in models if model.is_supported and by_size(model.size_bytes, 0, room).word in (WELL, TIGHT)
    ]
    return min(fitting, key=_order, default=None)


def representatives(models: Sequence[ModelFile]) -> list[ModelFile]:
    """One file for each thing that is said about quantizations: what to show before all of them are asked for."""
    chosen: dict[str, ModelFile] = {}
    for model in sorted(models, key=_order):
        if model.is_supported:
            chosen.setdefault(quantization_words(model.tag) or model.name, model)
    return [model for model in models if model in chosen.values()]


def _order(model: ModelFile) -> tuple[int, int, int]:
    found = re.search(r"^B?F(16|32)$|(?:Q|FP)(\d)", model.tag)
    bits = (found[1] or found[2]) if found else ""
    return (
        BITS_IN_ORDER.index(bits) if bits in BITS_IN_ORDER else len(BITS_IN_ORDER),
        TAGS_IN_ORDER.index(model.tag) if model.tag in TAGS_IN_ORDER else len(TAGS_IN_ORDER),
        -model.size_bytes,
    )
