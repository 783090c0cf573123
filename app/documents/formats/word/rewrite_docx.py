"""Rewrite DOCX paragraphs in place, keeping runs, links, fields, notes and drawings.

Left as they are: deleted and hidden text, fields' code and results that Word computes (numbers, dates, names), code,
choices in content controls, building blocks (word/glossary), and workbooks inside charts. Furigana is lost with its
text. A control bound to data elsewhere in the file is unbound once translated, since Word would restore the data.

Element order for language and direction follows ECMA-376 part 1, 17.3.1.26 (pPr), 17.3.2.28 (rPr), 17.4.59 (tblPr),
17.6.17 (sectPr).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from lxml import etree

from app.documents.formats.markup.xml_tree import Element, tags
from app.documents.formats.office.drawing import PARAGRAPH as DRAWN
from app.documents.formats.office.drawing import DrawingRewriter, is_words_for_picture
from app.documents.formats.office.package import (
    ALTERNATE,
    MATH,
    SPACE,
    VML,
    OfficePackage,
    W,
    XmlPart,
    branches,
    child_in_order,
    office_language,
    opened_package,
    without,
    without_forbidden,
)
from app.documents.formats.office.paragraphs import ParagraphRole
from app.documents.formats.office.runs import (
    BREAKS,
    InlineAnchor,
    Node,
    ParagraphToken,
    RunFormat,
    SingleNode,
    StyledText,
    WordGroup,
    arranged,
    line_of,
    plan_of,
    texts_in,
)
from app.documents.formats.word import word_model
from app.documents.formats.word.read_docx import WordParagraphWords
from app.documents.formats.word.word_model import PROPERTIES, RUN, RUN_PROPERTIES, TEXT, VAL, RawElement
from app.documents.segments import Content, Mark, SegmentKind, content_of, marks
from app.documents.source import (
    CachedContent,
    ContentCallback,
    FileSource,
    ReadingRemark,
    SegmentVisits,
    TargetLanguage,
    Visit,
)
from app.language.language_names import RUNS_LEFT, is_east_asian

_HAS_RTL = re.compile(f"[{RUNS_LEFT}]")
_PARAGRAPH_ORDER = tags(
    W,
    "pStyle keepNext keepLines pageBreakBefore framePr widowControl numPr suppressLineNumbers pBdr shd tabs"
    " suppressAutoHyphens kinsoku wordWrap overflowPunct topLinePunct autoSpaceDE autoSpaceDN bidi adjustRightInd"
    " snapToGrid spacing ind contextualSpacing mirrorIndents suppressOverlap jc textDirection textAlignment"
    " textboxTightWrap outlineLvl divId cnfStyle rPr sectPr pPrChange",
)
_RUN_ORDER = tags(
    W,
    "rStyle rFonts b bCs i iCs caps smallCaps strike dstrike outline shadow emboss imprint noProof snapToGrid vanish"
    " webHidden color spacing w kern position sz szCs highlight u effect bdr shd fitText vertAlign rtl cs em lang"
    " eastAsianLayout specVanish oMath rPrChange",
)
_TABLE_ORDER = tags(
    W,
    "tblStyle tblpPr tblOverlap bidiVisual tblStyleRowBandSize tblStyleColBandSize tblW jc tblCellSpacing tblInd"
    " tblBorders shd tblLayout tblCellMar tblLook tblCaption tblDescription tblPrChange",
)
_SECTION_ORDER = tags(
    W,
    "headerReference footerReference footnotePr endnotePr type pgSz pgMar paperSrc pgBorders lnNumType pgNumType cols"
    " formProt vAlign noEndnote titlePg textDirection bidi rtlGutter docGrid printerSettings sectPrChange",
)
_BIDI, _RTL, _LANGUAGE, _TABLE = f"{W}bidi", f"{W}rtl", f"{W}lang", f"{W}tbl"
_HINT = f"{W}hint"
_COMPLEX = (("b", "bCs"), ("i", "iCs"), ("sz", "szCs"))


class WordDirection:
    """Marks what is translated as being in the target's language and direction."""

    def __init__(self, target: TargetLanguage) -> None:
        self.language = office_language(target.language)
        self.is_rtl = target.is_rtl
        self._is_east_asian = is_east_asian(target.language)
        self._attribute = f"{W}bidi" if target.is_rtl else f"{W}eastAsia" if self._is_east_asian else VAL

    def paragraph(self, paragraph: Element, runs: Iterable[Element]) -> None:
        """Set direction of a paragraph, its new runs and the tables around it."""
        if self.is_rtl:
            _turn_paragraph(paragraph)
        elif (properties := paragraph.find(PROPERTIES)) is not None:
            without(properties, _BIDI)
        for run in runs:
            self._run(run)
        for table in paragraph.iterancestors(_TABLE):
            self._table(table)

    def sections(self, root: Element) -> None:
        """Set the order of columns and the side of the gutter."""
        for section in root.iter(f"{W}sectPr"):
            if self.is_rtl:
                _switch_on(child_in_order(section, _BIDI, _SECTION_ORDER))
            else:
                without(section, _BIDI)

    def styles(self, root: Element) -> None:
        """Set the language of defaults and styles, and take away a direction that is not the target's."""
        defaults = child_in_order(root, f"{W}docDefaults", tags(W, "docDefaults latentStyles style"))
        defaults = child_in_order(defaults, f"{W}rPrDefault", tags(W, "rPrDefault pPrDefault"))
        defaults = child_in_order(defaults, RUN_PROPERTIES, (RUN_PROPERTIES,))
        child_in_order(defaults, _LANGUAGE, _RUN_ORDER)
        for properties in root.iter(RUN_PROPERTIES):
            self._turn_properties(properties, has_rtl=False)
        if not self.is_rtl:
            for properties in root.iter(PROPERTIES):
                without(properties, _BIDI)

    def settings(self, root: Element) -> None:
        """Set the languages by which Word chooses theme fonts."""
        for language in root.iter(f"{W}themeFontLang"):
            language.set(self._attribute, self.language)

    def _run(self, run: Element) -> None:
        has_rtl = self.is_rtl and _HAS_RTL.search(_words_in(run)) is not None
        properties = run.find(RUN_PROPERTIES)
        if properties is None and has_rtl:
            properties = etree.Element(RUN_PROPERTIES)
            run.insert(0, properties)
        if properties is not None:
            self._turn_properties(properties, has_rtl)

    def _turn_properties(self, properties: Element, has_rtl: bool) -> None:
        language = properties.find(_LANGUAGE)
        if language is not None:
            language.set(self._attribute, self.language)
        fonts = properties.find(f"{W}rFonts")
        if fonts is not None and not self._is_east_asian:
            fonts.attrib.pop(_HINT, None)  # accented letters would be in the font for East Asian signs
        if not self.is_rtl:
            without(properties, _RTL)
            return
        # Letters of these scripts have a weight, a slant and a size of their own.
        for usual, complex_ in _COMPLEX:
            said = properties.find(f"{W}{usual}")
            # Bold, italics and size of Arabic and Hebrew are separate properties, which most files lack.
            if said is not None and properties.find(f"{W}{complex_}") is None:
                child_in_order(properties, f"{W}{complex_}", _RUN_ORDER).attrib.update(said.attrib)
        if has_rtl:
            _switch_on(child_in_order(properties, _RTL, _RUN_ORDER))

    def _turn_numbers(self, table: Element) -> None:
        """Set the direction of cells without letters, which aren't translated, like the others'."""
        # Numbers in a table that is mirrored would stay on the other side of their column.
        for paragraph in table.iter(f"{W}p"):
            if not any(sign.isalpha() for sign in _words_in(paragraph)):
                _turn_paragraph(paragraph)

    def _table(self, table: Element) -> None:
        properties = table.find(f"{W}tblPr")
        if self.is_rtl:
            if properties is None:
                properties = etree.Element(f"{W}tblPr")
                table.insert(0, properties)
            if properties.find(f"{W}bidiVisual") is None:
                child_in_order(properties, f"{W}bidiVisual", _TABLE_ORDER)
                self._turn_numbers(table)
        elif properties is not None:
            without(properties, f"{W}bidiVisual")


