"""The language that a summary is written in."""

from __future__ import annotations

from collections.abc import Sequence

from app.features.summary.events import InputDocument
from app.features.summary.result import Wish


def writing_language(documents: Sequence[InputDocument], wish: Wish) -> str:
    """That which was chosen, or that of the most text; a code such as "de", "" where it is not known."""
    if wish.language:
        return wish.language
    sizes: dict[str, int] = {}
    for one in documents:
        sizes[one.language] = sizes.get(one.language, 0) + sum(len(block.text) for block in one.blocks)
    return max(sizes, key=lambda code: sizes[code], default="")
