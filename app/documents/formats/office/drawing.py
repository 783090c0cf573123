"""DrawingML, as slides, charts, diagrams and text boxes have it: paragraphs, words for pictures, parts."""

from __future__ import annotations

import copy
import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import NamedTuple

from lxml import etree

from app.core.lazy_dataclasses import dataclass
from app.documents.formats.markup.xml_tree import Element, local_name
from app.documents.formats.office.package import (
    ALTERNATE,
    CHART,
    DIAGRAM,
    DRAWING,
    MATH,
    NEWER_CHART,
    RELATIONSHIPS,
    OfficePackage,
    RelatedPart,
    XmlPart,
    is_code_font,
    office_language,
)
from app.documents.formats.office.runs import (
    BREAKS,
    InlineAnchor,
    Node,
    ParagraphToken,
    RunFormat,
    SingleNode,
    StyledText,
    arranged,
    line_of,
    plan_of,
)
from app.documents.segments import SegmentKind
from app.documents.source import CachedContent, CodeCount, ContentCallback, TargetLanguage

PARAGRAPH, PROPERTIES = f"{DRAWING}p", f"{DRAWING}pPr"
_RUN, _TEXT, _BREAK, _FIELD = f"{DRAWING}r", f"{DRAWING}t", f"{DRAWING}br", f"{DRAWING}fld"
_RUN_PROPERTIES, _END = f"{DRAWING}rPr", f"{DRAWING}endParaRPr"
# Equations come in a14:m inside of mc:AlternateContent, whose fallback is a picture of them.
_FORMULAS = ("{http://schemas.microsoft.com/office/drawing/2010/main}m", ALTERNATE)
# Attributes that tell a program about the words, not a reader about their look.
_NO_LOOK = frozenset(("lang", "altLang", "dirty", "err", "noProof", "smtClean", "smtId", "bmk", "kumimoji"))
_OFF = frozenset(("0", "false", "none", "noStrike"))
_SWITCHES = (("b", "bold"), ("i", "italic"), ("u", "underline"), ("strike", "strike"), ("baseline", "small"))
_SIDES = {"l": "r", "r": "l"}
_PARTS = re.compile("([\t\n\x0b])")


class _RunPiece(NamedTuple):
    """A thing in a run that has no words: a tab or a break by its character, or an element of its own."""

    run: Element | None
    element: Element | None
    text: str = ""


@dataclass
class DrawingDirection:
    """Marks what is translated as being in the target's language and direction."""

    target: TargetLanguage

    def paragraph(self, paragraph: Element, runs: Sequence[Element]) -> None:
        properties = paragraph.find(PROPERTIES)
        if properties is None and self.target.is_rtl:
            properties = etree.Element(PROPERTIES)
            paragraph.insert(0, properties)
        if properties is not None:
            turn(properties, self.target)
        for run in runs:
            found = run.find(_RUN_PROPERTIES)
            if found is None:
                found = etree.Element(_RUN_PROPERTIES)
                run.insert(0, found)
            # Or PowerPoint checks the spelling of the translation in the old language.
            found.set("lang", office_language(self.target.language))
        for table in paragraph.iterancestors(f"{DRAWING}tbl"):
            self._table(table)
        end = paragraph.find(_END)
        if end is not None and runs:
            end.set("lang", office_language(self.target.language))

    def _table(self, table: Element) -> None:
        properties = table.find(f"{DRAWING}tblPr")
        if properties is None and self.target.is_rtl:
            properties = etree.Element(f"{DRAWING}tblPr")
            table.insert(0, properties)
        if self.target.is_rtl:
            properties.set("rtl", "1")
        elif properties is not None:
            properties.attrib.pop("rtl", None)


def turn(properties: Element, target: TargetLanguage) -> bool:
    """Set the target's text direction; return whether it changed. Sides in paragraph properties are physical."""
    # `algn` is l or r of the page, not start or end, so it turns with the direction (ECMA-376 part 1, 21.1.2.2.7).
    is_rtl = properties.get("rtl") in ("1", "true")
    if is_rtl == target.is_rtl:
        return False
    side = properties.get("algn", "")
    if side in _SIDES:
        properties.set("algn", _SIDES[side])
    if target.is_rtl:
        properties.set("rtl", "1")
    else:
        del properties.attrib["rtl"]
    return True


