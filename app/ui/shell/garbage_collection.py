"""Python's collector of cycles, on the window's thread only.

It runs by itself on whichever thread makes an object, and there it destroys what it finds. A widget that is part of
a cycle must not be destroyed on another thread than the window's: Qt then ends the program (seen as a crash "while
garbage-collecting" on the thread that reads from the engine). So it is off, and looked after by a timer here.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 2_000


def collect_on_this_thread(parent: QObject) -> None:
    """Run Python's garbage collector only on the window's thread, as long as `parent` lives."""
    gc.disable()
    timer = QTimer(parent, interval=EVERY_MS)
    timer.timeout.connect(collect_what_is_due)
    timer.start()


def collect_what_is_due() -> None:
    """Timer slot: collect the oldest generation over Python's threshold, with all younger ones."""
    due = [n for n, (count, most) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)) if count > most]
    if due:
        gc.collect(due[-1])
