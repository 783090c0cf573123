"""Annotations on a PDF's pages: values of form fields, comments, and the text of stamps."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import pypdfium2 as pdfium
from pypdfium2 import raw

from app.documents.blocks import BlockKind, BlockPiece, BlockPlace, LineBox
from app.documents.formats.pdf.pdf_pages import PageGeometry, Span, address_of, quick

MOST_ANNOTATIONS = 5000
"""On one page."""
MOST_UNITS = 2_000_000
LEAST_QUOTED = 20
FAR = 1e8
_OFF = ("", "Off")
_WITHOUT_WORDS = (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP)
"""Annotations without own words: a popup's are those of its comment."""
_DRAWN = (raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP)
_address = ctypes.c_void_p
_annotation = quick(raw.FPDFPage_GetAnnot, _address, _address, ctypes.c_int)
_subtype = quick(raw.FPDFAnnot_GetSubtype, ctypes.c_int, _address)
_close = quick(raw.FPDFPage_CloseAnnot, None, _address)


class _AnnotationText(NamedTuple):
    """Text of an annotation: a note, or a paragraph for a form field, whose name is the label."""

    kind: BlockKind
    text: str
    label: str


class AnnotationReader:
    """Read annotations page by page; a field shown in several places is read once."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._seen: set[str] = set()

    def read_page(self, page: Any, text_page: Any, number: int, sheet: PageGeometry) -> list[BlockPiece]:
        """Return the paragraphs of filled fields and the notes of comments, without what is in the page's text.

        A page with stamps that only have an appearance is changed in memory: ask for nothing else of it afterwards.
        """
        count = min(raw.FPDFPage_GetAnnotCount(page), MOST_ANNOTATIONS)
        if count < 1:
            return []
        pieces: list[BlockPiece] = []
        drawn: list[tuple[Span, str]] = []
        handle = address_of(page)
        for index in range(count):
            at = _annotation(handle, index)
            if not at:
                continue
            try:
                subtype = _subtype(at)
                if subtype in _WITHOUT_WORDS:
                    continue
                annotation = ctypes.cast(at, raw.FPDF_ANNOTATION)
                if raw.FPDFAnnot_GetFlags(annotation) & raw.FPDF_ANNOT_FLAG_HIDDEN:
                    continue
                edges = _annotation_rectangle(annotation)
                inside = _text_in(text_page, edges)
                words = self._annotation_text(annotation, subtype)
                # A field's value and a stamp's words are usually part of the page's text as well.
                if words.text and not _is_said(words, inside):
                    pieces.append(_annotation_piece(words, number, sheet, edges))
                elif not words.text and subtype in _DRAWN:
                    drawn.append((edges, inside))
            finally:
                _close(at)
        return pieces + self._appearance_texts(page, number, sheet, drawn)

    def _annotation_text(self, annotation: Any, subtype: int) -> _AnnotationText:
        if subtype == raw.FPDF_ANNOT_WIDGET:
            return _AnnotationText(BlockKind.PARAGRAPH, *self._field_value(annotation))
        return _AnnotationText(BlockKind.NOTE, _annotation_string(annotation, b"Contents"), "comment")

    def _field_value(self, widget: Any) -> tuple[str, str]:
        """Return a filled field's value and name; a checked box has its name as value."""
        name, kind = _annotation_string(widget, b"T"), _annotation_string(widget, b"FT")
        state = _annotation_string(widget, b"AS")
        if kind == "Btn" or state:
            if state in _OFF:
                return "", ""
            name = name or self._of_form(widget, raw.FPDFAnnot_GetFormFieldName)
            # /TU is the alternate name that is shown to people; a box is checked by any state but /Off.
            return _annotation_string(widget, b"TU") or name or state, name
        value = _annotation_string(widget, b"V")
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
        # PDFium's form environment is made when the first field needs it: most documents have none.
        if self._document.formenv is None:
            try:
                self._document.init_forms()
            except pdfium.PdfiumError:
                return ""
        forms = self._document.formenv
        return said(lambda room, size: answer(forms.raw, widget, room, size)) if forms else ""

    def _appearance_texts(
        self, page: Any, number: int, sheet: PageGeometry, drawn: list[tuple[Span, str]]
    ) -> list[BlockPiece]:
        """Return the text that stamps only have in their drawings, which PDFium puts into the page's own."""
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
            _annotation_piece(_AnnotationText(BlockKind.NOTE, " ".join(text.split()), "comment"), number, sheet, edges)
            for edges, inside, text in found
            if text.strip() and not inside.strip()
        ]


def _annotation_rectangle(annotation: Any) -> Span:
    """Return left, top, right and bottom in user space."""
    edges = raw.FS_RECTF()
    if not raw.FPDFAnnot_GetRect(annotation, ctypes.byref(edges)):
        return 0.0, 0.0, 0.0, 0.0
    top, bottom = max(edges.top, edges.bottom), min(edges.top, edges.bottom)
    return min(edges.left, edges.right), top, max(edges.left, edges.right), bottom


def _annotation_piece(said: _AnnotationText, number: int, sheet: PageGeometry, edges: Span) -> BlockPiece:
    place = BlockPlace()
    if all(-FAR < edge < FAR for edge in edges):
        left, top, right, bottom = (round(edge, 2) for edge in sheet.box(*edges))
        place = BlockPlace(boxes=(LineBox(number, left, top, right, bottom, 0, len(said.text)),))
    return BlockPiece(said.kind, said.text, number, place, label=said.label)


def _annotation_string(annotation: Any, key: bytes) -> str:
    return said(lambda room, size: raw.FPDFAnnot_GetStringValue(annotation, key, room, size))


def said(answer: Any, most_bytes: int = MOST_UNITS) -> str:
    """Read UTF-16 that PDFium writes, asking for its size first; white space collapsed. "" if too long."""
    # The size includes the final zero of two bytes.
    size = answer(None, 0)
    if not 2 < size <= most_bytes:
        return ""
    room = ctypes.create_string_buffer(size)
    answer(ctypes.cast(room, ctypes.POINTER(ctypes.c_ushort)), size)
    return " ".join(room.raw[:-2].decode("utf-16-le", "replace").replace("\0", " ").split())


def _text_in(text_page: Any, edges: Span) -> str:
    count = raw.FPDFText_GetBoundedText(text_page, *edges, None, 0)
    if not 0 < count <= MOST_UNITS:
        return ""
    room = (ctypes.c_ushort * (count + 1))()
    written = raw.FPDFText_GetBoundedText(text_page, *edges, room, count)
    return bytes(room)[: 2 * min(written, count)].decode("utf-16-le", "replace").replace("\0", " ")


def _is_said(said: _AnnotationText, inside: str) -> bool:
    """Return whether the page's text has it at the same place. A short comment may use a word of its target."""
    letters, there = _comparable_letters(said.text), _comparable_letters(inside)
    return letters in there and (said.kind is BlockKind.PARAGRAPH or letters == there or len(letters) >= LEAST_QUOTED)


def _comparable_letters(text: str) -> str:
    """Return what two texts are compared by: spaces and hyphens at the ends of lines may differ."""
    return "".join(filter(str.isalnum, text)).casefold() or "".join(text.split())
