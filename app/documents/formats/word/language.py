"""Sets language and direction in the parts of a DOCX.

Source of the orders: ECMA-376 part 1, 17.3.1.26 (pPr), 17.3.2.28 (rPr), 17.4.59 (tblPr), 17.6.17 (sectPr).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml import etree

from app.documents.formats.markup.xml_tree import Element, tags
from app.documents.formats.office.package import W, child_in_order, office_language, without
from app.documents.formats.word.model import PROPERTIES, RUN_PROPERTIES, VAL
from app.documents.source import Target
from app.language.names import RUNS_LEFT, is_east_asian

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


class Direction:
    """Marks what is translated as being in the target's language and direction."""

    def __init__(self, target: Target) -> None:
        self.language = office_language(target.language)
        self.is_rtl = target.is_rtl
        self._is_east_asian = is_east_asian(target.language)
        self._attribute = f"{W}bidi" if target.is_rtl else f"{W}eastAsia" if self._is_east_asian else VAL

    def paragraph(self, paragraph: Element, runs: Iterable[Element]) -> None:
        """A paragraph with its new runs, and the tables it is in."""
        if self.is_rtl:
            _turn(paragraph)
        elif (properties := paragraph.find(PROPERTIES)) is not None:
            without(properties, _BIDI)
        for run in runs:
            self._run(run)
        for table in paragraph.iterancestors(_TABLE):
            self._table(table)

    def sections(self, root: Element) -> None:
        """The order of columns and the side of the gutter."""
        for section in root.iter(f"{W}sectPr"):
            if self.is_rtl:
                _switch_on(child_in_order(section, _BIDI, _SECTION_ORDER))
            else:
                without(section, _BIDI)

    def styles(self, root: Element) -> None:
        """The defaults and the styles of a document."""
        defaults = child_in_order(root, f"{W}docDefaults", tags(W, "docDefaults latentStyles style"))
        defaults = child_in_order(defaults, f"{W}rPrDefault", tags(W, "rPrDefault pPrDefault"))
        defaults = child_in_order(defaults, RUN_PROPERTIES, (RUN_PROPERTIES,))
        child_in_order(defaults, _LANGUAGE, _RUN_ORDER)
        for properties in root.iter(RUN_PROPERTIES):
            self._properties(properties, has_rtl=False)
        if not self.is_rtl:
            for properties in root.iter(PROPERTIES):
                without(properties, _BIDI)

    def settings(self, root: Element) -> None:
        """The languages by which Word chooses among the fonts of a theme."""
        for language in root.iter(f"{W}themeFontLang"):
            language.set(self._attribute, self.language)

    def _run(self, run: Element) -> None:
        has_rtl = self.is_rtl and _HAS_RTL.search(_words_in(run)) is not None
        properties = run.find(RUN_PROPERTIES)
        if properties is None and has_rtl:
            properties = etree.Element(RUN_PROPERTIES)
            run.insert(0, properties)
        if properties is not None:
            self._properties(properties, has_rtl)

    def _properties(self, properties: Element, has_rtl: bool) -> None:
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
            if said is not None and properties.find(f"{W}{complex_}") is None:
                child_in_order(properties, f"{W}{complex_}", _RUN_ORDER).attrib.update(said.attrib)
        if has_rtl:
            _switch_on(child_in_order(properties, _RTL, _RUN_ORDER))

    def _numbers(self, table: Element) -> None:
        """Cells without letters need no translation, and stand on the side of the others."""
        for paragraph in table.iter(f"{W}p"):
            if not any(sign.isalpha() for sign in _words_in(paragraph)):
                _turn(paragraph)

    def _table(self, table: Element) -> None:
        properties = table.find(f"{W}tblPr")
        if self.is_rtl:
            if properties is None:
                properties = etree.Element(f"{W}tblPr")
                table.insert(0, properties)
            if properties.find(f"{W}bidiVisual") is None:
                child_in_order(properties, f"{W}bidiVisual", _TABLE_ORDER)
                self._numbers(table)
        elif properties is not None:
            without(properties, f"{W}bidiVisual")


def _turn(paragraph: Element) -> None:
    properties = paragraph.find(PROPERTIES)
    if properties is None:
        properties = etree.Element(PROPERTIES)
        paragraph.insert(0, properties)
    _switch_on(child_in_order(properties, _BIDI, _PARAGRAPH_ORDER))


def _words_in(paragraph: Element) -> str:
    return "".join(each.text or "" for each in paragraph.iter(f"{W}t"))


def _switch_on(element: Element) -> None:
    element.attrib.pop(VAL, None)
