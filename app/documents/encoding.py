"""Text encodings: detect, decode at once or as a stream, and encode; never fails.

Detection: byte order mark, pattern of NULs, strict UTF-8, then chardet on the first 64 KB that aren't plain ASCII.
Newlines and NULs are kept, so that offsets into decoded text are offsets into the file's characters; a byte order mark
isn't a character. Invalid bytes become U+FFFD and are counted.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import chardet

from app.core.lazy_dataclasses import dataclass
from app.documents.source import ENCODINGS, ReadingRemark, counted

SAMPLE_BYTES = 64 * 1024
CHUNK_BYTES = 512 * 1024
CONTEXT_BYTES = 256
"""Bytes kept before the first non-ASCII one, for its context."""
SMALL_BYTES = 1024
"""Size below which the pattern of NULs isn't conclusive and chardet decides about UTF-16."""
MOST_CONTROL_SHARE = 0.03
"""Largest share of control characters in text; compressed and random bytes have about a tenth."""
TIE = 0.97  # confidences this close to the best count as equal
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16's, whose mark is its first half
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = re.compile(rb"[\x00-\x06\x0e-\x19\x1c-\x1f\x7f]")
_LONG_NULS = re.compile(rb"\x00{8,}")  # what a power failure leaves in a log; UTF-16 and UTF-32 have no such runs
# NUL tells UTF-16 and UTF-32, ESC the ISO-2022 family, the upper half everything else.
_FOREIGN = re.compile(rb"[\x00\x1b\x80-\xff]")
# Two in a row, or an escape: one accent between ASCII letters is Western, whatever a detector thinks.
_ADJACENT = re.compile(rb"[\x80-\xff]{2}|\x1b")
_ODD = re.compile("[\udc01-\udcff]")
ODD_BYTES = "app.documents.odd_bytes"
_SIXTEEN = ("utf-16-le", "utf-16-be")


@dataclass(frozen=True)
class DecodedText:
    """A text, its encoding by Python's name, and how many bytes were invalid in it."""

    text: str
    encoding: str
    odd_bytes: int = 0


def decode(data: bytes, chosen: str = "") -> DecodedText:
    """Decode `data` as `chosen`, or as detected if that is "" or unknown."""
    encoding = encoding_for(data, chosen)
    text, odd_bytes = replace_marks(data.decode(encoding, ODD_BYTES))
    # The codecs that name a byte order keep the mark as a character.
    return DecodedText(text.removeprefix("\ufeff"), encoding, odd_bytes)


def encoding_for(data: bytes, chosen: str = "") -> str:
    """Return the encoding that `decode` would use: as chosen, else detected, else cp1252."""
    return known(chosen) or encoding_of(data) or "cp1252"


def encoding_of(data: bytes) -> str:
    """Return the detected encoding; "" if it isn't text."""
    return find_encoding(_sample_of(data), len(data) <= SAMPLE_BYTES)


class DecodedStream:
    """A file's text, a chunk at a time, within a few MB of memory; raises OSError.

    `encoding` is known at once, `odd_bytes` grows while it is read. It is read once.
    """

    def __init__(self, file: BinaryIO, chosen: str = "") -> None:
        """`file` is read from its beginning, where a byte order mark may stand."""
        self._file = file
        self.odd_bytes = 0
        self.encoding = known(chosen) or self._found()

    def __iter__(self) -> Iterator[str]:
        self._file.seek(0)
        decoder = codecs.getincrementaldecoder(self.encoding)(ODD_BYTES)
        # A decoder may give nothing for its first bytes, so the mark may come with a later chunk.
        is_first = True
        while data := self._file.read(CHUNK_BYTES):
            text = self._count_replacements(decoder.decode(data))
            yield text.removeprefix("\ufeff") if is_first else text
            is_first = is_first and not text
        yield self._count_replacements(decoder.decode(b"", True))

    def _count_replacements(self, text: str) -> str:
        text, odd_bytes = replace_marks(text)
        self.odd_bytes += odd_bytes
        return text

    def _found(self) -> str:
        data = self._file.read(SAMPLE_BYTES)
        is_whole = len(data) < SAMPLE_BYTES
        # A log may be plain ASCII for megabytes before the first letter that tells; ASCII is the same in all encodings.
        while data and not is_whole and _FOREIGN.search(data) is None:
            data = self._file.read(CHUNK_BYTES)
        # The chunk may end right behind the foreign byte, and a detector needs more than one of them.
        if not is_whole:
            data += self._file.read(SAMPLE_BYTES)
        return find_encoding(_sample_of(data), is_whole) or "cp1252"


