"""Pages that an answer names in brackets, as links inside the program: made here, and nowhere else.

A link carries the page and the sentence that names it, so that what opens it can mark what fits that sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, unquote

from app.features.sources import named_pages
from app.ui.chat.branch_documents import sentence_with
from app.ui.chat.pieces import Piece, Prose, Span, Spans, Table

SCHEME = "fireside-page:"
MOST_SENTENCE = 500
HAIR = "\u2009"
"""A little air inside the chip."""

HasPage = Callable[[int], bool]


def page_of_link(href: str) -> tuple[int, str] | None:
    """The page and the sentence of a link; None for any other address."""
    if not href.startswith(SCHEME):
        return None
    page, _, sentence = href.removeprefix(SCHEME).partition(":")
    return (int(page), unquote(sentence)) if page.isdecimal() else None


def with_page_links(piece: Piece, has_page: HasPage) -> Piece:
    """The same piece, its named pages as links where there is such a page; code stays as it is."""
    if isinstance(piece, Prose):
        lines = tuple(replace(line, spans=_linked(line.spans, has_page)) for line in piece.lines)
        return piece if lines == piece.lines else Prose(lines)
    if isinstance(piece, Table):
        rows = tuple(tuple(_linked(cell, has_page) for cell in row) for row in piece.rows)
        return piece if rows == piece.rows else replace(piece, rows=rows)
    return piece


def _linked(spans: Spans, has_page: HasPage) -> Spans:
    if not any(span.text for span in spans if _may_name(span)):
        return spans
    text = "".join(span.text for span in spans)
    found: list[Span] = []
    begin = 0
    for span in spans:
        end = 0
        for first, last, page in named_pages(span.text) if _may_name(span) else ():
            if has_page(page):
                found.append(replace(span, text=span.text[end:first]))
                sentence = quote(sentence_with(text, begin + first)[:MOST_SENTENCE])
                words = HAIR + span.text[first + 1 : last - 1].replace(" ", "\u00a0") + HAIR
                found.append(replace(span, text=words, href=f"{SCHEME}{page}:{sentence}"))
                end = last
        found.append(replace(span, text=span.text[end:]) if end else span)
        begin += len(span.text)
    return tuple(span for span in found if span.text)


def _may_name(span: Span) -> bool:
    return not span.code and not span.href and ("[" in span.text or "(" in span.text)
