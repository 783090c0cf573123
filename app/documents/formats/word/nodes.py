"""Reads a paragraph of a DOCX into nodes: its words, and everything that stands among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.documents.formats.office.nodes import Anchor, Group, Node, Single, Text, texts_in
from app.documents.formats.office.package import ALTERNATE, MATH
from app.documents.formats.word.fields import INSTRUCTION, Found, Raw, has_words, instruction_of, is_link, next_field
from app.documents.formats.word.looks import Looks
from app.documents.formats.word.numbering import symbol
from app.documents.formats.word.styles import PROPERTIES, RUN_PROPERTIES, Style, W
from app.documents.formats.word.text import Words
from app.documents.xml_tree import Element

_DRAWN_ANCHOR = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}anchor"
_RUN, _TEXT, _CONTENT = f"{W}r", f"{W}t", f"{W}sdtContent"
_HOLDERS = {f"{W}hyperlink": "link", f"{W}ins": "other", f"{W}moveTo": "other", f"{W}customXml": "other"}
_SMART = f"{W}smartTag"
_HOLDERS[_SMART] = "other"
_TRANSPARENT = frozenset((f"{W}dir", f"{W}bdo"))
"""A direction of the source's script."""
_NOISE = frozenset(
    f"{W}{name}" for name in ("proofErr", "lastRenderedPageBreak", "softHyphen", "smartTagPr", "customXmlPr")
) | {PROPERTIES, RUN_PROPERTIES}
_UNSEEN = ("del", "moveFrom", "bookmark", "commentRange", "commentReference", "perm", "moveFromRange", "moveToRange")
_UNSEEN_TAGS = tuple(f"{W}{name}" for name in (*_UNSEEN, "customXmlIns", "customXmlDel", "customXmlMove", "instrText"))
_UNSEEN_TAGS += tuple(f"{W}{name}" for name in ("fldChar", "fldData", "delText", "delInstrText", "annotationRef"))
_SINGLES = dict.fromkeys((f"{W}tab", f"{W}ptab"), "tab") | dict.fromkeys((f"{W}br", f"{W}cr"), "break")
_SINGLES |= {f"{W}{name}": "note" for name in ("footnoteReference", "endnoteReference", "footnoteRef", "endnoteRef")}
_SINGLES |= {f"{W}{name}": "image" for name in ("drawing", "pict", "object")} | {ALTERNATE: "image"}
_SINGLES |= {f"{W}{name}": "field" for name in ("pgNum", "dayShort", "dayLong", "monthShort", "monthLong", "yearLong")}
_MATH = (f"{MATH}oMath", f"{MATH}oMathPara")
_OPAQUE = (f"{W}citation", "{http://schemas.microsoft.com/office/word/2010/wordml}checkbox")


@dataclass
class Holder:
    """What a group is written back as: an element around its words, or a field's code before them and its end after.

    `inside` is what is between these, for a field that has no words.
    """

    element: Element | None = None
    before: tuple[Raw, ...] = ()
    inside: tuple[Raw, ...] = ()
    after: tuple[Raw, ...] = ()


class ParagraphReader:
    """Reads paragraphs, one after another."""

    def __init__(self, looks: Looks) -> None:
        self._looks = looks
        self._style = Style()

    def nodes(self, paragraph: Element) -> list[Node]:
        """What is in a paragraph, in order."""
        self._style = self._looks.paragraph_style(paragraph)
        return self._read(paragraph)

    def _read(self, holder: Element) -> list[Node]:
        return self._resolved(_raws(holder))

    def _resolved(self, raws: Sequence[Raw]) -> list[Node]:
        nodes: list[Node] = []
        index = 0
        while index < len(raws):
            if raws[index].mark == "begin":
                found, index = next_field(raws, index)
                nodes.append(self._field(found))
                continue
            node = self._node(raws[index])
            index += 1
            if node is not None:
                _add(nodes, node)
        return nodes

    def _field(self, found: Found) -> Node:
        if not found.is_whole:
            return Anchor(list(found.code), is_loose=True)
        instruction = instruction_of(found.code)
        children = self._resolved(found.result)
        if not any(text.text.strip() for text in texts_in(children)) and not _has_single(children):
            return Anchor([*found.code, *found.result, *found.end])
        if has_words(instruction):
            look = "link" if is_link(instruction) else "field"
            return Group(look, Holder(None, tuple(found.code), tuple(found.result), tuple(found.end)), children)
        shows = "".join(text.text for text in texts_in(children))
        return Single("field", [*found.code, *found.result, *found.end], shows)

    def _node(self, raw: Raw) -> Node | None:
        tag = raw.element.tag
        if tag in _NOISE:
            return None
        if not isinstance(tag, str) or tag.startswith(_UNSEEN_TAGS):
            return _anchor(raw)
        return self._beside_runs(raw) if raw.run is None else self._in_run(raw)

    def _in_run(self, raw: Raw) -> Node | None:
        tag = raw.element.tag
        if self._looks.is_hidden(raw.run, self._style):
            return Anchor([raw])
        if tag == _TEXT:
            return self._text(raw, (raw.element.text or "").replace("\n", " "))
        if tag == f"{W}noBreakHyphen":
            return self._text(raw, "\u2011")
        if tag == f"{W}ruby":
            return self._text(raw, "".join(each.text or "" for each in raw.element.iterfind(f"{W}rubyBase//{_TEXT}")))
        return _thing(raw)

    def _text(self, raw: Raw, text: str) -> Node | None:
        """Words; code is one thing."""
        if not text:
            return None
        blank = [raw] if text.isspace() and self._looks.shows_space(raw.run) else None
        if blank is None and self._looks.is_monospace(raw.run, self._style):
            return Single("code", [raw], text)
        return Text(text, raw.run, self._looks.key(raw.run), blank)

    def _beside_runs(self, raw: Raw) -> Node:
        element = raw.element
        tag = element.tag
        if tag in _MATH:
            return Single("formula", [raw], Words(self._looks.styles).read(element).text.strip())
        if tag == f"{W}fldSimple":
            instruction = element.get(f"{W}instr", "")
            children = self._read(element)
            if has_words(instruction):
                return Group("link" if is_link(instruction) else "field", Holder(element), children)
            return Single("field", [raw], "".join(text.text for text in texts_in(children)))
        if tag == f"{W}sdt":
            return self._control(raw)
        if tag in _HOLDERS:
            return Group(_HOLDERS[tag], Holder(element), self._read(inside_of(element)))
        return _thing(raw)

    def _control(self, raw: Raw) -> Node:
        """A content control. The signs of check boxes, and what Word makes of a source by itself, are no words."""
        content = raw.element.find(_CONTENT)
        children = self._read(content) if content is not None else []
        properties = raw.element.find(f"{W}sdtPr")
        if properties is not None and any(properties.find(tag) is not None for tag in _OPAQUE):
            return Single("other", [raw], "".join(text.text for text in texts_in(children)))
        return Group("other", Holder(raw.element), children)


