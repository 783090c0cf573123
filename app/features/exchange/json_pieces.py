"""A JSON file in pieces: what its outermost list or object holds, one at a time, within bounds.

Exports are gigabytes in one list, are cut off in the middle, or have one chat that is damaged. So the brackets are
followed over the bytes, and only a piece that is whole and not too large is read; what is wrong with one leaves the
others alone. The standard parser takes a file as a whole or not at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any, BinaryIO

from app.core.lazy_dataclasses import dataclass

CHUNK_BYTES = 1 << 18
MOST_BYTES = 128_000_000
"""Of one piece."""
MOST_DEPTH = 200
MOST_CONTAINERS = 600_000
MOST_VALUES = 2_000_000
"""Of one piece: a container takes some three hundred bytes of memory, another value up to a hundred."""

# Possessive, so that a bracket that never comes isn't looked for again from each place (no backtracking).
_INSIDE = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_AROUND = re.compile(rb'(?:[^"{}\[\],:]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
"""Up to the next bracket (comma, colon) that is none of a string's, or to a string that does not end here."""
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_IN_STRING = re.compile(rb'["\\]')
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"


class NotJson(Exception):
    """It begins with neither a list nor an object."""


@dataclass(frozen=True)
class JsonPiece:
    """A member of the outermost object by its `key`, or an element of a list ("" or the key of the object's list).

    `problem` says why there is no `value`: damaged, cut_off, too_deep or too_large.
    """

    key: str
    value: Any = None
    problem: str = ""
    is_element: bool = False


class JsonPieces:
    """Iterates over the pieces of a stream; `done_bytes` of it have been read. Yields None now and then meanwhile."""

    def __init__(self, stream: BinaryIO, lists: Collection[str] = ()) -> None:
        """`lists` are keys of the outermost object whose lists are taken apart as well."""
        self._stream, self._lists = stream, lists
        self.done_bytes = 0
        self._depth = self._base = 0
        self._is_object = False
        self._key = ""
        self._start_piece()

    def __iter__(self) -> Iterator[JsonPiece | None]:
        """Yield the pieces. Raises NotJson, and the stream's errors."""
        data: bytes | None = self._read_beginning()
        in_string = is_escaped = False
        while data is not None:
            at = kept_from = 0
            while at < len(data):
                if in_string:
                    if is_escaped:
                        at, is_escaped = at + 1, False
                        # An escaped sign may be the first of the next chunk.
                        continue
                    # Only strings can hold brackets that count for nothing.
                    if (found := _IN_STRING.search(data, at)) is None:
                        break
                    at, is_escaped = found.end(), found[0] == b"\\"
                    in_string = is_escaped
                    continue
                # Within a piece commas and colons don't matter, so more is passed over at once.
                at = (_INSIDE if self._depth > self._base else _AROUND).match(data, at).end()  # type: ignore[union-attr]
                if at == len(data):
                    break
                token, at = data[at : at + 1], at + 1
                in_string = token == b'"'
                ends = None if in_string else self._ends_with(token)
                if ends is not None:
                    self._keep_data(data[kept_from : at - 1])
                    kept_from = at
                    yield from self._end_token(ends)
                    if self._depth == 0:
                        return
            self._keep_data(data[kept_from:])
            yield None
            data = self._read_chunk() or None
        # A file cut off in the middle gives all its whole pieces.
        yield JsonPiece(self._key, None, self._problem or "cut_off", self._base == 2 or not self._is_object)

    def _read_chunk(self) -> bytes:
        data = self._stream.read(CHUNK_BYTES)
        self.done_bytes += len(data)
        return data

    def _read_beginning(self) -> bytes:
        data = self._read_chunk().removeprefix(_BOM).lstrip(_BLANK)
        while not data and (more := self._read_chunk()):
            data = more.lstrip(_BLANK)
        if data[:1] not in (b"{", b"["):
            raise NotJson
        self._is_object = data[:1] == b"{"
        self._depth = self._base = 1
        return data[1:]

    def _start_piece(self) -> None:
        self._buffer, self._containers, self._problem = bytearray(), 0, ""

    def _keep_data(self, data: bytes) -> None:
        if self._problem:
            return
        self._buffer += data
        if len(self._buffer) > MOST_BYTES:
            self._give_up("too_large")

    def _give_up(self, problem: str) -> None:
        self._problem = self._problem or problem
        # Freed at once: the rest of a piece that is given up is only passed over.
        self._buffer = bytearray()

    def _ends_with(self, token: bytes) -> str | None:
        """Return what ends at a token: key, open (a list to split begins), piece, close (that list or object)."""
        if token in b"{[":
            # Only the outermost object's lists are taken apart, such as "chats".
            if token == b"[" and self._depth == 1 and self._is_object and self._base == 1 and self._key in self._lists:
                self._depth = self._base = 2
                return "open"
            self._depth += 1
            self._containers += 1
            if self._depth - self._base > MOST_DEPTH:
                self._give_up("too_deep")
            elif self._containers > MOST_CONTAINERS:
                self._give_up("too_large")
            return None
        if token in b"}]":
            self._depth -= 1
            return "close" if self._depth < self._base else None
        if token == b",":
            return "piece"
        return "key" if self._base == 1 and self._is_object and not self._key else None

    def _end_token(self, what: str) -> Iterator[JsonPiece]:
        if what == "key":
            self._key = _parsed_key(bytes(self._buffer))
        elif what in ("piece", "close"):
            yield from self._finish_piece()
            if what == "close" and self._base == 2:
                self._base = 1
            elif self._base == 1:
                self._key = ""
        # Also the comma between two pieces begins a new one.
        self._start_piece()

    def _finish_piece(self) -> Iterator[JsonPiece]:
        is_element = self._base == 2 or not self._is_object
        if self._problem:
            yield JsonPiece(self._key, None, self._problem, is_element)
        elif text := bytes(self._buffer).strip(_BLANK):
            self._buffer = bytearray()
            # Counted only when commas are many; commas of strings are taken out for the second count.
            if text.count(b",") > MOST_VALUES and _STRING.sub(b"", text).count(b",") > MOST_VALUES:
                yield JsonPiece(self._key, None, "too_large", is_element)
                return
            yield _parse_piece(self._key, text, is_element=is_element)


def read_value(data: bytes) -> Any:
    """Parse a value known to be small. Raises ValueError for invalid, overlong or too deep JSON."""
    try:
        # NaN and Infinity aren't JSON, but Python writes and reads them.
        return json.loads(data.decode("utf-8", "replace"), parse_constant=lambda _name: None)
    except RecursionError as error:
        raise ValueError("too deep") from error


def _parse_piece(key: str, text: bytes, *, is_element: bool) -> JsonPiece:
    try:
        return JsonPiece(key, read_value(text), "", is_element)
    except ValueError:
        return JsonPiece(key, None, "damaged", is_element)


def _parsed_key(text: bytes) -> str:
    try:
        key = read_value(text.strip(_BLANK + b","))
    except ValueError:
        return "?"
    return key if isinstance(key, str) and key else "?"