def _turn_paragraph(paragraph: Element) -> None:
    properties = paragraph.find(PROPERTIES)
    if properties is None:
        properties = etree.Element(PROPERTIES)
        paragraph.insert(0, properties)
    _switch_on(child_in_order(properties, _BIDI, _PARAGRAPH_ORDER))


def _words_in(paragraph: Element) -> str:
    return "".join(element.text or "" for element in paragraph.iter(f"{W}t"))


def _switch_on(element: Element) -> None:
    element.attrib.pop(VAL, None)


_MOST_LOOKED_AT = 4000
"""Runs, to find out what a document is written in."""


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:
    """Rewrite properties, body with text boxes, charts and diagrams, notes, comments, headers and footers."""
    with opened_package(source, out) as package:
        _WordRewriter(package, SegmentVisits(visit), target if out is not None else None).rewrite()


class _WordRewriter:
    def __init__(self, package: OfficePackage, ask: SegmentVisits, target: TargetLanguage | None) -> None:
        self._package = package
        self._ask = ask
        self._target = target
        self._direction = WordDirection(target) if target is not None else None
        self._main = package.main_part(word_model.USUAL_PART)
        self._related = package.related(self._main)
        self._drawings = DrawingRewriter(package, target)
        styles = self._package.part_of_kind(self._main, "styles")
        root = package.root(styles) if styles else None
        self._looks = word_model.RunStyles(root)
        self._used_lists = _lists_in(root)

    def rewrite(self) -> None:
        """Visit all parts in the order that finding and writing share: segments are numbered by it."""
        self._package.ask_properties(self._ask, self._target)
        self._rewrite_body()
        for kind, notes in word_model.NOTES.items():
            if name := self._package.part_of_kind(self._main, notes):
                self._rewrite_notes(name, kind)
        for kind in ("header", "footer"):
            for related in self._package.named(self._main, kind):
                self._rewrite_margin(related.target)
        if name := self._package.part_of_kind(self._main, "numbering"):
            with self._package.opened(name) as part:
                _list_labels(part, self._used_lists, self._ask)
        # Defaults only in a file that is translated: otherwise Word would check an untouched one in another language.
        if self._direction is not None and self._main in self._package.changed:
            self._turn_defaults(self._direction)
        self._report_remarks()

    def _rewrite_body(self) -> None:
        with self._package.opened(self._main) as part:
            # Before the walk: what counts as code depends on the whole document.
            self._looks.is_typewritten = _is_typewritten(part.root, self._looks)
            self._used_lists |= _lists_in(part.root)
            self._walk_part(part).read(part.root, SegmentKind.PARAGRAPH)
            self._drawings.related(self._main, part.root, self._ask)
            if part.is_changed and self._direction is not None:
                self._direction.sections(part.root)

    def _rewrite_notes(self, name: str, kind: str) -> None:
        with self._package.opened(name) as part:
            for note in word_model.notes_in(part.root, kind):
                self._walk_part(part).read(note, SegmentKind.NOTE)
            self._drawings.related(name, part.root, self._ask)

    def _rewrite_margin(self, name: str) -> None:
        with self._package.opened(name) as part:
            self._walk_part(part).read(part.root, SegmentKind.HEADER)
            self._drawings.related(name, part.root, self._ask)

    def _walk_part(self, part: XmlPart) -> _WordWalk:
        return _WordWalk(part, self._looks, self._drawings, self._direction, self._ask)

    def _report_remarks(self) -> None:
        source, archive = self._package.source, self._package.archive
        source.remark("left_blocks", count=self._drawings.left.count)
        for related in self._related.values():
            if word_model.is_missed(related, archive):
                source.remark("missing_part", part=related.target)
            elif related.kind == "aFChunk" and related.target in archive:
                values: dict[str, str | int] = {"name": related.target, "size_bytes": archive.size(related.target)}
                source.remarks.append(ReadingRemark("attachment", values))

    def _turn_defaults(self, direction: WordDirection) -> None:
        for kind, change in (("styles", direction.styles), ("settings", direction.settings)):
            if name := self._package.part_of_kind(self._main, kind):
                with self._package.opened(name) as part:
                    change(part.root)
                    part.is_changed = True


