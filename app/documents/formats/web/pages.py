"""Pages: HTML and XHTML files, and whole pages in one MHTML file. Nothing is fetched, run or opened beside them.

A block's place holds offsets into the decoded text of the file. In an MHTML file they are offsets into the decoded
text of its page, and the part is that page's Content-ID or Content-Location.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import Message

from app.documents.encoding import Decoded
from app.documents.formats.plain.text import after_the_text
from app.documents.formats.web.encoding import decode_page
from app.documents.formats.web.walker import Walker
from app.documents.source import Item, Opened, Remark, Source

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
    if walker.pictures:
        yield Remark("pictures", {"count": walker.pictures})


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
