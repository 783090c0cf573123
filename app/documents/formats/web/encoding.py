"""Which encoding a page is in, by what it says of itself and by what is true."""

from __future__ import annotations

import codecs
import re
from itertools import islice

from app.documents.encoding import Decoded, decode, known

DECLARED_WITHIN_BYTES = 4096
_CHARSET = re.compile(rb"""<meta\b[^>]*?\bcharset\s*=\s*["']?\s*([A-Za-z0-9_:.\-]+)""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml\b[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9_:.\-]+)""", re.IGNORECASE)
_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
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
"""So many characters beyond ASCII that are right in UTF-8 are no accident, whatever the page says."""


def decode_page(data: bytes, chosen: str = "", transported: str = "") -> Decoded:
    """The text of a page. `chosen` is the person's encoding, `transported` what a mail says beside the page.

    First the byte order mark, then UTF-8 where it is right beyond doubt, then what is declared where it is right,
    then the ladder of `app.documents.encoding`.
    """
    if chosen and known(chosen):
        return decode(data, chosen)
    if data.startswith(_BOMS) or b"\0" in data[:DECLARED_WITHIN_BYTES]:
        return decode(data)
    named = _meant(transported) or declared(data)
    if not named:
        return decode(data)
    names = (named, "utf-8") if named.startswith(("iso2022", "hz")) else ("utf-8", named)
    for name in names:
        text = _strictly(data, name)
        if text is not None and (name == named or _is_enough(text) or _strictly(data, named) is None):
            return Decoded(text, name)
    return decode(data)


def declared(data: bytes) -> str:
    """The encoding that the page names in its first 4 KB, "" where it names none that is known."""
    head = data[:DECLARED_WITHIN_BYTES]
    match = _XML.search(head) or _CHARSET.search(head)
    return _meant(match[1].decode("ascii")) if match else ""


def _meant(label: str) -> str:
    label = label.strip().lower()
    return known(_MEANT.get(label, label)) if label else ""


def _strictly(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeError:
        return None


def _is_enough(text: str) -> bool:
    if text.isascii():
        return True
    return len(list(islice(re.finditer("[^\x00-\x7f]", text), _ENOUGH_CHARACTERS))) == _ENOUGH_CHARACTERS
