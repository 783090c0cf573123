"""Reads DOCX (Word, LibreOffice and others): its body as a stream, then what no paragraph calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app.core.lazy_dataclasses import dataclass, field
from app.documents.blocks import BlockKind, BlockPiece, BlockPlace, code_joined, table_text
from app.documents.formats.markup.xml_tree import Element, ElementPlaces, NumberedElement, stream_blocks, tags
from app.documents.formats.office.package import (
    MATH,
    OfficePackage,
    W,
    children_read,
    opened_package,
)
from app.documents.formats.office.paragraphs import ParagraphRole, gathered, labelled, once_each, trimmed
from app.documents.formats.word import list_labels, word_model
from app.documents.formats.word.paragraph_words import ACTIONS, NoteMark, WordParagraphWords, plain_text
from app.documents.formats.word.word_model import (
    LEFT_OUT,
    PROPERTIES,
    STYLE_NAME,
    VAL,
    WordStyle,
    WordStyles,
)
from app.documents.source import FileSource, Item, Opened, ReadingRemark, counted

# Controls and tracked insertions at the level of paragraphs hold some; text directly in them does not occur.
_CONTAINERS = frozenset(tags(W, "document body sdt sdtContent customXml ins moveTo"))


def read(source: FileSource) -> Iterator[Item]:
    """Yield the pieces of a DOCX. It has no pages: where they break depends on the printer.

    Footnotes, endnotes and comments come after the block that calls them; headers and footers, each once, at the end.
    """
    with opened_package(source) as package:
        yield from _WordReader(package).items()


@dataclass
class _WordNotes:
    places: ElementPlaces
    waiting: dict[str, Element] = field(default_factory=dict)


class _WordReader:
    def __init__(self, package: OfficePackage) -> None:
        self._package = package
        self._part = package.main_part(word_model.USUAL_PART)
        self._related = package.related(self._part)
        self._missing = [
            related.target for related in self._related.values() if word_model.is_missed(related, package.archive)
        ]
        styles = WordStyles(self._root_of("styles"))
        self._blocks = _WordBlocks(
            styles, list_labels.WordNumbering(self._root_of("numbering"), styles), self._followers
        )
        self._notes = {kind: self._notes_of(kind, part) for kind, part in word_model.NOTES.items()}

    def items(self) -> Iterator[Item]:
        archive, source = self._package.archive, self._package.source
        archive.refuse_crowd(self._part)
        with archive.open(self._part) as stream:
            yield Opened(title=self._package.title())
            yield from code_joined(self._read_body(stream_blocks(stream, source, _CONTAINERS)))
        # Notes that nothing calls, as of deleted text: at the end, so that no word is lost.
        for kind, notes in self._notes.items():
            yield from self._followers([NoteMark(kind, id_) for id_ in notes.waiting], [])
        yield from once_each(self._read_margins())
        for part in self._missing:
            yield ReadingRemark("missing_part", {"part": part})
        for related in self._related.values():
            # A chunk of another format (altChunk), which Word turns into text when it opens the file.
            if related.kind == "aFChunk" and related.target in archive:
                yield ReadingRemark("attachment", {"name": related.target, "size_bytes": archive.size(related.target)})
        yield from counted("pictures", self._blocks.pictures)

    def _read_body(self, elements: Iterator[NumberedElement]) -> Iterator[BlockPiece]:
        for start, end, element in elements:
            yield from self._blocks.read(element, ElementPlaces(self._part, element, start, end))

    def _followers(self, marks: list[NoteMark], parts: list[str]) -> Iterator[BlockPiece]:
        for id_ in parts:
            related = self._related.get(id_)
            if related is not None and related.target in self._package.archive:
                yield from self._package.drawn(related.target)
        for mark in marks:
            notes = self._notes[mark.kind]
            # A note that is called twice is read once.
            note = notes.waiting.pop(mark.id, None)
            if note is not None:
                yield from self._gather_blocks(note, notes.places, mark.kind)

    def _gather_blocks(self, element: Element, places: ElementPlaces, label: str) -> Iterator[BlockPiece]:
        pieces = [piece for child in element for piece in self._blocks.read(child, places)]
        return gathered(pieces, BlockKind.NOTE, places.place_of(element), label=label)

    def _read_margins(self) -> Iterator[BlockPiece]:
        for kind in ("header", "footer"):
            for related in self._package.named(self._part, kind):
                root = self._package.root(related.target)
                yield from self._gather_blocks(root, ElementPlaces(related.target, root), kind)

    def _notes_of(self, kind: str, part: str) -> _WordNotes:
        name = self._package.part_of_kind(self._part, part)
        if name is None:
            return _WordNotes(ElementPlaces("", None))
        root = self._package.root(name)
        notes = _WordNotes(ElementPlaces(name, root))
        notes.waiting |= {note.get(f"{W}id", ""): note for note in word_model.notes_in(root, kind)}
        return notes

    def _root_of(self, kind: str) -> Element | None:
        name = self._package.part_of_kind(self._part, kind)
        return self._package.root(name) if name is not None else None


_PARAGRAPHS = frozenset((word_model.PARAGRAPH, f"{MATH}oMath", f"{MATH}oMathPara"))
_CELL_PROPERTIES, _ROW_PROPERTIES = f"{W}tcPr", f"{W}trPr"
_NOWHERE = BlockPlace()
_MOST_COLUMNS = 63
"""Word has no more in a table."""


_Followers = Callable[[list[NoteMark], list[str]], Iterator[BlockPiece]]
"""Reads the notes of these marks and the drawings of these relationship ids."""


class _WordBlocks:
    """Reads block after block; what a list's next number is depends on all before."""

    def __init__(self, styles: WordStyles, numbering: list_labels.WordNumbering, followers: _Followers) -> None:
        self.pictures = 0
        self._styles = styles
        self._numbering = numbering
        self._followers = followers

    def read(self, element: Element, places: ElementPlaces) -> Iterator[BlockPiece]:
        """Yield the pieces of a paragraph, a table, or anything that holds these."""
        tag = element.tag
        if tag in _PARAGRAPHS:
            hung: list[WordParagraphWords] = []
            piece = self._piece(element, places.place_of(element), hung)
            # An empty line of code stays: it divides the lines around it.
            if piece.text or piece.kind is BlockKind.CODE:
                yield piece
            if hung:
                yield from self._follow_up(hung, [], places)
        elif tag == word_model.TABLE:
            yield from self._table(element, places)
        elif tag not in LEFT_OUT:
            for child in children_read(element):
                yield from self.read(child, places)

    def _follow_up(
        self, hung: list[WordParagraphWords], tables: list[Element], places: ElementPlaces
    ) -> Iterator[BlockPiece]:
        for element in (*(box for words in hung for box in words.boxes), *tables):
            yield from self.read(element, places)
        for words in hung:
            yield from self._followers(words.marks, words.parts)

    def _piece(self, element: Element, place: BlockPlace, hung: list[WordParagraphWords]) -> BlockPiece:
        """Return the paragraph itself; what hangs on it is added to `hung`."""
        # Nine of ten paragraphs have no markup to walk.
        plain = plain_text(element, self._styles)
        if plain is not None:
            return self._make_piece(
                plain.text, place, (plain.style_id, plain.style), None, bool(plain.style.is_monospace)
            )
        properties = element[0] if len(element) and element[0].tag == PROPERTIES else None
        named = properties.find(STYLE_NAME) if properties is not None and len(properties) else None
        id_ = named.get(VAL, "") if named is not None else self._styles.default
        style = self._styles.find(id_)
        words = WordParagraphWords(self._styles, style)
        words.read(element)
        if words.has_followers:
            hung.append(words)
        self.pictures += words.pictures
        return self._make_piece(words.text, place, (id_, style), properties, words.is_monospace)

    def _make_piece(
        self, text: str, place: BlockPlace, named: tuple[str, WordStyle], properties: Element | None, is_monospace: bool
    ) -> BlockPiece:
        """Return the piece of a text, by its style and the paragraph's own properties; an empty one has no number.

        Of empty paragraphs only a line of code is kept as what it is: it divides others.
        """
        style_id, style = named
        if not text.strip():
            return BlockPiece(
                BlockKind.CODE if style.role is ParagraphRole.CODE else BlockKind.PARAGRAPH, "", None, place
            )
        listed = self._list_place(properties, style, style_id)
        label = self._numbering.label(*listed) if listed else None
        depth = listed[1] if listed and label is not None else None
        kind, level = _block_kind(style, word_model.heading_level(style, properties), depth, is_monospace)
        return BlockPiece(kind, trimmed(text, kind), None, place, level, label or "")

    def _list_place(self, properties: Element | None, style: WordStyle, style_id: str) -> tuple[str, int] | None:
        """Return the id of the list a paragraph is in and its level from 0."""
        direct = properties.find(f"{W}numPr") if properties is not None else None
        num_id = direct.find(f"{W}numId") if direct is not None else None
        found = num_id.get(VAL, "") if num_id is not None else style.num_id
        # A numId of 0 takes a paragraph out of the list of its style (ECMA-376 part 1, 17.9.18).
        if not found or found == "0":
            return None
        level = word_model.whole_value(direct.find(f"{W}ilvl")) if direct is not None else None
        level = style.level if level is None and num_id is None else level
        if level is None:
            level = self._numbering.level_of_style(found, style_id) if num_id is None else 0
        return found, max(0, level)

    def _table(self, table: Element, places: ElementPlaces) -> Iterator[BlockPiece]:
        rows = list(_nearest_descendants(table, word_model.ROW))
        # A table of one cell is a frame around text.
        if len(rows) == 1 and len(cells := list(_nearest_descendants(rows[0], word_model.CELL))) == 1:
            for child in cells[0]:
                yield from self.read(child, places)
            return
        hung: list[WordParagraphWords] = []
        tables: list[Element] = []
        lines = [self._row(row, hung, tables) for row in rows]
        lines = [line for line in lines if any(line)]
        if lines:
            yield BlockPiece(BlockKind.TABLE, table_text(lines), None, places.place_of(table))
        yield from self._follow_up(hung, tables, places)

    def _row(self, row: Element, hung: list[WordParagraphWords], tables: list[Element]) -> list[str]:
        line: list[str] = []
        properties = row.find(_ROW_PROPERTIES)
        if properties is not None and len(properties):
            # A row deleted with tracked changes.
            if properties.find(f"{W}del") is not None:
                return []
            line += [""] * _column_span(properties.find(f"{W}gridBefore"))
        for cell in _nearest_descendants(row, word_model.CELL):
            first = cell[0] if len(cell) else None
            properties = first if first is not None and first.tag == _CELL_PROPERTIES and len(first) else None
            if properties is not None and properties.find(f"{W}cellDel") is not None:
                continue
            line.append(self._cell(cell, hung, tables))
            if properties is not None:
                line += [""] * (_column_span(properties.find(f"{W}gridSpan")) - 1)
        return line

    def _cell(self, cell: Element, hung: list[WordParagraphWords], tables: list[Element]) -> str:
        texts = []
        for element in _nearest_descendants(cell, *_PARAGRAPHS, word_model.TABLE):
            if element.tag == word_model.TABLE:
                tables.append(element)
                continue
            # Numbers of lists in cells count like all others, so that the next ones are right.
            piece = self._piece(element, _NOWHERE, hung)
            texts.append(labelled(piece))
        return " ".join(texts)


