"""Drawings of any OOXML package: paragraphs, words for pictures, charts and diagrams in parts of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.documents.formats.office import labels
from app.documents.formats.office.drawing_text import PARAGRAPH, Direction, difference, nodes_of, rebuild
from app.documents.formats.office.nodes import line_of
from app.documents.formats.office.package import CHART, DIAGRAM, DRAWING, RELATIONSHIPS, Related
from app.documents.formats.office.parts import Part, Parts
from app.documents.formats.office.runs import arranged, plan_of
from app.documents.segments import SegmentKind
from app.documents.visits import Ask, Left, Once, Target
from app.documents.xml_tree import Element

_NEWER_CHART = "{http://schemas.microsoft.com/office/drawing/2014/chartex}"
_NUMBERS = (f"{CHART}numCache", f"{CHART}numLit", f"{_NEWER_CHART}numDim")
_DRAWN = ("chart", "chartEx", "diagramData", "diagramDrawing", "chartUserShapes")
_WORDS_FOR_PICTURES = ("docPr", "cNvPr")


class Drawings:
    """Rewrites what is drawn."""

    def __init__(self, parts: Parts, target: Target | None) -> None:
        self.left = Left()
        self._pictures: Once | None = None
        self._parts = parts
        self._direction = Direction(target) if target is not None else None

    def paragraph(
        self, part: Part, paragraph: Element, ask: Ask, kind: SegmentKind, *, page: int = 0, level: int = 0
    ) -> None:
        """A paragraph of DrawingML."""
        plan = plan_of(line_of(nodes_of(paragraph), difference))
        if not plan.has_words:
            if plan.is_code:
                self.left.paragraph(is_code=True)
            return
        self.left.paragraph(is_code=False)
        given = ask(plan.content, kind, page, level)
        if given is None:
            return
        runs = rebuild(paragraph, arranged(plan, given))
        if self._direction is not None:
            self._direction.paragraph(paragraph, runs)
        part.is_changed = True

    def words_for_picture(self, part: Part, element: Element, ask: Ask, page: int = 0) -> None:
        """What is said of a picture for those who do not see it, and its title; Word writes each twice."""
        self._pictures = self._pictures or Once(ask)
        for name in ("title", "descr"):
            labels.attribute(part, element, name, self._pictures, page)

    def related(self, part_name: str, root: Element | None, ask: Ask, page: int = 0) -> None:
        """Charts and diagrams that a part names, in the order of their places in it; each once.

        A diagram's words are in its data, and again in the drawing that was made of it.
        """
        related = self._parts.related(part_name)
        order = [*_called(root), *related] if root is not None else list(related)
        once = Once(ask)
        for id_ in dict.fromkeys(order):
            each = related.get(id_)
            if each is not None and each.kind in _DRAWN and each.target in self._parts.archive:
                self._part(each, once if each.kind.startswith("diagram") else Once(ask), page)

    def _part(self, related: Related, ask: Ask, page: int) -> None:
        with self._parts.opened(related.target) as part:
            for element in _words_in(part.root):
                if element.tag == PARAGRAPH:
                    self.paragraph(part, element, ask, SegmentKind.LABEL, page=page)
                elif str(element.tag).endswith("}cNvPr"):
                    self.words_for_picture(part, element, ask, page)
                else:
                    labels.text(part, element, ask, SegmentKind.LABEL, page)
        if related.kind.startswith("chart"):
            self.related(related.target, None, ask, page)


def is_words_for_picture(element: Element) -> bool:
    """Whether an element may have a picture's words: `docPr` and `cNvPr` of any drawing."""
    return str(element.tag).rpartition("}")[2] in _WORDS_FOR_PICTURES


def _called(root: Element) -> Iterator[str]:
    for element in root.iter(f"{DIAGRAM}relIds", f"{CHART}chart", f"{_NEWER_CHART}chart"):
        name = "dm" if element.tag == f"{DIAGRAM}relIds" else "id"
        yield element.get(f"{RELATIONSHIPS}{name}", "")


def _words_in(root: Element) -> Iterable[Element]:
    """Paragraphs, names of series and categories. The list is made before anything moves."""
    tags = (PARAGRAPH, f"{CHART}v", f"{_NEWER_CHART}pt", f"{_NEWER_CHART}v", "{*}cNvPr", f"{DRAWING}cNvPr")
    found = root.iter(*tags)
    return [each for each in found if each.tag == PARAGRAPH or next(each.iterancestors(*_NUMBERS), None) is None]
