"""A text and the bytes it was in, so that what stays of the text stays byte for byte."""

from __future__ import annotations

import codecs
from collections.abc import Iterable

from app.documents.formats.markup.stretches import Range

_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_STATEFUL = ("iso2022", "hz", "utf-7")


class Coded:
    """Bytes in an encoding, as Python calls it; `text` is without the byte order mark.

    A byte that is no text in it is a lone surrogate, or U+FFFD where the encoding cannot give it back.
    """

    def __init__(self, data: bytes, encoding: str) -> None:
        bom = next((each for each in _BOMS if data.startswith(each)), b"")
        encoding = _BOMS[bom] if bom and encoding.startswith("utf") else encoding
        self._data = data
        self._encoding = encoding
        self._offsets: list[int] | None = None
        """By character, where it begins in the bytes; None where encoding a part of the text gives its bytes."""
        self._begin = len(bom)
        text = None if encoding.startswith(_STATEFUL) else _there_and_back(data[self._begin :], encoding)
        if text is None:
            text, self._offsets = _one_by_one(data, self._begin, encoding)
        self.text = text

    def encoded(self, pieces: Iterable[str | Range]) -> bytes:
        """New texts and ranges of the old one. A character that the encoding lacks becomes a numeric reference."""
        found = bytearray(self._data[: self._begin])
        for piece in pieces:
            if isinstance(piece, str):
                found += piece.encode(self._encoding, "xmlcharrefreplace")
            elif self._offsets is None:
                found += self.text[piece[0] : piece[1]].encode(self._encoding, "surrogateescape")
            else:
                found += self._data[self._offsets[piece[0]] : self._offsets[piece[1]]]
        return bytes(found)


def _there_and_back(data: bytes, encoding: str) -> str | None:
    try:
        text = data.decode(encoding, "surrogateescape")
        return text if text.encode(encoding, "surrogateescape") == data else None
    except UnicodeError:
        return None


def _one_by_one(data: bytes, begin: int, encoding: str) -> tuple[str, list[int]]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    texts, offsets, at = list[str](), list[int](), begin
    for number in range(begin, len(data) + 1):
        is_end = number == len(data)
        text = decoder.decode(b"" if is_end else data[number : number + 1], is_end)
        texts.append(text)
        offsets += [at] * len(text)
        if text:
            at = min(number + 1, len(data))
    return "".join(texts), [*offsets, len(data)]
