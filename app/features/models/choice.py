"""Suggest models for this computer and a task, and phrase the offer when one is missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from app.core.catalogue import CountedTexts
from app.core.errors.hub_errors import FileNotOnHub
from app.core.joined_texts import join_entries
from app.engine.fit import GpuRoom, MemoryRoom
from app.features.models.estimate import LEAST_TOKENS_PER_S, READING_TOKENS_PER_S, TIGHT, WELL, by_size
from app.features.models.model_languages import BYTES_A_WEIGHT
from app.features.models.model_messages import MessageTemplate, format_gigabytes
from app.hub.catalog import CatalogEntry
from app.hub.model_files import ModelFile, RemoteFile, Repository, quantization_words

CONTEXT_TOKENS = 8192
BESIDE_BYTES = 700_000_000
"""Bytes needed besides weights and context."""
RAM_SHARE = 0.75
GPU_RESERVE_BYTES = 1_000_000_000
NOMINAL = 0.9  # a machine sold with 8 GB says less of itself
UNKNOWN_TOTAL_BYTES = 8_000_000_000

TASKS_OF_TABS = {"chat": "chat", "summarize": "summarize", "translate": "translate", "write": "chat"}
"""Catalog task of each tab."""
BALANCED = ("Q4_K_M", "UD-Q4_K_XL", "Q4_K_S", "MXFP4", "Q4_0", "IQ4_XS", "Q4_1", "Q5_K_M", "Q8_0")
"""Quantization tags in order of preference, if the user chose none."""
MOST_SHORT_TEXT_WEIGHTS = 3e9
"""Models up to this size summarize short texts better than by their own sentences, and longer ones worse: measured, see
`app.features.summarize.method`, which decides by it as the offers do."""
TRANSLATORS = re.compile(r"hy-mt|hunyuan-mt|translategemma|eurollm", re.IGNORECASE)
"""Files that translate though they are not suggested."""


def fits_machine(entry: CatalogEntry, room: MemoryRoom) -> bool:
    """Return whether a model suits this computer at all, whatever else runs now."""
    # Where the system doesn't say, a common computer is assumed.
    total = room.total_bytes or UNKNOWN_TOTAL_BYTES
    # A GPU with memory of its own holds the whole model or none of it here.
    own = [gpu.total_bytes for gpu in room.gpus if not gpu.shared]
    if not entry.kv_bytes_per_token:  # then only the list knows
        return max(total, *own, 0) >= NOMINAL * entry.tier_gb * 1e9
    needed = needed_bytes(entry)
    return needed < RAM_SHARE * total or any(needed < size - GPU_RESERVE_BYTES for size in own)


def fits_with_help(entry: CatalogEntry, room: MemoryRoom, lent: Sequence[GpuRoom]) -> bool:
    """Return whether a model fits this computer together with lent memory."""
    devices = [gpu.total_bytes for gpu in (*room.gpus, *lent) if not gpu.shared]
    total = room.total_bytes or UNKNOWN_TOTAL_BYTES
    if not entry.kv_bytes_per_token:
        return total + sum(devices) >= NOMINAL * entry.tier_gb * 1e9
    return needed_bytes(entry) < RAM_SHARE * total + sum(max(0, size - GPU_RESERVE_BYTES) for size in devices)


def needed_bytes(entry: CatalogEntry) -> int:
    """Return the bytes for weights, the context of a longer chat, and the rest."""
    return entry.size_bytes + entry.kv_bytes_per_token * CONTEXT_TOKENS + entry.state_bytes + BESIDE_BYTES


def suggest_entries(
    entries: Sequence[CatalogEntry],
    task: str,
    room: MemoryRoom,
    limit: int = 3,
    bytes_per_s: float = 0.0,
    *,
    lent: Sequence[GpuRoom] = (),
) -> list[CatalogEntry]:
    """Suggest the best model at reading speed, then the fastest useful one, then the largest of the rest.

    `bytes_per_s` is the speed weights are read at, 0 if unknown: then the default for this computer's memory comes
    first. If all are slow, the fastest comes first; unusably slow ones come last. If nothing suits the computer, the
    next larger ones follow. Of those that need lent memory only the best is suggested, last, as its speed is unknown.
    """
    # Of all that suit the task; whether they fit comes after.
    able = [entry for entry in entries if TASKS_OF_TABS.get(task, task) in entry.tasks]
    fitting = [entry for entry in able if fits_machine(entry, room)]
    chosen: list[CatalogEntry] = []

    def is_quick(entry: CatalogEntry, tokens_per_s: float) -> bool:
        # Without a figure nothing is called slow.
        return bytes_per_s <= 0 or bytes_per_s >= tokens_per_s * entry.active_bytes

    if fitting:
        quick = [entry for entry in fitting if is_quick(entry, READING_TOKENS_PER_S)]
        # All slow: the one with the fewest bytes a token is the fastest.
        chosen.append(max(quick, key=_entry_rank) if quick else min(fitting, key=lambda entry: entry.active_bytes))
        others = [entry for entry in fitting if entry is not chosen[0]]
        # A default is worth being the quick alternative; without one, any of the rest.
        useful = [entry for entry in others if entry.is_default] or others
        chosen += sorted(useful, key=lambda entry: entry.active_bytes)[:1]
    rest = [entry for entry in fitting if entry not in chosen]
    chosen += sorted(rest, key=lambda each: (is_quick(each, LEAST_TOKENS_PER_S), *_size_rank(each)), reverse=True)
    # With other computers' memory the speed isn't known, so only the best is offered, and last.
    helped = [entry for entry in able if entry not in fitting and fits_with_help(entry, room, lent)] if lent else []
    best = sorted(helped, key=_entry_rank, reverse=True)[:1]
    chosen = chosen[: max(1, limit - len(best))] + best
    left = (catalog_entry for catalog_entry in able if catalog_entry not in fitting and catalog_entry not in best)
    # Nothing else suits: the next larger ones, nearest first.
    chosen += sorted(left, key=lambda each: (each.tier_gb, each.size_bytes))
    return chosen[:limit]


def _entry_rank(entry: CatalogEntry) -> tuple[bool, int, int]:
    return entry.is_default, entry.tier_gb, entry.size_bytes


def _size_rank(entry: CatalogEntry) -> tuple[int, bool, int]:
    return entry.tier_gb, entry.is_default, entry.size_bytes


def is_translator(name: str) -> bool:
    """Return whether a file's name is that of a translation model."""
    return TRANSLATORS.search(name) is not None


