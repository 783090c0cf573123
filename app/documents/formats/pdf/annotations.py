"""What was written onto a PDF's pages: the values of form fields, comments, and the text of stamps."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import pypdfium2 as pdfium
from pypdfium2 import raw

from app.documents.blocks import Box, Kind, Piece, Place
from app.documents.formats.pdf.pages import Sheet, address_of, quick

MOST_ANNOTATIONS = 5000
"""On one page."""
MOST_UNITS = 2_000_000
LEAST_QUOTED = 20
FAR = 1e8
_OFF = ("", "Off")
_WITHOUT_WORDS = (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP)
"""The words of a popup are those of the comment that it belongs to."""
_DRAWN = (raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP)

_address = ctypes.c_void_p
_annotation = quick(raw.FPDFPage_GetAnnot, _address, _address, ctypes.c_int)
_subtype = quick(raw.FPDFAnnot_GetSubtype, ctypes.c_int, _address)
_close = quick(raw.FPDFPage_CloseAnnot, None, _address)

_Rectangle = tuple[float, float, float, float]


class _Said(NamedTuple):
    """Words of an annotation, and what they are."""

    kind: Kind
    text: str
    label: str


class Annotations:
    """Reads one page's after the other's; a field that is shown in several places is read in the first."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._seen: set[str] = set()

    def of(self, page: Any, text_page: Any, number: int, sheet: Sheet) -> list[Piece]:
        """The paragraphs of filled fields and the notes of comments, without what is in the page's text.

        A page with stamps that only have an appearance is changed in memory: ask for nothing else of it afterwards.
        """
        count = min(raw.FPDFPage_GetAnnotCount(page), MOST_ANNOTATIONS)
        if count < 1:
            return []
        pieces: list[Piece] = []
        drawn: list[tuple[_Rectangle, str]] = []
        handle = address_of(page)
        for index in range(count):
            at = _annotation(handle, index)
            if not at:
                continue
            try:
                subtype = _subtype(at)
                if subtype in _WITHOUT_WORDS:
                    continue
                each = ctypes.cast(at, raw.FPDF_ANNOTATION)
                if raw.FPDFAnnot_GetFlags(each) & raw.FPDF_ANNOT_FLAG_HIDDEN:
                    continue
                edges = _rectangle(each)
                inside = _text_in(text_page, edges)
                said = self._said(each, subtype)
                if said.text and not _is_said(said, inside):
                    pieces.append(_piece(said, number, sheet, edges))
                elif not said.text and subtype in _DRAWN:
                    drawn.append((edges, inside))
            finally:
                _close(at)
        return pieces + self._appearances(page, number, sheet, drawn)

    def _said(self, annotation: Any, subtype: int) -> _Said:
        if subtype == raw.FPDF_ANNOT_WIDGET:
            return _Said(Kind.PARAGRAPH, *self._field(annotation))
        return _Said(Kind.NOTE, _string(annotation, b"Contents"), "comment")

    def _field(self, widget: Any) -> tuple[str, str]:
        """The value of a filled field and its name; a box that is checked has the name as its value."""
        name, kind = _string(widget, b"T"), _string(widget, b"FT")
        state = _string(widget, b"AS")
        if kind == "Btn" or state:
            if state in _OFF:
                return "", ""
            name = name or self._of_form(widget, raw.FPDFAnnot_GetFormFieldName)
            return _string(widget, b"TU") or name or state, name
        value = _string(widget, b"V")
        if value or not raw.FPDFAnnot_HasKey(widget, b"Parent"):
            return value, name
        # What several places share is with the field itself, which only PDFium's forms lead to.
        name = self._of_form(widget, raw.FPDFAnnot_GetFormFieldName)
        value = self._of_form(widget, raw.FPDFAnnot_GetFormFieldValue)
        if not value or name in self._seen:
            return "", ""
        self._seen.add(name)
        return value, name

    def _of_form(self, widget: Any, answer: Any) -> str:
        if self._document.formenv is None:
            try:
                self._document.init_forms()
            except pdfium.PdfiumError:
                return ""
        forms = self._document.formenv
        return _written(lambda room, size: answer(forms.raw, widget, room, size)) if forms else ""

    def _appearances(self, page: Any, number: int, sheet: Sheet, drawn: list[tuple[_Rectangle, str]]) -> list[Piece]:
        """The text that stamps only have in their drawings, which PDFium puts into the page's own."""
        if not drawn or raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY) != raw.FLATTEN_SUCCESS:
            return []
        flat = raw.FPDF_LoadPage(self._document.raw, number - 1)
        text_page = raw.FPDFText_LoadPage(flat) if flat else None
        try:
            found = [(edges, inside, _text_in(text_page, edges)) for edges, inside in drawn] if text_page else []
        finally:
            if text_page:
                raw.FPDFText_ClosePage(text_page)
            if flat:
                raw.FPDF_ClosePage(flat)
        return [
            _piece(_Said(Kind.NOTE, " ".join(text.split()), "comment"), number, sheet, edges)
            for edges, inside, text in found
            if text.strip() and not inside.strip()
        ]


def _rectangle(annotation: Any) -> _Rectangle:
    """Left, top, right and bottom in user space."""
    edges = raw.FS_RECTF()
    if not raw.FPDFAnnot_GetRect(annotation, ctypes.byref(edges)):
        return 0.0, 0.0, 0.0, 0.0
    top, bottom = max(edges.top, edges.bottom), min(edges.top, edges.bottom)
    return min(edges.left, edges.right), top, max(edges.left, edges.right), bottom


def _piece(said: _Said, number: int, sheet: Sheet, edges: _Rectangle) -> Piece:
    place = Place()
    if all(-FAR < edge < FAR for edge in edges):
        left, top, right, bottom = (round(edge, 2) for edge in sheet.box(*edges))
        place = Place(boxes=(Box(number, left, top, right, bottom, 0, len(said.text)),))
    return Piece(said.kind, said.text, number, place, label=said.label)


def _string(annotation: Any, key: bytes) -> str:
    return _written(lambda room, size: raw.FPDFAnnot_GetStringValue(annotation, key, room, size))


def _written(answer: Any) -> str:
    """What PDFium writes as UTF-16, told its size first; single spaces."""
    size = answer(None, 0)
    if not 2 < size <= MOST_UNITS:
        return ""
    room = ctypes.create_string_buffer(size)
    answer(ctypes.cast(room, ctypes.POINTER(ctypes.c_ushort)), size)
    return " ".join(room.raw[:-2].decode("utf-16-le", "replace").replace("\0", " ").split())


def _text_in(text_page: Any, edges: _Rectangle) -> str:
    count = raw.FPDFText_GetBoundedText(text_page, *edges, None, 0)
    if not 0 < count <= MOST_UNITS:
        return ""
    room = (ctypes.c_ushort * (count + 1))()
    written = raw.FPDFText_GetBoundedText(text_page, *edges, room, count)
    return bytes(room)[: 2 * min(written, count)].decode("utf-16-le", "replace").replace("\0", " ")


def _is_said(said: _Said, inside: str) -> bool:
    """Whether the page's text has it at the same place; a short comment may use a word of what it is about."""
    letters, there = _letters(said.text), _letters(inside)
    return letters in there and (said.kind is Kind.PARAGRAPH or letters == there or len(letters) >= LEAST_QUOTED)


def _letters(text: str) -> str:
    """What two texts are compared by: spaces and hyphens at the ends of lines may differ."""
    return "".join(filter(str.isalnum, text)).casefold() or "".join(text.split())