def _nodes_of(paragraph: Element) -> list[Node]:
    nodes: list[Node] = []
    for child in paragraph:
        if child.tag == _RUN:
            nodes += _run_nodes(child)
        elif child.tag == _BREAK:
            # A break at an end needs no mark; see `SingleNode.stays`.
            nodes.append(SingleNode("break", [_RunPiece(None, child)], stays=True))
        elif child.tag == _FIELD:
            nodes.append(SingleNode("field", [_RunPiece(None, child)], child.findtext(_TEXT) or ""))
        elif child.tag in _FORMULAS:
            nodes.append(SingleNode("formula", [_RunPiece(None, child)], _formula_text(child)))
        elif child.tag not in (PROPERTIES, _END):
            nodes.append(InlineAnchor([_RunPiece(None, child)]))
    return nodes


def _rebuild_paragraph(paragraph: Element, tokens: Sequence[ParagraphToken]) -> list[Element]:
    """Replace a paragraph's content by the tokens, keeping its properties; return the runs with words."""
    for child in list(paragraph):
        if child.tag not in (PROPERTIES, _END):
            child.tail = None
            paragraph.remove(child)
    end = paragraph.find(_END)
    made: list[Element] = []
    words: list[Element] = []
    source = None
    for token in tokens:
        node = token.node
        if isinstance(node, StyledText):
            # Words of one look share a run: a run for each piece of a translation would bloat the file.
            if source is not node.run:
                source = node.run
                made.append(_copy_run(source))
                words.append(made[-1])
            made[-1][-1].text = (made[-1][-1].text or "") + node.text.translate(BREAKS)
        elif not isinstance(node, RunFormat):
            source = None
            made += [_write_piece(piece) for piece in node.payload]
    for element in made:
        if end is None:
            paragraph.append(element)
        else:
            # `endParaRPr` has to be the last child of a paragraph.
            end.addprevious(element)
    return words


def _run_nodes(run: Element) -> list[Node]:
    text = run.findtext(_TEXT) or ""
    properties = run.find(_RUN_PROPERTIES)
    font = properties.find(f"{DRAWING}latin") if properties is not None else None
    # Only the Latin font tells: code is rarely written in any other script.
    if font is not None and text.strip() and is_code_font(font.get("typeface", "")):
        return [SingleNode("code", [_RunPiece(run, None, text)], text)]
    look = _run_look(properties)
    nodes: list[Node] = []
    # A vertical tab is PowerPoint's line break within a title.
    for part in _PARTS.split(text):
        if part in ("\t", "\x0b", "\n"):
            nodes.append(SingleNode("tab" if part == "\t" else "break", [_RunPiece(run, None, part)], stays=True))
        elif part:
            # A line to write on is made of underlined spaces, which have to keep their look.
            blank = [_RunPiece(run, None, part)] if part.isspace() and _look_words(run) else None
            nodes.append(StyledText(part, run, look, blank))
    return nodes


def _run_look(properties: Element | None) -> Hashable:
    if properties is None:
        return ((), ())
    attributes = tuple(sorted((name, value) for name, value in properties.attrib.items() if name not in _NO_LOOK))
    return attributes, tuple(etree.tostring(child, with_tail=False) for child in properties)


def _look_words(run: Element) -> list[str]:
    properties = run.find(_RUN_PROPERTIES)
    if properties is None:
        return []
    words = [word for name, word in _SWITCHES if properties.get(name, "0") not in _OFF]
    has_link = any(properties.find(f"{DRAWING}{name}") is not None for name in ("hlinkClick", "hlinkMouseOver"))
    return ["link", *words] if has_link else words


def _copy_run(run: Element) -> Element:
    """Return a new run that looks like another one, with an empty text."""
    made = etree.Element(_RUN, nsmap=run.nsmap)
    properties = run.find(_RUN_PROPERTIES)
    if properties is not None:
        made.append(copy.deepcopy(properties))
    etree.SubElement(made, _TEXT)
    return made


def _write_piece(piece: _RunPiece) -> Element:
    if piece.element is not None or piece.run is None:
        # A node is either an element to put back or a character that gets a run of its own.
        return piece.element
    made = _copy_run(piece.run)
    made[-1].text = piece.text
    return made


def _formula_text(element: Element) -> str:
    """Return an equation's text; older programs show a picture in its place."""
    return "".join(text.text or "" for text in element.iter(f"{MATH}t"))


