"""Jupyter notebooks, versions 3 and 4: Markdown, code, and what the code wrote; its pictures are only counted.

A place's part is "cell 1" and so on; its offsets are characters of that cell's own text, or of one of its outputs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace
from app.documents.encoding import after_the_text, decode, without_nuls
from app.documents.formats.markdown.read_markdown import pieces_of as pieces_of_markdown
from app.documents.formats.plain.plain_text import plain_pieces
from app.documents.source import FileSource, Item, Opened, counted

_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")  # colours in what a terminal would show
_MARKDOWN = ("markdown", "heading")


def read(source: FileSource) -> Iterator[Item]:
    """Yield the cells in order; raises DocumentUnreadable (damaged, too_deep)."""
    decoded = decode(source.path.read_bytes(), source.encoding)
    try:
        book = json.loads(decoded.text)
    except RecursionError:
        raise source.unreadable("too_deep") from None
    except ValueError:
        raise source.unreadable("damaged") from None
    metadata = _as_object(_as_object(book).get("metadata"))
    # Version 4 has the language in two places, of which either may be missing.
    language = _joined_text(_as_object(metadata.get("language_info")).get("name")) or _joined_text(
        _as_object(metadata.get("kernelspec")).get("language")
    )
    yield Opened(title=_joined_text(metadata.get("title")), encoding=decoded.encoding)
    pictures = 0
    for number, cell in enumerate(_iterate_cells(_as_object(book)), 1):
        yield from _of_cell(cell, f"cell {number}", language)
        # Outputs follow their cell, as a notebook shows them.
        outputs = [_as_object(output) for output in _as_list(cell.get("outputs"))]
        for output in outputs:
            yield from _code_pieces(_output_text(output), f"cell {number}", "output")
            pictures += _has_picture(output)
    yield from counted("pictures", pictures)
    yield from after_the_text(decoded.encoding, decoded.odd_bytes)


def _iterate_cells(book: dict[str, Any]) -> Iterator[dict[str, Any]]:
    # Version 3 has its cells in worksheets.
    sheets = [book, *(_as_object(sheet) for sheet in _as_list(book.get("worksheets")))]
    for sheet in sheets:
        yield from (_as_object(cell) for cell in _as_list(sheet.get("cells")))


def _of_cell(cell: dict[str, Any], part: str, language: str) -> Iterator[BlockPiece]:
    # `input` is version 3's name of a code cell's text.
    text = _joined_text(cell.get("source", cell.get("input")))
    kind = cell.get("cell_type")
    if kind == "code":
        yield from _code_pieces(text, part, _joined_text(cell.get("language")) or language)
    elif kind in _MARKDOWN:
        if kind == "heading":  # of version 3
            level = cell.get("level")
            text = "#" * (min(6, max(1, level)) if isinstance(level, int) else 1) + " " + text
        for piece in pieces_of_markdown(text):
            yield piece._replace(place=piece.place._replace(part=part))
    else:
        yield from plain_pieces(text, part)


def _code_pieces(text: str, part: str, label: str) -> Iterator[BlockPiece]:
    if text.strip():
        yield BlockPiece(
            BlockKind.CODE, without_nuls(text).strip("\n"), place=BlockPlace(part, 0, len(text)), label=label
        )


def _output_text(output: dict[str, Any]) -> str:
    """Return what an output says in words: what was printed, the result as text, or the error with where it
    happened.
    """
    # `pyerr` is version 3's.
    if output.get("output_type") in ("error", "pyerr"):
        # A traceback has colours of a terminal in it.
        trace = "\n".join(_joined_text(line) for line in _as_list(output.get("traceback")))
        said = f"{_joined_text(output.get('ename'))}: {_joined_text(output.get('evalue'))}"
        return _ESCAPES.sub("", trace if trace.strip() else said)
    # Version 3 has the data in the output itself.
    data = _as_object(output.get("data")) or output
    return _ESCAPES.sub("", _joined_text(data.get("text/plain", data.get("text", output.get("text")))))


def _has_picture(output: dict[str, Any]) -> bool:
    data = _as_object(output.get("data")) or output
    return any(name.startswith("image/") or name in ("png", "jpeg", "svg") for name in data)


def _as_object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _joined_text(value: Any) -> str:
    """Return a text, which may be given as its lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""