def writes_long(entry: CatalogEntry) -> bool:
    """True for a model that summarizes long texts better than by their own sentences."""
    return entry.size_bytes / BYTES_A_WEIGHT > MOST_SHORT_TEXT_WEIGHTS


_NEEDS = {
    "translate": "Translating needs a model that knows both languages: {name}, {size} GB",
    "summarize": "Summarizes even long texts: {name}, {size} GB",
    "passages": "Finds passages by meaning: {name}, {size} GB",
    "write": "Writing needs a larger model than the starter: {name}, {size} GB",
    "chat": "Suggested for this computer: {name}, {size} GB",
}
_SHORT_TEXTS = "Summarizes short texts: {name}, {size} GB"


_OFFER_WITH_LANGUAGES: CountedTexts = ("{offer}, {count} language", "{offer}, {count} languages")


def offer_words(task: str, entry: CatalogEntry, helpers: Sequence[str] = ()) -> MessageTemplate:
    """Return a tab's offer when it has no model for its task; `helpers` are the computers whose memory is needed."""
    needs = _NEEDS.get(task, _NEEDS["chat"])
    if task == "summarize" and not writes_long(entry):
        needs = _SHORT_TEXTS
    offer = MessageTemplate(needs, {"name": entry.name, "size": format_gigabytes(entry.size_bytes)})
    if helpers:
        values = {"offer": str(offer), "computers": join_entries(helpers)}
        return MessageTemplate("{offer}, with the memory of {computers}", values)
    if entry.languages and task == "translate":
        return MessageTemplate("", {"offer": str(offer)}, _OFFER_WITH_LANGUAGES, entry.languages)
    return offer


