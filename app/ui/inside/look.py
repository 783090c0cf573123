"""A page of the panel: what can be looked at, asked of the engine on a thread; what is waited for, what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QStyle,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.core.events import CancelToken, Guess, PromptProgress, TokenSeen
from app.features.error_messages import sentence_for
from app.ui.i18n import tr
from app.ui.shared_labels import CANCEL, WAITING_FOR_MODEL
from app.ui.shell import tasks
from app.ui.shell.notify import ACTION_LABELS
from app.ui.shell.tab_spec import CHAT, UiContext
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.labels import ProgressStripe, announce, plain_label, plain_tip
from app.ui.widgets.layouts import name_widgets
from app.ui.widgets.tables import PlainTable

if TYPE_CHECKING:
    from app.engine.contract import Engine
    from app.engine.protocol import Ask

CANCELLED = "Cancelled"
WAITING_FOR_ANSWER = "Waiting until the answer is written"


SELECTION, MESSAGE, PROMPT, OWN = "selection", "message", "prompt", "own"
"""What is selected, what was said, what the model was shown, and what is typed into the panel itself."""


class InspectedAnswer(QObject):
    """An answer of a chat, as the model saw it while it wrote, as far as somebody looked; or read again."""

    grew = Signal()
    """More of it is there, or it is complete."""

    text = ""
    is_being_written = False

    @property
    def seen(self) -> Sequence[TokenSeen]:
        """Its tokens as they came; none where nobody looked."""
        return ()

    def read_again(self, cancel: CancelToken) -> Iterator[TokenSeen | PromptProgress]:
        """Its tokens as the model sees them now; on a thread."""
        raise NotImplementedError

    def can_replace(self, tokens: Sequence[TokenSeen], number: int, guess: Guess) -> bool:
        """Whether it can go on from one of its tokens with another in its place."""
        raise NotImplementedError

    def go_on_with(self, tokens: Sequence[TokenSeen], number: int, guess: Guess) -> None:
        """Does so, as another version."""
        raise NotImplementedError


@dataclass(frozen=True)
class InspectedText:
    """Something to look at. Two of the same `name` and `text`, and of the same `message_id`, are the same."""

    name: str
    label: str
    """For people, in their language."""
    text: str = ""
    message_id: int = 0
    """Of the chat's message that it is, or that its prompt led to."""
    prompt: Callable[[], Ask] | None = field(default=None, compare=False)
    """What the engine was asked, in place of a text. Not for the window's thread; may raise."""
    answer: InspectedAnswer | None = field(default=None, compare=False)
    """Where it is an answer whose tokens can be known as the model saw them."""

    @property
    def is_being_written(self) -> bool:
        """Whether it has no end yet: only its tokens can be looked at."""
        return self.answer is not None and self.answer.is_being_written


class Subjects(QObject):
    """What a tab has to look at; each tab with a panel has its own."""

    changed = Signal()
    """There is something else to look at."""

    def now(self) -> Sequence[InspectedText]:
        """Everything there is; the first one is looked at as long as the person chose none."""
        raise NotImplementedError


WAIT_MS = 300

Work = Callable[["Engine", CancelToken], Iterator[object]]
Opened = Callable[[CancelToken], AbstractContextManager["Engine | None"]]
"""An engine with its model in it, for as long as a look takes; None where that was cancelled."""


