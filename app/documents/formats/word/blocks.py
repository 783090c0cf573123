"""Paragraphs and tables of a DOCX as pieces, each followed by what is called in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app.documents.blocks import Kind, Piece, Place, table_text
from app.documents.formats.office.package import ALTERNATE, MATH, chosen
from app.documents.formats.word.numbering import LEVELS, Numbering
from app.documents.formats.word.styles import VAL, Role, Style, Styles, W, whole
from app.documents.formats.word.text import NoteMark, Words, plain_text
from app.documents.xml_tree import Element, Places

PARAGRAPHS = frozenset((f"{W}p", f"{MATH}oMath", f"{MATH}oMathPara"))
TABLE = f"{W}tbl"
LEFT_OUT = frozenset(f"{W}{name}" for name in ("del", "moveFrom", "sdtPr", "sectPr", "pPr", "tblPr", "trPr", "tcPr"))
_ROW, _CELL = f"{W}tr", f"{W}tc"
_CELL_PROPERTIES, _ROW_PROPERTIES = f"{W}tcPr", f"{W}trPr"
_NOWHERE = Place()
_MOST_COLUMNS = 63
"""Word has no more in a table."""


Followers = Callable[[list[NoteMark], list[str]], Iterator[Piece]]
"""Reads the notes of these marks and the drawings of these relationship ids."""


class Blocks:
    """Reads block after block; what a list's next number is depends on all before."""

    def __init__(self, styles: Styles, numbering: Numbering, followers: Followers) -> None:
        self.pictures = 0
        self._styles = styles
        self._numbering = numbering
        self._followers = followers

    def read(self, element: Element, places: Places) -> Iterator[Piece]:
        """The pieces of a paragraph, a table, or anything that holds these."""
        tag = element.tag
        if tag in PARAGRAPHS:
            hung: list[Words] = []
            piece = self._piece(element, places.place(element), hung)
            if piece.text or piece.kind is Kind.CODE:
                yield piece
            if hung:
                yield from self._followed(hung, [], places)
        elif tag == TABLE:
            yield from self._table(element, places)
        elif tag not in LEFT_OUT:
            for child in chosen(element) if tag == ALTERNATE else element:
                yield from self.read(child, places)

    def _followed(self, hung: list[Words], tables: list[Element], places: Places) -> Iterator[Piece]:
        for element in (*(box for words in hung for box in words.boxes), *tables):
            yield from self.read(element, places)
        for words in hung:
            yield from self._followers(words.marks, words.parts)

    def _piece(self, element: Element, place: Place, hung: list[Words]) -> Piece:
        """The paragraph itself; what hangs on it is added to `hung`."""
        plain = plain_text(element, self._styles)
        if plain is not None:
            return self._made(plain.text, place, (plain.style_id, plain.style), None, bool(plain.style.is_monospace))
        properties = element[0] if len(element) and element[0].tag == f"{W}pPr" else None
        named = properties.find(f"{W}pStyle") if properties is not None and len(properties) else None
        id_ = named.get(VAL, "") if named is not None else self._styles.default
        style = self._styles.find(id_)
        words = Words(self._styles, style)
        words.read(element)
        if words.has_followers:
            hung.append(words)
        self.pictures += words.pictures
        return self._made(words.text, place, (id_, style), properties, words.is_monospace)

    def _made(
        self, text: str, place: Place, named: tuple[str, Style], properties: Element | None, is_monospace: bool
    ) -> Piece:
        """The piece of a text, by its style and the paragraph's own properties; an empty one has no number.

        Of empty paragraphs only a line of code is kept as what it is: it divides others.
        """
        style_id, style = named
        if not text.strip():
            return Piece(Kind.CODE if style.role is Role.CODE else Kind.PARAGRAPH, "", None, place)
        outline = whole(properties.find(f"{W}outlineLvl")) if properties is not None else None
        outline = style.outline if outline is None else outline
        listed = self._listed(properties, style, style_id)
        label = self._numbering.label(*listed) if listed else None
        depth = listed[1] if listed and label is not None else None
        kind, level = _nature(style, outline, depth, is_monospace)
        return Piece(kind, _trimmed(text, kind), None, place, level, label or "")

    def _listed(self, properties: Element | None, style: Style, style_id: str) -> tuple[str, int] | None:
        """The id of the list a paragraph is in and its level from 0."""
        direct = properties.find(f"{W}numPr") if properties is not None else None
        num_id = direct.find(f"{W}numId") if direct is not None else None
        found = num_id.get(VAL, "") if num_id is not None else style.num_id
        if not found or found == "0":
            return None
        level = whole(direct.find(f"{W}ilvl")) if direct is not None else None
        level = style.level if level is None and num_id is None else level
        if level is None:
            level = self._numbering.level_of_style(found, style_id) if num_id is None else 0
        return found, max(0, level)

    def _table(self, table: Element, places: Places) -> Iterator[Piece]:
        rows = list(_inside(table, _ROW))
        if len(rows) == 1 and len(cells := list(_inside(rows[0], _CELL))) == 1:
            for child in cells[0]:
                yield from self.read(child, places)
            return
        hung: list[Words] = []
        tables: list[Element] = []
        lines = [self._row(row, hung, tables) for row in rows]
        lines = [line for line in lines if any(line)]
        if lines:
            yield Piece(Kind.TABLE, table_text(lines), None, places.place(table))
        yield from self._followed(hung, tables, places)

    def _row(self, row: Element, hung: list[Words], tables: list[Element]) -> list[str]:
        line: list[str] = []
        properties = row.find(_ROW_PROPERTIES)
        if properties is not None and len(properties):
            if properties.find(f"{W}del") is not None:
                return []
            line += [""] * _columns(properties.find(f"{W}gridBefore"))
        for cell in _inside(row, _CELL):
            first = cell[0] if len(cell) else None
            properties = first if first is not None and first.tag == _CELL_PROPERTIES and len(first) else None
            if properties is not None and properties.find(f"{W}cellDel") is not None:
                continue
            line.append(self._cell(cell, hung, tables))
            if properties is not None:
                line += [""] * (_columns(properties.find(f"{W}gridSpan")) - 1)
        return line

    def _cell(self, cell: Element, hung: list[Words], tables: list[Element]) -> str:
        texts = []
        for element in _inside(cell, *PARAGRAPHS, TABLE):
            if element.tag == TABLE:
                tables.append(element)
                continue
            piece = self._piece(element, _NOWHERE, hung)
            texts.append(f"{piece.label} {piece.text}" if piece.label else piece.text)
        return " ".join(texts)


