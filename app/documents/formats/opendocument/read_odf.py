"""Read OpenDocument texts and presentations, packed or as one flat XML file: paragraphs, lists and tables."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from app.documents.archive import Archive, is_zip
from app.documents.blocks import BlockKind, BlockPiece, BlockPlace, code_joined, table_text
from app.documents.formats.markup.xml_tree import Element, ElementPlaces, WithoutPictures, parse, stream_blocks, tags
from app.documents.formats.office.paragraphs import ParagraphRole, gathered, labelled, once_each, trimmed
from app.documents.formats.opendocument.odf_paragraphs import (
    ACTIONS,
    STYLE_NAME,
    OdfParagraphWords,
    equation_text,
    plain_text,
)
from app.documents.formats.opendocument.styles import (
    CONTENT,
    DRAW,
    META,
    OFFICE,
    OUTLINE,
    PARAGRAPHS,
    PRESENTATION,
    STYLE,
    STYLES,
    TABLE,
    TEXT,
    ListCounters,
    OpenDocumentStyles,
    parse_whole,
    refuse_protected,
    title_in,
)
from app.documents.source import FileSource, Item, Opened, PageRead, ReadingRemark, counted

_SECTION = f"{TEXT}section"
_CONTAINERS = frozenset(
    tags(OFFICE, "document document-content body text drawing")
    + tags(TEXT, "section table-of-content alphabetical-index illustration-index table-index object-index user-index")
    + tags(TEXT, "bibliography index-body index-title")
)
_DEFINITIONS = (f"{OFFICE}styles", f"{OFFICE}automatic-styles")
_MASTERS, _SLIDE = f"{OFFICE}master-styles", f"{DRAW}page"
_MARGINS = ("header", "footer")
# Enough for the root element, which names the kind; UTF-16's zeros are taken out.
_PEEKED_BYTES = 64 * 1024


def read(source: FileSource) -> Iterator[Item]:
    """Yield the pieces of an ODT, or the slides of an ODP.

    Notes and comments come after the block that calls them; headers and footers, each once, at the end.
    """
    try:
        if is_zip(source.path):
            with Archive(source) as archive:
                yield from _read_packed(archive, source)
        else:
            yield from _read_flat(source)
    except RecursionError:
        raise source.unreadable("too_deep") from None


def _read_packed(archive: Archive, source: FileSource) -> Iterator[Item]:
    refuse_protected(archive, source)
    reading = _OdfReading(source, archive)
    title = title_in(parse(archive.read(META), source)) if META in archive else ""
    styles = parse(archive.read(STYLES), source) if STYLES in archive else None
    if styles is not None:
        reading.styles.add(styles)
    # The mimetype tells a presentation; some writers leave it out, and then it is read as a text.
    kind = archive.read("mimetype")[:200] if "mimetype" in archive else b""
    archive.refuse_crowd(CONTENT)
    with archive.open(CONTENT) as stream:
        yield from reading.body(stream, CONTENT, title, has_slides=b"presentation" in kind)
    if styles is not None:
        yield from once_each(reading.margins(styles, ElementPlaces(STYLES, styles)))
    yield from reading.remarks()


def _read_flat(source: FileSource) -> Iterator[Item]:
    reading = _OdfReading(source, None)
    with source.path.open("rb") as file:
        # A flat file may be UTF-16: without its zeros the ASCII name is found all the same.
        peeked = file.read(_PEEKED_BYTES).replace(b"\x00", b"")
        file.seek(0)
        has_slides = b"opendocument.presentation" in peeked
        yield from reading.body(WithoutPictures(file), "", _flat_title(source.path, source), has_slides=has_slides)
    yield from reading.remarks()


def _flat_title(path: Path, source: FileSource) -> str:
    with path.open("rb") as file:
        for numbered in stream_blocks(WithoutPictures(file), source, frozenset((f"{OFFICE}document",))):
            if numbered.element.tag == f"{OFFICE}meta":
                return title_in(numbered.element)
            # The title stands before the styles, if there is any; the body may be hundreds of megabytes.
            if numbered.element.tag in (*_DEFINITIONS, f"{OFFICE}body"):
                break
    return ""


class _OdfReading:
    def __init__(self, source: FileSource, archive: Archive | None) -> None:
        self.styles = OpenDocumentStyles()
        self._source = source
        self._archive = archive
        self._blocks = OdfBlocks(self.styles, self._equation)
        self._late: list[BlockPiece] = []

    def body(self, stream: BinaryIO, part: str, title: str, *, has_slides: bool) -> Iterator[Item]:
        """Yield all items of the content part, `Opened` first."""
        if has_slides:
            yield from self._presentation_items(parse(stream, self._source), part, title)
        else:
            yield Opened(title=title)
            yield from code_joined(self._text(stream, part))
        yield from self._late

    def _text(self, stream: BinaryIO, part: str) -> Iterator[BlockPiece]:
        parent, is_hidden = None, False
        for start, end, element in stream_blocks(stream, self._source, _CONTAINERS):
            # Asked once a parent: most paragraphs follow each other in one section.
            if element.getparent() is not parent:
                parent = element.getparent()
                is_hidden = _is_hidden(parent)
            tag = element.tag
            if tag in PARAGRAPHS and not is_hidden:
                piece, words = self._blocks.paragraph(element, BlockPlace(part, start, end))
                if piece is not None:
                    yield piece
                elif words is None and self._blocks.is_code(element):
                    # An empty line of code has no text, but divides nothing: it stays a line of the block.
                    yield BlockPiece(BlockKind.CODE, "", None, BlockPlace(part, start, end))
                if words is not None:
                    yield from self._blocks.followed(words, ElementPlaces(part, element, start, end))
            elif tag in _DEFINITIONS:
                self.styles.add(element)
            elif tag == _MASTERS:
                self.styles.add(element)
                self._late += once_each(self.margins(element, ElementPlaces(part, element, start, end)))
            elif not is_hidden:
                yield from self._blocks.read(element, ElementPlaces(part, element, start, end))

    def _presentation_items(self, root: Element, part: str, title: str) -> Iterator[Item]:
        for element in root.iter(*_DEFINITIONS, _MASTERS):
            self.styles.add(element)
        places = ElementPlaces(part, root)
        slides = list(root.iter(_SLIDE))
        yield Opened("slide", len(slides), title)
        for number, slide in enumerate(slides, 1):
            if self._source.wants(number):
                yield from self._slide_items(slide, number, places)
        # Headers and footers belong to no slide.
        self._blocks.page = None
        yield from once_each(self._declared_texts(root, places))

    def _declared_texts(self, root: Element, places: ElementPlaces) -> Iterator[BlockPiece]:
        for kind in _MARGINS:
            for element in root.iter(f"{PRESENTATION}{kind}-decl"):
                if text := " ".join((element.text or "").split()):
                    yield BlockPiece(BlockKind.NOTE, text, None, places.place_of(element), label=kind)

    def _slide_items(self, slide: Element, number: int, places: ElementPlaces) -> Iterator[Item]:
        self._blocks.page = number
        if self.styles.is_hidden_page(slide.get(f"{DRAW}style-name", "")):
            yield ReadingRemark("hidden", {"unit": "slide", "name": str(number)})
        has_text = False
        pictures = self._blocks.pictures
        for child in slide:
            is_title = child.get(f"{PRESENTATION}class") == "title"
            # A title placeholder may hold several paragraphs, and is one heading.
            gathered = self._blocks.gathered(child, places, BlockKind.HEADING) if is_title else None
            for piece in gathered or self._blocks.read(child, places):
                has_text = True
                yield piece
        yield PageRead(number, has_text, is_picture=not has_text and self._blocks.pictures > pictures)

    def margins(self, root: Element, places: ElementPlaces) -> Iterator[BlockPiece]:
        for kind in _MARGINS:
            for element in root.iter(*(f"{STYLE}{kind}{variant}" for variant in ("", "-left", "-first"))):
                yield from self._blocks.gathered(element, places, BlockKind.NOTE, kind)

    def remarks(self) -> Iterator[ReadingRemark]:
        yield from counted("pictures", self._blocks.pictures)

    def _equation(self, href: str) -> str:
        """Return an equation's text, from its document in the archive; "" for other objects."""
        # The equation is a document of its own: "./Object 1/content.xml".
        name = posixpath.normpath(posixpath.join(href, CONTENT))
        if self._archive is None or name not in self._archive:
            return ""
        root = parse(self._archive.read(name), self._source)
        return equation_text(root) if str(root.tag).endswith("}math") else ""


