"""A chat of 10,000 messages in the window: opened, scrolled, with another colour scheme, zoomed; and its memory."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from comparing import percentile, progress, span
from our_engine import resident_bytes
from run import Row

from tests.ui.text.test_markdown import SAMPLE

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from app.ui.chat.chat_view import ChatView
    from app.ui.shell.main_window import MainWindow
    from app.ui.theme import Theme

MESSAGES = 10_000
OPENED_S, RESTYLED_S, FRAME_S = 0.15, 0.15, 0.016
WINDOW_MB = 200
ROUNDS = 5
STREAMED, PIECE = 80_000, 27
"""Characters of about 20,000 tokens, and of what comes between two looks at an answer at 200 tokens a second."""
STEP_PX, STEPS = 120, 300
"""A notch of the wheel, and how many of them."""
ANSWER = """Here is **what** happens, in `three` steps with a [link](https://example.org/).

1. First the file is read, line by line, and kept in memory as long as it is needed for the rest of the work.
2. Then it is sorted.
3. In the end it is written.

```python
def read(path):
    with open(path) as file:
        return [line.strip() for line in file]
```

| Step | Time | Memory |
|---|--:|--:|
| read | 1 s | 10 MB |
| sort | 2 s | 12 MB |

> It is good to measure before anything is changed.
"""
FORMULAS = """The energy $E = mc^2$ of a body, with $\\gamma = \\frac{1}{\\sqrt{1 - v^2/c^2}}$ in it:

$$
E_k = (\\gamma - 1) m c^2
$$

"""
TABLE = "| Name | Number | What it is |\n| --- | --: | --- |\n" + "".join(
    f"| row {n} | {n * n:,} | **some** words with `code` |\n" for n in range(2_000)
)
STREAMS = (("code, tables and formulas", SAMPLE + FORMULAS + ANSWER), ("one table", TABLE))
"""What they are of, and what is repeated for as long as they are."""


@dataclass(frozen=True)
class Opened:
    """The window as it is used, and a stored chat of 10,000 messages."""

    application: QApplication
    window: MainWindow
    theme: Theme
    chat: ChatView
    number: int

    def taken(self, change: Callable[[], object]) -> float:
        """Seconds until the window is painted after a change."""
        began_s = time.perf_counter()
        change()
        self.application.processEvents()
        self.window.repaint()
        return time.perf_counter() - began_s

    def until(self, is_true: Callable[[], bool], timeout_s: float = 300) -> None:
        end_s = time.monotonic() + timeout_s
        while not is_true():
            self.application.processEvents()
            assert time.monotonic() < end_s, "it never came to rest"


@contextmanager
def long_chat() -> Iterator[Opened]:
    """A window of its own home, with the long chat in it, not opened yet."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as folder:
        os.environ["FIRESIDE_HOME"] = folder
        os.environ["FIRESIDE_ENGINE_SCRIPT"] = str(_script(Path(folder)))
        from PySide6.QtWidgets import QApplication

        from app.bootstrap import build_program
        from app.ui.qt_application import chat_tab
        from app.ui.shell import tasks
        from app.ui.shell.main_window import MainWindow
        from app.ui.shell.model_loader import ModelLoader
        from app.ui.shell.notify import Notify
        from app.ui.tab_list import TABS, open_help, open_settings
        from app.ui.theme import Theme

        application = QApplication.instance() or QApplication([])
        assert isinstance(application, QApplication)
        app = build_program()
        theme = Theme("light")
        theme.install(application)
        notify = Notify(theme)
        window = MainWindow(
            app, theme, notify, ModelLoader(app, notify), TABS, open_settings=open_settings, open_help=open_help
        )
        window.resize(1280, 800)
        window.show()
        try:
            progress(f"a chat of {MESSAGES:,} messages")
            yield Opened(application, window, theme, chat_tab(window).chat, _conversation(app))
        finally:
            application.clipboard().clear()  # WORKAROUND: see `clipboard_let_go` in tests/ui/conftest.py
            window.close()
            tasks.running.stop_all(5)
            app.close()


def rows() -> Iterator[Row]:
    """Until the window is painted again; the limit is what a person takes for "at once"."""
    with long_chat() as opened:
        yield from _measured(opened)


def _measured(here: Opened) -> Iterator[Row]:
    chat, theme = here.chat, here.theme
    opened = []
    for _ in range(ROUNDS):
        chat.show_conversation(None)
        here.until(lambda: chat.transcript.is_settled)
        opened.append(here.taken(lambda: chat.show_conversation(here.number)))
        assert chat.transcript.places.count == MESSAGES
    yield _row("opened", opened, OPENED_S)
    here.until(lambda: chat.transcript.is_settled)
    bar = chat.transcript.verticalScrollBar()
    steps = [here.taken(lambda: bar.setValue(bar.value() - STEP_PX)) for _ in range(STEPS)]
    note = f"99th percentile; median {statistics.median(steps):.4f}, most {max(steps):.4f}"
    name = f"a notch of the wheel in a chat of {MESSAGES:,} messages"
    yield Row(name, round(percentile(steps, 0.99), 4), "s", FRAME_S, note, at_most=1.0)
    yield _row("jumped into the middle of", [here.taken(lambda: bar.setValue(bar.maximum() // 2))])

    def switch() -> None:
        theme.scheme = "dark" if theme.scheme == "light" else "light"

    def step() -> None:
        theme.zoom = 1.1 if theme.zoom == 1.0 else 1.0

    yield _row("another colour scheme in", [here.taken(switch) for _ in range(ROUNDS)], RESTYLED_S)
    yield _row("a zoom step in", [here.taken(step) for _ in range(ROUNDS)], RESTYLED_S)
    memory_mb = resident_bytes(os.getpid()) / 1e6
    name = f"memory of the window with a chat of {MESSAGES:,} messages"
    yield Row(name, round(memory_mb, 1), "MB", WINDOW_MB, at_most=1.0)
    for what, sample in STREAMS:
        yield _streamed(here, what, sample)


def _streamed(here: Opened, what: str, sample: str) -> Row:
    """The window's own processor time for each piece of a long answer, at its end in the long chat."""
    text = (sample * (STREAMED // len(sample) + 1))[:STREAMED]
    progress(f"an answer of {STREAMED:,} characters of {what}")
    transcript = here.chat.transcript
    view = transcript.add_answer()
    transcript.jump_to_latest()
    taken = []
    for at in range(0, STREAMED, PIECE):
        began_s = time.thread_time()
        view.append(text[at : at + PIECE])
        here.taken(lambda: None)
        taken.append(time.thread_time() - began_s)
    note = f"99th percentile of {len(taken)} pieces; median {statistics.median(taken):.4f}, most {max(taken):.4f}"
    name = f"a piece of a streaming answer of {STREAMED:,} characters of {what}"
    return Row(name, round(percentile(taken, 0.99), 4), "s", FRAME_S, note, at_most=1.0)


def _row(what: str, taken: list[float], most_s: float | None = None) -> Row:
    name = f"{what} a chat of {MESSAGES:,} messages"
    return Row(name, round(statistics.median(taken), 3), "s", most_s, span(taken), at_most=1.0 if most_s else None)


def _conversation(app: object) -> int:
    """Written in one go: message by message it would take a minute."""
    from app.bootstrap import Fireside

    assert isinstance(app, Fireside)
    conversation_id = app.conversations.create(title="Long").id
    texts = (lambda n: f"How is file {n} read?", lambda _n: ANSWER)
    rows = [
        (n + 1, conversation_id, n or None, ("user", "assistant")[n % 2], texts[n % 2](n // 2), float(n))
        for n in range(MESSAGES)
    ]
    with app.database.transaction() as connection:
        connection.executemany(
            "INSERT INTO messages (id, conversation_id, parent_id, role, text, state, model, created_at, chosen)"
            " VALUES (?, ?, ?, ?, ?, 'complete', '', ?, 1)",
            rows,
        )
        connection.execute("UPDATE conversations SET leaf_id = ? WHERE id = ?", (MESSAGES, conversation_id))
    return conversation_id


def _script(folder: Path) -> Path:
    from tests.helpers.script import write_script

    return write_script(folder / "script")