def stream(file: BinaryIO, chosen: str = "") -> DecodedStream:
    return DecodedStream(file, chosen)


def after_the_text(encoding: str, odd_bytes: int) -> Iterator[ReadingRemark]:
    """Yield what is to be said of a text's encoding."""
    if encoding != "utf-8":
        yield ReadingRemark("encoding", {"encoding": encoding})
    yield from counted("odd_bytes", odd_bytes)


def known(name: str) -> str:
    """Return Python's name of a text encoding; "" if unknown."""
    try:
        info = codecs.lookup(name)
        "".encode(info.name)  # raises LookupError for codecs that are no encodings, such as rot13
    except (LookupError, ValueError, UnicodeError):
        return ""
    # What tells nothing of its own: a BOM is handled here, and ASCII is a part of cp1252, which can hold more.
    plain = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le", "ascii": "cp1252"}
    # The WHATWG standard's rule: what calls itself Latin-1 is Windows-1252, whose quotes and dashes Latin-1 lacks.
    return plain.get(info.name, "cp1252" if info.name == "iso8859-1" else info.name)


def find_encoding(sample: bytes, is_whole: bool = True) -> str:
    """Return the encoding of a text that begins with `sample`, "" where it is no text; `is_whole` where it ends there,
    too.
    """
    for bom, name in BOMS:
        if sample.startswith(bom):
            return name
    if name := _thirty_two(sample):
        return name
    # NULs are what tells UTF-16 from an encoding of single bytes; there, a few of them are only damage.
    narrow = _LONG_NULS.sub(b"", sample)
    controls, most = len(_CONTROL.findall(narrow)), MOST_CONTROL_SHARE * len(narrow)
    narrow = narrow.replace(b"\0", b"")
    if controls > most and not _is_small_text(narrow, len(sample)):
        return _detect_utf16(sample)
    # ISO-2022-JP is pure ASCII with escapes, so it would pass for UTF-8.
    if b"\x1b$" not in narrow and _is_utf8(narrow, is_whole):
        return "utf-8"
    return _detect_bytes(narrow if is_whole else _cut_last_line(narrow))


def _is_small_text(narrow: bytes, size: int) -> bool:
    """Return whether it is a few words with a few NULs between them; in UTF-16, Latin letters have one each."""
    is_dotted = size < SMALL_BYTES and len(narrow) > 0.7 * size
    return is_dotted and not _CONTROL.search(narrow) and _is_utf8(narrow, is_whole=True)


def _sample_of(data: bytes) -> bytes:
    """Return the first 64 KB that are not plain ASCII, which is the same in nearly all encodings."""
    found = _FOREIGN.search(data) if len(data) > SAMPLE_BYTES else None
    # Aligned to four bytes, so that a sample of UTF-16 or UTF-32 begins with a whole character.
    start = max(0, found.start() - CONTEXT_BYTES) // 4 * 4 if found is not None else 0
    return data[start : start + SAMPLE_BYTES]


