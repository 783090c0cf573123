"""Pages, HTML and XHTML files, written back: all but the translated text stays byte for byte.

Segments are what stands between the borders of blocks, and what is read of attributes and of the head. What is left:
code, formulas, scripts, what a page marks as not to be translated (`translate="no"`, class `notranslate`), and what it
marks as being in another language than itself, such as a quotation.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from app.documents.formats.markup.stretches import Coded, Edit, edits_of, spliced
from app.documents.formats.web.page_walk import PageWalk
from app.documents.formats.web.pages import declared, decode_page
from app.documents.segments import Content, content_of
from app.documents.source import Source
from app.documents.visits import Target, Visit, Visits

_XML_ENDINGS = (".xhtml", ".xht")
_NEW_LINE = re.compile(r"[\r\n]+")


def rewrite(source: Source, out: BinaryIO | None, visit: Visit, target: Target | None) -> None:
    """A page with its segments replaced; see `app.documents.visits`."""
    data = source.path.read_bytes()
    coded = coded_page(data, source.encoding)
    is_xml = coded.text.lstrip().startswith("<?xml") or source.path.suffix.lower() in _XML_ENDINGS
    walk = PageWalk(coded.text, is_xml=is_xml)
    edits = edits_of(walk.stretches, Visits(visit))
    if target is not None:
        edits += walk.languages.edits(target)
    if not is_xml:
        edits += declaration(data, coded.text, edits)
    if out is not None:
        out.write(coded.encoded(spliced(len(coded.text), edits)) if edits else data)


def shown_piece(html: str, visits: Visits, context: str = "") -> str | None:
    """HTML within a file of another kind, with its texts as those of a page; None where it stays.

    No new line comes into it: a block in Markdown would end there.
    """
    edits: list[Edit] = []
    for stretch in PageWalk(html, is_xml=False).stretches:
        new = visits(stretch.content, stretch.kind, level=stretch.level, context=context)
        if new is not None:
            edits += [stretch.edit(_in_one_line(new)), *stretch.also]
    if not edits:
        return None
    return "".join(each if isinstance(each, str) else html[slice(*each)] for each in spliced(len(html), edits))


def _in_one_line(content: Content) -> Content:
    return content_of([_NEW_LINE.sub(" ", part) if isinstance(part, str) else part for part in content])


# The encoding in which a page is written back, which is the one that a browser reads it in.


_BEGINNINGS = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (r"<head(?:\s[^<>]*)?>", r"<html(?:\s[^<>]*)?>", r"\s*(?:(?><!--.*?-->)\s*)*+<!doctype[^>]*>")
)


def coded_page(data: bytes, chosen: str = "") -> Coded:
    """A page's text. One that has only ASCII is written in the encoding it declares, whatever it could be read in."""
    encoding = decode_page(data, chosen).encoding
    if encoding == "utf-8" and data.isascii() and not chosen:
        encoding = declared(data) or encoding
    return Coded(data, encoding)


def declaration(data: bytes, text: str, edits: list[Edit]) -> list[Edit]:
    """What an HTML page that declares no encoding needs, and so far needed none, to have other letters than ASCII."""
    news = (piece for edit in edits for piece in edit.pieces if isinstance(piece, str))
    if not data.isascii() or b"\0" in data or declared(data) or all(new.isascii() for new in news):
        return []
    at = next((found.end() for each in _BEGINNINGS if (found := each.search(text))), 0)
    return [Edit(at, at, ('<meta charset="utf-8">',))]