class LookPage(QWidget):
    """`look_at` and `clear` are the page's own; `begin` and `stop` are what they are made of.

    One look at a time. A model that sleeps is woken, one that is being loaded is waited for.
    """

    def __init__(self, ui: UiContext, engine: Callable[[], Engine]) -> None:
        super().__init__()
        self.setObjectName("page")
        self.ui, self.theme = ui, ui.theme
        self._engine = engine
        self.opened: Opened | None = None
        """Where not the chat's engine is to be looked into, but that of a tab with a model of its own."""
        self._task: tasks.BackgroundTask | None = None
        self._again: Callable[[], object] = lambda: None
        self._waiting: Callable[[], object] | None = None
        """What begins as soon as the model is there."""
        self._progress: PromptProgress | None = None
        self._timer = QTimer(self, singleShot=True, interval=WAIT_MS)
        self._timer.timeout.connect(self._say_waiting)
        self.state = StateRow(ui)
        self.state.cancelled.connect(self._on_cancelled)
        self.state.retried.connect(lambda: self._again())  # noqa: PLW0108 - another one later
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.addWidget(self.state)
        ui.theme.dress(self.body, spacing=8)
        ui.loader.changed.connect(self._on_loader_changed)

    @property
    def is_looking(self) -> bool:
        """Whether something is asked, or waits for the model."""
        return self._task is not None or self._waiting is not None

    def look_at(self, text: str) -> None:
        """Shows what there is to see of a text, for which the engine is asked."""
        raise NotImplementedError

    def clear(self) -> None:
        """Shows nothing any more."""
        self.stop()
        self.state.show_sentence("")

    def stop(self) -> None:
        """Ends what is asked; nothing more of it comes."""
        self._timer.stop()
        self._waiting = None
        if self._task is not None:
            self._task.abandon()
            self._task = None

    def begin(self, work: Work, on_event: Callable[[object], object], on_end: Callable[[], object]) -> None:
        """Begins another look; `PromptProgress` among its events is shown here."""
        self.stop()
        self._again = lambda: self.begin(work, on_event, on_end)
        self._progress = None
        self.state.show_sentence("")
        loader = self.ui.loader
        is_chats = self.opened is None  # another one looks after its model itself
        if is_chats and loader.state == "asleep" and not loader.wakes_up and loader.path is not None:
            loader.reload()
        if is_chats and loader.state == "loading":
            self._waiting = lambda: self._start(work, on_event, on_end)
        else:
            self._start(work, on_event, on_end)
        self._timer.start()

    def _start(self, work: Work, on_event: Callable[[object], object], on_end: Callable[[], object]) -> None:
        self._waiting = None
        engine, opened = self._engine, self.opened

        def looked(token: CancelToken) -> Iterator[object]:
            if opened is None:
                yield from work(engine(), token)
                return
            with opened(token) as found:
                if found is not None:
                    yield from work(found, token)

        task = self._task = tasks.run(looked, self)

        def on_task_event(event: object) -> None:
            if task is self._task:
                if isinstance(event, PromptProgress):
                    self._progress = event
                    self._say_waiting()
                else:
                    on_event(event)

        task.event.connect(on_task_event)
        task.finished.connect(lambda: self._end(task, on_end))
        task.failed.connect(lambda error: self._fail(task, error))

    def _end(self, task: tasks.BackgroundTask, on_end: Callable[[], object]) -> None:
        if task is self._task:
            self._task = None
            self._timer.stop()
            self.state.show_sentence("")
            on_end()

    def _fail(self, task: tasks.BackgroundTask, error: BaseException) -> None:
        if task is not self._task:
            return
        self._task = None
        self._timer.stop()
        self.ui.loader.sync_with_engine()  # its child may have ended
        sentence = sentence_for(error)
        words = f"{tr(sentence.text)} {tr(sentence.kept) if sentence.kept else ''}".strip()
        self.state.fail(words, sentence.action)

    def _say_waiting(self) -> None:
        loader, progress = self.ui.loader, self._progress
        if not self.is_looking:
            return
        if loader.state == "loading":
            self.state.wait(tr(WAITING_FOR_MODEL), round(loader.fraction * 100), 100)
        elif progress is not None:
            done, total = progress.done_tokens, progress.total_tokens
            self.state.wait(tr("{done} of {total} tokens read", done=f"{done:,}", total=f"{total:,}"), done, total)
        elif self.ui.go.tab(CHAT).is_at_work:
            self.state.wait(tr(WAITING_FOR_ANSWER))
        else:
            self.state.wait(tr("The model is looking"))

    def _on_loader_changed(self) -> None:
        state = self.ui.loader.state
        if self._waiting is not None and state == "ready":
            self._waiting()
        elif self._waiting is not None and state != "loading":
            self._waiting = None
            self.state.fail(tr("The model could not be loaded."), "retry")
        elif self.state.is_waiting:
            self._say_waiting()

    def _on_cancelled(self) -> None:
        self.stop()
        self.state.fail(tr(CANCELLED), "retry", is_error=False)
        self.on_cancelled()

    def on_cancelled(self) -> None:
        """The person ended the look; what has come stays."""


