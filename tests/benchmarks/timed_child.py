"""The engine's child with a clock around `llama_decode`: what a token costs between two of them.

usage: timed_child.py CLOCK, a file of four doubles: tokens, seconds and processor seconds of the loop's thread between
decodes, and seconds within.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

from app.engine import worker  # noqa: E402
from app.engine.llama import llama_backend  # noqa: E402
from app.engine.llama.llama_library import open_library  # noqa: E402

FIELDS = 4


class DecodeClock:
    """`llama_decode` with a clock: decodes of one token that follow one another, as an answer is written."""

    def __init__(self, file: Path, decode: Any) -> None:
        with file.open("r+b") as opened:
            self._kept = mmap.mmap(opened.fileno(), 0)
        self._told = (ctypes.c_double * FIELDS).from_buffer(self._kept)
        self._decode = decode
        self._since: tuple[float, float] | None = None
        self._place = -1

    def __call__(self, context: Any, batch: Any) -> int:
        """Decode, and note how long ago the decode before ended."""
        began_s = time.perf_counter()
        place = batch.pos[0] if batch.n_tokens == 1 else -1
        # Of the same answer: another's first token stands elsewhere, and what passed before it is nobody's time.
        follows = self._since is not None and place == self._place + 1
        if follows and self._since is not None:
            self._told[0] += 1
            self._told[1] += began_s - self._since[0]
            self._told[2] += time.thread_time() - self._since[1]
        result = int(self._decode(context, batch))
        ended_s = time.perf_counter()
        if follows:
            self._told[3] += ended_s - began_s
        self._since, self._place = ((ended_s, time.thread_time()), place) if place >= 0 else (None, -1)
        return result


class TimedBackend(llama_backend.LlamaBackend):
    """llama.cpp's backend, whose library gets the clock as soon as it is loaded."""

    def prepare(self) -> None:
        """Load the library before the first request, as the child does, and put the clock in."""
        super().prepare()
        c = open_library().c
        c.llama_decode = DecodeClock(Path(sys.argv[1]), c.llama_decode)  # type: ignore[attr-defined]


if __name__ == "__main__":
    # The file is opened before the cage is entered.
    llama_backend.LlamaBackend = TimedBackend  # type: ignore[misc]
    sys.exit(worker.main([]))
