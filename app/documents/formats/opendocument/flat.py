"""A document of one XML file has its pictures in it, longer than a parser takes: they are left out of the stream."""

from __future__ import annotations

import codecs
import io
from typing import BinaryIO

from app.documents.xml_text import encoding_of

OPEN_DOCUMENT = (b"<office:binary-data>", b"</office:binary-data>")
"""What is between them is left out; where the first is no whole tag, so are they."""
FICTION_BOOK = (b"<binary", b"</binary>")


class WithoutPictures(io.RawIOBase, BinaryIO):
    """The same bytes without the pictures between two `marks`; those of UTF-16 and UTF-32 become UTF-8."""

    def __init__(self, stream: BinaryIO, marks: tuple[bytes, bytes] = OPEN_DOCUMENT) -> None:
        self._stream = stream
        self._begin, self._end = marks
        self._keeps_marks = self._begin.endswith(b">")
        self._held = b""
        self._is_inside = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self._is_begun = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes, about as many as asked for; b"" at the end."""
        while raw := self._stream.read(size):
            if data := self._outside(self._held + self._in_utf8(raw)):
                return data
        data, self._held = self._held, b""
        return data

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _in_utf8(self, raw: bytes) -> bytes:
        if not self._is_begun:
            self._is_begun = True
            encoding = encoding_of(raw)
            if encoding.startswith(("utf-16", "utf-32")):
                self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        return raw if self._decoder is None else self._decoder.decode(raw).encode("utf-8", "replace")

    def _outside(self, data: bytes) -> bytes:
        kept = []
        while data:
            mark = self._end if self._is_inside else self._begin
            before, found, after = data.partition(mark)
            if not found:
                break
            found = found if self._keeps_marks else b""
            kept.append(found if self._is_inside else before + found)
            self._is_inside = not self._is_inside
            data = after
        # The next mark may have begun at the very end.
        cut = max(0, len(data) - len(self._end))
        if not self._is_inside:
            kept.append(data[:cut])
        self._held = data[cut:]
        return b"".join(kept)
