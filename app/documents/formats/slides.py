"""PPTX (PowerPoint, Impress and others), read and written back: the slides in the order they are shown.

Left as they are where it is written: the prompts of placeholders in layouts and masters, what PowerPoint finds out by
itself (numbers, dates), text in a font for code, names of sections and shapes, and the workbooks inside of charts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from app.documents.blocks import BlockKind, BlockPiece, table_text
from app.documents.formats.markup.xml_tree import Element, ElementPlaces, tags
from app.documents.formats.office.drawing import PARAGRAPH, PROPERTIES, DrawingRewriter, is_words_for_picture, turn
from app.documents.formats.office.package import (
    ALTERNATE,
    CHART,
    DIAGRAM,
    DRAWING,
    RELATIONSHIPS,
    OfficePackage,
    P,
    RelatedPart,
    XmlPart,
    branches,
    children_read,
    drawing_text,
    opened_package,
)
from app.documents.segments import SegmentKind
from app.documents.source import (
    CachedContent,
    ContentCallback,
    FileSource,
    Item,
    Opened,
    PageRead,
    ReadingRemark,
    SegmentVisits,
    TargetLanguage,
    Visit,
    counted,
)

MODERN_COMMENT = "{http://schemas.microsoft.com/office/powerpoint/2018/8/main}txBody"
USUAL_PART = "ppt/presentation.xml"
TITLES = frozenset(("title", "ctrTitle"))
BODIES = frozenset(("body", "obj", ""))
_MARGINS = frozenset(("dt", "ftr", "hdr", "sldNum", "sldImg"))

SHAPE, COMMENT, HOLDER = f"{P}sp", f"{P}text", f"{P}nvSpPr/{P}nvPr/{P}ph"
LEFT_OUT = frozenset((*tags(P, "timing transition extLst custDataLst"), f"{DRAWING}extLst"))
_MOST_LEVEL = 9


def read(source: FileSource) -> Iterator[Item]:
    """Yield the slides of a PPTX, each with its speaker notes and comments."""
    with opened_package(source) as package:
        yield from _Presentation(package).items()


def slides_of(package: OfficePackage) -> list[str]:
    """Return the names of the slides in their order; the order is only in the presentation's own part."""
    # Names say nothing: slide2.xml may be shown before slide1.xml after slides were moved.
    main = package.main_part(USUAL_PART)
    related = package.related(main)
    named = (related.get(element.get(f"{RELATIONSHIPS}id", "")) for element in package.root(main).iter(f"{P}sldId"))
    return [related.target for related in named if related is not None]


class _Presentation:
    def __init__(self, package: OfficePackage) -> None:
        self._package = package
        self._missing: list[str] = []
        self._pictures = 0
        # By label and text, since the same footer stands on each slide.
        self._margins: dict[tuple[str, str], BlockPiece] = {}

    def items(self) -> Iterator[Item]:
        source = self._package.source
        slides = slides_of(self._package)
        yield Opened("slide", len(slides), self._package.title())
        for number, part in enumerate(slides, 1):
            if source.wants(number):
                yield from self._slide(number, part)
        yield from self._margins.values()
        for part in self._missing:
            yield ReadingRemark("missing_part", {"part": part})
        yield from counted("pictures", self._pictures)

    def _slide(self, number: int, part: str) -> Iterator[Item]:
        if part not in self._package.archive:
            self._missing.append(part)
            yield PageRead(number, has_text=False)
            return
        root = self._package.root(part)
        # Hidden slides are read like the others; a person may have hidden the one with the answer.
        if root.get("show") in ("0", "false"):
            yield ReadingRemark("hidden", {"unit": "slide", "name": str(number)})
        related = self._package.related(part)
        pictures, has_text = self._pictures, False
        for piece in self._pieces_of(root, part, related, number):
            has_text = True
            yield piece
        # A slide that is a picture of text, as presentations made from PDF are.
        yield PageRead(number, has_text, is_picture=not has_text and self._pictures > pictures)

    def _pieces_of(
        self, root: Element, part: str, related: dict[str, RelatedPart], number: int
    ) -> Iterator[BlockPiece]:
        shapes = _ReadShapes(self._package, part, root, related, number)
        yield from shapes.read(root)
        self._pictures += shapes.pictures
        self._keep_margins(shapes.margins)
        for neighbour in related.values():
            if neighbour.kind not in ("notesSlide", "comments"):
                continue
            if neighbour.target not in self._package.archive:
                self._missing.append(neighbour.target)
            elif neighbour.kind == "notesSlide":
                yield from self._note_pieces(neighbour.target, number)
            else:
                yield from self._comments(neighbour.target, number)

    def _keep_margins(self, margins: list[BlockPiece]) -> None:
        """Headers and footers of slides are said once, at the end."""
        for piece in margins:
            self._margins.setdefault((piece.label, piece.text), piece)

    def _note_pieces(self, part: str, number: int) -> Iterator[BlockPiece]:
        root = self._package.root(part)
        shapes = _ReadShapes(self._package, part, root, self._package.related(part), number)
        # A note is one block, however many paragraphs: it is a person's speech about one slide.
        text = "\n".join(piece.text for piece in shapes.read(root))
        self._keep_margins(shapes.margins)
        if text:
            yield BlockPiece(
                BlockKind.NOTE, text, number, ElementPlaces(part, root).place_of(root), label="speaker notes"
            )

    def _comments(self, part: str, number: int) -> Iterator[BlockPiece]:
        """Yield comments with their answers: plain text in the form of 2010 (`p:text`), paragraphs in that of 2018."""
        root = self._package.root(part)
        places = ElementPlaces(part, root)
        for element in root.iter(COMMENT, MODERN_COMMENT):
            if element.tag == MODERN_COMMENT:
                text = "\n".join(filter(None, (drawing_text(line) for line in element.iter(PARAGRAPH))))
            else:
                text = (element.text or "").strip()
            if text:
                yield BlockPiece(BlockKind.NOTE, text, number, places.place_of(element), label="comment")


