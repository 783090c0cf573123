"""Pages: HTML and XHTML files, and whole pages in one MHTML file. Nothing is fetched, run or opened beside them.

A block's place holds offsets into the decoded text of the file. In an MHTML file they are offsets into the decoded
text of its page, and the part is that page's Content-ID or Content-Location.

Written back, all but the translated text stays byte for byte. Segments are what stands between the borders of blocks,
and what is read of attributes and of the head. What is left: code, formulas, scripts, what a page marks as not to be
translated (`translate="no"`, class `notranslate`), and what it marks as being in another language than itself, such as
a quotation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import Message
from itertools import islice
from typing import BinaryIO

from app.documents.encoding import BOMS, Coded, Decoded, after_the_text, decode, known
from app.documents.formats.markup.tags import Edit, edits_of, spliced
from app.documents.formats.web.page_walk import PageWalk
from app.documents.formats.web.walker import Walker
from app.documents.segments import Content, content_of
from app.documents.source import Item, Opened, Source, Target, Visit, Visits, counted

_HEADERS = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:From |[A-Za-z][A-Za-z0-9\-]*:)")
_SCRIPTLESS = re.compile(r"<(?:noscript|noframes)\b", re.IGNORECASE)
_PAGE_TYPES = ("text/html", "application/xhtml+xml")


def read(source: Source) -> Iterator[Item]:
    """The blocks of a page; raises DocumentUnreadable: damaged or too_deep, for an MHTML file without a page."""
    data = source.path.read_bytes()
    part = transported = ""
    if _HEADERS.match(data):
        data, part, transported = _page_of(data, source)
    decoded = decode_page(data, source.encoding, transported)
    del data
    yield from _items(decoded, part)


def _items(decoded: Decoded, part: str) -> Iterator[Item]:
    """The page as it is shown; where that is nothing, as it is shown without scripts."""
    text = decoded.text
    is_xml = text.lstrip().startswith("<?xml")
    walker = Walker(text, part=part, is_xml=is_xml)
    pieces = walker.pieces()
    first = next(pieces, None)
    if first is None and _SCRIPTLESS.search(text):
        walker = Walker(text, part=part, is_xml=is_xml, has_scripts=False)
        pieces = walker.pieces()
        first = next(pieces, None)
    yield Opened(title=walker.title, encoding=decoded.encoding)
    if first is not None:
        yield first
        yield from pieces
    yield from after_the_text(decoded.encoding, decoded.odd_bytes)
    yield from counted("pictures", walker.pictures)


def _page_of(data: bytes, source: Source) -> tuple[bytes, str, str]:
    """The page in an MHTML file, the name of its part, and the encoding that its headers name."""
    try:
        whole = message_from_bytes(data, policy=policy.compat32)
        parts = [each for each in whole.walk() if each.get_content_type() in _PAGE_TYPES]
    except RecursionError:
        raise source.unreadable("too_deep") from None
    if not parts:
        raise source.unreadable("damaged")
    root = _root(whole, parts)
    body = root.get_payload(decode=True)
    assert isinstance(body, bytes)  # a page is no multipart message
    name = root.get("Content-ID") or root.get("Content-Location") or "page"
    return body, str(name).strip(), str(root.get_param("charset") or "")


def _root(whole: Message, parts: list[Message]) -> Message:
    """The part that the message names as its start (RFC 2387), or the first page."""
    start = whole.get_param("start")
    return next((each for each in parts if start and each.get("Content-ID") == start), parts[0])


# Which encoding a page is in, by what it says of itself and by what is true.

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


# Pages written back.

_XML_ENDINGS = (".xhtml", ".xht")
_NEW_LINE = re.compile(r"[\r\n]+")


def rewrite(source: Source, out: BinaryIO | None, visit: Visit, target: Target | None) -> None:
    """A page with its segments replaced; see `app.documents.source`."""
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
        out.write(coded.encoded(spliced(len(coded.text), edits), "xmlcharrefreplace") if edits else data)


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
