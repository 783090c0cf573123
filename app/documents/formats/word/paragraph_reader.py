"""Read a paragraph of a DOCX into nodes: its words, and everything among them."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.lazy_dataclasses import dataclass
from app.documents.formats.markup.xml_tree import Element, tags
from app.documents.formats.office.package import ALTERNATE, MATH, W
from app.documents.formats.office.runs import InlineAnchor, Node, SingleNode, StyledText, WordGroup, texts_in
from app.documents.formats.word import list_labels, word_model
from app.documents.formats.word.paragraph_words import WordParagraphWords
from app.documents.formats.word.word_model import PROPERTIES, RUN, RUN_PROPERTIES, TEXT, RawElement

_DRAWN_ANCHOR = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}anchor"
_CONTENT = f"{W}sdtContent"
_SMART = f"{W}smartTag"
"""Word recognizes names and dates in smart tags, nested in each other; they say nothing to a reader."""
_HOLDERS = {f"{W}hyperlink": "link", **dict.fromkeys((f"{W}ins", f"{W}moveTo", f"{W}customXml", _SMART), "other")}
_TRANSPARENT = frozenset((f"{W}dir", f"{W}bdo"))
"""A direction of the source's script."""
_NOISE = frozenset(tags(W, "proofErr lastRenderedPageBreak softHyphen smartTagPr customXmlPr")) | {
    PROPERTIES,
    RUN_PROPERTIES,
}
_UNSEEN = tags(
    W,
    "del moveFrom bookmark commentRange commentReference perm moveFromRange moveToRange customXmlIns customXmlDel"
    " customXmlMove instrText fldChar fldData delText delInstrText annotationRef",
)
"""Prefixes of invisible elements."""
_SINGLES = {
    **dict.fromkeys(tags(W, "tab ptab"), "tab"),
    **dict.fromkeys(tags(W, "br cr"), "break"),
    **dict.fromkeys(tags(W, "footnoteReference endnoteReference footnoteRef endnoteRef"), "note"),
    **dict.fromkeys((*tags(W, "drawing pict object"), ALTERNATE), "image"),
    **dict.fromkeys(tags(W, "pgNum dayShort dayLong monthShort monthLong yearLong"), "field"),
}
_MATH = (f"{MATH}oMath", f"{MATH}oMathPara")
_OPAQUE = (f"{W}citation", "{http://schemas.microsoft.com/office/word/2010/wordml}checkbox")


@dataclass
class GroupHolder:
    """Form in which a group is written: an element around its words, or a field's code before and end after.

    `inside` is between these, for a field without words.
    """

    element: Element | None = None
    before: tuple[RawElement, ...] = ()
    inside: tuple[RawElement, ...] = ()
    after: tuple[RawElement, ...] = ()


class ParagraphReader:
    def __init__(self, looks: word_model.RunStyles) -> None:
        self._looks = looks
        self._style = word_model.WordStyle()

    def nodes(self, paragraph: Element) -> list[Node]:
        self._style = self._looks.of_paragraph(paragraph)
        return self._read_nodes(paragraph)

    def _read_nodes(self, holder: Element) -> list[Node]:
        return self._resolve_fields(_raw_elements(holder))

    def _resolve_fields(self, raws: Sequence[RawElement]) -> list[Node]:
        nodes: list[Node] = []
        index = 0
        while index < len(raws):
            if raws[index].mark == "begin":
                found, index = word_model.next_field(raws, index)
                nodes.append(self._field_node(found))
                continue
            node = self._make_node(raws[index])
            index += 1
            if node is not None:
                _add_node(nodes, node)
        return nodes

    def _field_node(self, found: word_model.WordField) -> Node:
        if not found.is_whole:
            # A field that begins here and ends in another paragraph, as a table of contents.
            return InlineAnchor(list(found.code), is_loose=True)
        instruction = word_model.instruction_of(found.code)
        children = self._resolve_fields(found.result)
        # A field whose result has no words (a bookmark, a hidden index entry) is invisible.
        if not any(text.text.strip() for text in texts_in(children)) and not _has_single(children):
            return InlineAnchor([*found.code, *found.result, *found.end])
        if word_model.has_words(instruction):
            look = "link" if word_model.is_link(instruction) else "field"
            return WordGroup(
                look, GroupHolder(None, tuple(found.code), tuple(found.result), tuple(found.end)), children
            )
        shows = "".join(text.text for text in texts_in(children))
        return SingleNode("field", [*found.code, *found.result, *found.end], shows)

    def _make_node(self, raw: RawElement) -> Node | None:
        tag = raw.element.tag
        if tag in _NOISE:
            return None
        if not isinstance(tag, str) or tag.startswith(_UNSEEN):
            return _make_anchor(raw)
        return self._beside_runs(raw) if raw.run is None else self._in_run(raw)

    def _in_run(self, raw: RawElement) -> Node | None:
        tag = raw.element.tag
        if self._looks.is_hidden(raw.run, self._style):
            return InlineAnchor([raw])
        if tag == TEXT:
            return self._text(raw, (raw.element.text or "").replace("\n", " "))
        if tag == f"{W}noBreakHyphen":
            return self._text(raw, "\u2011")
        if tag == f"{W}ruby":
            return self._text(
                raw, "".join(base_run.text or "" for base_run in raw.element.iterfind(f"{W}rubyBase//{TEXT}"))
            )
        return _single_node(raw)

    def _text(self, raw: RawElement, text: str) -> Node | None:
        """Return words as a node; code is a single thing."""
        if not text:
            return None
        blank = [raw] if text.isspace() and self._looks.shows_space(raw.run) else None
        if blank is None and self._looks.is_monospace(raw.run, self._style):
            return SingleNode("code", [raw], text)
        return StyledText(text, raw.run, self._looks.key(raw.run), blank)

    def _beside_runs(self, raw: RawElement) -> Node:
        element = raw.element
        tag = element.tag
        if tag in _MATH:
            return SingleNode("formula", [raw], WordParagraphWords(self._looks).read(element).text.strip())
        if tag == f"{W}fldSimple":
            instruction = element.get(f"{W}instr", "")
            children = self._read_nodes(element)
            if word_model.has_words(instruction):
                return WordGroup("link" if word_model.is_link(instruction) else "field", GroupHolder(element), children)
            return SingleNode("field", [raw], "".join(text.text for text in texts_in(children)))
        if tag == f"{W}sdt":
            return self._control_node(raw)
        if tag in _HOLDERS:
            return WordGroup(_HOLDERS[tag], GroupHolder(element), self._read_nodes(inside_of(element)))
        return _single_node(raw)

    def _control_node(self, raw: RawElement) -> Node:
        """Return a content control. The signs of check boxes, and what Word makes of a source by itself, are no
        words.
        """
        content = raw.element.find(_CONTENT)
        children = self._read_nodes(content) if content is not None else []
        properties = raw.element.find(f"{W}sdtPr")
        if properties is not None and any(properties.find(tag) is not None for tag in _OPAQUE):
            return SingleNode("other", [raw], "".join(text.text for text in texts_in(children)))
        return WordGroup("other", GroupHolder(raw.element), children)


