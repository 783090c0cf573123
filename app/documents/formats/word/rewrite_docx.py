"""Rewrite DOCX paragraphs in place, keeping runs, links, fields, notes and drawings.

Left as they are: deleted and hidden text, fields' code and results that Word computes (numbers, dates, names), code,
choices in content controls, building blocks (word/glossary), and workbooks inside charts. Furigana is lost with its
text. A control bound to data elsewhere in the file is unbound once translated, since Word would restore the data.

Element order for language and direction follows ECMA-376 part 1, 17.3.1.26 (pPr), 17.3.2.28 (rPr), 17.4.59 (tblPr),
17.6.17 (sectPr).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import BinaryIO

from lxml import etree

from app.core.lazy_dataclasses import dataclass
from app.documents.formats.markup.xml_tree import Element, tags
from app.documents.formats.office.drawing import PARAGRAPH as DRAWN
from app.documents.formats.office.drawing import DrawingRewriter, is_words_for_picture
from app.documents.formats.office.package import (
    ALTERNATE,
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
    arranged,
    line_of,
    plan_of,
)
from app.documents.formats.word import word_model
from app.documents.formats.word.paragraph_builder import rebuild_paragraph
from app.documents.formats.word.paragraph_reader import ParagraphReader
from app.documents.formats.word.word_model import PROPERTIES, RUN_PROPERTIES, VAL
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
        plan = plan_of(line_of(ParagraphReader(self.looks).nodes(paragraph), self.looks.words_of))
        is_code = plan.is_code or (plan.has_words and self.looks.of_paragraph(paragraph).role is ParagraphRole.CODE)
        if plan.has_words or is_code:
            self.drawings.left.paragraph(is_code=is_code)
        if is_code or not plan.has_words:
            return
        kind, level = self._segment_kind(paragraph) if kind is SegmentKind.PARAGRAPH else (kind, 0)
        given = self.ask(plan.content, kind, 0, level)
        if given is None:
            return
        runs = rebuild_paragraph(paragraph, arranged(plan, given))
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
