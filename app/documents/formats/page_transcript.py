"""Blocks from a page's transcript by a model or the user: Markdown, HTML tables, or a JSON layout."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from html import escape
from typing import Any

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace, LineBox
from app.documents.formats.markdown.read_markdown import pieces_of as markdown_pieces
from app.documents.protocol import View

LEAST_FOUND = 0.3
"""Least share of a block's words found on the page for it to have a place."""
_FENCED = re.compile(r"\s*```\w*\n(.*?)\n?```\s*", re.DOTALL)
_TABLE = re.compile(r"<table\b.*?(?:</table>|\Z)", re.DOTALL | re.IGNORECASE)
_TABLE_TAGS = re.compile(r"(?:<(?:[felux]cel|nl)>[^<]*)+")
"""Tables as PaddleOCR-VL says them: a tag before each cell, and one behind each row (OTSL, Lysak et al., 2023)."""
_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)|<img\b[^>]*>", re.IGNORECASE)  # models invent addresses for figures
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_SLANTED = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*(?![\w*])")
_BREAK = re.compile(r"\s*<br\s*/?>\s*", re.IGNORECASE)
_WORD = re.compile(r"\S+")
_KINDS = {
    "title": BlockKind.HEADING, "section-header": BlockKind.HEADING, "caption": BlockKind.CAPTION,
    "footnote": BlockKind.NOTE,
    "list-item": BlockKind.LIST_ITEM,
}  # fmt: skip
# Running headers come on each page, and a picture's text is what a model imagined of it.
_LEFT_OUT = ("page-header", "page-footer", "picture")


def pieces_of(text: str, page: int, view: View, lines: Sequence[tuple[LineBox, str]] = ()) -> list[BlockPiece]:
    """Return the blocks; `lines` are where the lines of the page are and about what they say."""
    fenced = _FENCED.fullmatch(text)
    # Models like to put a whole answer into a code fence.
    text = fenced[1] if fenced else text
    # dots.ocr's layout and the like: a list of objects with a "bbox" each.
    layout = list(_iterate_objects(text)) if '"bbox"' in text else []
    if layout:
        return [piece for fields in layout for piece in _of_element(fields, page, view)]
    return _place_pieces(list(_of_markdown(text, page)), page, view, lines)


def _of_markdown(text: str, page: int) -> Iterator[BlockPiece]:
    text = _TABLE_TAGS.sub(_table_of_tags, text)
    # HTML in Markdown ends at an empty line, and models put such lines between rows.
    text = _TABLE.sub(_separate_table, _PICTURE.sub("", text))
    for piece in markdown_pieces(text):
        words = piece.text if piece.kind is BlockKind.CODE else _strip_emphasis(piece.text)
        if words.strip():
            yield piece._replace(text=words, page=page, place=BlockPlace())


def _separate_table(table: re.Match[str]) -> str:
    """Return a table as a separate block in one line: an empty line would end it."""
    # A truncated answer ends within the table.
    whole = table[0] if table[0].lower().endswith("</table>") else f"{table[0]}</table>"
    return f"\n\n{' '.join(whole.split())}\n\n"


def _table_of_tags(found: re.Match[str]) -> str:
    # OTSL: fcel and ecel are a full and an empty cell, lcel, ucel and xcel continue one to the left, above or both.
    rows = [re.findall(r"<[felux]cel>([^<]*)", row) for row in found[0].split("<nl>")]
    cells = ("".join(f"<td>{escape(cell.strip())}</td>" for cell in row) for row in rows if row)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def _strip_emphasis(text: str) -> str:
    """Remove marks of bold and italic, which paper doesn't have."""
    text = _BREAK.sub("\n", text)
    return _SLANTED.sub(r"\1", _STRONG.sub(r"\2", text))


def _iterate_objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield object by object, so that a truncated one doesn't lose the others."""
    # No JSON parser takes a list whose end is missing, as of an answer that reached its limit.
    decoder, at = json.JSONDecoder(), text.find("{")
    while at >= 0:
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            found, end = None, at + 1
        if isinstance(found, dict) and isinstance(found.get("bbox"), list):
            yield found
        else:
            # What isn't an element may hold some: go on behind its brace.
            end = at + 1
        at = text.find("{", end)