def _lists_in(root: Element | None) -> set[str]:
    return {element.get(VAL, "") for element in root.iter(f"{W}numId")} if root is not None else set()


def _is_typewritten(root: Element, looks: word_model.RunStyles) -> bool:
    """Return whether most of a document is in a font for code; then the font tells nothing."""
    style, code, all_ = looks.find(looks.default), 0, 0
    for run in islice(root.iter(f"{W}r"), _MOST_LOOKED_AT):
        length = sum(len(element.text or "") for element in run.iterchildren(f"{W}t"))
        all_ += length
        code += length if length and looks.is_monospace(run, style) else 0
    return code * 2 > all_


# Walks over one part of a DOCX: its paragraphs in order, each followed by what hangs on it.

_ON_A_PATH = f"{VML}textpath"
_ALT = "alt"
_DRAWN_IN_RUNS = frozenset((ALTERNATE, *tags(W, "drawing pict object")))
_NO_PARAGRAPHS = frozenset(tags(W, "t rPr instrText fldChar bookmarkStart bookmarkEnd"))


@dataclass
class _WordWalk:
    part: XmlPart
    looks: word_model.RunStyles
    drawings: DrawingRewriter
    direction: WordDirection | None
    ask: ContentCallback

    def read(self, element: Element, kind: SegmentKind) -> None:
        """Rewrite a paragraph, a table, or a container. `kind` is that of paragraphs inside."""
        tag = element.tag
        if tag == word_model.PARAGRAPH:
            self._rewrite_paragraph(element, kind)
        elif tag == DRAWN:
            self.drawings.paragraph(self.part, element, self.ask, kind)
        elif tag == ALTERNATE:
            self._rewrite_alternate(element, kind)
        elif tag == word_model.TABLE:
            self._table(element, kind)
        elif tag not in word_model.LEFT_OUT and tag not in _NO_PARAGRAPHS and isinstance(tag, str):
            self._rewrite_attributes(element)
            for child in list(element):
                self.read(child, kind)

    def _rewrite_paragraph(self, paragraph: Element, kind: SegmentKind) -> None:
        # Collected before the words move, for text boxes hang in runs that are taken apart.
        hanging = _hanging_elements(paragraph)
        self._rewrite_words(paragraph, kind)
        inside = SegmentKind.PARAGRAPH if kind is SegmentKind.CELL else kind
        for child in hanging:
            self.read(child, inside)

    def _rewrite_words(self, paragraph: Element, kind: SegmentKind) -> None:
        plan = plan_of(line_of(_ParagraphReader(self.looks).nodes(paragraph), self.looks.words_of))
        is_code = plan.is_code or (plan.has_words and self.looks.of_paragraph(paragraph).role is ParagraphRole.CODE)
        if plan.has_words or is_code:
            self.drawings.left.paragraph(is_code=is_code)
        if is_code or not plan.has_words:
            return
        kind, level = self._segment_kind(paragraph) if kind is SegmentKind.PARAGRAPH else (kind, 0)
        given = self.ask(plan.content, kind, 0, level)
        if given is None:
            return
        runs = _rebuild_paragraph(paragraph, arranged(plan, given))
        if self.direction is not None:
            self.direction.paragraph(paragraph, runs)
        self.part.is_changed = True

    def _segment_kind(self, paragraph: Element) -> tuple[SegmentKind, int]:
        style = self.looks.of_paragraph(paragraph)
        properties = paragraph.find(PROPERTIES)
        if level := word_model.heading_level(style, properties):
            return SegmentKind.HEADING, level
        if style.num_id not in (None, "0") or (properties is not None and properties.find(f"{W}numPr") is not None):
            return SegmentKind.LIST_ITEM, 0
        return (SegmentKind.CAPTION if style.role is ParagraphRole.CAPTION else SegmentKind.PARAGRAPH), 0

    def _table(self, table: Element, kind: SegmentKind) -> None:
        """Rewrite a table. A single cell is a frame around its content; deleted rows are left."""
        cells = sum(1 for _ in table.iter(word_model.CELL))
        inside = SegmentKind.CELL if cells > 1 and kind is SegmentKind.PARAGRAPH else kind
        for child in list(table):
            if child.tag != word_model.ROW or child.find(f"{W}trPr/{W}del") is None:
                self.read(child, inside)

    def _rewrite_alternate(self, alternate: Element, kind: SegmentKind) -> None:
        """Rewrite alternatives of the same content, asking once for each text."""
        # Alternatives of one content are asked once, or they would be translated differently.
        once = _WordWalk(self.part, self.looks, self.drawings, self.direction, CachedContent(self.ask))
        for branch in branches(alternate):
            for child in list(branch):
                once.read(child, kind)

    def _rewrite_attributes(self, element: Element) -> None:
        if is_words_for_picture(element):
            self.drawings.words_for_picture(self.part, element, self.ask)
        elif element.tag == _ON_A_PATH:
            self.part.ask_attribute(element, "string", self.ask)
        elif element.get(_ALT):
            self.part.ask_attribute(element, _ALT, self.ask)


