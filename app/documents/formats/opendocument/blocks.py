"""Paragraphs, lists and tables of an OpenDocument as pieces, each followed by what hangs on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from app.documents.blocks import Kind, Piece, Place, table_text
from app.documents.formats.opendocument.styles import (
    DRAW,
    OFFICE,
    OUTLINE,
    PRESENTATION,
    TABLE,
    TEXT,
    Counters,
    Role,
    Styles,
)
from app.documents.formats.opendocument.text import LEFT_OUT, PARAGRAPHS, Words, plain_text
from app.documents.xml_tree import Element, Places

_LIST, _TABLE = f"{TEXT}list", f"{TABLE}table"
_ROW, _CELL, _COVERED = f"{TABLE}table-row", f"{TABLE}table-cell", f"{TABLE}covered-table-cell"
_STYLE_NAME, _COLUMNS_REPEATED = f"{TEXT}style-name", f"{TABLE}number-columns-repeated"
_HEADING, _NUMBERED = f"{TEXT}h", f"{TEXT}numbered-paragraph"
_UNSEEN_ROWS = ("collapse", "filter")
_MOST_REPEATED = 64
_NOWHERE = Place()
_KINDS = {Role.BODY: Kind.PARAGRAPH, Role.TITLE: Kind.HEADING, Role.CAPTION: Kind.CAPTION, Role.CODE: Kind.CODE}
_DEEPEST_HEADING = 9


class Blocks:
    """Reads block after block; what a list's next number is depends on all before.

    `page` is the slide that is being read, None where there are none. `equation` as in `Words`.
    """

    def __init__(self, styles: Styles, equation: Callable[[str], str]) -> None:
        self.page: int | None = None
        self.pictures = 0
        self._styles = styles
        self._counters = Counters(styles)
        self._equation = equation
        self._numbered_list = ""

    def read(self, element: Element, places: Places) -> Iterator[Piece]:
        """The pieces of a paragraph, a list, a table, or anything that holds these."""
        tag = element.tag
        if tag in PARAGRAPHS:
            piece, words = self.paragraph(element, places.place(element))
            if piece is not None:
                yield piece
            if words is not None:
                yield from self.followed(words, places)
        elif tag == _LIST:
            yield from self._list(element, places)
        elif tag == _TABLE:
            yield from self._table(element, places)
        elif tag == _NUMBERED:
            yield from self._numbered(element, places)
        elif tag == f"{OFFICE}annotation":
            yield from self.gathered(element, places, Kind.NOTE, "comment")
        elif tag == f"{PRESENTATION}notes":
            yield from self.gathered(element, places, Kind.NOTE, "speaker notes")
        elif tag == f"{DRAW}image":
            self.pictures += 1
        elif tag not in LEFT_OUT:
            for child in element:
                yield from self.read(child, places)

    def gathered(self, element: Element, places: Places, kind: Kind, label: str = "") -> Iterator[Piece]:
        """All that is in an element as one piece; the notes inside follow it."""
        pieces = [piece for child in element for piece in self.read(child, places)]
        text = "\n".join(_labelled(piece) for piece in pieces if piece.kind is not Kind.NOTE)
        if text and kind is Kind.HEADING:
            yield Piece(kind, " ".join(text.split()), self.page, places.place(element), 1, label)
        elif text:
            yield Piece(kind, text, self.page, places.place(element), label=label)
        yield from (piece for piece in pieces if piece.kind is Kind.NOTE)

    def paragraph(
        self, element: Element, place: Place, item: tuple[int, str] | None = None
    ) -> tuple[Piece | None, Words | None]:
        """The paragraph itself, None where it has no text, and its `Words`, None where nothing hangs on it.

        `item` is the level and the label of the list item that the paragraph is in.
        """
        look = self._styles.find(element.get(_STYLE_NAME, ""))
        if look.is_hidden:
            return None, None
        hung = None
        text = plain_text(element, self._styles)
        if text is None:
            words = Words(self._styles, self._equation).read(element)
            text, hung = words.text, words if words.has_followers else None
        if not text or text.isspace():
            return None, hung
        if item is None and look.role is Role.BODY and element.tag != _HEADING:
            return Piece(Kind.PARAGRAPH, text.strip(), self.page, place), hung  # most are this
        kind, level, label = self._nature(element, look.role, item)
        return Piece(kind, _trimmed(text, kind), self.page, place, level, label), hung

    def is_code(self, paragraph: Element) -> bool:
        """Whether a paragraph that may be empty is a line of code."""
        look = self._styles.find(paragraph.get(_STYLE_NAME, ""))
        return paragraph.tag != _HEADING and look.role is Role.CODE and not look.is_hidden

    def followed(self, words: Words, places: Places) -> Iterator[Piece]:
        """What hangs on a paragraph."""
        for frame in words.frames:
            yield from self.read(frame, places)
        for note in words.notes:
            label = "comment" if note.tag == f"{OFFICE}annotation" else note.get(f"{TEXT}note-class", "footnote")
            yield from self.gathered(note, places, Kind.NOTE, label)

    def _nature(self, element: Element, role: Role, item: tuple[int, str] | None) -> tuple[Kind, int, str]:
        """What a paragraph is, its level and its label."""
        if element.tag == _HEADING:
            level = _whole(element.get(f"{TEXT}outline-level"), 1)
            is_counted = item is None and element.get(f"{TEXT}is-list-header") != "true"
            label = self._counters.label(OUTLINE, level) if is_counted else item[1] if item else ""
            return Kind.HEADING, max(1, min(level, _DEEPEST_HEADING)), label
        if item is not None:
            return Kind.LIST_ITEM, item[0], item[1]
        if role is Role.TITLE:
            return Kind.HEADING, 1, ""
        return _KINDS[role], 0, ""

    def _list(self, element: Element, places: Places, style: str = "", level: int = 0) -> Iterator[Piece]:
        style = element.get(f"{TEXT}style-name") or style or self._style_of_items(element)
        goes_on = element.get(f"{TEXT}continue-numbering") == "true" or element.get(f"{TEXT}continue-list")
        if level == 0 and not goes_on:
            self._counters.begin(style)
        level += 1
        for item in element:
            is_counted = item.tag == f"{TEXT}list-item"
            start = _whole(item.get(f"{TEXT}start-value"), -1) if is_counted else -1
            for child in item:
                if child.tag in PARAGRAPHS:
                    label = self._counters.label(style, level, start if start >= 0 else None) if is_counted else ""
                    is_counted = False
                    yield from self._entry(child, places, level, label)
                elif child.tag == _LIST:
                    yield from self._list(child, places, style, level)
                else:
                    yield from self.read(child, places)

    def _numbered(self, element: Element, places: Places) -> Iterator[Piece]:
        """A paragraph that is in a list and says so itself."""
        style = element.get(_STYLE_NAME) or self._style_of_items(element)
        list_id = element.get(f"{TEXT}list-id", style)
        if list_id != self._numbered_list:
            self._counters.begin(style)
            self._numbered_list = list_id
        level = max(1, _whole(element.get(f"{TEXT}level"), 1))
        start = _whole(element.get(f"{TEXT}start-value"), -1)
        label = self._counters.label(style, level, start if start >= 0 else None)
        for child in element.iterchildren(*PARAGRAPHS):
            yield from self._entry(child, places, level, label)

    def _entry(self, paragraph: Element, places: Places, level: int, label: str) -> Iterator[Piece]:
        piece, words = self.paragraph(paragraph, places.place(paragraph), (level, label))
        if piece is not None:
            yield piece
        if words is not None:
            yield from self.followed(words, places)

    def _style_of_items(self, element: Element) -> str:
        first = next(element.iter(*PARAGRAPHS), None)
        return self._styles.find(first.get(f"{TEXT}style-name", "")).list_style if first is not None else ""

    def _table(self, table: Element, places: Places) -> Iterator[Piece]:
        rows = [row for row in _inside(table, _ROW) if row.get(f"{TABLE}visibility") not in _UNSEEN_ROWS]
        if len(rows) == 1 and len(cells := list(_inside(rows[0], _CELL, _COVERED))) == 1:
            for child in cells[0]:
                yield from self.read(child, places)
            return
        after: list[Piece] = []
        lines: list[list[str]] = []
        for row in rows:
            line = self._row(row, places, after)
            if any(line):
                lines += [line] * min(_whole(row.get(f"{TABLE}number-rows-repeated"), 1), _MOST_REPEATED)
        if lines:
            yield Piece(Kind.TABLE, table_text(lines), self.page, places.place(table))
        yield from after

    def _row(self, row: Element, places: Places, after: list[Piece]) -> list[str]:
        """The cells of a row; notes and tables inside go to `after`."""
        line: list[str] = []
        for cell in _inside(row, _CELL, _COVERED):
            text = self._cell(cell, places, after)
            repeated = cell.get(_COLUMNS_REPEATED)
            line += [text] if repeated is None else [text] * min(_whole(repeated, 1), _MOST_REPEATED)
        while line and not line[-1]:
            line.pop()
        return line

    def _cell(self, cell: Element, places: Places, after: list[Piece]) -> str:
        texts = []
        for child in cell:
            pieces: Iterable[Piece] = ()
            if child.tag in PARAGRAPHS:
                piece, words = self.paragraph(child, _NOWHERE)
                if piece is not None:
                    texts.append(_labelled(piece))
                pieces = self.followed(words, places) if words is not None else ()
            else:
                pieces = self.read(child, places)
            for each in pieces:
                if each.kind in (Kind.NOTE, Kind.TABLE):
                    after.append(each)
                else:
                    texts.append(_labelled(each))
        return " ".join(texts)


def _inside(element: Element, *tags: str) -> Iterator[Element]:
    """The nearest elements of these tags below one, through whatever groups them."""
    for child in element:
        if child.tag in tags:
            yield child
        elif child.tag not in LEFT_OUT and len(child):
            yield from _inside(child, *tags)


def _trimmed(text: str, kind: Kind) -> str:
    if kind is Kind.HEADING:
        return " ".join(text.split())
    return text.rstrip() if kind is Kind.CODE else text.strip()


def _labelled(piece: Piece) -> str:
    return f"{piece.label} {piece.text}" if piece.label else piece.text


def _whole(value: str | None, default: int) -> int:
    return int(value) if value is not None and re.fullmatch(r"[0-9]{1,9}", value) else default
