"""Reader for mail: headers, then the best body, from RFC 5322 and Outlook (.msg) files.

Attachments are only named. A place's part is "headers", or "body" with offsets into the decoded text. Outlook's are OLE
files with a stream per property of the message; sources: MS-OXMSG (streams), MS-OXPROPS (numbers), MS-OXRTFCP
(compressed RTF).
"""

from __future__ import annotations

import binascii
import email.header
import email.message
import email.parser
import email.policy
import re
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote_to_bytes

from olefile import STGTY_STREAM, OleFileIO, isOleFile
from olefile.olefile import OleFileError

from app.core.lazy_dataclasses import dataclass, field
from app.documents.blocks import BlockKind, BlockPiece, BlockPlace
from app.documents.encoding import SAMPLE_BYTES, DecodedText, decode, find_encoding, known
from app.documents.formats.plain.plain_text import plain_pieces
from app.documents.formats.web.walker import HtmlWalker
from app.documents.formats.word.rtf import RtfWalker
from app.documents.source import FileSource, Item, Opened, ReadingRemark, counted

if TYPE_CHECKING:
    Part = email.message.Message[str, str]


HEADERS = ("From", "To", "Cc", "Date")
MOST_DEPTH = 50

# RFC 2047; the length of the name is bounded so that no text makes the pattern slow.
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\s]*)\?=")
# White space between two encoded words belongs to neither (RFC 2047, 6.2).
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?)")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


class _AsSent(email.policy.Compat32):
    """Headers with the bytes that are not ASCII as surrogates: the library's own way replaces them."""

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002 - as the library calls it
        # As it stands: the library would parse it and replace what is no ASCII, which 8-bit mail has without saying so.
        return value


def read(source: FileSource) -> Iterator[Item]:
    """Yield headers, then the best body; attachments are remarks. Raises DocumentUnreadable: too_deep, damaged."""
    if isOleFile(source.path):
        yield from _of_outlook(source)
        return
    data = source.path.read_bytes()
    try:
        whole = email.parser.BytesParser(policy=_AsSent()).parsebytes(data)
        yield from _of_mail(whole, source)
    # The library parses nested messages by recursion: 1,500 of them, some kB, end in this.
    except RecursionError:
        raise source.unreadable("too_deep") from None


def headers_piece(subject: str, lines: list[str]) -> Iterator[BlockPiece]:
    """Yield a mail's head: its subject is a heading, the rest one paragraph."""
    if subject.strip():
        yield BlockPiece(BlockKind.HEADING, " ".join(subject.split()), place=BlockPlace("headers"), level=1)
    if lines:
        yield BlockPiece(BlockKind.PARAGRAPH, "\n".join(lines), place=BlockPlace("headers"))


def body_pieces(text: str, is_html: bool) -> Iterator[BlockPiece]:
    if is_html:
        yield from HtmlWalker(text, part="body").pieces()
    else:
        yield from plain_pieces(text, "body")


def _of_mail(whole: Part, source: FileSource) -> Iterator[Item]:
    subject = _header_text(whole, "Subject")
    bodies: list[Part] = []
    attached: list[Part] = []
    _sort_part(whole, bodies, attached, source)
    texts = [(part, _text_of(part, source.encoding)) for part in bodies]
    yield Opened(title=subject, encoding=next((decoded.encoding for _, decoded in texts), ""))
    yield from headers_piece(subject, [f"{name}: {value}" for name in HEADERS if (value := _header_text(whole, name))])
    for part, decoded in texts:
        yield from body_pieces(decoded.text, part.get_content_type() == "text/html")
    yield from counted("odd_bytes", sum(decoded.odd_bytes for _, decoded in texts))
    for part in attached:
        yield ReadingRemark("attachment", {"name": _name_of(part), "size_bytes": _size_of(part)})


