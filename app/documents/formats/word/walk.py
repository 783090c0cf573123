"""Walks over one part of a DOCX: its paragraphs in order, each followed by what hangs on it."""

from __future__ import annotations

from dataclasses import dataclass

from app.documents.formats.office import labels
from app.documents.formats.office.drawing_parts import Drawings, is_words_for_picture
from app.documents.formats.office.drawing_text import PARAGRAPH as DRAWN
from app.documents.formats.office.nodes import line_of
from app.documents.formats.office.package import ALTERNATE, COMPATIBILITY, chosen
from app.documents.formats.office.parts import Part
from app.documents.formats.office.runs import arranged, plan_of
from app.documents.formats.word.blocks import LEFT_OUT
from app.documents.formats.word.build import rebuild
from app.documents.formats.word.language import Direction
from app.documents.formats.word.looks import Looks
from app.documents.formats.word.nodes import ParagraphReader
from app.documents.formats.word.numbering import LEVELS
from app.documents.formats.word.styles import Role, W, whole
from app.documents.segments import SegmentKind
from app.documents.visits import Ask, Once
from app.documents.xml_tree import Element

_PARAGRAPH, _TABLE, _ROW, _CELL = f"{W}p", f"{W}tbl", f"{W}tr", f"{W}tc"
_ON_A_PATH = "{urn:schemas-microsoft-com:vml}textpath"
_BRANCHES = (f"{COMPATIBILITY}Choice", f"{COMPATIBILITY}Fallback")
_ALT = "alt"
_DRAWN_IN_RUNS = frozenset((ALTERNATE, *(f"{W}{name}" for name in ("drawing", "pict", "object"))))
_NO_PARAGRAPHS = frozenset(
    f"{W}{name}" for name in ("t", "rPr", "instrText", "fldChar", "bookmarkStart", "bookmarkEnd")
)


@dataclass
class Walk:
    """Rewrites the paragraphs of a part."""

    part: Part
    looks: Looks
    drawings: Drawings
    direction: Direction | None
    ask: Ask

    def read(self, element: Element, kind: SegmentKind) -> None:
        """A paragraph, a table, or anything that holds these. `kind` is what paragraphs are where they stand."""
        tag = element.tag
        if tag == _PARAGRAPH:
            self._paragraph(element, kind)
        elif tag == DRAWN:
            self.drawings.paragraph(self.part, element, self.ask, kind)
        elif tag == ALTERNATE:
            self._alternate(element, kind)
        elif tag == _TABLE:
            self._table(element, kind)
        elif tag not in LEFT_OUT and tag not in _NO_PARAGRAPHS and isinstance(tag, str):
            self._attributes(element)
            for child in list(element):
                self.read(child, kind)

    def _paragraph(self, paragraph: Element, kind: SegmentKind) -> None:
        hanging = _hanging(paragraph)
        self._words(paragraph, kind)
        inside = SegmentKind.PARAGRAPH if kind is SegmentKind.CELL else kind
        for child in hanging:
            self.read(child, inside)

    def _words(self, paragraph: Element, kind: SegmentKind) -> None:
        plan = plan_of(line_of(ParagraphReader(self.looks).nodes(paragraph), self.looks.difference))
        is_code = plan.is_code or (plan.has_words and self.looks.paragraph_style(paragraph).role is Role.CODE)
        if plan.has_words or is_code:
            self.drawings.left.paragraph(is_code=is_code)
        if is_code or not plan.has_words:
            return
        kind, level = self._nature(paragraph) if kind is SegmentKind.PARAGRAPH else (kind, 0)
        given = self.ask(plan.content, kind, 0, level)
        if given is None:
            return
        runs = rebuild(paragraph, arranged(plan, given))
        if self.direction is not None:
            self.direction.paragraph(paragraph, runs)
        self.part.is_changed = True

    def _nature(self, paragraph: Element) -> tuple[SegmentKind, int]:
        style = self.looks.paragraph_style(paragraph)
        properties = paragraph.find(f"{W}pPr")
        outline = whole(properties.find(f"{W}outlineLvl")) if properties is not None else None
        outline = style.outline if outline is None else outline
        if outline is not None and 0 <= outline < LEVELS:
            return SegmentKind.HEADING, outline + 1
        if style.role is Role.TITLE:
            return SegmentKind.HEADING, 1
        if style.num_id not in (None, "0") or (properties is not None and properties.find(f"{W}numPr") is not None):
            return SegmentKind.LIST_ITEM, 0
        return (SegmentKind.CAPTION if style.role is Role.CAPTION else SegmentKind.PARAGRAPH), 0

    def _table(self, table: Element, kind: SegmentKind) -> None:
        """A table of one cell is a frame for what is in it; a deleted row is left."""
        cells = sum(1 for _ in table.iter(_CELL))
        inside = SegmentKind.CELL if cells > 1 and kind is SegmentKind.PARAGRAPH else kind
        for child in list(table):
            if child.tag != _ROW or child.find(f"{W}trPr/{W}del") is None:
                self.read(child, inside)

    def _alternate(self, alternate: Element, kind: SegmentKind) -> None:
        """Several ways to say the same: what one of them says becomes the same in the others."""
        once = Walk(self.part, self.looks, self.drawings, self.direction, Once(self.ask))
        read = list(chosen(alternate))
        others = [each for each in alternate if each.tag in _BRANCHES and each not in read]
        for branch in (*read, *others):
            for child in list(branch):
                once.read(child, kind)

    def _attributes(self, element: Element) -> None:
        if is_words_for_picture(element):
            self.drawings.words_for_picture(self.part, element, self.ask)
        elif element.tag == _ON_A_PATH:
            labels.attribute(self.part, element, "string", self.ask)
        elif element.get(_ALT):
            labels.attribute(self.part, element, _ALT, self.ask)


def _hanging(element: Element) -> list[Element]:
    """What may hold paragraphs of its own; found before the words move."""
    found: list[Element] = []
    for child in element:
        if child.tag in _DRAWN_IN_RUNS:
            found.append(child)
        elif len(child) and child.tag not in LEFT_OUT and child.tag not in _NO_PARAGRAPHS:
            found += _hanging(child)
    return found
