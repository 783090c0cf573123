"""Reads PPTX (PowerPoint, Impress and others): the slides in the order they are shown."""

from __future__ import annotations

from collections.abc import Iterator

from app.documents.blocks import Kind, Piece, table_text
from app.documents.formats.markup.xml_tree import Element, Places, tags
from app.documents.formats.office.package import (
    CHART,
    DIAGRAM,
    DRAWING,
    RELATIONSHIPS,
    Package,
    Related,
    children_read,
    drawing_text,
    opened_package,
)
from app.documents.source import Item, Opened, PageRead, Remark, Source

P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
MODERN_COMMENT = "{http://schemas.microsoft.com/office/powerpoint/2018/8/main}txBody"
USUAL_PART = "ppt/presentation.xml"
TITLES = frozenset(("title", "ctrTitle"))
BODIES = frozenset(("body", "obj", ""))
_MARGINS = frozenset(("dt", "ftr", "hdr", "sldNum", "sldImg"))
PARAGRAPH = f"{DRAWING}p"
SHAPE, COMMENT, HOLDER = f"{P}sp", f"{P}text", f"{P}nvSpPr/{P}nvPr/{P}ph"
LEFT_OUT = frozenset((*tags(P, "timing transition extLst custDataLst"), f"{DRAWING}extLst"))
_MOST_LEVEL = 9


def read(source: Source) -> Iterator[Item]:
    """The slides of a PPTX, each with its speaker notes and comments."""
    with opened_package(source) as package:
        yield from _Presentation(package).items()


def slides_of(package: Package) -> list[str]:
    """The names of the slides in their order; the order is only in the presentation's own part."""
    main = package.main_part(USUAL_PART)
    related = package.related(main)
    named = (related.get(each.get(f"{RELATIONSHIPS}id", "")) for each in package.root(main).iter(f"{P}sldId"))
    return [each.target for each in named if each is not None]


class _Presentation:
    def __init__(self, package: Package) -> None:
        self._package = package
        self._missing: list[str] = []
        self._pictures = 0
        self._margins: dict[tuple[str, str], Piece] = {}

    def items(self) -> Iterator[Item]:
        source = self._package.source
        slides = slides_of(self._package)
        yield Opened("slide", len(slides), self._package.title())
        for number, part in enumerate(slides, 1):
            if source.wants(number):
                yield from self._slide(number, part)
        yield from self._margins.values()
        for part in self._missing:
            yield Remark("missing_part", {"part": part})
        if self._pictures:
            yield Remark("pictures", {"count": self._pictures})

    def _slide(self, number: int, part: str) -> Iterator[Item]:
        if part not in self._package.archive:
            self._missing.append(part)
            yield PageRead(number, has_text=False)
            return
        root = self._package.root(part)
        if root.get("show") in ("0", "false"):
            yield Remark("hidden", {"unit": "slide", "name": str(number)})
        related = self._package.related(part)
        pictures, has_text = self._pictures, False
        for piece in self._pieces_of(root, part, related, number):
            has_text = True
            yield piece
        yield PageRead(number, has_text, is_picture=not has_text and self._pictures > pictures)

    def _pieces_of(self, root: Element, part: str, related: dict[str, Related], number: int) -> Iterator[Piece]:
        shapes = _Shapes(self._package, part, root, related, number)
        yield from shapes.read(root)
        self._pictures += shapes.pictures
        self._keep_margins(shapes.margins)
        for each in related.values():
            if each.kind not in ("notesSlide", "comments"):
                continue
            if each.target not in self._package.archive:
                self._missing.append(each.target)
            elif each.kind == "notesSlide":
                yield from self._notes(each.target, number)
            else:
                yield from self._comments(each.target, number)

    def _keep_margins(self, margins: list[Piece]) -> None:
        """Headers and footers of slides are said once, at the end."""
        for piece in margins:
            self._margins.setdefault((piece.label, piece.text), piece)

    def _notes(self, part: str, number: int) -> Iterator[Piece]:
        root = self._package.root(part)
        shapes = _Shapes(self._package, part, root, self._package.related(part), number)
        text = "\n".join(piece.text for piece in shapes.read(root))
        self._keep_margins(shapes.margins)
        if text:
            yield Piece(Kind.NOTE, text, number, Places(part, root).place(root), label="speaker notes")

    def _comments(self, part: str, number: int) -> Iterator[Piece]:
        """The older form has its text as it is, the newer one as paragraphs; answers are comments too."""
        root = self._package.root(part)
        places = Places(part, root)
        for each in root.iter(COMMENT, MODERN_COMMENT):
            if each.tag == MODERN_COMMENT:
                text = "\n".join(filter(None, (drawing_text(line) for line in each.iter(PARAGRAPH))))
            else:
                text = (each.text or "").strip()
            if text:
                yield Piece(Kind.NOTE, text, number, places.place(each), label="comment")


