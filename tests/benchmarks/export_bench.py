"""A chat of 1,000 messages as PDF and Word, in the window's process: seconds, memory, and how long its thread waits."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from comparing import percentile, progress
from run import Row

MESSAGES, GAP_MS = 1_000, 50
ANSWER = """It is **high**, see `x < y` and [the page](https://example.org). Then $E = mc^2$, of which much is told.

| city | rent |
|:-----|-----:|
| Köln | 9.50 |
| Bonn | 8 |

```python
def rent(area: float, rate: float = 9.5) -> float:
    return round(area * rate, 2)
```
"""


def rows() -> Iterator[Row]:
    """The gaps are those of a 5 ms timer in the window's thread; memory is what the process took beyond before."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtCore import QObject, QTimer
    from PySide6.QtWidgets import QApplication

    from app.core.events import Role
    from app.features.exchange.chat_export import export_chats
    from app.features.exchange.chat_file import build_shelf
    from app.store.conversation_row import Conversation
    from app.store.conversations import Conversations, MessageState, TreeMessage
    from app.store.database import Database
    from app.ui.paper.printed_chats import export_pdf
    from app.ui.shell import tasks
    from app.ui.theme import Theme

    application = QApplication.instance() or QApplication(["fireside"])
    Theme("light")
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as folder, closing(Database.in_memory()) as database:
        shelf = build_shelf(database)
        tree = [
            TreeMessage(n + 1, n or None, (Role.USER, Role.ASSISTANT)[n % 2], ("How high is it?", ANSWER)[n % 2],
                        MessageState.COMPLETE, "tiny.gguf", 1.7e9 + n)
            for n in range(MESSAGES)
        ]  # fmt: skip
        chat = Conversations(database).get(
            shelf.whole.add_tree(Conversation(0, "Rent", "", None, "", "", 1.7e9, 1.7e9, None, False), tree)
        )
        assert chat is not None
        for kind, export in (("PDF", export_pdf), ("Word", export_chats)):
            path = Path(folder) / f"rent.{'pdf' if kind == 'PDF' else 'docx'}"
            progress(f"{MESSAGES:,} messages as {kind}")
            gaps: list[float] = []
            last = [time.perf_counter()]

            def tick(gaps: list[float] = gaps, last: list[float] = last) -> None:
                now = time.perf_counter()
                gaps.append(1000 * (now - last[0]))
                last[0] = now

            timer, parent = QTimer(interval=5), QObject()
            timer.timeout.connect(tick)
            list(export(path, [chat], shelf, tasks.CancelToken()))  # what is imported once
            before = _resident_mb()
            timer.start()
            began_s, last[0] = time.perf_counter(), time.perf_counter()
            task = tasks.run(lambda token, export=export, path=path: export(path, [chat], shelf, token), parent)
            most = before
            while not task.done:
                application.processEvents()
                most = max(most, _resident_mb())
                time.sleep(0.001)
            timer.stop()
            yield Row(f"{MESSAGES:,} messages as {kind}", round(time.perf_counter() - began_s, 1), "s")
            yield Row(f"memory for it: {kind}", round(most - before), "MB")
            yield Row(
                f"gap of the window's timer meanwhile, 99th percentile: {kind}",
                round(percentile(gaps, 0.99), 1),
                "ms",
                GAP_MS,
                at_most=1.0,
            )


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