def _thirty_two(sample: bytes) -> str:
    fours = sample[: len(sample) // 4 * 4]
    for name, highest, next_ in (("utf-32-le", fours[3::4], fours[2::4]), ("utf-32-be", fours[::4], fours[1::4])):
        # Unicode ends at U+10FFFF: the highest byte is always 0, and the next one nearly always.
        if len(fours) >= 8 and not highest.strip(b"\0") and next_.count(0) > 0.8 * len(next_) and fours.strip(b"\0"):
            return name
    return ""


def _detect_utf16(sample: bytes) -> str:
    """Detect UTF-16 without a mark: by the positions of NULs, by chardet if there are few, or by what it would decode
    to.
    """
    pairs = sample[: min(len(sample), SAMPLE_BYTES) // 2 * 2]
    even, odd, half = pairs[::2].count(0), pairs[1::2].count(0), len(pairs) // 2
    if len(sample) >= SMALL_BYTES:
        if odd > 0.5 * half and even < 0.02 * half:
            return "utf-16-le"
        if even > 0.5 * half and odd < 0.02 * half:
            return "utf-16-be"
    # Below a kilobyte a pattern is chance; chardet was right for all 38 pairs of language and encoding at 2 KB.
    found = chardet.detect(sample, compat_names=False)["encoding"] or ""
    return next(
        (name for name in (_by_script(pairs), found) if name in _SIXTEEN and _is_text(pairs.decode(name, "replace"))),
        "",
    )


def _by_script(pairs: bytes) -> str:
    """Detect UTF-16 of a non-Latin script: few different high bytes, as text has one or two scripts, and many low
    ones.
    """
    # The sum of squares is large where few values come often: letters of one script share their high byte.
    shares = [sum(count * count for count in Counter(half).values()) for half in (pairs[1::2], pairs[::2])]
    return _SIXTEEN[shares[1] > shares[0]]


def _is_text(text: str) -> bool:
    """Return whether hardly any character is one that texts do not have."""
    odd = sum(unicodedata.category(sign) in ("Cn", "Cc", "Co") and sign not in "\r\n\t\f\0" for sign in text)
    return len(text) > 1 and odd + text.count("\ufffd") <= 0.002 * len(text)


def _is_utf8(sample: bytes, is_whole: bool) -> bool:
    """Return whether this is UTF-8, strictly or with so few invalid bytes that they are damage."""
    text = codecs.getincrementaldecoder("utf-8")(ODD_BYTES).decode(sample, is_whole)
    odd = len(_ODD.findall(text))
    # Ten letters beyond ASCII for each odd byte: another encoding read as UTF-8 gives next to none.
    return odd == 0 or len(re.findall("[^\x00-\x7f]", text)) > 10 * odd


def _cut_last_line(sample: bytes) -> bytes:
    """Drop the last line or word, which may end inside a character."""
    at = max(sample.rfind(b"\n"), sample.rfind(b" "))
    return sample[:at] if at > len(sample) // 2 else sample


def _detect_bytes(sample: bytes) -> str:
    """Detect by chardet, preferring cp1252 (the most common) among equals and for at most three accents."""
    # An accent or three in English, French or German text: detectors take these for Central European.
    if len(_FOREIGN.findall(sample)) < 4 and _ADJACENT.search(sample) is None:
        return "cp1252"
    ways = chardet.detect_all(
        sample, ignore_threshold=True, compat_names=False, include_encodings=ENCODINGS, no_match_encoding="cp1252"
    )
    likely = [way["encoding"] or "" for way in ways if way["confidence"] >= TIE * ways[0]["confidence"]]
    return "cp1252" if "cp1252" in likely else known(likely[0] if likely else "") or "cp1252"


def _mark_invalid(error: UnicodeError) -> tuple[str, int]:
    """Replace invalid bytes by a lone surrogate that encodes their number; no decoder yields one."""
    assert isinstance(error, UnicodeDecodeError)
    # Surrogates are the only characters that no decoder gives; the number in it is counted when they are replaced.
    return chr(0xDC00 + min(error.end - error.start, 0xFF)), error.end


def replace_marks(text: str) -> tuple[str, int]:
    if text.isascii():
        return text, 0
    marks = _ODD.findall(text)
    if not marks:
        return text, 0
    return _ODD.sub("\ufffd", text), sum(ord(mark) - 0xDC00 for mark in marks)


codecs.register_error(ODD_BYTES, _mark_invalid)


_NEWLINE = re.compile(r"\r\n|\r|\n")


def without_nuls(raw: str) -> str:
    """Return a text with one kind of newline and without NULs."""
    if "\r" in raw:
        raw = raw.replace("\r\n", "\n").replace("\r", "\n")
    return raw.replace("\0", "") if "\0" in raw else raw


def lines(chunks: Iterable[str], most_characters: int) -> Iterator[tuple[int, str, int]]:
    """Yield each line's offset, text with newline, and number of characters left out beyond the limit."""
    parts: list[str] = []
    # `held` is a carriage return at a chunk's end, of which only the next chunk tells whether it is half a newline.
    kept, length, start, held = 0, 0, 0, ""

    def add_part(part: str) -> None:
        nonlocal kept, length
        parts.append(part[: max(0, most_characters - kept)])
        kept += len(parts[-1])
        length += len(part)

    for more, is_last in _with_end(chunks):
        chunk, held = held + more, ""
        if chunk.endswith("\r") and not is_last:
            chunk, held = chunk[:-1], "\r"
        at = 0
        for newline in _NEWLINE.finditer(chunk):
            add_part(chunk[at : newline.start()])
            yield start, "".join(parts) + newline[0], length - kept
            start += length + len(newline[0])
            parts.clear()
            kept, length, at = 0, 0, newline.end()
        add_part(chunk[at:])
    if length:
        yield start, "".join(parts), length - kept


def _with_end(chunks: Iterable[str]) -> Iterator[tuple[str, bool]]:
    for chunk in chunks:
        yield chunk, False
    yield "", True


Range = tuple[int, int]
