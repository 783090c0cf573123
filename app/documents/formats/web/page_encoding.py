"""Encodings of pages: what a page declares, what is true, and what its translation is written in."""

from __future__ import annotations

import re
from itertools import islice

from app.documents.encoding import BOMS, DecodedText, decode, known
from app.documents.formats.markup.tagged_text import TextEdit
from app.documents.text_file import EncodedBytes

DECLARED_WITHIN_BYTES = 4096
_CHARSET = re.compile(rb"""<meta\b[^>]*?\bcharset\s*=\s*["']?\s*([A-Za-z0-9_:.\-]+)""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml\b[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9_:.\-]+)""", re.IGNORECASE)
_BOMS = tuple(bom for bom, _ in BOMS)
_MEANT = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "shift_jis": "cp932", "shift-jis": "cp932",
    "x-sjis": "cp932", "sjis": "cp932", "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "big5": "big5hkscs",
    "iso-8859-9": "cp1254", "tis-620": "cp874", "iso-8859-11": "cp874", "x-user-defined": "cp1252",
    "iso-8859-8-i": "iso8859-8", "unicode-1-1-utf-8": "utf-8", "x-mac-cyrillic": "mac-cyrillic",
    "macintosh": "mac-roman", "utf-16": "utf-8", "utf-16le": "utf-8", "utf-16be": "utf-8",
}  # fmt: skip
"""Labels and what browsers take them for (https://encoding.spec.whatwg.org/#names-and-labels).

A page whose label could be read byte by byte is not in UTF-16.
"""
_ENOUGH_CHARACTERS = 4
"""Valid non-ASCII UTF-8 characters that outweigh any declaration."""


def decode_page(data: bytes, chosen: str = "", transported: str = "") -> DecodedText:
    """Decode a page. `chosen` is the user's encoding, `transported` a mail's.

    Order: byte order mark, certain UTF-8, the declared one if valid, then detection by `app.documents.encoding`.
    """
    if chosen and known(chosen):
        return decode(data, chosen)
    # A byte order mark goes before all declarations, and a NUL means UTF-16.
    if data.startswith(_BOMS) or b"\0" in data[:DECLARED_WITHIN_BYTES]:
        return decode(data)
    named = _encoding_of_label(transported) or declared(data)
    if not named:
        return decode(data)
    # ISO-2022 and HZ are ASCII with escapes, so they would pass for UTF-8.
    names = (named, "utf-8") if named.startswith(("iso2022", "hz")) else ("utf-8", named)
    for name in names:
        text = _decode_strictly(data, name)
        if text is not None and (name == named or _is_enough(text) or _decode_strictly(data, named) is None):
            return DecodedText(text, name)
    return decode(data)


def declared(data: bytes) -> str:
    """Return the encoding declared in the first 4 KB; "" if none is known."""
    head = data[:DECLARED_WITHIN_BYTES]
    match = _XML.search(head) or _CHARSET.search(head)
    return _encoding_of_label(match[1].decode("ascii")) if match else ""


def _encoding_of_label(label: str) -> str:
    label = label.strip().lower()
    return known(_MEANT.get(label, label)) if label else ""


def _decode_strictly(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeError:
        return None


def _is_enough(text: str) -> bool:
    if text.isascii():
        return True
    return len(list(islice(re.finditer("[^\x00-\x7f]", text), _ENOUGH_CHARACTERS))) == _ENOUGH_CHARACTERS


_BEGINNINGS = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (r"<head(?:\s[^<>]*)?>", r"<html(?:\s[^<>]*)?>", r"\s*(?:(?><!--.*?-->)\s*)*+<!doctype[^>]*>")
)


def coded_page(data: bytes, chosen: str = "") -> EncodedBytes:
    """Return a page's text; pure ASCII gets the encoding it declares."""
    encoding = decode_page(data, chosen).encoding
    # ASCII letters fit any encoding; what is written must fit the one that browsers will take.
    if encoding == "utf-8" and data.isascii() and not chosen:
        encoding = declared(data) or encoding
    return EncodedBytes(data, encoding)


def declaration(data: bytes, text: str, edits: list[TextEdit]) -> list[TextEdit]:
    """Return what an HTML page that declares no encoding needs, and so far needed none, to have other letters than
    ASCII.
    """
    news = (piece for edit in edits for piece in edit.pieces if isinstance(piece, str))
    if not data.isascii() or b"\0" in data or declared(data) or all(new.isascii() for new in news):
        return []
    at = next((found.end() for pattern in _BEGINNINGS if (found := pattern.search(text))), 0)
    return [TextEdit(at, at, ('<meta charset="utf-8">',))]
