"""A text file of which parts are replaced, and all else is written byte for byte."""

from __future__ import annotations

import codecs
import functools
import re
from typing import BinaryIO

from app.documents.encoding import after_the_text, byte_offsets, decode
from app.documents.source import Source

_WITH_STATE = ("iso2022", "hz", "utf_7", "utf-7")
"""What bytes mean in these depends on what stands before them."""


class TextFile:
    """A decoded text file and what is to be replaced in it; `text` is as `app.documents.encoding` has it.

    Replacements do not overlap.
    """

    def __init__(
        self, source: Source, says_encoding: re.Pattern[bytes] | None = None, *, is_utf8: bool = False
    ) -> None:
        """Reads it whole; raises OSError. `says_encoding` finds the name of the encoding where the file has it.

        `is_utf8`: its format is, so that what can be UTF-8 is not taken for anything else, whatever it looks like.
        """
        self._source = source
        self._data = source.path.read_bytes()
        said = says_encoding.search(self._data) if says_encoding is not None else None
        usual = "utf-8" if is_utf8 and _can_be_utf8(self._data) else ""
        decoded = decode(
            self._data, source.encoding or (said[1].decode("ascii", "replace") if said is not None else usual)
        )
        self.text, self.encoding = decoded.text, decoded.encoding
        for remark in after_the_text(decoded.encoding, decoded.odd_bytes + decoded.text.count("\0")):
            source.remark(remark.name, **remark.values)
        self._changes: list[tuple[int, int, str]] = []

    @functools.cached_property
    def newline(self) -> str:
        """The one that the file has most."""
        pairs = self.text.count("\r\n")
        counts = {"\n": self.text.count("\n") - pairs, "\r\n": pairs, "\r": self.text.count("\r") - pairs}
        return max(counts, key=lambda each: counts[each])

    def replace(self, start: int, end: int, new: str) -> None:
        """Puts a text in the place of a part."""
        if new != self.text[start:end]:
            self._changes.append((start, end, new))

    @property
    def is_changed(self) -> bool:
        return bool(self._changes)

    @property
    def lacks_letters(self) -> bool:
        """Whether the file's encoding has not all letters of what is put in."""
        try:
            for _, _, new in self._changes:
                new.encode(self.encoding)
        except UnicodeEncodeError:
            return True
        return False

    def write(self, out: BinaryIO, *, new_mark: bool = False) -> None:
        """The file with its changes, in its encoding where that has all letters, else in UTF-8.

        `new_mark`: what becomes UTF-8 gets a byte order mark, for programs that take it for a code page otherwise.
        """
        self._changes.sort(key=lambda change: change[:2])
        if not self._changes:
            out.write(self._data)
        elif self.lacks_letters:
            self._source.remark("became_utf8", encoding=self.encoding)
            out.write(codecs.BOM_UTF8 if new_mark else b"")
            out.write(self._changed_text().encode("utf-8", "replace"))
        elif (mark := self._mark()) is not None:
            out.write(mark + self._changed_text().encode(self.encoding))
        else:
            self._write_spliced(out)

    def _mark(self) -> bytes | None:
        """The byte order mark where the bytes are the text's encoding and nothing else, or must be taken for it."""
        try:
            mark = "\ufeff".encode(self.encoding)
        except UnicodeEncodeError:
            mark = b""
        mark = mark if mark and self._data.startswith(mark) else b""
        try:
            is_plain = mark + self.text.encode(self.encoding) == self._data
        except UnicodeEncodeError:
            is_plain = False
        return mark if is_plain or (self.encoding.startswith(_WITH_STATE) and "\ufffd" not in self.text) else None

    def _changed_text(self) -> str:
        parts, at = list[str](), 0
        for start, end, new in self._changes:
            parts += [self.text[at:start], new]
            at = end
        return "".join(parts) + self.text[at:]

    def _write_spliced(self, out: BinaryIO) -> None:
        """For a file with bytes that are no text in its encoding, or text in an uncommon form of it."""
        wanted = sorted({offset for start, end, _ in self._changes for offset in (start, end)})
        found = dict(zip(wanted, byte_offsets(self._data, self.encoding, wanted), strict=True))
        at = 0
        for start, end, new in self._changes:
            out.write(self._data[at : found[start]])
            out.write(new.encode(self.encoding))
            at = found[end]
        out.write(self._data[at:])


def _can_be_utf8(data: bytes) -> bool:
    """Without a mark of its own, which says it anyway."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return not data.startswith(codecs.BOM_UTF8) and b"\0" not in data