class _ReadShapes:
    """The shapes of one part, in order, groups and all. `margins` are its date, footer and number, kept aside."""

    def __init__(
        self, package: OfficePackage, part: str, root: Element, related: dict[str, RelatedPart], number: int
    ) -> None:
        self.margins: list[BlockPiece] = []
        self.pictures = 0
        self._package = package
        self._related = related
        self._number = number
        self._places = ElementPlaces(part, root)

    def read(self, element: Element) -> Iterator[BlockPiece]:
        """Yield the pieces of a shape, or of all inside an element."""
        tag = element.tag
        if tag == SHAPE:
            yield from self._shape(element)
        elif tag == f"{DRAWING}tbl":
            yield from self._table(element)
        # Diagrams (SmartArt) and charts keep their text in parts of their own.
        elif tag in (f"{DIAGRAM}relIds", f"{CHART}chart"):
            yield from self._drawn_texts(element)
        elif tag == PARAGRAPH:
            yield from self._paragraph(element, "")
        elif tag == f"{P}pic":
            self.pictures += 1
        # Extensions hold copies for newer versions, and a transition's sound names no text.
        elif tag not in LEFT_OUT:
            for child in children_read(element):
                yield from self.read(child)

    def _shape(self, shape: Element) -> Iterator[BlockPiece]:
        holder = shape.find(HOLDER)
        # Without a type a holder is "obj" (ECMA-376 part 1, 19.3.1.36), a body as well; no holder at all is a text box.
        kind = holder.get("type", "") if holder is not None else None
        paragraphs = list(shape.iter(PARAGRAPH))
        if kind in _MARGINS:
            self._note_margin(paragraphs, kind)
        elif kind in TITLES:
            text = " ".join(" ".join(drawing_text(paragraph) for paragraph in paragraphs).split())
            if text:
                yield BlockPiece(BlockKind.HEADING, text, self._number, self._places.place_of(shape), 1)
        else:
            for paragraph in paragraphs:
                yield from self._paragraph(paragraph, kind)

    def _note_margin(self, paragraphs: list[Element], kind: str) -> None:
        # Date and number are what the program fills in.
        if kind in ("ftr", "hdr"):
            label = "footer" if kind == "ftr" else "header"
            for paragraph in paragraphs:
                if text := drawing_text(paragraph):
                    self.margins.append(
                        BlockPiece(BlockKind.NOTE, text, None, self._places.place_of(paragraph), label=label)
                    )

    def _paragraph(self, paragraph: Element, holder: str | None) -> Iterator[BlockPiece]:
        """Yield a list item or a paragraph.

        What stands in a body's placeholder is a list unless it is said to have no mark.
        """
        text = drawing_text(paragraph)
        if not text:
            return
        place = self._places.place_of(paragraph)
        properties = paragraph.find(f"{DRAWING}pPr")
        label = mark_of(properties) if properties is not None else None
        if label == "" or (label is None and holder not in BODIES) or (holder is None and label is None):
            yield BlockPiece(BlockKind.PARAGRAPH, text, self._number, place)
            return
        level = properties.get("lvl", "0") if properties is not None else "0"
        # `lvl` is 0 to 8 in the standard; a stranger's may be any text.
        depth = min(int(level) if level.isdecimal() and len(level) < 3 else 0, _MOST_LEVEL - 1) + 1
        yield BlockPiece(BlockKind.LIST_ITEM, text, self._number, place, depth, label or "•")

    def _table(self, table: Element) -> Iterator[BlockPiece]:
        rows = []
        for row in table.iter(f"{DRAWING}tr"):
            cells = row.iterchildren(f"{DRAWING}tc")
            rows.append([" ".join(drawing_text(element) for element in cell.iter(PARAGRAPH)) for cell in cells])
        rows = [row for row in rows if any(cell.strip() for cell in row)]
        if rows:
            yield BlockPiece(BlockKind.TABLE, table_text(rows), self._number, self._places.place_of(table))

    def _drawn_texts(self, element: Element) -> Iterator[BlockPiece]:
        """Yield the text of a diagram or chart, from its own part."""
        name = "dm" if element.tag == f"{DIAGRAM}relIds" else "id"
        related = self._related.get(element.get(f"{RELATIONSHIPS}{name}", ""))
        if related is not None and related.target in self._package.archive:
            yield from self._package.drawn(related.target, self._number)