def _hanging_elements(element: Element) -> list[Element]:
    """Return elements that may hold paragraphs of their own, before the words move."""
    found: list[Element] = []
    for child in element:
        if child.tag in _DRAWN_IN_RUNS:
            found.append(child)
        elif len(child) and child.tag not in word_model.LEFT_OUT and child.tag not in _NO_PARAGRAPHS:
            found += _hanging_elements(child)
    return found


# Reads a paragraph of a DOCX into nodes: its words, and everything that stands among them.

_DRAWN_ANCHOR = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}anchor"
_CONTENT = f"{W}sdtContent"
_HOLDERS = {f"{W}hyperlink": "link", f"{W}ins": "other", f"{W}moveTo": "other", f"{W}customXml": "other"}
_SMART = f"{W}smartTag"
# Word recognizes names and dates in smart tags, nested in each other; they say nothing to a reader.
_HOLDERS[_SMART] = "other"
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
class _GroupHolder:
    """Form in which a group is written: an element around its words, or a field's code before and end after.

    `inside` is between these, for a field without words.
    """

    element: Element | None = None
    before: tuple[RawElement, ...] = ()
    inside: tuple[RawElement, ...] = ()
    after: tuple[RawElement, ...] = ()


class _ParagraphReader:
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
                look, _GroupHolder(None, tuple(found.code), tuple(found.result), tuple(found.end)), children
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
                return WordGroup(
                    "link" if word_model.is_link(instruction) else "field", _GroupHolder(element), children
                )
            return SingleNode("field", [raw], "".join(text.text for text in texts_in(children)))
        if tag == f"{W}sdt":
            return self._control_node(raw)
        if tag in _HOLDERS:
            return WordGroup(_HOLDERS[tag], _GroupHolder(element), self._read_nodes(_inside_of(element)))
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
        return WordGroup("other", _GroupHolder(raw.element), children)