class _Shapes:
    """The shapes of one part, in order, groups and all. `margins` are its date, footer and number, kept aside."""

    def __init__(self, package: Package, part: str, root: Element, related: dict[str, Related], number: int) -> None:
        self.margins: list[Piece] = []
        self.pictures = 0
        self._package = package
        self._related = related
        self._number = number
        self._places = Places(part, root)

    def read(self, element: Element) -> Iterator[Piece]:
        """The pieces of a shape, or of all inside an element."""
        tag = element.tag
        if tag == SHAPE:
            yield from self._shape(element)
        elif tag == f"{DRAWING}tbl":
            yield from self._table(element)
        elif tag in (f"{DIAGRAM}relIds", f"{CHART}chart"):
            yield from self._drawn(element)
        elif tag == PARAGRAPH:
            yield from self._paragraph(element, "")
        elif tag == f"{P}pic":
            self.pictures += 1
        elif tag not in LEFT_OUT:
            for child in children_read(element):
                yield from self.read(child)

    def _shape(self, shape: Element) -> Iterator[Piece]:
        holder = shape.find(HOLDER)
        kind = holder.get("type", "") if holder is not None else None
        paragraphs = list(shape.iter(PARAGRAPH))
        if kind in _MARGINS:
            self._margin(paragraphs, kind)
        elif kind in TITLES:
            text = " ".join(" ".join(drawing_text(each) for each in paragraphs).split())
            if text:
                yield Piece(Kind.HEADING, text, self._number, self._places.place(shape), 1)
        else:
            for each in paragraphs:
                yield from self._paragraph(each, kind)

    def _margin(self, paragraphs: list[Element], kind: str) -> None:
        if kind in ("ftr", "hdr"):
            label = "footer" if kind == "ftr" else "header"
            for each in paragraphs:
                if text := drawing_text(each):
                    self.margins.append(Piece(Kind.NOTE, text, None, self._places.place(each), label=label))

    def _paragraph(self, paragraph: Element, holder: str | None) -> Iterator[Piece]:
        """A placeholder for the body is a list, unless the paragraph says that it has no mark."""
        text = drawing_text(paragraph)
        if not text:
            return
        place = self._places.place(paragraph)
        properties = paragraph.find(f"{DRAWING}pPr")
        label = mark_of(properties) if properties is not None else None
        if label == "" or (label is None and holder not in BODIES) or (holder is None and label is None):
            yield Piece(Kind.PARAGRAPH, text, self._number, place)
            return
        level = properties.get("lvl", "0") if properties is not None else "0"
        depth = min(int(level) if level.isdecimal() and len(level) < 3 else 0, _MOST_LEVEL - 1) + 1
        yield Piece(Kind.LIST_ITEM, text, self._number, place, depth, label or "•")

    def _table(self, table: Element) -> Iterator[Piece]:
        rows = []
        for row in table.iter(f"{DRAWING}tr"):
            cells = row.iterchildren(f"{DRAWING}tc")
            rows.append([" ".join(drawing_text(each) for each in cell.iter(PARAGRAPH)) for cell in cells])
        rows = [row for row in rows if any(cell.strip() for cell in row)]
        if rows:
            yield Piece(Kind.TABLE, table_text(rows), self._number, self._places.place(table))

    def _drawn(self, element: Element) -> Iterator[Piece]:
        """A diagram or a chart, kept in a part of its own."""
        name = "dm" if element.tag == f"{DIAGRAM}relIds" else "id"
        related = self._related.get(element.get(f"{RELATIONSHIPS}{name}", ""))
        if related is not None and related.target in self._package.archive:
            yield from self._package.drawn(related.target, self._number)


def mark_of(properties: Element) -> str | None:
    """The mark of a list item, "" where it is told to have none, None where nothing is said."""
    if properties.find(f"{DRAWING}buNone") is not None:
        return ""
    character = properties.find(f"{DRAWING}buChar")
    if character is not None:
        mark = str(character.get("char", ""))[:1]
        return mark if mark.isprintable() and mark.strip() and not 0xE000 <= ord(mark) <= 0xF8FF else "•"
    return "•" if properties.find(f"{DRAWING}buAutoNum") is not None else None