def entry_of(entries: Sequence[CatalogEntry], repo: str, model: ModelFile) -> CatalogEntry | None:
    """Return the catalog entry of a file on the Hub, or None."""
    return next((entry for entry in entries if entry.repo == repo and _is_file(entry, model)), None)


def file_of(entry: CatalogEntry, repository: Repository) -> ModelFile:
    """Find a catalog entry's file in its repository. Raises FileNotOnHub."""
    for model in repository.models:
        if _is_file(entry, model):
            return model
    raise FileNotOnHub(entry.repo, entry.file or entry.name)


def vision_of(entry: CatalogEntry | None, repository: Repository) -> RemoteFile | None:
    """Return a repository's vision projector: the catalog's, else the first."""
    wanted = entry.vision.file if entry is not None and entry.vision is not None else ""
    return next((file for file in repository.vision if file.name == wanted), next(iter(repository.vision), None))


def _is_file(entry: CatalogEntry, model: ModelFile) -> bool:
    # Where the list names no file, its exact size tells it from other quantizations.
    return model.name == entry.file if entry.file else model.size_bytes == entry.size_bytes


def pick_file(entries: Sequence[CatalogEntry], repository: Repository, wanted: str = "") -> ModelFile:
    """Find a model by file name or tag, else the catalog's, else a balanced one. Raises FileNotOnHub."""
    usable = [model for model in repository.models if model.is_supported]
    if wanted:
        # A file in a folder of the repository is also known by its bare name.
        by_name = [model for model in usable if wanted in (model.name, PurePosixPath(model.name).name)]
        found = by_name or [model for model in usable if model.tag.lower() == wanted.lower()]
    else:
        found = [model for model in usable if entry_of(entries, repository.name, model)]
        found = found or sorted(usable, key=lambda model: _tag_order(model.tag))
    if not found:
        raise FileNotOnHub(repository.name, wanted or "*.gguf")
    return found[0]


def _tag_order(tag: str) -> int:
    return BALANCED.index(tag) if tag in BALANCED else len(BALANCED)


BITS_IN_ORDER = ("4", "5", "6", "3", "8", "2", "16", "1", "32")
"""Four bits lose little and take little; with less room three are better than nothing."""
TAGS_IN_ORDER = ("Q4_K_M", "UD-Q4_K_XL", "Q4_K_XL", "Q4_K_L", "MXFP4", "Q4_K_S", "IQ4_NL", "IQ4_XS", "Q4_0", "Q4_1")


def recommend_file(models: Sequence[ModelFile], room: MemoryRoom) -> ModelFile | None:
    """Return the balanced file if it fits into memory now, else the nearest that does; None if none does."""
    fitting = [
        model for model in models if model.is_supported and by_size(model.size_bytes, 0, room).word in (WELL, TIGHT)
    ]
    return min(fitting, key=_file_order, default=None)


def representative_files(models: Sequence[ModelFile]) -> list[ModelFile]:
    """Return one file per kind of quantization, to show before all are fetched."""
    chosen: dict[str, ModelFile] = {}
    for model in sorted(models, key=_file_order):
        if model.is_supported:
            chosen.setdefault(quantization_words(model.tag) or model.name, model)
    # In the repository's own order, which people compare with its page.
    return [model for model in models if model in chosen.values()]


def _file_order(model: ModelFile) -> tuple[int, int, int]:
    # "BF16" and "F32" have no number of bits in front.
    found = re.search(r"^B?F(16|32)$|(?:Q|FP)(\d)", model.tag)
    bits = (found[1] or found[2]) if found else ""
    return (
        BITS_IN_ORDER.index(bits) if bits in BITS_IN_ORDER else len(BITS_IN_ORDER),
        TAGS_IN_ORDER.index(model.tag) if model.tag in TAGS_IN_ORDER else len(TAGS_IN_ORDER),
        -model.size_bytes,
    )