def _sort_part(part: Part, bodies: list[Part], attached: list[Part], source: FileSource, depth: int = 0) -> None:
    """Add parts to `bodies` and `attached`, in their order. Raises DocumentUnreadable: too_deep."""
    if depth > MOST_DEPTH:
        raise source.unreadable("too_deep")
    kind = part.get_content_type()
    # A forwarded mail is a document of its own: its words under this one's headers would be told as this one's.
    if kind == "message/rfc822":
        attached.append(part)
    elif part.is_multipart():
        inside = [message for message in part.get_payload() if isinstance(message, email.message.Message)]
        # The same text several times, so one of them is read.
        chosen = [_best_alternative(inside)] if kind == "multipart/alternative" and inside else inside
        for message in chosen:
            _sort_part(message, bodies, attached, source, depth + 1)
    elif kind in ("text/plain", "text/html") and part.get_content_disposition() != "attachment":
        bodies.append(part)
    else:
        attached.append(part)


def _best_alternative(ways: list[Part]) -> Part:
    """Return the best alternative: plain text with words, else the last readable one."""
    # Later ones are richer (RFC 2046, 5.1.4), but plain text needs no reader of pages and has no hidden text.
    for part in ways:
        if part.get_content_type() == "text/plain" and _text_of(part).text.strip():
            return part
    readable = [part for part in ways if part.is_multipart() or part.get_content_type() == "text/html"]
    return readable[-1] if readable else ways[-1]


def _text_of(part: Part, chosen: str = "") -> DecodedText:
    """Decode a part by hand: the standard library refuses unknown charsets and damaged base64."""
    # Looked up first: whoever chose an encoding saw that what the mail says is wrong.
    if known(chosen):
        return decode(_bytes_of(part), chosen)
    charset = part.get_param("charset")
    name = charset if isinstance(charset, str) else ""
    # ASCII and UTF-8 are looked at all the same: many mails say so and are neither.
    return decode(_bytes_of(part), "" if known(name) in ("", "utf-8") or name.lower() == "us-ascii" else name)


