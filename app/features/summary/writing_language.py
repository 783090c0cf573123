"""The language that a summary is written in, and whether its model was made for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

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


def unknown_languages(model: Path, documents: Sequence[InputDocument], wish: Wish) -> tuple[str, ...]:
    """Those of the documents and of the summary that a model was not made for, by their codes.

    It reads the header of the file; what nothing tells the language of counts as known.
    """
    return not_made_for(model, [*(one.language for one in documents), writing_language(documents, wish)])


def not_made_for(model: Path, codes: Sequence[str]) -> tuple[str, ...]:
    """Which of the languages a model was not made for."""
    from app.features.model_languages import knows  # reads a catalog that a window need not wait for
    from app.language.names import base, language

    able = {base(code) for code in knows(model).languages}
    return tuple(dict.fromkeys(code for code in codes if language(code) and base(code) not in able))
