"""A text file of which parts are replaced, and all else is written byte for byte."""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Iterator
from typing import BinaryIO

from app.documents.encoding import Coded, Range, after_the_text, encoding_for
from app.documents.source import Source


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
        chosen = source.encoding or (said[1].decode("ascii", "replace") if said is not None else usual)
        self._coded = Coded(self._data, encoding_for(self._data, chosen))
        self.text, self.encoding = self._coded.text, self._coded.encoding
        for remark in after_the_text(self.encoding, self._coded.odd_bytes + self.text.count("\0")):
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
        if not self._changes:
            out.write(self._data)
        elif self.lacks_letters:
            self._source.remark("became_utf8", encoding=self.encoding)
            texts = (piece if isinstance(piece, str) else self.text[slice(*piece)] for piece in self._pieces())
            out.write((codecs.BOM_UTF8 if new_mark else b"") + "".join(texts).encode("utf-8", "replace"))
        else:
            out.write(self._coded.encoded(self._pieces()))

    def _pieces(self) -> Iterator[str | Range]:
        at = 0
        for start, end, new in sorted(self._changes, key=lambda change: change[:2]):
            yield at, start
            yield new
            at = end
        yield at, len(self.text)


def _can_be_utf8(data: bytes) -> bool:
    """Without a mark of its own, which says it anyway."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return not data.startswith(codecs.BOM_UTF8) and b"\0" not in data
