"""The document child's way through one file, whether it is read into blocks, searched for segments or rewritten."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from app.documents import clean
from app.documents.blocks import Block
from app.documents.child_files import check_file, sha256_of
from app.documents.formats.format_detection import find_format, really
from app.documents.protocol import Event
from app.documents.segments import Segment
from app.documents.source import FileSource, ReadingRemark

TELL_EVERY_S = 0.1
MOST_TOLD_CHARACTERS = 1_000_000
"""Approximate limit of one line; it holds at most two pieces' text."""
HASH_EVERY_S = 1.0
Tell = Callable[[Event], None]


class FilePass:
    """A pass through a file. Results are sent in batches, at least every tenth of a second."""

    # Checked before a reader opens it, and compared again at the end: a file that changed in between has wrong places.
    def __init__(self, source: FileSource, tell: Tell, batch: Callable[[tuple[Any, ...]], Event]) -> None:
        self._source, self._path, self._tell, self._batch = source, source.path, tell, batch
        self._before = check_file(self._path)
        self._remarks = clean.RemarkCounts()
        self._waiting: list[Any] = []
        self._waiting_characters = 0
        self._told_s = float("-inf")

    def _find_format(self) -> str:
        found = find_format(self._path)
        if really(found, self._path.suffix):
            self._remark("really", format=found, ending=self._path.suffix)
        return found

    def _remark(self, name: str, **values: str | int) -> None:
        if values.get("count", 1):
            self._remarks.add(ReadingRemark(name, values))

    def _wait(self, item: Block | Segment, characters: int) -> None:
        self._source.text.take_characters(characters)
        self._waiting.append(item)
        # Some 200 bytes of JSON stand around each item.
        self._waiting_characters += characters + 200
        if self._waiting_characters >= MOST_TOLD_CHARACTERS:
            self._flush()
        self._pulse(TELL_EVERY_S)

    def _flush(self) -> None:
        if self._waiting:
            self._tell_batch()

    def _pulse(self, every_s: float) -> None:
        """Send what is pending, or a sign of life, if nothing was sent for that long."""
        if time.monotonic() - self._told_s >= every_s:
            self._tell_batch()

    def _tell_batch(self) -> None:
        # An empty batch is a sign of life, which tells a long page from a hang.
        self._tell(self._batch(tuple(self._waiting)))
        self._waiting, self._waiting_characters, self._told_s = [], 0, time.monotonic()

    def _sha256(self) -> str:
        return sha256_of(self._path, lambda: self._pulse(HASH_EVERY_S))
