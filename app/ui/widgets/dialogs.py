"""Dialogs: questions, scrolling content, and file dialogs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Generic, Protocol, TypeVar, runtime_checkable

from PySide6.QtCore import QEvent, QMargins, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app import APP_NAME
from app.core.lazy_dataclasses import dataclass
from app.ui.i18n import tr, window_title
from app.ui.shared_labels import CANCEL, DOCUMENTS_LABEL
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.layouts import fill_layout, screen_room, within_screen

WIDTH_PX = 460


@runtime_checkable
class HelpOpener(Protocol):
    """Window that opens help, also for the dialogs over it."""

    def open_help(self, screen: str = "", above: QWidget | None = None) -> None:
        """Show the page about a screen or of this name, over a window; without them about what is shown here."""


class Dialog(QDialog):
    """Base of all dialogs: it moves up when it grows, so that its foot stays on the screen. F1 opens its help.

    How high it may be is for `within_screen` and `ScrollBox` to say.
    """

    @property
    def help_screen(self) -> str:
        """Name of what is shown, for the table of help pages; "" if help is about the window behind."""
        return type(self).__name__

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.HelpContents):
            self.show_own_help()
        else:
            super().keyPressEvent(event)

    def show_own_help(self) -> None:
        """Open the page about this dialog, or about the first window behind it that has one, over this dialog."""
        screen, behind = self.help_screen, self.parentWidget()
        while behind is not None and not isinstance(behind, HelpOpener):
            screen = screen or (behind.help_screen if isinstance(behind, Dialog) else "")
            behind = behind.parentWidget()
        if behind is not None:
            behind.open_help(screen, self)

    def set_up_window(self, name: str, title: str) -> None:
        """Set the object name and the window's title; the dialog is deleted when it closes."""
        self.setObjectName(name)
        self.setWindowTitle(window_title(title))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def name_by_heading(self, heading: str) -> None:
        """Take the name from a heading in the dialog; the title bar has only the program's."""
        self.setAccessibleName(heading)
        self.setWindowTitle(APP_NAME)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._stay_on_screen()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.isVisible():
            self._stay_on_screen()

    def _stay_on_screen(self) -> None:
        room = screen_room(self)
        if (over := self.frameGeometry().bottom() - room.bottom()) > 0:
            self.move(self.x(), max(room.top(), self.y() - over))