def inside_of(holder: Element) -> Element:
    """Return the element that has a holder's words: a control's content, the innermost of tags that hold only each
    other.
    """
    content = holder.find(_CONTENT)
    if content is not None:
        return content
    if holder.tag == _SMART:
        inner = [child for child in holder if isinstance(child.tag, str) and child.tag not in _NOISE]
        if len(inner) == 1 and inner[0].tag == _SMART:
            return inside_of(inner[0])
    return holder


def _raw_elements(holder: Element) -> list[RawElement]:
    raws: list[RawElement] = []
    for child in holder:
        if child.tag == RUN:
            raws += [RawElement(child, inside) for inside in child if inside.tag != RUN_PROPERTIES]
        elif child.tag in _TRANSPARENT:
            raws += _raw_elements(child)
        else:
            raws.append(RawElement(None, child))
    return raws


def _add_node(nodes: list[Node], node: Node) -> None:
    """Add a node, joining code, and insertions or links cut in two."""
    # Word cuts one link into several where its text was edited.
    last = nodes[-1] if nodes else None
    if isinstance(node, SingleNode) and isinstance(last, SingleNode) and node.look == last.look == "code":
        last.payload += node.payload
        last.shows += node.shows
    elif isinstance(node, WordGroup) and isinstance(last, WordGroup) and _is_one(last.payload, node.payload):
        last.children += node.children
    else:
        nodes.append(node)


def _is_one(first: GroupHolder, second: GroupHolder) -> bool:
    one, other = first.element, second.element
    if one is None or other is None or one.tag != other.tag or one.tag not in _HOLDERS or one.tag == _SMART:
        return False
    # Insertions differ in their ids only, if one person made them at one time.
    told = [{name: value for name, value in change.attrib.items() if name != f"{W}id"} for change in (one, other)]
    return told[0] == told[1]


def _make_anchor(raw: RawElement) -> InlineAnchor:
    tag = raw.element.tag if isinstance(raw.element.tag, str) else ""
    is_end = tag.endswith("End") or tag == f"{W}commentReference"
    kind = tag.removesuffix("Start").removesuffix("End")
    pair = f"{kind} {raw.element.get(f'{W}id', '')}" if kind != tag or not tag else ""
    return InlineAnchor([raw], is_end, raw.mark != "" or tag == word_model.INSTRUCTION, pair)


def _single_node(raw: RawElement) -> Node:
    """Return a single thing. Floating pictures are anchors, not visible where they are anchored."""
    element = raw.element
    look = _SINGLES.get(element.tag, "other")
    if look == "image":
        # A floating picture is shown elsewhere; its anchor may go where the words go.
        if _is_floating(element):
            return InlineAnchor([raw])
        shows = "".join(run.text or "" for run in element.iterchildren() for run in run.iterchildren(TEXT))
        return SingleNode("other" if shows else look, [raw], shows, stays=not shows)
    if element.tag == f"{W}sym":
        return SingleNode(look, [raw], list_labels.symbol_of(element))
    return SingleNode(look, [raw], stays=look in ("tab", "break", "note"))


def _is_floating(element: Element) -> bool:
    if next(element.iter(_DRAWN_ANCHOR), None) is not None:
        return True
    return element.tag == f"{W}pict" and any("position:absolute" in child.get("style", "") for child in element)


def _has_single(nodes: Sequence[Node]) -> bool:
    """Return whether anything visible but text is among the nodes."""
    return any(
        isinstance(node, SingleNode) or (isinstance(node, WordGroup) and _has_single(node.children)) for node in nodes
    )
