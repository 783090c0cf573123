"""How long the window's thread is ever away during a journey: loading, asking, streaming, stopping, switching chats.

Window, engine child and starter model are the real ones; a 5 ms timer in the window's thread is the ruler.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator

from PySide6.QtCore import QEventLoop, Qt, QTimer, SignalInstance
from PySide6.QtWidgets import QApplication
from run import Row

from app.bootstrap import build_program
from app.ui.chat.chat_view import ChatView
from app.ui.qt_application import chat_tab
from app.ui.shell import tasks
from app.ui.shell.main_window import MainWindow
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify
from app.ui.tab_list import TABS, open_help, open_settings
from app.ui.theme import Theme
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.gaps import Gaps

MOST_GAP_MS = 50
TIMEOUT_MS = 120_000
SETTLE_MS = 400
ANSWER_TOKENS = 400


def rows() -> Iterator[Row]:
    """The largest gap and, beside it, the longest the thread itself worked between two ticks."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as home:
        os.environ["FIRESIDE_HOME"] = home
        gaps = _journey()
    spread = f"{len(gaps.gaps_ms)} ticks, {gaps.over(MOST_GAP_MS)} over {MOST_GAP_MS} ms"
    yield Row("largest gap of a 5 ms timer in the window", round(gaps.largest_ms, 1), "ms", MOST_GAP_MS, spread)
    yield Row("longest work of the window's thread at once", round(gaps.largest_busy_ms, 1), "ms", MOST_GAP_MS)


def _journey() -> Gaps:
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication([])
    app = build_program()
    app.change_settings("chat", max_tokens=ANSWER_TOKENS, temperature=0.0)
    theme = Theme("light")
    theme.install(application)
    notify = Notify(theme)
    loader = ModelLoader(app, notify)
    window = MainWindow(app, theme, notify, loader, TABS, open_settings=open_settings, open_help=open_help)
    chat = chat_tab(window).chat
    window.resize(1280, 800)
    window.show()
    _pause()
    gaps = Gaps().start()
    try:
        _first_hour(window, chat)
    finally:
        gaps.stop()
        tasks.running.stop_all(1.0)
        window.close()
        app.close()
    return gaps


def _first_hour(window: MainWindow, chat: ChatView) -> None:
    window.loader.start()
    questions = ("Write a long story about a river.", "Write a table of planets and a Python function.", "And then?")
    for question in questions:
        _wait(chat.answer_finished, lambda q=question: _ask(chat, q))
    first = chat.conversation_id
    chat.show_conversation(None)
    _wait(chat.answer_started, lambda: _ask(chat, "Tell me about the sea."))
    _pause()
    _wait(chat.answer_finished, chat.stop)
    for conversation_id in (first, chat.conversation_id, first):
        chat.show_conversation(conversation_id)
        _pause()


def _ask(chat: ChatView, text: str) -> None:
    desk = ChatDesk(chat, None, None)
    desk.put_message(text)
    desk.press(Qt.Key.Key_Return)


def _wait(signal: SignalInstance, begin: Callable[[], object]) -> None:
    loop = QEventLoop()
    signal.connect(loop.quit)
    QTimer.singleShot(TIMEOUT_MS, loop, loop.quit)
    begin()
    loop.exec()


def _pause() -> None:
    loop = QEventLoop()
    QTimer.singleShot(SETTLE_MS, loop.quit)
    loop.exec()
