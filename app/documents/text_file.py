"""Text files of which parts are replaced; everything else is written byte for byte, whatever bytes there are."""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from app.documents.encoding import ODD_BYTES, Range, after_the_text, encoding_for, replace_marks
from app.documents.source import FileSource

_WITH_STATE = ("iso2022", "hz", "utf_7", "utf-7")
"""Encodings in which bytes depend on what precedes them."""


class EncodedBytes:
    """Bytes in an encoding, as Python calls it; `text` is as `decode` has it, without the byte order mark."""

    def __init__(self, data: bytes, encoding: str) -> None:
        self.encoding, self._data = encoding, data
        # Only the Unicode encodings can write a mark; any other refuses it.
        try:
            mark = "\ufeff".encode(self.encoding)
        except UnicodeEncodeError:
            mark = b""
        self._mark = mark if mark and data.startswith(mark) else b""
        self.text, self.odd_bytes = replace_marks(data[len(self._mark) :].decode(self.encoding, ODD_BYTES))

    def encoded(self, pieces: Iterable[str | Range], errors: str = "strict") -> bytes:
        """Encode new texts and ranges of the old one; `errors` applies to letters the encoding lacks."""
        # A generator could be walked once only, and both ways below may need it.
        pieces = list(pieces)
        if self._is_their_encoding():
            texts = (piece if isinstance(piece, str) else self.text[slice(*piece)] for piece in pieces)
            return self._mark + "".join(texts).encode(self.encoding, errors)
        # There are bytes that are no text in this encoding, or text in an uncommon form of it.
        wanted = sorted({offset for piece in pieces if not isinstance(piece, str) for offset in piece})
        at = dict(zip(wanted, byte_offsets(self._data, self.encoding, wanted), strict=True))
        return self._mark + b"".join(
            piece.encode(self.encoding, errors) if isinstance(piece, str) else self._data[at[piece[0]] : at[piece[1]]]
            for piece in pieces
        )

    def _is_their_encoding(self) -> bool:
        """Return whether the bytes are the text's encoding and nothing else, or must be taken for it."""
        try:
            is_plain = self._mark + self.text.encode(self.encoding) == self._data
        except UnicodeEncodeError:
            is_plain = False
        # With shift states a range of bytes can't be cut out; text that was odd is lost then, so it must have none.
        return is_plain or (self.encoding.startswith(_WITH_STATE) and "\ufffd" not in self.text)


def byte_offsets(data: bytes, encoding: str, offsets: Sequence[int]) -> list[int]:
    """Return the offset in `data` for each of these offsets, which rise, in what `app.documents.encoding.decode` gave
    of it.

    Only the lines that have one of them are gone through byte by byte.
    """
    decoder = codecs.getincrementaldecoder(encoding)(ODD_BYTES)
    waiting = iter(offsets)
    wanted = next(waiting, None)
    found: list[int] = []
    characters, position, is_begun = 0, 0, False
    for line in data.splitlines(keepends=True):
        state = decoder.getstate()
        text = decoder.decode(line)
        # The mark is no character of the text, but the decoder gives it as one.
        gained = len(text) - (bool(text) and not is_begun and text.startswith("\ufeff"))
        if wanted is not None and wanted <= characters + gained:
            decoder.setstate(state)
            for before, after, count in _character_steps(decoder, line, characters, is_begun):
                while wanted is not None and wanted < count:
                    found.append(position + before)
                    wanted = next(waiting, None)
                while wanted is not None and wanted == count:
                    found.append(position + after)
                    wanted = next(waiting, None)
        is_begun = is_begun or bool(text)
        characters += gained
        position += len(line)
    return found + [len(data)] * (len(offsets) - len(found))