def mark_of(properties: Element) -> str | None:
    """Return a list item's mark, "" if switched off, None if not set."""
    if properties.find(f"{DRAWING}buNone") is not None:
        return ""
    character = properties.find(f"{DRAWING}buChar")
    if character is not None:
        mark = str(character.get("char", ""))[:1]
        # Symbol fonts put their bullets into the private use area, where no other font has anything.
        return mark if mark.isprintable() and mark.strip() and not 0xE000 <= ord(mark) <= 0xF8FF else "•"
    return "•" if properties.find(f"{DRAWING}buAutoNum") is not None else None


_TABLE = f"{DRAWING}tbl"
_KINDS = dict.fromkeys(TITLES, SegmentKind.HEADING)
_KINDS |= dict.fromkeys(("dt", "ftr", "hdr", "sldNum"), SegmentKind.HEADER)
_SHARED = ("slideLayout", "slideMaster")


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:
    """Rewrite properties, each slide with its parts, then layouts and masters."""
    with opened_package(source, out) as package:
        _SlideShow(package, SegmentVisits(visit), target if out is not None else None).rewrite()


class _SlideShow:
    def __init__(self, package: OfficePackage, ask: SegmentVisits, target: TargetLanguage | None) -> None:
        self._package = package
        self._ask = ask
        self._target = target
        self._main = package.main_part(USUAL_PART)
        self._drawings = DrawingRewriter(package, target)
        # A dictionary keeps the order in which they are met, which segments are numbered by.
        self._shared: dict[str, None] = {}
        """Layouts and masters of the slides, in the order they are met."""

    def rewrite(self) -> None:
        """Visit all parts in the order that reading and writing share: segments are numbered by it."""
        self._package.ask_properties(self._ask, self._target)
        # Only what is changed from here on makes the file one in another language.
        before = set(self._package.changed)
        for number, name in enumerate(slides_of(self._package), 1):
            if name in self._package.archive:
                self._slide(name, number)
            else:
                self._package.source.remark("missing_part", part=name)
        for name in self._shared:
            self._rewrite_behind(name)
        # Defaults turn last and only in a file that was translated: otherwise untouched slides would be mirrored.
        if self._target is not None and before != set(self._package.changed):
            self._turn_defaults(self._target)
        self._package.source.remark("left_blocks", count=self._drawings.left.count)

    def _slide(self, name: str, number: int) -> None:
        with self._package.opened(name) as part:
            _SlideShapes(part, self._drawings, self._ask, number).read(part.root, None)
            self._drawings.related(name, part.root, self._ask, number)
        related = self._package.related(name)
        self._note_shared(related)
        for neighbour in related.values():
            if neighbour.target not in self._package.archive:
                continue
            if neighbour.kind == "notesSlide":
                with self._package.opened(neighbour.target) as part:
                    _SlideShapes(part, self._drawings, self._ask, number).read(part.root, SegmentKind.NOTE)
            elif neighbour.kind == "comments":
                self._comments(neighbour.target, number)

    def _note_shared(self, related: dict[str, RelatedPart]) -> None:
        for neighbour in related.values():
            if (
                neighbour.kind in _SHARED
                and neighbour.target in self._package.archive
                and neighbour.target not in self._shared
            ):
                self._shared[neighbour.target] = None
                self._note_shared(self._package.related(neighbour.target) if neighbour.kind == "slideLayout" else {})

    def _rewrite_behind(self, name: str) -> None:
        """Rewrite shapes of a layout or master that aren't placeholders: they are on every slide."""
        with self._package.opened(name) as part:
            # Placeholders there are prompts ("Click to add title") that nobody sees in a show.
            shapes = _SlideShapes(part, self._drawings, self._ask, 0, is_behind=True)
            shapes.read(part.root, SegmentKind.HEADER)
            self._drawings.related(name, part.root, self._ask)

    def _comments(self, name: str, number: int) -> None:
        """Rewrite comments and replies: plain text in the older form, paragraphs in the newer."""
        with self._package.opened(name) as part:
            for element in list(part.root.iter(COMMENT, MODERN_COMMENT)):
                if element.tag == MODERN_COMMENT:
                    for paragraph in list(element.iter(PARAGRAPH)):
                        self._drawings.paragraph(part, paragraph, self._ask, SegmentKind.NOTE, page=number)
                else:
                    part.ask_text(element, self._ask, SegmentKind.NOTE, number)

    def _turn_defaults(self, target: TargetLanguage) -> None:
        """Set the default direction in the presentation, layouts and masters."""
        for name in (self._main, *self._shared):
            with self._package.opened(name) as part:
                for element in part.root.iter():
                    part.is_changed |= _is_level(element) and turn(element, target)


