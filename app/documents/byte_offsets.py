"""Where in a file's bytes a character of its decoded text begins, whatever bytes there are."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence

from app.documents.encoding import ODD_BYTES


def byte_offsets(data: bytes, encoding: str, offsets: Sequence[int]) -> list[int]:
    """The offset in `data` for each of these offsets, which rise, in what `app.documents.encoding.decode` gave of it.

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
        gained = len(text) - (bool(text) and not is_begun and text.startswith("\ufeff"))
        if wanted is not None and wanted <= characters + gained:
            decoder.setstate(state)
            for before, after, count in _steps(decoder, line, characters, is_begun):
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


def _steps(
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
            before = at if len(text) > 1 else begun_at
            characters += len(text)
            begun_at = at + 1 - len(decoder.getstate()[0])
            yield before, begun_at, characters
