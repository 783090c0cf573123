"""The small window for a quick question: how soon it is seen, made for the first time and opened again."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

from comparing import span
from run import Row
from transcript_bench import ROUNDS, Opened, long_chat

OPENED_S = 0.1
"""What is taken for "at once"."""


def rows() -> Iterator[Row]:
    """Until its field is painted; each time it was closed before, and something was copied elsewhere meanwhile."""
    with long_chat() as here:
        from app.bootstrap import Fireside  # noqa: F401 - loaded before anything is measured
        from app.ui.outside import Outside
        from app.ui.shell.desktop import TaskBar

        window = here.window
        outside = Outside(window._app, window, TaskBar(window), has_tray=lambda: False)
        yield Row("quick ask, made and seen for the first time", round(_seen(here, outside), 3), "s")
        taken = []
        for _ in range(ROUNDS):
            outside.quick.close()
            here.application.processEvents()
            taken.append(_seen(here, outside))
        name = "quick ask, opened again"
        yield Row(name, round(statistics.median(taken), 4), "s", OPENED_S, span(taken), at_most=1.0)
        outside.quick.close()


def _seen(here: Opened, outside: object) -> float:
    """Seconds until its field has been painted."""
    from PySide6.QtCore import QEvent, QObject
    from PySide6.QtGui import QGuiApplication

    class Painted(QObject):
        at_s = 0.0

        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint and not self.at_s:
                self.at_s = time.perf_counter()
            return False

    QGuiApplication.clipboard().setText("The lease runs until the end of May. " * 40)
    here.application.processEvents()
    painted = Painted()
    began_s = time.perf_counter()
    ask: Callable[[], None] = outside.ask  # type: ignore[attr-defined]
    ask()
    composer = outside.quick.chat.composer  # type: ignore[attr-defined]
    composer.installEventFilter(painted)
    while not painted.at_s:
        here.application.processEvents()
    composer.removeEventFilter(painted)
    return painted.at_s - began_s
