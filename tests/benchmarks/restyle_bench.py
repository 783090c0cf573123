"""A chat of 1,000 messages in the whole window: how long it waits for another colour scheme and for a zoom step."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from comparing import progress
from run import Row

MESSAGES = 1_000
MOST_S = 0.3
ROUNDS = 5
AWAKE = 30
"""Turns that may be near what is seen."""
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


def rows() -> Iterator[Row]:
    """Until the window is painted again; the limit is what a person takes for "at once"."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as folder:
        os.environ["FIRESIDE_HOME"] = folder
        os.environ["FIRESIDE_ENGINE_SCRIPT"] = str(_script(Path(folder)))
        yield from _measured()


def _measured() -> Iterator[Row]:
    from PySide6.QtWidgets import QApplication

    from app.bootstrap import build
    from app.ui.application import chat_tab
    from app.ui.shell import tasks
    from app.ui.shell.main_window import MainWindow
    from app.ui.shell.model_loader import ModelLoader
    from app.ui.shell.notify import Notify
    from app.ui.tabs import TABS, open_settings
    from app.ui.theme import Theme

    application = QApplication.instance() or QApplication([])
    app = build()
    theme = Theme("light")
    theme.install(application)  # type: ignore[arg-type]
    notify = Notify(theme)
    window = MainWindow(app, theme, notify, ModelLoader(app, notify), TABS, open_settings=open_settings)
    chat = chat_tab(window).chat
    window.resize(1280, 800)
    window.show()
    try:
        progress(f"a chat of {MESSAGES} messages")
        chat.show_conversation(_conversation(app))
        _until(application, lambda: chat.transcript.is_settled)
        _until(application, lambda: sum(not turn.is_resting for turn in chat.transcript.turns) < AWAKE)

        def switch() -> None:
            theme.scheme = "dark" if theme.scheme == "light" else "light"

        def step() -> None:
            theme.zoom = 1.1 if theme.zoom == 1.0 else 1.0

        for name, change in (("another colour scheme", switch), ("a zoom step", step)):
            taken = [_taken(application, window, change) for _ in range(ROUNDS)]
            spread = f"{min(taken):.3f} to {max(taken):.3f}"
            value = round(statistics.median(taken), 3)
            yield Row(f"{name} in a chat of {MESSAGES} messages", value, "s", MOST_S, spread, at_most=1.0)
    finally:
        window.close()
        tasks.running.stop_all(5)
        app.close()


def _conversation(app: object) -> int:
    from app.bootstrap import Fireside
    from app.core.events import Role

    assert isinstance(app, Fireside)
    conversations = app.conversations
    conversation_id = conversations.create(title="Long").id
    parent: int | None = None
    for number in range(MESSAGES // 2):
        question = conversations.add_message(conversation_id, parent, Role.USER, f"How is file {number} read?")
        parent = conversations.add_message(conversation_id, question.id, Role.ASSISTANT, ANSWER).id
    return conversation_id


def _taken(application: object, window: object, change: Callable[[], None]) -> float:
    began_s = time.perf_counter()
    change()
    application.processEvents()  # type: ignore[attr-defined]
    window.repaint()  # type: ignore[attr-defined]
    return time.perf_counter() - began_s


def _until(application: object, is_true: Callable[[], bool], timeout_s: float = 300) -> None:
    end_s = time.monotonic() + timeout_s
    while not is_true():
        application.processEvents()  # type: ignore[attr-defined]
        assert time.monotonic() < end_s, "it never came to rest"


def _script(folder: Path) -> Path:
    from tests.helpers.script import write_script

    return write_script(folder / "script")
