"""The encoding in which a page is written back, which is the one that a browser reads it in."""

from __future__ import annotations

import re

from app.documents.formats.markup.coded import Coded
from app.documents.formats.markup.stretches import Edit
from app.documents.formats.web.encoding import declared, decode_page

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