def _inside_of(holder: Element) -> Element:
    """Return the element that has a holder's words: a control's content, the innermost of tags that hold only each
    other.
    """
    content = holder.find(_CONTENT)
    if content is not None:
        return content
    if holder.tag == _SMART:
        inner = [child for child in holder if isinstance(child.tag, str) and child.tag not in _NOISE]
        if len(inner) == 1 and inner[0].tag == _SMART:
            return _inside_of(inner[0])
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


def _is_one(first: _GroupHolder, second: _GroupHolder) -> bool:
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
        return SingleNode(look, [raw], word_model.symbol_of(element))
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


# Writes tokens back into a paragraph of a DOCX.

_HYPHEN, _CONTROL = f"{W}noBreakHyphen", f"{W}sdt"


def _rebuild_paragraph(paragraph: Element, tokens: Sequence[ParagraphToken]) -> list[Element]:
    """Replace a paragraph's content by the tokens, keeping its properties; return the runs with words."""
    for child in list(paragraph):
        if child.tag != PROPERTIES:
            _detach_element(child)
    builder = _ParagraphBuilder(paragraph)
    for token in tokens:
        builder.add(token)
    # A bound control shows what the file stores elsewhere, and Word would put that back over the translation.
    for control in (*paragraph.iterancestors(_CONTROL), *paragraph.iter(_CONTROL)):
        _unbind_control(control)
    return builder.runs


class _ParagraphBuilder:
    def __init__(self, paragraph: Element) -> None:
        self.runs: list[Element] = []
        self._parents = [paragraph]
        self._source: Element | None = None
        self._run: Element | None = None
        """The run being written and its model; None to start a new one."""

    def add(self, token: ParagraphToken) -> None:
        node = token.node
        if isinstance(node, StyledText):
            self._write_text(node)
        elif isinstance(node, RunFormat):
            return
        elif isinstance(node, WordGroup):
            self._end_run()
            {"open": self._open_holder, "close": self._close_holder, "single": self._write_single}[token.role](
                node.payload
            )
        else:
            self._move_elements(node.payload)

    def _write_text(self, node: StyledText) -> None:
        # The run may hold things that are no words, and these have to stay in order with them.
        if self._run is None or self._source is not node.run or self._run not in self.runs:
            self.runs.append(self._begin_run(node.run))
        text = node.text.translate(BREAKS)
        for index, part in enumerate(text.split("\u2011")):
            if index:
                etree.SubElement(self._run, _HYPHEN)
            if part:
                self._append_text(part)

    def _append_text(self, text: str) -> None:
        run = self._run
        last = run[-1] if run is not None and len(run) and run[-1].tag == TEXT else etree.SubElement(run, TEXT)
        last.text = (last.text or "") + text
        # Without it Word drops spaces at the ends of a run.
        if last.text != last.text.strip() or "  " in last.text:
            last.set(SPACE, "preserve")

    def _begin_run(self, source: Element) -> Element:
        self._source = source
        self._run = etree.SubElement(self._parents[-1], RUN, dict(source.attrib))
        properties = source.find(RUN_PROPERTIES)
        if properties is not None:
            self._run.append(_copy_properties(properties))
        return self._run

    def _end_run(self) -> None:
        self._run = self._source = None

    def _move_elements(self, raws: Sequence[RawElement]) -> None:
        for raw in raws:
            _detach_element(raw.element)
            if raw.run is None:
                self._end_run()
                self._parents[-1].append(raw.element)
                continue
            if self._source is not raw.run or self._run in self.runs:
                self._begin_run(raw.run)
            self._run.append(raw.element)  # type: ignore[union-attr]

    def _open_holder(self, holder: _GroupHolder) -> None:
        if holder.element is None:
            self._move_elements(holder.before)
            self._end_run()
            # A field has no element around it: what is inside goes into the same parent.
            self._parents.append(self._parents[-1])
            return
        _detach_element(holder.element)
        self._parents[-1].append(holder.element)
        inside = _inside_of(holder.element)
        for child in list(inside):
            # Properties (rPr, sdtPr …) stay in the holder.
            if not (isinstance(child.tag, str) and child.tag.endswith("Pr")):
                _detach_element(child)
        self._parents.append(inside)

    def _close_holder(self, holder: _GroupHolder) -> None:
        self._parents.pop()
        self._move_elements(holder.after)
        self._end_run()

    def _write_single(self, holder: _GroupHolder) -> None:
        if holder.element is None:
            self._move_elements((*holder.before, *holder.inside, *holder.after))
        else:
            _detach_element(holder.element)
            self._parents[-1].append(holder.element)
        self._end_run()


