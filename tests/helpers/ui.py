"""A whole window for tests: the real store, settings and engine child, with a scripted model behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QVBoxLayout, QWidget

from app.bootstrap import Fireside, build
from app.ui import tasks
from app.ui.main_window import MainWindow
from app.ui.model_loader import ModelLoader
from app.ui.notify import Notify
from app.ui.theme import Theme


class PlainAttaching(QObject):
    """Remembers what it was given."""

    summarize_wanted = Signal(int)
    translate_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.files: list[Path] = []
        self.asked = 0

    def add(self, files: Sequence[Path]) -> None:
        self.files += files

    def ask(self) -> None:
        self.asked += 1


class PlainChat(QWidget):
    """Stands in for the chat view where a test is about the frame around it."""

    title_changed = Signal(int)
    context_changed = Signal(int)
    parts_changed = Signal(object)
    model_wanted = Signal()
    translate_wanted = Signal(str)
    wake_wanted = Signal()
    document_wanted = Signal(object, int, object)
    documents_known = Signal(object)
    answer_grew = Signal()
    answer_started = Signal(int)
    answer_finished = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.conversation_id: int | None = None
        self.model_states: list[tuple[str, str]] = []
        self.busy = False
        self.is_temporary = False
        self.is_counting = True
        self.attaching = PlainAttaching()
        self.composer = QPlainTextEdit()
        self.composer.setAccessibleName("Message")
        self.composer.setAcceptDrops(False)
        column = QVBoxLayout(self)
        column.addStretch(1)
        column.addWidget(self.composer)

    def show_conversation(self, conversation_id: int | None) -> None:
        self.conversation_id, self.is_temporary = conversation_id, False

    def show_temporary(self) -> None:
        self.conversation_id, self.is_temporary = None, True

    def set_model_state(self, state: str, text: str) -> None:
        self.model_states.append((state, text))

    def focus_composer(self) -> None:
        self.composer.setFocus()

    def stop(self) -> None:
        self.busy = False

    def stop_in(self, conversation_id: int) -> bool:
        is_running = self.busy and conversation_id == self.conversation_id
        self.busy = self.busy and not is_running
        return is_running

    def count_context(self) -> bool:
        return self.is_counting

    def save_draft(self) -> None:
        pass


@dataclass
class Frame:
    """The parts of one open window."""

    app: Fireside
    theme: Theme
    notify: Notify
    loader: ModelLoader
    chat: PlainChat
    window: MainWindow

    def notices(self) -> list[str]:
        """The sentences that are shown."""
        return [notice.text for notice in self.notify.bar.notices]


@contextmanager
def open_window(application: QApplication, *, scheme: str = "light") -> Iterator[Frame]:
    """The window as `application.run` makes it, not yet loading a model; closed at the end."""
    app = build()
    theme = Theme(scheme, app.settings.appearance.zoom, system_font=app.settings.appearance.system_font)
    theme.install(application)
    notify = Notify(theme)
    loader = ModelLoader(app, notify)
    chat = PlainChat()
    window = MainWindow(app, theme, notify, loader, chat)  # type: ignore[arg-type]
    window.show()
    try:
        yield Frame(app, theme, notify, loader, chat, window)
    finally:
        window.close()
        assert tasks.running.stop_all(5)
        tasks.running.reopen()
        app.close()
        window.deleteLater()
        application.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # it goes with its own test, not in the next
        application.setStyleSheet("")