def _of_element(element: dict[str, Any], page: int, view: View) -> Iterator[BlockPiece]:
    category, text = str(element.get("category", "")).lower(), element.get("text")
    if category in _LEFT_OUT or not isinstance(text, str) or not text.strip():
        return
    edges = _box_edges(element["bbox"], view)
    for piece in _of_markdown(text, page):
        kind = _KINDS.get(category, piece.kind) if piece.kind is BlockKind.PARAGRAPH else piece.kind
        # "title" is level 1 and "section-header" level 2: a layout knows no more.
        level = piece.level or int(kind is BlockKind.HEADING) + int(category == "section-header")
        label = piece.label or {BlockKind.LIST_ITEM: "•", BlockKind.NOTE: "footnote"}.get(kind, "")
        place = BlockPlace(boxes=(LineBox(page, *edges, 0, len(piece.text)),))
        yield piece._replace(kind=kind, level=level if kind in _LEVELLED else 0, label=label, place=place)


_LEVELLED = (BlockKind.HEADING, BlockKind.LIST_ITEM)


def _box_edges(box: list[Any], view: View) -> tuple[float, float, float, float]:
    """Return a box in points of the page; the whole view if its numbers are invalid."""
    whole = (view.left, view.top, view.right, view.bottom)
    if len(box) != 4 or not all(isinstance(edge, int | float) for edge in box):
        return whole
    left, top, right, bottom = (float(edge) for edge in box)
    wide, high = view.size
    # 5 % of tolerance: models count in a grid of their own, which may end outside of the picture.
    if not (0 <= left < right <= 1.05 * wide and 0 <= top < bottom <= 1.05 * high):
        return whole
    return view.on_page(left, top, min(right, wide), min(bottom, high))


def _place_pieces(
    pieces: list[BlockPiece], page: int, view: View, lines: Sequence[tuple[LineBox, str]]
) -> list[BlockPiece]:
    whole = (view.left, view.top, view.right, view.bottom)
    said = [(number, word) for number, piece in enumerate(pieces) for word in _WORD.finditer(piece.text)]
    there = [(number, word) for number, (_, text) in enumerate(lines) for word in text.split()]
    # Without junk: difflib would ignore each word that comes often on a page of more than 200.
    matcher = SequenceMatcher(None, [_key_of(w[0]) for _, w in said], [_key_of(w) for _, w in there], autojunk=False)
    lines_of: dict[int, list[tuple[int, int]]] = {}
    for a, b, size in matcher.get_matching_blocks():
        for (at, word), (line, _) in zip(said[a : a + size], there[b : b + size], strict=True):
            lines_of.setdefault(at, []).append((word.start(), line))
    placed = []
    for number, piece in enumerate(pieces):
        found = lines_of.get(number, [])
        # A block that is not on the page as read by tesseract gets all of it: a wrong rectangle would be worse.
        is_found = len(found) >= max(1, LEAST_FOUND * len(piece.text.split()))
        boxes = _line_boxes(found, lines, len(piece.text)) if is_found else [LineBox(page, *whole, 0, len(piece.text))]
        placed.append(piece._replace(place=BlockPlace(boxes=tuple(boxes))))
    return placed


def _line_boxes(found: list[tuple[int, int]], lines: Sequence[tuple[LineBox, str]], length: int) -> list[LineBox]:
    """Return a box for each line, from its first word that was found to that of the next one."""
    starts: dict[int, int] = {}
    for offset, line in found:
        starts.setdefault(line, offset)
    ordered = sorted(starts.items(), key=lambda entry: entry[1])
    ends = [*(start for _, start in ordered[1:]), length]
    boxes = []
    for place, ((line, start), end) in enumerate(zip(ordered, ends, strict=True)):
        boxes.append(lines[line][0]._replace(start=0 if place == 0 else start, end=end))
    return boxes


def _key_of(word: str) -> str:
    # A model and tesseract disagree about punctuation more than about letters.
    return "".join(filter(str.isalnum, word)).casefold() or word
