"""Outlook's .msg files: an OLE file with a stream for each property of the message.

Places are those of `mail`. Sources: MS-OXMSG (the streams), MS-OXPROPS (their numbers), MS-OXRTFCP (compressed RTF).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from olefile import OleFileIO
from olefile.olefile import OleFileError

from app.documents.blocks import Piece
from app.documents.encoding import SAMPLE_BYTES, decode, find_encoding, known
from app.documents.formats.mail.mail import body_pieces, headers_piece
from app.documents.formats.word.rtf import RtfWalker
from app.documents.source import Item, Opened, Remark, Source

MOST_BODY_BYTES = 200_000_000
_STREAM = "__substg1.0_"
_PROPERTIES = "__properties_version1.0"
_ATTACHMENT = "__attach_version1.0_"
_SUBJECT, _SENDER, _SENDER_ADDRESS, _SMTP_ADDRESS, _TO, _CC = "0037", "0C1A", "0C1F", "5D01", "0E04", "0E03"
_BODY, _HTML, _RTF, _DATA, _NAME, _LONG_NAME = "1000", "1013", "1009", "3701", "3704", "3707"
_SENT, _DELIVERED, _CODE_PAGE, _INTERNET_CODE_PAGE = 0x0039, 0x0E06, 0x3FFD, 0x3FDE
_UNICODE, _ANSI, _BINARY, _OBJECT = "001F", "001E", "0102", "000D"
_WINDOWS_PAGES = {20127: 0, 28591: 1252, 28592: 1250, 28595: 1251, 28597: 1253, 28599: 1254, 20866: 1251, 21866: 1251,
                  50220: 932, 51932: 932, 51949: 949, 52936: 936, 54936: 936}  # fmt: skip
"""What a message that is sent in an Internet code page has its other texts in; ASCII says nothing of them."""
_FIRST_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    + b"\r\n"
    + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_DICTIONARY_BYTES = 4096


def read(source: Source) -> Iterator[Item]:
    """Headers, the best body, what is attached; a message inside it is read, too. Raises DocumentUnreadable."""
    try:
        with OleFileIO(str(source.path)) as ole:
            message = _Message(source, ole)
            yield Opened(title=message.text(_SUBJECT), encoding=message.code_page)
            yield from message.items()
            if message.code_page:
                yield Remark("encoding", {"encoding": message.code_page})
    except (struct.error, OleFileError):
        raise source.unreadable("damaged") from None


@dataclass
class _Message:
    """One message: the whole file, or a folder in it."""

    source: Source
    ole: OleFileIO
    folder: list[str] = field(default_factory=list)
    header_bytes: int = 32
    """Before the properties of fixed size, in their stream."""

    def __post_init__(self) -> None:
        self._numbers = self._fixed()
        self.code_page = self._find_code_page()
        """Of its texts that are not Unicode; "" where there are none, or where they need none."""

    def _find_code_page(self) -> str:
        """The person's choice, what the message says, what its HTML is in; else what its texts look like."""
        sample = self._sample()
        if not sample or sample.isascii():
            return ""
        internet = self._numbers.get(_INTERNET_CODE_PAGE, 0)
        pages = (self._numbers.get(_CODE_PAGE, 0), _WINDOWS_PAGES.get(internet, internet))
        said = (f"cp{page}" if page != 65001 else "utf-8" for page in pages if page)
        names = (known(name) for name in (self.source.encoding, *said))
        return next(filter(None, names), "") or find_encoding(sample) or "cp1252"

    def _sample(self) -> bytes:
        """Texts that are not Unicode, one after the other."""
        depth, sample = len(self.folder), b""
        for entry in self.ole.listdir():
            if entry[:depth] == self.folder and len(entry) == depth + 1 and entry[-1].endswith(_ANSI):
                sample += self.ole.openstream(entry).read(SAMPLE_BYTES) + b"\n"
        return sample[:SAMPLE_BYTES]

    def items(self, is_inside: bool = False) -> Iterator[Item]:
        """Everything but `Opened`. A message inside a message inside it is only named."""
        yield from headers_piece(self.text(_SUBJECT), self._headers())
        for piece in self._body():
            yield piece._replace(place=piece.place._replace(part="/".join([*self.folder, piece.place.part])))
        for name in self._attachments():
            inside = _Message(self.source, self.ole, [*self.folder, name, f"{_STREAM}{_DATA}{_OBJECT}"], 24)
            if self.ole.exists([*inside.folder, _PROPERTIES]) and not is_inside:
                yield from inside.items(is_inside=True)
            else:
                yield self._attachment(name)

    def text(self, number: str, folder: str = "") -> str:
        """A property that is a text, "" where it is not there."""
        where = [folder] if folder else []
        if (data := self._bytes(number, _UNICODE, where)) is not None:
            return data.decode("utf-16-le", "replace").rstrip("\0")
        data = self._bytes(number, _ANSI, where)
        return "" if data is None else decode(data.rstrip(b"\0"), self.code_page).text

    def _headers(self) -> list[str]:
        name, address = self.text(_SENDER), self.text(_SMTP_ADDRESS) or self.text(_SENDER_ADDRESS)
        sender = f"{name} <{address}>" if name and "@" in address and address != name else name or address
        sent = self._numbers.get(_SENT) or self._numbers.get(_DELIVERED) or 0
        lines = {"From": sender, "To": self.text(_TO), "Cc": self.text(_CC), "Date": _date(sent)}
        return [f"{name}: {' '.join(value.split())}" for name, value in lines.items() if value.strip()]

    def _body(self) -> Iterator[Piece]:
        if (text := self.text(_BODY)).strip():
            yield from body_pieces(text, is_html=False)
        elif (html := self._html()).strip():
            yield from body_pieces(html, is_html=True)
        elif (packed := self._bytes(_RTF, _BINARY)) is not None:
            for piece in RtfWalker(unpacked(packed)).pieces():
                yield piece._replace(place=piece.place._replace(part="body"))

    def _html(self) -> str:
        data = self._bytes(_HTML, _BINARY)
        if data is None:
            return self.text(_HTML)
        page = self._numbers.get(_INTERNET_CODE_PAGE, 0)
        if known(self.source.encoding):
            return decode(data, self.source.encoding).text
        return decode(
            data, "" if page in (0, 65001, 20127) or find_encoding(data) == "utf-8" else _python_name(page)
        ).text

    def _attachments(self) -> list[str]:
        depth = len(self.folder)
        names = {
            entry[depth]
            for entry in self.ole.listdir(streams=True, storages=True)
            if entry[:depth] == self.folder and len(entry) > depth and entry[depth].startswith(_ATTACHMENT)
        }
        return sorted(names)

    def _attachment(self, folder: str) -> Remark:
        name = self.text(_LONG_NAME, folder) or self.text(_NAME, folder) or self.text("3001", folder)
        path = [*self.folder, folder, f"{_STREAM}{_DATA}{_BINARY}"]
        size = int(self.ole.get_size(path)) if self.ole.exists(path) else 0
        return Remark("attachment", {"name": name, "size_bytes": size})

    def _bytes(self, number: str, kind: str, where: list[str] | None = None) -> bytes | None:
        path = [*self.folder, *(where or []), f"{_STREAM}{number}{kind}"]
        if not self.ole.exists(path):
            return None
        self.source.inflated(int(self.ole.get_size(path)))
        return bytes(self.ole.openstream(path).read())

    def _fixed(self) -> dict[int, int]:
        """The properties that are numbers or times, by their own numbers."""
        path = [*self.folder, _PROPERTIES]
        if not self.ole.exists(path):
            return {}
        data = bytes(self.ole.openstream(path).read())[self.header_bytes :]
        found = {}
        for at in range(0, len(data) // 16 * 16, 16):
            kind, number, _, value = struct.unpack_from("<HHIq", data, at)
            if kind in (0x0003, 0x0040):
                found[number] = value & 0xFFFFFFFF if kind == 0x0003 else value
        return found


def _python_name(page: int) -> str:
    names = {28591: "latin-1", 28592: "iso8859-2", 28595: "iso8859-5", 28597: "iso8859-7", 20866: "koi8-r",
             21866: "koi8-u", 50220: "iso2022_jp", 51932: "euc_jp", 51949: "euc_kr", 54936: "gb18030"}  # fmt: skip
    return names.get(page, f"cp{page}")


def _date(filetime: int) -> str:
    """From hundreds of nanoseconds since 1601; "" for what is no date."""
    if filetime <= 0:
        return ""
    try:
        return (datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=filetime // 10)).isoformat(" ", "seconds")
    except OverflowError:
        return ""


def unpacked(packed: bytes) -> bytes:
    """The RTF of a message (MS-OXRTFCP 2.2): bytes and references into a ring of the last 4096; as much as is there."""
    if len(packed) < 16:
        return b""
    size, kind = struct.unpack_from("<I", packed, 4)[0], packed[8:12]
    if kind != b"LZFu":
        return packed[16 : 16 + size]
    ring = bytearray(_FIRST_DICTIONARY.ljust(_DICTIONARY_BYTES, b"\0"))
    out, write, at = bytearray(), len(_FIRST_DICTIONARY), 16
    while at < len(packed) and len(out) < min(size, MOST_BODY_BYTES):
        flags = packed[at]
        at += 1
        for bit in range(8):
            if at >= len(packed):
                break
            if not flags >> bit & 1:
                taken = packed[at : at + 1]
                at += 1
            elif at + 1 < len(packed):
                reference = packed[at] << 8 | packed[at + 1]
                at += 2
                if reference >> 4 == write:
                    return bytes(out[:size])
                taken = _repeated(ring, reference >> 4, (reference & 0xF) + 2, write)
            else:
                break
            out += taken
            for byte in taken:
                ring[write] = byte
                write = (write + 1) % _DICTIONARY_BYTES
    return bytes(out[:size])


def _repeated(ring: bytearray, start: int, length: int, write: int) -> bytes:
    """What lies at `start`; it may run into what it is itself about to write."""
    taken = bytearray()
    for number in range(length):
        at = (start + number) % _DICTIONARY_BYTES
        ahead = (at - write) % _DICTIONARY_BYTES
        taken.append(taken[ahead] if ahead < number else ring[at])
    return bytes(taken)