class _SlideShapes:
    """Shapes of one part in order, groups included. `is_behind`: those of a layout or master."""

    def __init__(
        self, part: XmlPart, drawings: DrawingRewriter, ask: ContentCallback, page: int, *, is_behind: bool = False
    ) -> None:
        self._part = part
        self._drawings = drawings
        self._ask = ask
        self._page = page
        self._is_behind = is_behind

    def read(self, element: Element, kind: SegmentKind | None) -> None:
        """Rewrite a shape or a container of shapes. `kind` is its paragraphs', if known."""
        tag = element.tag
        if tag == SHAPE:
            self._shape(element, kind)
        elif tag == PARAGRAPH:
            self._paragraph(element, kind or _kind_of(element))
        elif tag == ALTERNATE:
            self._rewrite_alternate(element, kind)
        elif tag not in LEFT_OUT and isinstance(tag, str):
            if is_words_for_picture(element):
                self._drawings.words_for_picture(self._part, element, self._ask, self._page)
            inside = kind or SegmentKind.CELL if tag == _TABLE else kind
            for child in list(element):
                self.read(child, inside)

    def _shape(self, shape: Element, kind: SegmentKind | None) -> None:
        holder = shape.find(HOLDER)
        # The words of a placeholder stand on the slide itself.
        if holder is not None and self._is_behind:
            return
        of_holder = holder.get("type", "") if holder is not None else None
        kind = kind or _KINDS.get(of_holder or "none")
        for child in shape.iter():
            if is_words_for_picture(child):
                self._drawings.words_for_picture(self._part, child, self._ask, self._page)
        for paragraph in list(shape.iter(PARAGRAPH)):
            self._paragraph(paragraph, kind or _kind_of(paragraph, is_body=of_holder in BODIES))

    def _paragraph(self, paragraph: Element, kind: SegmentKind) -> None:
        level = 1 if kind is SegmentKind.HEADING else 0
        self._drawings.paragraph(self._part, paragraph, self._ask, kind, page=self._page, level=level)

    def _rewrite_alternate(self, alternate: Element, kind: SegmentKind | None) -> None:
        """Rewrite alternatives of the same content, asking once for each text."""
        # Alternatives are the same content for older programs: a second question would make two translations of it.
        once = _SlideShapes(self._part, self._drawings, CachedContent(self._ask), self._page, is_behind=self._is_behind)
        for branch in branches(alternate):
            for child in list(branch):
                once.read(child, kind)


def _kind_of(paragraph: Element, *, is_body: bool = False) -> SegmentKind:
    """Return the kind of a paragraph.

    What stands in a body's placeholder is a list unless it is said to have no mark.
    """
    properties = paragraph.find(PROPERTIES)
    mark = mark_of(properties) if properties is not None else None
    is_item = is_body if mark is None else mark != ""
    return SegmentKind.LIST_ITEM if is_item else SegmentKind.PARAGRAPH


def _is_level(element: Element) -> bool:
    """Return whether an element holds the properties of one level in a list of styles: lvl1pPr to lvl9pPr, defPPr."""
    name = str(element.tag).removeprefix(DRAWING)
    return name == "defPPr" or (name.startswith("lvl") and name.endswith("pPr"))
