"""A flat OpenDocument keeps its pictures in its XML, longer than a parser takes: they are left out of the stream."""

from __future__ import annotations

import io
from typing import BinaryIO

_BEGIN, _END = b"<office:binary-data>", b"</office:binary-data>"


class WithoutPictures(io.RawIOBase, BinaryIO):
    """The same bytes, with nothing inside of `office:binary-data`. In other encodings than UTF-8 nothing changes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._held = b""
        self._is_inside = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes, about as many as asked for; b"" at the end."""
        while raw := self._stream.read(size):
            if data := self._outside(self._held + raw):
                return data
        data, self._held = self._held, b""
        return data

    def _outside(self, data: bytes) -> bytes:
        kept = []
        while data:
            mark = _END if self._is_inside else _BEGIN
            before, found, after = data.partition(mark)
            if not found:
                break
            kept.append(found if self._is_inside else before + found)
            self._is_inside = not self._is_inside
            data = after
        # The next mark may have begun at the very end.
        cut = max(0, len(data) - len(_END))
        if not self._is_inside:
            kept.append(data[:cut])
        self._held = data[cut:]
        return b"".join(kept)