def inside_of(holder: Element) -> Element:
    """The element that has a holder's words: a control's content, the innermost of tags that hold only each other."""
    content = holder.find(_CONTENT)
    if content is not None:
        return content
    if holder.tag == _SMART:
        inner = [child for child in holder if isinstance(child.tag, str) and child.tag not in _NOISE]
        if len(inner) == 1 and inner[0].tag == _SMART:
            return inside_of(inner[0])
    return holder


def _raws(holder: Element) -> list[Raw]:
    raws: list[Raw] = []
    for child in holder:
        if child.tag == _RUN:
            raws += [Raw(child, inside) for inside in child if inside.tag != RUN_PROPERTIES]
        elif child.tag in _TRANSPARENT:
            raws += _raws(child)
        else:
            raws.append(Raw(None, child))
    return raws


def _add(nodes: list[Node], node: Node) -> None:
    """Code joins the code before it; so do words of an insertion or a link that was cut in two."""
    last = nodes[-1] if nodes else None
    if isinstance(node, Single) and isinstance(last, Single) and node.look == last.look == "code":
        last.payload += node.payload
        last.shows += node.shows
    elif isinstance(node, Group) and isinstance(last, Group) and _is_one(last.payload, node.payload):
        last.children += node.children
    else:
        nodes.append(node)


def _is_one(first: Holder, second: Holder) -> bool:
    one, other = first.element, second.element
    if one is None or other is None or one.tag != other.tag or one.tag not in _HOLDERS or one.tag == _SMART:
        return False
    told = [{name: value for name, value in each.attrib.items() if name != f"{W}id"} for each in (one, other)]
    return told[0] == told[1]


def _anchor(raw: Raw) -> Anchor:
    tag = raw.element.tag if isinstance(raw.element.tag, str) else ""
    is_end = tag.endswith("End") or tag == f"{W}commentReference"
    kind = tag.removesuffix("Start").removesuffix("End")
    pair = f"{kind} {raw.element.get(f'{W}id', '')}" if kind != tag or not tag else ""
    return Anchor([raw], is_end, raw.mark != "" or tag == INSTRUCTION, pair)


def _thing(raw: Raw) -> Node:
    """What stands alone. A picture that floats is not seen where it stands."""
    element = raw.element
    look = _SINGLES.get(element.tag, "other")
    if look == "image":
        if _floats(element):
            return Anchor([raw])
        shows = "".join(each.text or "" for each in element.iterchildren() for each in each.iterchildren(_TEXT))
        return Single("other" if shows else look, [raw], shows, stays=not shows)
    if element.tag == f"{W}sym":
        return Single(look, [raw], _symbol(element))
    return Single(look, [raw], stays=look in ("tab", "break", "note"))


def _floats(element: Element) -> bool:
    if next(element.iter(_DRAWN_ANCHOR), None) is not None:
        return True
    return element.tag == f"{W}pict" and any("position:absolute" in each.get("style", "") for each in element)


def _symbol(element: Element) -> str:
    try:
        return symbol(int(element.get(f"{W}char", ""), 16), element.get(f"{W}font", ""))
    except (ValueError, OverflowError):
        return "•"


def _has_single(nodes: Sequence[Node]) -> bool:
    """Whether something is seen among these that is no text."""
    return any(isinstance(node, Single) or (isinstance(node, Group) and _has_single(node.children)) for node in nodes)