# Numbers of charts are caches of cells; translating them would make the chart lie.
_NUMBERS = (f"{CHART}numCache", f"{CHART}numLit", f"{NEWER_CHART}numDim")
_DRAWN = ("chart", "chartEx", "diagramData", "diagramDrawing", "chartUserShapes")
_WORDS_FOR_PICTURES = ("docPr", "cNvPr")


class DrawingRewriter:
    """Rewrites text boxes, charts and diagrams, and the words for pictures; `left` counts what stays as it is."""

    def __init__(self, package: OfficePackage, target: TargetLanguage | None) -> None:
        self.left = CodeCount()
        self._pictures: CachedContent | None = None
        self._package = package
        self._direction = DrawingDirection(target) if target is not None else None

    def paragraph(
        self,
        part: XmlPart,
        paragraph: Element,
        ask: ContentCallback,
        kind: SegmentKind,
        *,
        page: int = 0,
        level: int = 0,
    ) -> None:
        plan = plan_of(line_of(_nodes_of(paragraph), _look_words))
        # Without words it is code, a field or a picture.
        if not plan.has_words:
            if plan.is_code:
                self.left.paragraph(is_code=True)
            return
        self.left.paragraph(is_code=False)
        given = ask(plan.content, kind, page, level)
        if given is None:
            return
        runs = _rebuild_paragraph(paragraph, arranged(plan, given))
        if self._direction is not None:
            self._direction.paragraph(paragraph, runs)
        part.is_changed = True

    def words_for_picture(self, part: XmlPart, element: Element, ask: ContentCallback, page: int = 0) -> None:
        """Rewrite a picture's alternative text and title, asking once for both places in which Word writes them."""
        self._pictures = self._pictures or CachedContent(ask)
        for name in ("title", "descr"):
            part.ask_attribute(element, name, self._pictures, page)

    def related(self, part_name: str, root: Element | None, ask: ContentCallback, page: int = 0) -> None:
        """Charts and diagrams that a part names, in the order of their places in it; each once.

        A diagram's words are in its data, and again in the drawing that was made of it.
        """
        related = self._package.related(part_name)
        # Parts that nothing in the text places come last, in the order of the relationships.
        order = [*_called_parts(root), *related] if root is not None else list(related)
        once = CachedContent(ask)
        for id_ in dict.fromkeys(order):
            part = related.get(id_)
            if part is not None and part.kind in _DRAWN and part.target in self._package.archive:
                self._part(part, once if part.kind.startswith("diagram") else CachedContent(ask), page)

    def _part(self, related: RelatedPart, ask: ContentCallback, page: int) -> None:
        with self._package.opened(related.target) as part:
            for element in _words_in(part.root):
                if element.tag == PARAGRAPH:
                    self.paragraph(part, element, ask, SegmentKind.LABEL, page=page)
                elif str(element.tag).endswith("}cNvPr"):
                    self.words_for_picture(part, element, ask, page)
                else:
                    part.ask_text(element, ask, SegmentKind.LABEL, page)
        if related.kind.startswith("chart"):
            self.related(related.target, None, ask, page)


def is_words_for_picture(element: Element) -> bool:
    """Return whether an element may have a picture's words: `docPr` and `cNvPr` of any drawing."""
    return local_name(element) in _WORDS_FOR_PICTURES


def _called_parts(root: Element) -> Iterator[str]:
    for element in root.iter(f"{DIAGRAM}relIds", f"{CHART}chart", f"{NEWER_CHART}chart"):
        name = "dm" if element.tag == f"{DIAGRAM}relIds" else "id"
        yield element.get(f"{RELATIONSHIPS}{name}", "")


def _words_in(root: Element) -> Iterable[Element]:
    """Return paragraphs and names of series and categories. A list, because rewriting moves elements."""
    # `{*}cNvPr` takes any namespace: pictures, shapes and charts each have their own.
    tags = (PARAGRAPH, f"{CHART}v", f"{NEWER_CHART}pt", f"{NEWER_CHART}v", "{*}cNvPr", f"{DRAWING}cNvPr")
    found = root.iter(*tags)
    return [
        paragraph
        for paragraph in found
        if paragraph.tag == PARAGRAPH or next(paragraph.iterancestors(*_NUMBERS), None) is None
    ]
