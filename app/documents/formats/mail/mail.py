"""Mails as they are sent (RFC 5322): the headers a person reads, then the best body. Attachments are only named.

A place's part is "headers", or "body" for the text that is shown, with offsets into that text as it was decoded.
"""

from __future__ import annotations

import binascii
import email.header
import email.message
import email.parser
import email.policy
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from app.documents.blocks import Kind, Piece, Place
from app.documents.encoding import Decoded, decode, known
from app.documents.formats.plain.text import plain_pieces
from app.documents.formats.web.walker import Walker
from app.documents.source import Item, Opened, Remark, Source, counted

HEADERS = ("From", "To", "Cc", "Date")
MOST_DEPTH = 50

_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\s]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?)")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")

if TYPE_CHECKING:
    Part = email.message.Message[str, str]


class _AsSent(email.policy.Compat32):
    """Headers with the bytes that are not ASCII as surrogates: the library's own way replaces them."""

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002 - as the library calls it
        return value


def read(source: Source) -> Iterator[Item]:
    """Headers and body; raises DocumentUnreadable: too_deep."""
    data = source.path.read_bytes()
    try:
        whole = email.parser.BytesParser(policy=_AsSent()).parsebytes(data)
        yield from _of_mail(whole, source)
    except RecursionError:
        raise source.unreadable("too_deep") from None


def headers_piece(subject: str, lines: list[str]) -> Iterator[Piece]:
    """A mail's head: its subject is a heading, the rest one paragraph."""
    if subject.strip():
        yield Piece(Kind.HEADING, " ".join(subject.split()), place=Place("headers"), level=1)
    if lines:
        yield Piece(Kind.PARAGRAPH, "\n".join(lines), place=Place("headers"))


def body_pieces(text: str, is_html: bool) -> Iterator[Piece]:
    if is_html:
        yield from Walker(text, part="body").pieces()
    else:
        yield from plain_pieces(text, "body")


def _of_mail(whole: Part, source: Source) -> Iterator[Item]:
    subject = _header(whole, "Subject")
    bodies: list[Part] = []
    attached: list[Part] = []
    _sort(whole, bodies, attached, source)
    texts = [(part, _text_of(part, source.encoding)) for part in bodies]
    yield Opened(title=subject, encoding=next((decoded.encoding for _, decoded in texts), ""))
    yield from headers_piece(subject, [f"{name}: {value}" for name in HEADERS if (value := _header(whole, name))])
    for part, decoded in texts:
        yield from body_pieces(decoded.text, part.get_content_type() == "text/html")
    yield from counted("odd_bytes", sum(decoded.odd_bytes for _, decoded in texts))
    for part in attached:
        yield Remark("attachment", {"name": _name_of(part), "size_bytes": _size_of(part)})


def _sort(part: Part, bodies: list[Part], attached: list[Part], source: Source, depth: int = 0) -> None:
    """What is shown, and what is attached, in the mail's order."""
    if depth > MOST_DEPTH:
        raise source.unreadable("too_deep")
    kind = part.get_content_type()
    if kind == "message/rfc822":
        attached.append(part)
    elif part.is_multipart():
        inside = [each for each in part.get_payload() if isinstance(each, email.message.Message)]
        chosen = [_best(inside)] if kind == "multipart/alternative" and inside else inside
        for each in chosen:
            _sort(each, bodies, attached, source, depth + 1)
    elif kind in ("text/plain", "text/html") and part.get_content_disposition() != "attachment":
        bodies.append(part)
    else:
        attached.append(part)


def _best(ways: list[Part]) -> Part:
    """Of several ways to say the same: plain text that says something, else the last one that can be read."""
    for part in ways:
        if part.get_content_type() == "text/plain" and _text_of(part).text.strip():
            return part
    readable = [part for part in ways if part.is_multipart() or part.get_content_type() == "text/html"]
    return readable[-1] if readable else ways[-1]


def _text_of(part: Part, chosen: str = "") -> Decoded:
    """Decoded by hand: the standard library refuses unknown names and damaged base64."""
    if known(chosen):
        return decode(_bytes_of(part), chosen)
    charset = part.get_param("charset")
    name = charset if isinstance(charset, str) else ""
    return decode(_bytes_of(part), "" if known(name) in ("", "utf-8") or name.lower() == "us-ascii" else name)


def _bytes_of(part: Part) -> bytes:
    if str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "base64":
        payload = part.get_payload()
        return _from_base64(payload.encode("ascii", "ignore")) if isinstance(payload, str) else b""
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _from_base64(raw: bytes) -> bytes:
    """As much as is there: lengths that cannot be are cut, characters that cannot be are passed over."""
    clean = _NOT_BASE64.sub(b"", raw)
    clean = clean[:-1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def _header(part: Part, name: str) -> str:
    value = part.get(name)
    return "" if value is None else header_text(str(value))


def header_text(value: str) -> str:
    """A header in words: encoded words (RFC 2047) decoded, also those in an encoding that nobody knows."""
    if any(0xDC80 <= ord(character) <= 0xDCFF for character in value):  # bytes as they came
        value = decode(value.encode("utf-8", "surrogateescape")).text
    value = _ENCODED_WORD.sub(_encoded_word, _BETWEEN_WORDS.sub(r"\1", value))
    return " ".join(value.split())


def _encoded_word(found: re.Match[str]) -> str:
    charset, way, text = found[1].partition("*")[0], found[2].lower(), found[3]
    raw = text.encode("utf-8", "replace")
    data = _from_base64(raw) if way == "b" else binascii.a2b_qp(raw, header=True)
    return decode(data, "" if known(charset) in ("", "utf-8") else charset).text


def _name_of(part: Part) -> str:
    if part.get_content_type() == "message/rfc822":
        inside = part.get_payload()
        first = inside[0] if isinstance(inside, list) and inside else None
        return (_header(first, "Subject") if isinstance(first, email.message.Message) else "") or "message.eml"
    name = part.get_param("filename", header="content-disposition") or part.get_param("name") or ""
    if isinstance(name, tuple):  # RFC 2231: encoding, language, text
        return decode(unquote_to_bytes(name[2]) if "%" in name[2] else name[2].encode("latin-1", "replace")).text
    return header_text(name) or part.get_content_type()


def _size_of(part: Part) -> int:
    return sum(len(_bytes_of(each)) for each in part.walk() if not each.is_multipart())
