"""Pictures in the message field: ten photographs of twelve megapixels pasted at once, and the window meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from comparing import progress
from run import Row
from transcript_bench import Opened, long_chat

PICTURES, MEGAPIXELS = 10, (4000, 3000)
GAP_MS = 50
MOST_S = 120.0


def rows() -> Iterator[Row]:
    """Largest time that the window's own thread was at work, and until all of them are there."""
    with TemporaryDirectory(prefix="fireside-bench-") as folder, long_chat() as here:
        files = list(_photographs(Path(folder)))
        here.window.activateWindow()
        here.chat.focus_composer()
        yield from _pasted(here, files)


def _photographs(folder: Path) -> Iterator[Path]:
    """Noise, which is packed and unpacked as slowly as a photograph."""
    import random

    from PySide6.QtGui import QImage

    progress("ten photographs of twelve megapixels")
    width, height = MEGAPIXELS
    for number in range(PICTURES):
        noise = random.Random(number).randbytes(width * height // 16)
        small = QImage(noise, width // 4, height // 4, width // 4, QImage.Format.Format_Grayscale8)
        path = folder / f"IMG_{number}.jpg"
        small.scaled(width, height).convertToFormat(QImage.Format.Format_RGB32).save(str(path), "JPEG", 92)
        yield path


def _pasted(here: Opened, files: list[Path]) -> Iterator[Row]:
    from PySide6.QtCore import QMimeData, Qt, QUrl
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtTest import QTest

    from tests.helpers.gaps import Gaps

    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    QGuiApplication.clipboard().setMimeData(data)
    gaps, began_s = Gaps().start(), time.perf_counter()
    attaching = here.chat.attaching
    QTest.keyClick(here.chat.composer.field.edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    while len(attaching.pictures) < len(files) or attaching.waits_for:
        here.application.processEvents()
        if time.perf_counter() - began_s > MOST_S:
            break
        time.sleep(0.001)
    taken_s, largest_ms = time.perf_counter() - began_s, gaps.stop()
    there = sum(one.use is not None for one in attaching.pictures)
    note = f"{there} of {len(files)} are there; largest gap of a 5 ms timer {largest_ms:.0f} ms"
    name = "the window while ten pictures of 12 megapixels are pasted, longest at work"
    yield Row(name, round(gaps.largest_busy_ms, 1), "ms", GAP_MS, note, at_most=1.0)
    yield Row("until they are there, counted and shown small", round(taken_s, 2), "s")
    attaching.remove_all(attaching.pictures)