class QuestionDialog(Dialog):
    """Question dialog; closing it does nothing. Cancel, or the text `no`, is the first button."""

    help_screen = ""

    def __init__(self, theme: Theme, title: str, words: str, parent: QWidget, *, no: str = "") -> None:
        super().__init__(parent)
        self._theme = theme
        px = theme.px
        # The window is its parent and would keep every question that was ever asked.
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.name_by_heading(title)
        self.setFixedWidth(px(WIDTH_PX))
        head = QLabel(title, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        head.setFont(theme.font("section"))
        self.words = QLabel(words, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.words.setFont(theme.font("row"))
        # Wrapped words have no least height of their own and are cut where there is little room.
        self.words.setMinimumHeight(self.words.heightForWidth(px(WIDTH_PX) - 2 * px(24)))
        self.fields = QHBoxLayout()
        """Layout for additional fields between text and buttons."""
        self.fields.setSpacing(px(10))
        self._row = fill_layout(QHBoxLayout(), 1)
        self._row.setSpacing(px(8))
        column = fill_layout(QVBoxLayout(self), head, self.words, self.fields)
        column.setContentsMargins(px(24), px(22), px(24), px(20))
        column.setSpacing(px(10))
        column.addSpacing(px(8))
        column.addLayout(self._row)
        self.no = self.add_choice(no or tr(CANCEL), None, "quiet")

    def add_choice(self, label: str, do: Callable[[], object] | None, kind: str = "plain") -> QPushButton:
        """Add a button that closes the dialog, then calls `do`; a primary one is the default for Enter."""
        button = text_button(label, kind, on_click=lambda: self._close_with(do))
        button.setFont(self._theme.font("control"))
        self._row.addWidget(button)
        if kind == "primary":
            button.setDefault(True)
            button.setFocus()
        return button

    def _close_with(self, do: Callable[[], object] | None) -> None:
        if do is None:
            self.reject()
            return
        self.accept()
        do()


Asked = TypeVar("Asked")


@dataclass(frozen=True)
class Question:
    """Content of a question dialog. `name` is its object name; with `enter_means_no`, yes must be chosen explicitly."""

    name: str
    title: str
    words: str
    yes: str
    no: str
    enter_means_no: bool = False


class _Waiting(Generic[Asked]):
    """A pending question with its answer; unanswered means no."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.is_allowed = False
        self.is_over = threading.Event()


class WaitingQuestion(QObject, Generic[Asked]):
    """Base of questions asked from worker threads; `ask` blocks, so don't call it on the window's thread."""

    _wanted = Signal(object)

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme, self._window = theme, window
        # `ask` runs on worker threads, `close` and the answers on the window's.
        self._lock = threading.Lock()
        self._waiting: list[_Waiting[Asked]] = []
        self._is_closed = False
        # Emitted on the worker's thread; the dialog must be made on the window's.
        self._wanted.connect(self._on_wanted, Qt.ConnectionType.QueuedConnection)

    def dialog_for(self, asked: Asked) -> Question:
        """Return the dialog's content; called on the window's thread."""
        raise NotImplementedError

    def ask(self, asked: Asked) -> bool:
        """Ask and return the answer; False if the window closes first."""
        waiting = _Waiting(asked)
        with self._lock:
            # The window is gone: nobody would answer, and the thread would wait for ever.
            if self._is_closed:
                return False
            self._waiting.append(waiting)
        self._wanted.emit(waiting)
        waiting.is_over.wait()
        return waiting.is_allowed

    def close(self) -> None:
        """Answer all pending and future questions with no before the window closes."""
        with self._lock:
            self._is_closed = True
            waiting, self._waiting = self._waiting, []
        for file in waiting:
            file.is_over.set()

    def _on_wanted(self, waiting: _Waiting[Asked]) -> None:
        # The window closed while this call waited in the event queue.
        if waiting.is_over.is_set():
            return
        question = self.dialog_for(waiting.asked)
        dialog = QuestionDialog(self._theme, question.title, question.words, self._window, no=question.no)
        dialog.setObjectName(question.name)
        dialog.add_choice(question.yes, lambda: self._answer(waiting, is_allowed=True), "primary")
        if question.enter_means_no:
            dialog.no.setDefault(True)
            dialog.no.setFocus()
        # Escape and the cross count as no, or the thread would wait for ever.
        dialog.rejected.connect(lambda: self._answer(waiting, is_allowed=False))
        dialog.open()

    def _answer(self, waiting: _Waiting[Asked], *, is_allowed: bool) -> None:
        waiting.is_allowed = is_allowed
        with self._lock:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
        waiting.is_over.set()


def cancel_or(dialog: QDialog, label: str) -> QHBoxLayout:
    """Return a dialog's last row: Cancel and the default button."""
    row = fill_layout(QHBoxLayout(), 1)
    for text, kind, slot in ((tr(CANCEL), "plain", dialog.reject), (label, "primary", dialog.accept)):
        button = text_button(text, kind, on_click=slot)
        row.addWidget(button)
    button.setDefault(True)
    return row


class ScrollBox(QScrollArea):
    """Scroll box of a dialog; `around` is the dialog's margins and whatever else stays in sight around it."""

    def __init__(self, inside: QWidget, around: QMargins) -> None:
        super().__init__(widgetResizable=True)
        self._inside, self._around = inside, around
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside.setObjectName("page")
        self.setWidget(inside)

    def sizeHint(self) -> QSize:
        # In a language of short words what is inside may ask for less than it is given at least.
        wanted = self._inside.sizeHint().expandedTo(self._inside.minimumSize())
        return within_screen(self, wanted.grownBy(self._around)).shrunkBy(self._around)

    def minimumSizeHint(self) -> QSize:
        # Qt's own hint would keep the dialog from becoming lower than its content.
        return QSize(1, 1)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The base class installs this filter on its content, but only adjusts its scroll bars.
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


DOCUMENTS, SAVED, MODELS = "documents", "saved", "models"
"""Purposes: open files, save results, add models."""


class LastFolders:
    """Last used folders by purpose; `use` connects them with the settings."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._keep: Callable[[tuple[str, ...]], object] = lambda _lines: None

    def use(self, kept: Iterable[str], keep: Callable[[tuple[str, ...]], object]) -> None:
        """Load lines such as "documents=/home/ada"; `keep` gets all of them after each change."""
        self._known = {purpose: path for purpose, found, path in (line.partition("=") for line in kept) if found}
        self._keep = keep

    def nearest_folder(self, purpose: str, first: Path | None = None) -> str:
        """Return the last used folder or its nearest existing parent; before any use, `first` or the home folder."""
        last = Path(self._known.get(purpose) or first or Path.home())
        return str(next((parent for parent in (last, *last.parents) if parent.is_dir()), Path.home()))

    def remember(self, purpose: str, folder: Path) -> None:
        """Keep a purpose's folder, and pass all of them to the settings if it is another."""
        if self._known.get(purpose) != str(folder):
            self._known[purpose] = str(folder)
            self._keep(tuple(f"{name}={path}" for name, path in self._known.items()))


last_folders = LastFolders()


def file_dialog(
    window: QWidget,
    title: str,
    purpose: str,
    take: Callable[[list[Path]], object],
    *,
    name: str = "",
    mode: QFileDialog.FileMode = QFileDialog.FileMode.AnyFile,
    filters: Sequence[str] = (),
    first: Path | None = None,
) -> QFileDialog:
    """Return a file dialog that starts at, and remembers, the last used folder; before any use at `first`.

    `take` gets what was chosen, at least one path; `name` is its object name.
    """
    dialog = QFileDialog(window, title, last_folders.nearest_folder(purpose, first))
    dialog.setObjectName(name)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(mode)
    if filters:
        dialog.setNameFilters(filters)

    def on_chosen(files: list[str]) -> None:
        _remember(dialog, purpose, files)
        take([Path(file) for file in files])

    dialog.filesSelected.connect(on_chosen)
    return dialog


def certificate_dialog(window: QWidget, take: Callable[[Path], object], name: str = "") -> QFileDialog:
    """Return a file dialog for the certificates of an authority, which `take` gets."""
    return file_dialog(
        window, tr("Your certificate authority"), "certificates", lambda paths: take(paths[0]), name=name,
        mode=QFileDialog.FileMode.ExistingFile,
        filters=[f"{tr('Certificates')} (*.pem *.crt *.cer *.der)", tr("All files (*)")],
    )  # fmt: skip


def document_filters() -> list[str]:
    """Return filters for all readable files, each kind, and all files."""
    # The table of formats isn't needed before a file is opened.
    from app.documents.formats.registry import formats

    kinds: dict[str, str] = {}
    for file_format in formats():
        if file_format.kind:
            kinds[file_format.kind] = f"{kinds.get(file_format.kind, '')} {file_format.endings}"
    lines = [(tr(DOCUMENTS_LABEL), " ".join(kinds.values())), *((tr(kind), endings) for kind, endings in kinds.items())]
    return [*(f"{name} ({_patterns(endings)})" for name, endings in lines), tr("All files (*)")]


def _patterns(endings: str) -> str:
    return " ".join(f"*.{ending}" for ending in endings.split())


def _remember(dialog: QFileDialog, purpose: str, files: list[str]) -> None:
    chosen = Path(files[0])
    is_folder = dialog.fileMode() == QFileDialog.FileMode.Directory
    last_folders.remember(purpose, chosen if is_folder else chosen.parent)