def _nearest_descendants(element: Element, *tags: str) -> Iterator[Element]:
    """Yield the nearest descendants of these tags, through wrappers."""
    for child in children_read(element):
        if child.tag in tags:
            yield child
        elif child.tag not in LEFT_OUT and len(child):
            yield from _nearest_descendants(child, *tags)


def _column_span(element: Element | None) -> int:
    return max(0, min(word_model.whole_value(element) or 0, _MOST_COLUMNS))


def _block_kind(style: WordStyle, heading: int, depth: int | None, is_monospace: bool) -> tuple[BlockKind, int]:
    """Return what a paragraph is, and its level; `depth` is how deep it is in a list, from 0."""
    if heading:
        return BlockKind.HEADING, heading
    if depth is not None:
        return BlockKind.LIST_ITEM, min(depth, word_model.LEVELS - 1) + 1
    if style.role is ParagraphRole.CAPTION:
        return BlockKind.CAPTION, 0
    return (BlockKind.CODE if style.role is ParagraphRole.CODE or is_monospace else BlockKind.PARAGRAPH), 0


ACTIONS |= dict.fromkeys(
    tags(W, "pPr rPr sdtPr sdtEndPr tblPr tblGrid trPr tcPr sectPr fldData del moveFrom delText instrText delInstrText")
    + tags(W, "softHyphen ffData")
)