class StateRow(QWidget):
    """A sentence with at most one thing to do; while something is waited for, how far it is, and Cancel."""

    cancelled = Signal()
    retried = Signal()

    def __init__(self, ui: UiContext) -> None:
        super().__init__()
        self._ui, self._action = ui, ""
        self.is_waiting = False
        self.label: QLabel = plain_label(wraps=True)
        self.line = ProgressStripe(ui.theme)
        self.button = text_button("", "link")
        self.button.clicked.connect(self._on_pressed)
        name_widgets(look_state=self.label, look_progress=self.line, look_action=self.button)
        row = QHBoxLayout()
        row.addWidget(self.label, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self.line)
        ui.theme.dress(column, margins=(0, 0, 0, 0), spacing=2)
        ui.theme.dress(self.label, margins=(0, 3, 0, 3), font=(13.5, 400))
        ui.theme.dress(self.button, font=(13.5, 500))
        self.hide()

    @property
    def text(self) -> str:
        """What is said; "" for nothing."""
        return "" if self.isHidden() else self.label.text()

    def show_sentence(self, text: str) -> None:
        """A sentence, or nothing."""
        self._show(text, "", "")

    def wait(self, text: str, done: int = 0, total: int = 0) -> None:
        """What is waited for, and how far that is where it is known."""
        self._show(text, "cancel", tr(CANCEL))
        self.is_waiting = True
        self.line.setVisible(total > 0)
        self.line.setAccessibleName(text)
        self.line.show_share(done, total)

    def fail(self, text: str, action: str = "", *, is_error: bool = True) -> None:
        """What went wrong, and what can be done: "retry", or what the window can do by that name."""
        is_known = action == "retry" or action in self._ui.notify.actions
        self._show(text, action if is_known else "", tr(ACTION_LABELS[action]) if is_known else "")
        set_mark(self.label, "kind", "danger" if is_error else "muted")
        announce(self, text)

    def _show(self, text: str, action: str, label: str) -> None:
        self.is_waiting = False
        self._action = action
        self.line.hide()
        set_mark(self.label, "kind", "muted")
        self.label.setText(text)
        self.button.setText(label)
        self.button.setAccessibleName(label)
        self.button.setVisible(bool(action))
        self.setVisible(bool(text))

    def _on_pressed(self) -> None:
        if self._action == "cancel":
            self.cancelled.emit()
        elif self._action == "retry":
            self.retried.emit()
        else:
            self._ui.notify.actions[self._action]()


Index = QModelIndex | QPersistentModelIndex


class CellModel(QAbstractTableModel):
    """What a `CellTable` shows; how many cells there are, and what each says, is a subclass's own."""

    name_font: tuple[float, int]
    """Size and weight of the names at the sides."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        raise NotImplementedError

    def describe_cell(self, row: int, column: int) -> str:
        """A cell in a sentence."""
        raise NotImplementedError

    def name(self, section: int, way: Qt.Orientation) -> str:
        """What stands at the side of a row (vertical) or above a column."""
        raise NotImplementedError

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else self.shape[0]

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else self.shape[1]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self.describe_cell(index.row(), index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(self.describe_cell(index.row(), index.column()))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and self.shape[0]:
            return self.name(section, orientation)
        if role == Qt.ItemDataRole.FontRole:
            return self._theme.font(*self.name_font)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignCenter
        return None


class CellTable(PlainTable):
    """Painted cells of one size, with names at two sides; what the pointer is above is told."""

    def __init__(self, cells: CellModel, name: str, *, select_all: str) -> None:
        super().__init__(cells, name, select_all=select_all)
        self.setMouseTracking(True)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setMinimumSectionSize(1)
            header.setHighlightSections(True)
            header.setSectionsClickable(False)


def paint_frame(painter: QPainter, theme: Theme, option: QStyleOptionViewItem) -> None:
    """Around a cell: stronger where the keyboard is."""
    has_focus = option.state & QStyle.StateFlag.State_HasFocus
    painter.setBrush(QColor(0, 0, 0, 0))
    painter.setPen(QPen(QColor(theme.tokens.focus if has_focus else theme.tokens.outline), 2))
    painter.drawRect(option.rect.adjusted(1, 1, -1, -1))