def _is_hidden(parent: Element | None) -> bool:
    return any(
        element.tag == _SECTION and element.get(f"{TEXT}display") == "none"
        for element in ([parent, *parent.iterancestors()] if parent is not None else ())
    )


_LIST, TABLE_TAG = f"{TEXT}list", f"{TABLE}table"
ROW, CELL, COVERED = f"{TABLE}table-row", f"{TABLE}table-cell", f"{TABLE}covered-table-cell"
COLUMNS_REPEATED = f"{TABLE}number-columns-repeated"
_HEADING, _NUMBERED = f"{TEXT}h", f"{TEXT}numbered-paragraph"
_UNSEEN_ROWS = ("collapse", "filter")
# A row repeated a million times fills a sheet to its end; nobody wrote it.
_MOST_REPEATED = 64
_NOWHERE = BlockPlace()
_KINDS = {
    ParagraphRole.BODY: BlockKind.PARAGRAPH,
    ParagraphRole.TITLE: BlockKind.HEADING,
    ParagraphRole.CAPTION: BlockKind.CAPTION,
    ParagraphRole.CODE: BlockKind.CODE,
}
_DEEPEST_HEADING = 9


class OdfBlocks:
    """Reads block after block; what a list's next number is depends on all before.

    `page` is the slide that is being read, None where there are none. `equation` as in `OdfParagraphWords`.
    """

    def __init__(self, styles: OpenDocumentStyles, equation: Callable[[str], str]) -> None:
        self.page: int | None = None
        self.pictures = 0
        self._styles = styles
        self._counters = ListCounters(styles)
        self._equation = equation
        self._numbered_list = ""

    def read(self, element: Element, places: ElementPlaces) -> Iterator[BlockPiece]:
        """Yield the pieces of a paragraph, a list, a table, or anything that holds these."""
        tag = element.tag
        if tag in PARAGRAPHS:
            yield from self._whole_paragraph(element, places)
        elif tag == _LIST:
            yield from self._list_blocks(element, places)
        elif tag == TABLE_TAG:
            yield from self._table(element, places)
        elif tag == _NUMBERED:
            yield from self._numbered_blocks(element, places)
        elif tag == f"{OFFICE}annotation":
            yield from self.gathered(element, places, BlockKind.NOTE, "comment")
        elif tag == f"{PRESENTATION}notes":
            yield from self.gathered(element, places, BlockKind.NOTE, "speaker notes")
        elif tag == f"{DRAW}image":
            self.pictures += 1
        elif tag not in LEFT_OUT:
            for child in element:
                yield from self.read(child, places)

    def gathered(
        self, element: Element, places: ElementPlaces, kind: BlockKind, label: str = ""
    ) -> Iterator[BlockPiece]:
        """Join an element's pieces into one of `kind`; the notes inside follow it."""
        pieces = [piece for child in element for piece in self.read(child, places)]
        return gathered(pieces, kind, places.place_of(element), self.page, label)

    def paragraph(
        self, element: Element, place: BlockPlace, item: tuple[int, str] | None = None
    ) -> tuple[BlockPiece | None, OdfParagraphWords | None]:
        """Return the paragraph itself, None where it has no text, and its `OdfParagraphWords`, None where nothing hangs
        on it.

        `item` is the level and the label of the list item that the paragraph is in.
        """
        look = self._styles.find(element.get(STYLE_NAME, ""))
        if look.is_hidden:
            return None, None
        hung = None
        # Nine of ten paragraphs have no markup to walk.
        text = plain_text(element, self._styles)
        if text is None:
            words = OdfParagraphWords(self._styles, self._equation).read(element)
            text, hung = words.text, words if words.has_followers else None
        if not text or text.isspace():
            return None, hung
        if item is None and look.role is ParagraphRole.BODY and element.tag != _HEADING:
            return BlockPiece(BlockKind.PARAGRAPH, text.strip(), self.page, place), hung  # most are this
        kind, level, label = self._block_kind(element, look.role, item)
        return BlockPiece(kind, trimmed(text, kind), self.page, place, level, label), hung

    def is_code(self, paragraph: Element) -> bool:
        """Return whether a paragraph that may be empty is a line of code."""
        look = self._styles.find(paragraph.get(STYLE_NAME, ""))
        return paragraph.tag != _HEADING and look.role is ParagraphRole.CODE and not look.is_hidden

    def followed(self, words: OdfParagraphWords, places: ElementPlaces) -> Iterator[BlockPiece]:
        """Yield what hangs on a paragraph and is read behind it: its frames, then its notes and comments."""
        for frame in words.frames:
            yield from self.read(frame, places)
        for note in words.notes:
            label = "comment" if note.tag == f"{OFFICE}annotation" else note.get(f"{TEXT}note-class", "footnote")
            yield from self.gathered(note, places, BlockKind.NOTE, label)

    def _block_kind(
        self, element: Element, role: ParagraphRole, item: tuple[int, str] | None
    ) -> tuple[BlockKind, int, str]:
        if element.tag == _HEADING:
            level = parse_whole(element.get(f"{TEXT}outline-level"))
            # A heading in a list has the list's number, others the outline's.
            is_counted = item is None and element.get(f"{TEXT}is-list-header") != "true"
            label = self._counters.label(OUTLINE, level) if is_counted else item[1] if item else ""
            return BlockKind.HEADING, max(1, min(level, _DEEPEST_HEADING)), label
        if item is not None:
            return BlockKind.LIST_ITEM, item[0], item[1]
        if role is ParagraphRole.TITLE:
            return BlockKind.HEADING, 1, ""
        return _KINDS[role], 0, ""

    def _list_blocks(
        self, element: Element, places: ElementPlaces, style: str = "", level: int = 0
    ) -> Iterator[BlockPiece]:
        # A list inside of another has its style, unless it names one itself; Writer's paragraphs name theirs instead.
        style = element.get(f"{TEXT}style-name") or style or self._style_of_items(element)
        goes_on = element.get(f"{TEXT}continue-numbering") == "true" or element.get(f"{TEXT}continue-list")
        if level == 0 and not goes_on:
            self._counters.begin(style)
        level += 1
        for item in element:
            is_counted = item.tag == f"{TEXT}list-item"
            start = parse_whole(item.get(f"{TEXT}start-value"), -1) if is_counted else -1
            for child in item:
                if child.tag in PARAGRAPHS:
                    label = self._counters.label(style, level, start if start >= 0 else None) if is_counted else ""
                    # Only the first paragraph of an item has the mark.
                    is_counted = False
                    yield from self._whole_paragraph(child, places, (level, label))
                elif child.tag == _LIST:
                    yield from self._list_blocks(child, places, style, level)
                else:
                    yield from self.read(child, places)

    def _numbered_blocks(self, element: Element, places: ElementPlaces) -> Iterator[BlockPiece]:
        """Yield a paragraph that declares its own list numbering."""
        style = element.get(STYLE_NAME) or self._style_of_items(element)
        list_id = element.get(f"{TEXT}list-id", style)
        if list_id != self._numbered_list:
            self._counters.begin(style)
            self._numbered_list = list_id
        level = max(1, parse_whole(element.get(f"{TEXT}level")))
        start = parse_whole(element.get(f"{TEXT}start-value"), -1)
        label = self._counters.label(style, level, start if start >= 0 else None)
        for child in element.iterchildren(*PARAGRAPHS):
            yield from self._whole_paragraph(child, places, (level, label))

    def _whole_paragraph(
        self, paragraph: Element, places: ElementPlaces, item: tuple[int, str] | None = None
    ) -> Iterator[BlockPiece]:
        piece, words = self.paragraph(paragraph, places.place_of(paragraph), item)
        if piece is not None:
            yield piece
        if words is not None:
            yield from self.followed(words, places)

    def _style_of_items(self, element: Element) -> str:
        first = next(element.iter(*PARAGRAPHS), None)
        return self._styles.find(first.get(f"{TEXT}style-name", "")).list_style if first is not None else ""

    def _table(self, table: Element, places: ElementPlaces) -> Iterator[BlockPiece]:
        rows = [row for row in _nearest_descendants(table, ROW) if row.get(f"{TABLE}visibility") not in _UNSEEN_ROWS]
        # A table of one cell is a frame around text.
        if len(rows) == 1 and len(cells := list(_nearest_descendants(rows[0], CELL, COVERED))) == 1:
            for child in cells[0]:
                yield from self.read(child, places)
            return
        after: list[BlockPiece] = []
        lines: list[list[str]] = []
        for row in rows:
            line = self._row_cells(row, places, after)
            if any(line):
                # Empty rows are left out, and repeated ones come as often as is plausible.
                lines += [line] * min(parse_whole(row.get(f"{TABLE}number-rows-repeated")), _MOST_REPEATED)
        if lines:
            yield BlockPiece(BlockKind.TABLE, table_text(lines), self.page, places.place_of(table))
        yield from after

    def _row_cells(self, row: Element, places: ElementPlaces, after: list[BlockPiece]) -> list[str]:
        """Return the cells of a row; notes and tables inside go to `after`."""
        line: list[str] = []
        for cell in _nearest_descendants(row, CELL, COVERED):
            line += [self._cell(cell, places, after)] * min(parse_whole(cell.get(COLUMNS_REPEATED)), _MOST_REPEATED)
        # A row is filled to the sheet's last column by one repeated empty cell.
        while line and not line[-1]:
            line.pop()
        return line

    def _cell(self, cell: Element, places: ElementPlaces, after: list[BlockPiece]) -> str:
        texts = []
        for child in cell:
            pieces: Iterable[BlockPiece] = ()
            if child.tag in PARAGRAPHS:
                piece, words = self.paragraph(child, _NOWHERE)
                if piece is not None:
                    texts.append(labelled(piece))
                pieces = self.followed(words, places) if words is not None else ()
            else:
                pieces = self.read(child, places)
            for block_piece in pieces:
                # Notes and tables can't stand inside of a cell's line.
                if block_piece.kind in (BlockKind.NOTE, BlockKind.TABLE):
                    after.append(block_piece)
                else:
                    texts.append(labelled(block_piece))
        return " ".join(texts)


def _nearest_descendants(element: Element, *tags: str) -> Iterator[Element]:
    """Yield the nearest descendants of these tags, through groups."""
    for child in element:
        if child.tag in tags:
            yield child
        elif child.tag not in LEFT_OUT and len(child):
            yield from _nearest_descendants(child, *tags)


_SVG = "{urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0}"


LEFT_OUT = frozenset(
    tags(TEXT, "note-citation hidden-text hidden-paragraph tracked-changes script table-of-content-source")
    + tags(TEXT, "alphabetical-index-source illustration-index-source table-index-source object-index-source")
    + tags(TEXT, "user-index-source bibliography-source section-source dde-connection-source")
    + tags(OFFICE, "annotation-end binary-data event-listeners forms scripts font-face-decls settings")
    + tags(_SVG, "title desc")
    + (f"{DRAW}image", f"{DRAW}glue-point", f"{PRESENTATION}event-listener", f"{STYLE}style", f"{TABLE}tracked-changes")
    # Deleted text of tracked changes lies apart in `tracked-changes`, so passing that over is enough.
)
ACTIONS |= dict.fromkeys(LEFT_OUT)