def _inside(element: Element, *tags: str) -> Iterator[Element]:
    """The nearest elements of these tags below one, through whatever wraps them."""
    for child in chosen(element) if element.tag == ALTERNATE else element:
        if child.tag in tags:
            yield child
        elif child.tag not in LEFT_OUT and len(child):
            yield from _inside(child, *tags)


def _columns(element: Element | None) -> int:
    return max(0, min(whole(element) or 0, _MOST_COLUMNS))


def _nature(style: Style, outline: int | None, depth: int | None, is_monospace: bool) -> tuple[Kind, int]:
    """What a paragraph is, and its level; `depth` is how deep it is in a list, from 0."""
    if outline is not None and 0 <= outline < LEVELS:
        return Kind.HEADING, outline + 1
    if style.role is Role.TITLE:
        return Kind.HEADING, 1
    if depth is not None:
        return Kind.LIST_ITEM, min(depth, LEVELS - 1) + 1
    if style.role is Role.CAPTION:
        return Kind.CAPTION, 0
    return (Kind.CODE if style.role is Role.CODE or is_monospace else Kind.PARAGRAPH), 0


def _trimmed(text: str, kind: Kind) -> str:
    if kind is Kind.HEADING:
        return " ".join(text.split())
    return text.strip("\n").rstrip() if kind is Kind.CODE else text.strip()