def _character_steps(
    decoder: codecs.IncrementalDecoder, line: bytes, characters: int, is_begun: bool
) -> Iterator[tuple[int, int, int]]:
    """Offsets in the line between which a character came, and how many there are after it."""
    begun_at = -len(decoder.getstate()[0])  # a byte of the line before may be the first of this one's first character
    for at in range(len(line)):
        text = decoder.decode(line[at : at + 1])
        if text:
            if not is_begun and text.startswith("\ufeff"):
                text = text[1:]
            is_begun = True
            # A decoder that waits gives two characters at once, of which the first began earlier.
            before = at if len(text) > 1 else begun_at
            characters += len(text)
            begun_at = at + 1 - len(decoder.getstate()[0])
            yield before, begun_at, characters


class TextFile:
    """A decoded text file and what is to be replaced in it; `text` is as `app.documents.encoding` has it.

    Replacements do not overlap.
    """

    def __init__(
        self, source: FileSource, says_encoding: re.Pattern[bytes] | None = None, *, is_utf8: bool = False
    ) -> None:
        """Reads the whole file; raises OSError. `says_encoding` finds the encoding's name in the file.

        `is_utf8`: the format is UTF-8, so nothing that decodes as such is taken for anything else.
        """
        self._source = source
        self._data = source.path.read_bytes()
        said = says_encoding.search(self._data) if says_encoding is not None else None
        usual = "utf-8" if is_utf8 and _can_be_utf8(self._data) else ""
        # The person's choice first, then what the file says of itself, then what the format is by definition.
        chosen = source.encoding or (said[1].decode("ascii", "replace") if said is not None else usual)
        self._coded = EncodedBytes(self._data, encoding_for(self._data, chosen))
        self.text, self.encoding = self._coded.text, self._coded.encoding
        for remark in after_the_text(self.encoding, self._coded.odd_bytes + self.text.count("\0")):
            source.remark(remark.name, **remark.values)
        self._changes: list[tuple[int, int, str]] = []

    @functools.cached_property
    def newline(self) -> str:
        """Most frequent newline of the file, for texts that are written anew."""
        # A CR LF counts as both of its halves, so these are taken off.
        pairs = self.text.count("\r\n")
        counts = {"\n": self.text.count("\n") - pairs, "\r\n": pairs, "\r": self.text.count("\r") - pairs}
        return max(counts, key=lambda newline: counts[newline])

    def replace(self, start: int, end: int, new: str) -> None:
        if new != self.text[start:end]:
            self._changes.append((start, end, new))

    @property
    def is_changed(self) -> bool:
        return bool(self._changes)

    @property
    def lacks_letters(self) -> bool:
        """True if the file's encoding lacks letters of the replacements."""
        try:
            for _, _, new in self._changes:
                new.encode(self.encoding)
        except UnicodeEncodeError:
            return True
        return False

    def write(self, out: BinaryIO, *, new_mark: bool = False) -> None:
        """Write the file with its changes, in UTF-8 if its encoding lacks letters.

        `new_mark`: add a byte order mark in that case, for programs that would assume a code page.
        """
        if not self._changes:
            out.write(self._data)
        elif self.lacks_letters:
            self._source.remark("became_utf8", encoding=self.encoding)
            texts = (piece if isinstance(piece, str) else self.text[slice(*piece)] for piece in self._pieces())
            # "replace": a lone surrogate in a model's answer must not end the writing.
            out.write((codecs.BOM_UTF8 if new_mark else b"") + "".join(texts).encode("utf-8", "replace"))
        else:
            out.write(self._coded.encoded(self._pieces()))

    def _pieces(self) -> Iterator[str | Range]:
        at = 0
        # By place alone: at equal places the order of replacing stays, as sorting is stable.
        for start, end, new in sorted(self._changes, key=lambda change: change[:2]):
            yield at, start
            yield new
            at = end
        yield at, len(self.text)


def _can_be_utf8(data: bytes) -> bool:
    """Return whether the data is valid UTF-8 without a byte order mark."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    # A file with NULs is UTF-16 or damaged, though its bytes would decode.
    return not data.startswith(codecs.BOM_UTF8) and b"\0" not in data