def _copy_properties(properties: Element) -> Element:
    """Return a copy of run properties without tracked changes, which belong to the old words."""
    made = copy.deepcopy(properties)
    made.tail = None
    for change in made.findall(f"{W}rPrChange"):
        made.remove(change)
    return made


def _detach_element(element: Element) -> None:
    """Remove an element and the white space after it."""
    element.tail = None
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _unbind_control(control: Element) -> None:
    """Unbind a control, which would show the stored data in place of its translation."""
    properties = control.find(f"{W}sdtPr")
    for binding in list(properties) if properties is not None else ():
        if isinstance(binding.tag, str) and binding.tag.endswith("}dataBinding"):
            properties.remove(binding)


# The words in the labels of lists: "Chapter %1", "Article %1.".

_NUMBER = re.compile("(%[1-9])")
_WORD = re.compile(r"[^\W\d_]{2}")


def _list_labels(part: XmlPart, used: set[str], ask: ContentCallback) -> None:
    """Rewrite labels of the lists in use; `used` are ids of their numberings."""
    # Labels of unused lists are not shown; templates bring dozens.
    lists = {element.get(f"{W}abstractNumId"): element for element in part.root.iter(f"{W}abstractNum")}
    once = CachedContent(ask)
    for numbering in part.root.iter(f"{W}num"):
        if numbering.get(f"{W}numId", "") not in used:
            continue
        named = numbering.find(f"{W}abstractNumId")
        defined = lists.get(named.get(VAL)) if named is not None else None
        for holder in (defined, numbering):
            for level in holder.iter(f"{W}lvl") if holder is not None else ():
                _translate_label(part, level, once)


def _translate_label(part: XmlPart, level: object, ask: ContentCallback) -> None:
    format_, text = level.find(f"{W}numFmt"), level.find(f"{W}lvlText")  # type: ignore[attr-defined]
    said = text.get(VAL, "") if text is not None else ""
    if not _WORD.search(_NUMBER.sub(" ", said)) or (format_ is not None and format_.get(VAL) == "bullet"):
        return
    content = _label_content(said)
    given = ask(content, SegmentKind.LABEL)
    if given is not None:
        text.set(VAL, _text(content, given))
        part.is_changed = True


def _label_content(said: str) -> Content:
    parts = [part for part in _NUMBER.split(said) if part]
    numbered = (
        (Mark("single", index, "field", part) if part[0] == "%" else part) for index, part in enumerate(parts, 1)
    )
    return content_of(list(numbered))


def _text(content: Content, given: Content) -> str:
    """Return the label; missing numbers are added at its end."""
    shown = {mark.number: mark.shows for mark in marks(content)}
    # Numbers (%1) are fields of the label.
    text = ""
    for part in given:
        text += without_forbidden(part) if isinstance(part, str) else shown.pop(part.number, "")
    return text + "".join(f" {value}" for value in shown.values())
