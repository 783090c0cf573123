"""Limits of the document child: set by itself, memory watched by the parent, and a budget of text."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from app.core.errors.document_errors import DocumentUnreadable
from app.core.lazy_dataclasses import dataclass
from app.core.rlimits import lower_limit

LIMITS_VARIABLE = "FIRESIDE_DOCUMENT_LIMITS"
MOST_WRITTEN_BYTES = 200_000_000
"""Limit of files written: byte code of its modules, in a checkout, and one document of an archive at a time."""
MOST_REWRITTEN_BYTES = 2_000_000_000
"""Limit when it writes a document, against hostile growth."""
MOST_PICTURE_BYTES = 200_000_000
"""Limit of a picture to decode."""
CHILDREN_EVERY_S = 1.0
"""Interval for finding a child's children, which takes a list of all processes."""
NEAR_SHARE = 1 / 3
"""Share of the limit at which memory counts as full: a doubling buffer needs three times its size."""
OUT_OF_MEMORY_WORDS = ("memory allocation of ", "bad_alloc", "Out of memory", "MemoryError")
"""Last messages of Rust, C++, PDFium and Python when out of memory, and only then."""

FREE_CHARACTERS = 20_000_000
"""Text allowed for any file, however small: five Bibles."""
# The same ratio as `app.documents.source` allows for bytes that are inflated.
TEXT_SHARE = 200
"""So many characters for a byte of the file, as `app.documents.source` has it for bytes that are inflated..."""
MOST_SHARED_CHARACTERS = 200_000_000
PLAIN_SHARE = 10
"""...up to these, or to so many for a byte: a plain text of any size, with the headings above each of its blocks."""


MOST_SIDE = 4096
"""Pixels of a picture as an engine gets it; its encoder makes it smaller anyway."""
MOST_RATIO = 100
"""Limit of a picture's aspect ratio: tiling models refuse more, so it is padded with white."""


def fitted(width: int, height: int, most_side: int) -> tuple[int, int]:
    """Scale a size down to at most `most_side`, and at least one pixel."""
    longest = max(width, height)
    if longest <= most_side:
        return width, height
    return max(1, most_side * width // longest), max(1, most_side * height // longest)


def sent_size(width: int, height: int, most_side: int = MOST_SIDE) -> tuple[int, int]:
    """Return the size a picture of this size is sent at."""
    width, height = fitted(width, height, most_side)
    least = -(-max(width, height) // MOST_RATIO)
    return max(width, least), max(height, least)


@dataclass(frozen=True)
class DocumentLimits:
    """Time limits of the parent; tests shorten them with `FIRESIDE_DOCUMENT_LIMITS` (JSON with these names).

    `silence_s`: how long a working child may be silent.
    """

    silence_s: float = 60.0
    watch_every_s: float = 0.05


def unpacked_folder(folder: Path, pid: int) -> Path:
    """Return where a document child unpacks an archive; the parent removes it when the child has ended, however it
    did.
    """
    return folder / f"unpacked-{pid}"


def remove_unpacked(folder: Path) -> None:
    """Delete leftovers of children that no longer run, e.g. after a power failure."""
    for path in folder.glob("unpacked-*"):
        pid = path.name.partition("-")[2]
        if not pid.isdecimal() or not _is_running(int(pid)):
            shutil.rmtree(path, ignore_errors=True)


def _is_running(pid: int) -> bool:
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def limits_from(environment: Mapping[str, str]) -> DocumentLimits:
    """Return the usual ones, with what the environment changes."""
    return dataclasses.replace(DocumentLimits(), **json.loads(environment.get(LIMITS_VARIABLE) or "{}"))


class TextBudget:
    """Budget of text from one file: a sheet of 10,000 cells may repeat one string of a megabyte in each.

    Counted in the child, where blocks are made, and in the parent, whose memory has no limit.
    """

    def __init__(self, path: Path) -> None:
        size_bytes = path.stat().st_size
        shared = min(TEXT_SHARE * size_bytes, MOST_SHARED_CHARACTERS)
        self.left = max(FREE_CHARACTERS, PLAIN_SHARE * size_bytes, shared)
        self._path = path

    def require(self, characters: int) -> None:
        """Raise DocumentUnreadable ("inflates") where there is no room for so many more."""
        if characters > self.left:
            raise DocumentUnreadable(str(self._path), "inflates")

    def take_characters(self, characters: int) -> None:
        self.require(characters)
        self.left -= characters


def limit_this_process(memory_bytes: int, *, is_writing: bool = False) -> None:
    """Limit address space and file sizes of the child before it opens a file; the cage has limited the rest.

    `is_writing`: it writes a document. macOS accepts but ignores a limit of address space, Windows has none: there the
    memory watch is the limit.
    """
    # A child that writes without end fills the person's disk; past this limit a write fails with EFBIG.
    lower_limit("RLIMIT_FSIZE", MOST_REWRITTEN_BYTES if is_writing else MOST_WRITTEN_BYTES)
    lower_limit("RLIMIT_AS", memory_bytes)


class ProcessMemoryWatch:
    """Watch the resident memory of a process and its children; call `end` above the limit.

    Runs in a thread until `close`, so it works while nobody asks for events.
    """

    def __init__(self, pid: int, most_bytes: int, end: Callable[[], None], every_s: float) -> None:
        self.peak_bytes = 0
        self.exceeded = False
        self._most_bytes, self._end, self._every_s = most_bytes, end, every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._measure_process, args=(pid,), name=f"memory-{pid}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def was_memory(self, exit_code: int, last_words: str) -> bool:
        """Return whether a child with this end ran out of memory.

        At the address space's limit an allocation fails inside a library, which aborts. Only circumstances tell that
        from a defect: its memory at the end, or its runtime's message.
        """
        # Rust and C++ libraries abort where Python would raise, so the runtime's last words or the peak have to tell.
        if self.exceeded or any(words in last_words for words in OUT_OF_MEMORY_WORDS):
            return True
        return exit_code != 0 and self.peak_bytes >= self._most_bytes * NEAR_SHARE

    def _measure_process(self, pid: int) -> None:
        import psutil

        try:
            process = psutil.Process(pid)
        except psutil.Error:
            return
        children: list[psutil.Process] = []
        looked_s = time.monotonic()
        while not self._over.wait(self._every_s):
            # Listing all processes takes milliseconds, measuring one a fraction; tesseract is the child's only child.
            try:
                if time.monotonic() - looked_s >= CHILDREN_EVERY_S:
                    children, looked_s = process.children(recursive=True), time.monotonic()
                used = process.memory_info().rss + sum(_resident_bytes(child) for child in children)
            except psutil.Error:
                return  # it has ended
            self.peak_bytes = max(self.peak_bytes, used)
            if used > self._most_bytes:
                self.exceeded = True
                # Killed by the parent: macOS ignores RLIMIT_AS, and Windows has none.
                self._end()
                return


def _resident_bytes(process: object) -> int:
    import psutil

    try:
        size: int = process.memory_info().rss  # type: ignore[attr-defined]
    except psutil.Error:
        return 0
    return size


def child_environment() -> dict[str, str]:
    """Return variables that limit the child's libraries to one thread: each thread takes address space."""
    # glibc gives each thread an arena of 64 MB of address space, which RLIMIT_AS counts although it is never touched.
    return dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1") | (
        {"MALLOC_ARENA_MAX": "2"} if os.name == "posix" else {}
    )
