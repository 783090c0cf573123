"""Rewrites PPTX: the slides in the order they are shown, with notes, comments, charts and diagrams.

Left as they are: the prompts of placeholders in layouts and masters, what PowerPoint finds out by itself (numbers,
dates), text in a font for code, names of sections and shapes, and the workbooks inside of charts.
"""

from __future__ import annotations

from typing import BinaryIO

from app.documents.formats.markup.xml_tree import Element
from app.documents.formats.office.drawing import PARAGRAPH, PROPERTIES, Drawings, is_words_for_picture, turn
from app.documents.formats.office.package import (
    ALTERNATE,
    DRAWING,
    Package,
    Part,
    Related,
    branches,
    opened_package,
)
from app.documents.formats.slides.reading import (
    BODIES,
    COMMENT,
    HOLDER,
    LEFT_OUT,
    MODERN_COMMENT,
    SHAPE,
    TITLES,
    USUAL_PART,
    mark_of,
    slides_of,
)
from app.documents.segments import SegmentKind
from app.documents.source import Source
from app.documents.visits import Ask, Once, Target, Visit, Visits

_TABLE = f"{DRAWING}tbl"
_KINDS = dict.fromkeys(TITLES, SegmentKind.HEADING)
_KINDS |= dict.fromkeys(("dt", "ftr", "hdr", "sldNum"), SegmentKind.HEADER)
_SHARED = ("slideLayout", "slideMaster")


def rewrite(source: Source, out: BinaryIO | None, visit: Visit, target: Target | None) -> None:
    """Segments: properties, slide by slide with what belongs to it, then what stands on layouts and masters."""
    with opened_package(source, out) as package:
        _Show(package, Visits(visit), target if out is not None else None).rewrite()


class _Show:
    def __init__(self, package: Package, ask: Visits, target: Target | None) -> None:
        self._package = package
        self._ask = ask
        self._target = target
        self._main = package.main_part(USUAL_PART)
        self._drawings = Drawings(package, target)
        self._shared: dict[str, None] = {}
        """Layouts and masters of the slides, in the order they are met."""

    def rewrite(self) -> None:
        """All parts, in an order that is the same each time."""
        self._package.ask_properties(self._ask, self._target)
        before = set(self._package.changed)
        for number, name in enumerate(slides_of(self._package), 1):
            if name in self._package.archive:
                self._slide(name, number)
            else:
                self._package.source.remark("missing_part", part=name)
        for name in self._shared:
            self._behind(name)
        if self._target is not None and before != set(self._package.changed):
            self._turn_defaults(self._target)
        if self._drawings.left.count:
            self._package.source.remark("left_blocks", count=self._drawings.left.count)

    def _slide(self, name: str, number: int) -> None:
        with self._package.opened(name) as part:
            _Shapes(part, self._drawings, self._ask, number).read(part.root, None)
            self._drawings.related(name, part.root, self._ask, number)
        related = self._package.related(name)
        self._note_shared(related)
        for each in related.values():
            if each.target not in self._package.archive:
                continue
            if each.kind == "notesSlide":
                with self._package.opened(each.target) as part:
                    _Shapes(part, self._drawings, self._ask, number).read(part.root, SegmentKind.NOTE)
            elif each.kind == "comments":
                self._comments(each.target, number)

    def _note_shared(self, related: dict[str, Related]) -> None:
        for each in related.values():
            if each.kind in _SHARED and each.target in self._package.archive and each.target not in self._shared:
                self._shared[each.target] = None
                self._note_shared(self._package.related(each.target) if each.kind == "slideLayout" else {})

    def _behind(self, name: str) -> None:
        """What stands on every slide: shapes of a layout or master that are no placeholders."""
        with self._package.opened(name) as part:
            shapes = _Shapes(part, self._drawings, self._ask, 0, is_behind=True)
            shapes.read(part.root, SegmentKind.HEADER)
            self._drawings.related(name, part.root, self._ask)

    def _comments(self, name: str, number: int) -> None:
        """The older form has its text as it is, the newer one as paragraphs; answers are comments too."""
        with self._package.opened(name) as part:
            for each in list(part.root.iter(COMMENT, MODERN_COMMENT)):
                if each.tag == MODERN_COMMENT:
                    for paragraph in list(each.iter(PARAGRAPH)):
                        self._drawings.paragraph(part, paragraph, self._ask, SegmentKind.NOTE, page=number)
                else:
                    part.ask_text(each, self._ask, SegmentKind.NOTE, number)

    def _turn_defaults(self, target: Target) -> None:
        """The sides that paragraphs have from the presentation, layouts and masters."""
        for name in (self._main, *self._shared):
            with self._package.opened(name) as part:
                for each in part.root.iter():
                    part.is_changed |= _is_level(each) and turn(each, target)


class _Shapes:
    """The shapes of one part, in order, groups and all. `is_behind`: those of a layout or a master."""

    def __init__(self, part: Part, drawings: Drawings, ask: Ask, page: int, *, is_behind: bool = False) -> None:
        self._part = part
        self._drawings = drawings
        self._ask = ask
        self._page = page
        self._is_behind = is_behind

    def read(self, element: Element, kind: SegmentKind | None) -> None:
        """What is in a shape or in anything that holds shapes. `kind` is what its paragraphs are, where that is known
        before."""
        tag = element.tag
        if tag == SHAPE:
            self._shape(element, kind)
        elif tag == PARAGRAPH:
            self._paragraph(element, kind or _kind_of(element))
        elif tag == ALTERNATE:
            self._alternate(element, kind)
        elif tag not in LEFT_OUT and isinstance(tag, str):
            if is_words_for_picture(element):
                self._drawings.words_for_picture(self._part, element, self._ask, self._page)
            inside = kind or SegmentKind.CELL if tag == _TABLE else kind
            for child in list(element):
                self.read(child, inside)

    def _shape(self, shape: Element, kind: SegmentKind | None) -> None:
        holder = shape.find(HOLDER)
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

    def _alternate(self, alternate: Element, kind: SegmentKind | None) -> None:
        """Several ways to say the same: what one of them says becomes the same in the others."""
        once = _Shapes(self._part, self._drawings, Once(self._ask), self._page, is_behind=self._is_behind)
        for branch in branches(alternate):
            for child in list(branch):
                once.read(child, kind)


def _kind_of(paragraph: Element, *, is_body: bool = False) -> SegmentKind:
    """A placeholder for the body is a list, unless a paragraph says that it has no mark."""
    properties = paragraph.find(PROPERTIES)
    mark = mark_of(properties) if properties is not None else None
    is_item = is_body if mark is None else mark != ""
    return SegmentKind.LIST_ITEM if is_item else SegmentKind.PARAGRAPH


def _is_level(element: Element) -> bool:
    """The properties of one level of text in a list of styles: lvl1pPr to lvl9pPr, defPPr."""
    name = str(element.tag).removeprefix(DRAWING)
    return name == "defPPr" or (name.startswith("lvl") and name.endswith("pPr"))