def _bytes_of(part: Part) -> bytes:
    # By hand, since the library gives back the undecoded text where a single character is wrong.
    if str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "base64":
        payload = part.get_payload()
        # Four characters are three bytes; a rest of one can't be any.
        return _from_base64(payload.encode("ascii", "ignore")) if isinstance(payload, str) else b""
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _from_base64(raw: bytes) -> bytes:
    """Decode base64 as far as possible: cut impossible lengths, skip invalid characters."""
    clean = _NOT_BASE64.sub(b"", raw)
    clean = clean[:-1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def _header_text(part: Part, name: str) -> str:
    value = part.get(name)
    return "" if value is None else header_text(str(value))


def header_text(value: str) -> str:
    """Return a header with encoded words (RFC 2047) decoded, even in unknown encodings."""
    # Surrogates that `_AsSent` left: bytes of unknown encoding.
    if any(0xDC80 <= ord(character) <= 0xDCFF for character in value):  # bytes as they came
        value = decode(value.encode("utf-8", "surrogateescape")).text
    value = _ENCODED_WORD.sub(_encoded_word, _BETWEEN_WORDS.sub(r"\1", value))
    return " ".join(value.split())


def _encoded_word(found: re.Match[str]) -> str:
    # RFC 2231 lets a language follow the charset behind an asterisk.
    charset, way, text = found[1].partition("*")[0], found[2].lower(), found[3]
    raw = text.encode("utf-8", "replace")
    data = _from_base64(raw) if way == "b" else binascii.a2b_qp(raw, header=True)
    return decode(data, "" if known(charset) in ("", "utf-8") else charset).text


def _name_of(part: Part) -> str:
    if part.get_content_type() == "message/rfc822":
        # A forwarded mail has no file name; its subject is what a mail program shows.
        inside = part.get_payload()
        first = inside[0] if isinstance(inside, list) and inside else None
        return (_header_text(first, "Subject") if isinstance(first, email.message.Message) else "") or "message.eml"
    name = part.get_param("filename", header="content-disposition") or part.get_param("name") or ""
    if isinstance(name, tuple):  # RFC 2231: encoding, language, text
        return decode(unquote_to_bytes(name[2]) if "%" in name[2] else name[2].encode("latin-1", "replace")).text
    return header_text(name) or part.get_content_type()


# After decoding: base64 would make it a third larger than what is saved.
def _size_of(part: Part) -> int:
    return sum(len(_bytes_of(message)) for message in part.walk() if not message.is_multipart())


MOST_BODY_BYTES = 200_000_000
_STREAM = "__substg1.0_"
_PROPERTIES = "__properties_version1.0"
_ATTACHMENT = "__attach_version1.0_"
_SUBJECT, _SENDER, _SENDER_ADDRESS, _SMTP_ADDRESS, _TO, _CC = "0037", "0C1A", "0C1F", "5D01", "0E04", "0E03"
# Property tags of MS-OXPROPS, as they stand in the names of streams.
_BODY, _HTML, _RTF, _DATA, _NAME, _LONG_NAME = "1000", "1013", "1009", "3701", "3704", "3707"
_SENT, _DELIVERED, _CODE_PAGE, _INTERNET_CODE_PAGE = 0x0039, 0x0E06, 0x3FFD, 0x3FDE
_UNICODE, _ANSI, _BINARY, _OBJECT = "001F", "001E", "0102", "000D"
_WINDOWS_PAGES = {20127: 0, 28591: 1252, 28592: 1250, 28595: 1251, 28597: 1253, 28599: 1254, 20866: 1251, 21866: 1251,
                  50220: 932, 51932: 932, 51949: 949, 52936: 936, 54936: 936}  # fmt: skip
"""Code page of a message's other texts by its Internet code page; ASCII says nothing."""
_FIRST_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    + b"\r\n"
    + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_DICTIONARY_BYTES = 4096


def _of_outlook(source: FileSource) -> Iterator[Item]:
    """Yield headers, best body and attachments; an inner message is read too. Raises DocumentUnreadable."""
    try:
        with OleFileIO(str(source.path)) as ole:
            message = _MailMessage(source, ole)
            yield Opened(title=message.text(_SUBJECT), encoding=message.code_page)
            yield from message.items()
            if message.code_page:
                yield ReadingRemark("encoding", {"encoding": message.code_page})
    # olefile's own errors, offsets that lead nowhere, and sectors larger than any computer.
    except (struct.error, OleFileError, OverflowError):
        raise source.unreadable("damaged") from None


@dataclass
class _MailMessage:
    """A message: the whole file, or a folder in it."""

    source: FileSource
    ole: OleFileIO
    folder: list[str] = field(default_factory=list)
    header_bytes: int = 32
    """Before the properties of fixed size, in their stream."""

    def __post_init__(self) -> None:
        self._numbers = self._fixed_properties()
        self.code_page = self._find_code_page()
        """Code page of texts that aren't Unicode; "" if there are none or they are ASCII."""

    def _find_code_page(self) -> str:
        """Return the person's choice, what the message says, what its HTML is in; else what its texts look like."""
        sample = self._encoding_sample()
        # All is Unicode, or ASCII, which is the same in every code page.
        if not sample or sample.isascii():
            return ""
        # The Internet's code page is that of the HTML as it was sent; texts are in the Windows one that belongs to it.
        internet = self._numbers.get(_INTERNET_CODE_PAGE, 0)
        pages = (self._numbers.get(_CODE_PAGE, 0), _WINDOWS_PAGES.get(internet, internet))
        # 65001 is Windows' number for UTF-8.
        said = (f"cp{page}" if page != 65001 else "utf-8" for page in pages if page)
        names = (known(name) for name in (self.source.encoding, *said))
        return next(filter(None, names), "") or find_encoding(sample) or "cp1252"

    def _encoding_sample(self) -> bytes:
        """Texts that are not Unicode, one after the other."""
        depth, sample = len(self.folder), b""
        for entry in self.ole.listdir():
            if entry[:depth] == self.folder and len(entry) == depth + 1 and entry[-1].endswith(_ANSI):
                sample += self._open_stream(entry).read(SAMPLE_BYTES) + b"\n"
        return sample[:SAMPLE_BYTES]

    def items(self, is_inside: bool = False) -> Iterator[Item]:
        """Yield all items except `Opened`. Messages nested twice are only named."""
        yield from headers_piece(self.text(_SUBJECT), self._header_lines())
        for piece in self._body_pieces():
            yield piece._replace(place=piece.place._replace(part="/".join([*self.folder, piece.place.part])))
        for name in self._attachment_names():
            # 24 bytes of header in an embedded message, 32 in the file itself (MS-OXMSG 2.4).
            inside = _MailMessage(self.source, self.ole, [*self.folder, name, f"{_STREAM}{_DATA}{_OBJECT}"], 24)
            # A message in a message is read; what is in that one could go on for ever, so it is only named.
            if self.ole.exists([*inside.folder, _PROPERTIES]) and not is_inside:
                yield from inside.items(is_inside=True)
            else:
                yield self._attachment_remark(name)

    def text(self, number: str, folder: str = "") -> str:
        """Return a text property, from its Unicode or its code page stream; "" if missing."""
        where = [folder] if folder else []
        if (data := self._property_bytes(number, _UNICODE, where)) is not None:
            return data.decode("utf-16-le", "replace").rstrip("\0")
        data = self._property_bytes(number, _ANSI, where)
        return "" if data is None else decode(data.rstrip(b"\0"), self.code_page).text

    def _header_lines(self) -> list[str]:
        name, address = self.text(_SENDER), self.text(_SMTP_ADDRESS) or self.text(_SENDER_ADDRESS)
        # Exchange's own addresses ("/O=ORG/CN=…") say nothing to a reader, so only ones with an at sign stand beside a
        # name.
        sender = f"{name} <{address}>" if name and "@" in address and address != name else name or address
        # A draft has no time of sending, and what was received may have only that.
        sent = self._numbers.get(_SENT) or self._numbers.get(_DELIVERED) or 0
        lines = {"From": sender, "To": self.text(_TO), "Cc": self.text(_CC), "Date": _format_filetime(sent)}
        return [f"{name}: {' '.join(value.split())}" for name, value in lines.items() if value.strip()]

    def _body_pieces(self) -> Iterator[BlockPiece]:
        # The same body in up to three forms, the simplest first: RTF holds HTML in a wrapping of its own.
        if (text := self.text(_BODY)).strip():
            yield from body_pieces(text, is_html=False)
        elif (html := self._html_text()).strip():
            yield from body_pieces(html, is_html=True)
        elif (packed := self._property_bytes(_RTF, _BINARY)) is not None:
            for piece in RtfWalker(unpacked(packed)).pieces():
                yield piece._replace(place=piece.place._replace(part="body"))

    def _html_text(self) -> str:
        data = self._property_bytes(_HTML, _BINARY)
        if data is None:
            return self.text(_HTML)
        page = self._numbers.get(_INTERNET_CODE_PAGE, 0)
        if known(self.source.encoding):
            return decode(data, self.source.encoding).text
        # What decodes as UTF-8 is hardly anything else, whatever code page the message names.
        return decode(
            data, "" if page in (0, 65001, 20127) or find_encoding(data) == "utf-8" else _python_name(page)
        ).text

    def _attachment_names(self) -> list[str]:
        depth = len(self.folder)
        names = {
            entry[depth]
            for entry in self.ole.listdir(streams=True, storages=True)
            if entry[:depth] == self.folder and len(entry) > depth and entry[depth].startswith(_ATTACHMENT)
        }
        return sorted(names)

    def _attachment_remark(self, folder: str) -> ReadingRemark:
        # 0x3001 is the display name, which attached messages have instead of a file name.
        name = self.text(_LONG_NAME, folder) or self.text(_NAME, folder) or self.text("3001", folder)
        path = [*self.folder, folder, f"{_STREAM}{_DATA}{_BINARY}"]
        size = int(self.ole.get_size(path)) if self._has_stream(path) else 0
        return ReadingRemark("attachment", {"name": name, "size_bytes": size})

    def _property_bytes(self, number: str, kind: str, where: list[str] | None = None) -> bytes | None:
        path = [*self.folder, *(where or []), f"{_STREAM}{number}{kind}"]
        if not self._has_stream(path):
            return None
        # Announced before it is read; olefile takes the size from the directory and reads no more.
        self.source.inflated(int(self.ole.get_size(path)))
        return bytes(self._open_stream(path).read())

    def _has_stream(self, path: list[str]) -> bool:
        # A folder may have the name that a property should have.
        return bool(self.ole.get_type(path) == STGTY_STREAM)

    def _open_stream(self, path: list[str]) -> BinaryIO:
        # Said to be larger than the file, its sectors go in a circle, which olefile would follow.
        if self.ole.get_size(path) > self.source.path.stat().st_size:
            raise self.source.unreadable("damaged")
        stream: BinaryIO = self.ole.openstream(path)
        return stream

    def _fixed_properties(self) -> dict[int, int]:
        """Return the properties that are numbers or times, by their own numbers."""
        path = [*self.folder, _PROPERTIES]
        if not self._has_stream(path):
            return {}
        data = bytes(self._open_stream(path).read())[self.header_bytes :]
        found = {}
        # Entries of 16 bytes: type and number, flags, value (MS-OXMSG 2.4.2).
        for at in range(0, len(data) // 16 * 16, 16):
            kind, number, _, value = struct.unpack_from("<HHIq", data, at)
            # 0x0003 is a 32-bit integer, 0x0040 a FILETIME.
            if kind in (0x0003, 0x0040):
                found[number] = value & 0xFFFFFFFF if kind == 0x0003 else value
        return found


def _python_name(page: int) -> str:
    names = {28591: "latin-1", 28592: "iso8859-2", 28595: "iso8859-5", 28597: "iso8859-7", 20866: "koi8-r",
             # Numbers of Windows whose Python codec is not called "cp" and the number.
             21866: "koi8-u", 50220: "iso2022_jp", 51932: "euc_jp", 51949: "euc_kr", 54936: "gb18030"}  # fmt: skip
    return names.get(page, f"cp{page}")


def _format_filetime(filetime: int) -> str:
    """Format a FILETIME (100 ns since 1601) as a date in UTC; "" if invalid."""
    if filetime <= 0:
        return ""
    try:
        return (datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=filetime // 10)).isoformat(" ", "seconds")
    except OverflowError:
        return ""


def unpacked(packed: bytes) -> bytes:
    """Return the RTF of a message (MS-OXRTFCP 2.2): bytes and references into a ring of the last 4096; as much as is
    there.
    """
    if len(packed) < 16:
        return b""
    size, kind = struct.unpack_from("<I", packed, 4)[0], packed[8:12]
    # "MELA" follows for RTF that is stored as it is.
    if kind != b"LZFu":
        return packed[16 : 16 + size]
    # Writer and reader begin with the same text in the ring, so even short messages are mostly references.
    ring = bytearray(_FIRST_DICTIONARY.ljust(_DICTIONARY_BYTES, b"\0"))
    out, write, at = bytearray(), len(_FIRST_DICTIONARY), 16
    while at < len(packed) and len(out) < min(size, MOST_BODY_BYTES):
        flags = packed[at]
        at += 1
        # Eight tokens for each byte of flags, the lowest bit first.
        for bit in range(8):
            if at >= len(packed):
                break
            if not flags >> bit & 1:
                taken = packed[at : at + 1]
                # 12 bits of offset and 4 of length, which counts from 2.
                at += 1
            elif at + 1 < len(packed):
                reference = packed[at] << 8 | packed[at + 1]
                at += 2
                # A reference to the place of writing is the end mark.
                if reference >> 4 == write:
                    return bytes(out[:size])
                taken = _ring_bytes(ring, reference >> 4, (reference & 0xF) + 2, write)
            else:
                break
            out += taken
            for byte in taken:
                ring[write] = byte
                write = (write + 1) % _DICTIONARY_BYTES
    return bytes(out[:size])


def _ring_bytes(ring: bytearray, start: int, length: int, write: int) -> bytes:
    """Return bytes from `start` of the ring; the range may overlap what is being written."""
    taken = bytearray()
    for number in range(length):
        at = (start + number) % _DICTIONARY_BYTES
        # Bytes behind the place of writing come from this very reference, as in a run of one letter.
        ahead = (at - write) % _DICTIONARY_BYTES
        taken.append(taken[ahead] if ahead < number else ring[at])
    return bytes(taken)
