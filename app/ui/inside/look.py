"""Base of the pages of Inside: subjects, engine requests on a thread, progress and errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
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
from app.core.lazy_dataclasses import dataclass, field
from app.ui.i18n import sentence_for, tr
from app.ui.locale_formats import format_number
from app.ui.shared_labels import CANCEL, WAITING_FOR_MODEL
from app.ui.shell import tasks
from app.ui.shell.notify import ACTION_LABELS
from app.ui.shell.tab_spec import CHAT, UiContext
from app.ui.theme import FontRole, Theme
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.labels import ProgressStripe, announce, plain_label, plain_tip
from app.ui.widgets.layouts import drop_margins, fill_layout, name_widgets
from app.ui.widgets.tables import PlainTable
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.engine.contract import Engine
    from app.engine.protocol import Ask

CANCELLED = "Canceled"
WAITING_FOR_ANSWER = "Waiting for the answer to finish"


SELECTION, MESSAGE, PROMPT, OWN = "selection", "message", "prompt", "own"
"""Kinds of subjects: selection, message, prompt, and text typed into the panel."""


class InspectedAnswer(QObject):
    """An answer with its tokens as the model generated them, if they were recorded, or as read again."""

    grew = Signal()
    """Tokens were added, or the answer is complete."""

    text = ""
    is_being_written = False

    @property
    def seen(self) -> Sequence[TokenSeen]:
        """Recorded tokens; empty if they weren't recorded."""
        return ()

    def read_again(self, cancel: CancelToken) -> Iterator[TokenSeen | PromptProgress]:
        """Read the answer with the model and yield its tokens. Runs on a thread."""
        raise NotImplementedError

    def can_replace(self, tokens: Sequence[TokenSeen], number: int, guess: Guess) -> bool:
        """Return whether the answer can continue from one of its tokens, replaced by `guess`."""
        raise NotImplementedError

    def go_on_with(self, tokens: Sequence[TokenSeen], number: int, guess: Guess) -> None:
        """Generate another version that continues from the replaced token."""
        raise NotImplementedError


@dataclass(frozen=True)
class InspectedText:
    """A subject to inspect. Subjects are equal by `name`, `text` and `message_id`."""

    name: str
    label: str
    """Translated label."""
    text: str = ""
    message_id: int = 0
    """Id of the chat message it is, or that its prompt led to."""
    # Not compared: these are made anew with each call of `Subjects.now`, and would never be equal.
    prompt: Callable[[], Ask] | None = field(default=None, compare=False)
    """Returns the engine request, where there is one instead of a text.

    May raise; don't call it on the window's thread.
    """
    answer: InspectedAnswer | None = field(default=None, compare=False)
    """Set if it is an answer whose tokens can be known."""

    @property
    def is_being_written(self) -> bool:
        """True while the answer is incomplete, when only its tokens can be inspected."""
        return self.answer is not None and self.answer.is_being_written


class Subjects(QObject):
    """Source of a tab's subjects; each tab with a panel has one."""

    changed = Signal()
    """The list of subjects changed."""

    def now(self) -> Sequence[InspectedText]:
        """Return all subjects; the first is shown until the user chooses another."""
        raise NotImplementedError


WAIT_MS = 300  # quick answers come without a word of waiting

Work = Callable[["Engine", CancelToken], Iterator[object]]
LendEngine = Callable[[CancelToken], AbstractContextManager["Engine | None"]]
"""Lends an engine for the time of a request; None if that was cancelled."""


def lend_chat(app: Fireside) -> LendEngine:
    """Return what lends the chat's engine, which a person waits for."""
    from app.features.models.pool_policy import LeasePriority

    return lambda cancel: app.pool.seat.lease(LeasePriority.PERSON, cancel)


class LookPage(QWidget):
    """Page of Inside.

    Subclasses implement `look_at` and `clear` by means of `begin` and `stop`. One request runs at a time; it wakes a
    sleeping model and waits for a loading one.
    """

    def __init__(self, ui: UiContext, lend: LendEngine) -> None:
        super().__init__()
        self.setObjectName("page")
        self.ui, self.theme = ui, ui.theme
        self._lend = lend
        self.is_chats = True
        """False where a tab's own engine is lent, which wakes its model by itself."""
        self._task: tasks.BackgroundTask | None = None
        self._retry: Callable[[], object] = lambda: None
        self._start_when_loaded: Callable[[], object] | None = None
        """Request that starts once the model is loaded."""
        self._progress: PromptProgress | None = None
        self._timer = new_timer(self, WAIT_MS, self._say_waiting)
        self.state = StateRow(ui, retry=lambda: self._retry(), cancel=self._on_cancelled)  # noqa: PLW0108 - another one later
        self.body = ui.theme.dress(fill_layout(drop_margins(QVBoxLayout(self)), self.state), spacing=8)
        ui.loader.changed.connect(self._on_loader_changed)

    @property
    def is_looking(self) -> bool:
        """True while a request runs or waits for the model."""
        return self._task is not None or self._start_when_loaded is not None

    def look_at(self, text: str) -> None:
        """Show what the engine says about a text, dropping what is shown; "" clears."""
        raise NotImplementedError

    def clear(self) -> None:
        self.stop()
        self.state.show_sentence("")

    def stop(self) -> None:
        """Cancel the request; none of its events arrive afterwards."""
        self._timer.stop()
        self._start_when_loaded = None
        if self._task is not None:
            # Its events may wait in the queue already; abandoned, they are dropped.
            self._task.abandon()
            self._task = None

    def begin(self, work: Work, on_event: Callable[[object], object], on_end: Callable[[], object]) -> None:
        """Start a request on a thread; its `PromptProgress` events are shown here."""
        self.stop()
        self._retry = lambda: self.begin(work, on_event, on_end)
        self._progress = None
        self.state.show_sentence("")
        loader = self.ui.loader
        is_chats = self.is_chats  # a tab's own engine wakes its model itself
        # Not every sleeping model is woken by a request; where it isn't, it is loaded here.
        if is_chats and loader.state == "asleep" and not loader.wakes_up and loader.path is not None:
            loader.reload()
        if is_chats and loader.state == "loading":
            self._start_when_loaded = lambda: self._start(work, on_event, on_end)
        else:
            self._start(work, on_event, on_end)
        self._timer.start()

    def _start(self, work: Work, on_event: Callable[[object], object], on_end: Callable[[], object]) -> None:
        self._start_when_loaded = None
        # Read on the window's thread; the request runs on another.
        lend = self._lend

        def looked(token: CancelToken) -> Iterator[object]:
            with lend(token) as engine:
                if engine is not None:
                    yield from work(engine, token)

        def on_task_event(event: object) -> None:
            # A request that was replaced may still have events in the queue.
            if task is self._task:
                if isinstance(event, PromptProgress):
                    self._progress = event
                    self._say_waiting()
                else:
                    on_event(event)

        task = self._task = tasks.run(
            looked,
            self,
            on_event=on_task_event,
            on_end=lambda: self._end(task, on_end),
            on_failed=lambda error: self._fail(task, error),
        )

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
        self.ui.loader.sync_with_engine()  # the engine's process may have ended
        sentence = sentence_for(error)
        words = str(sentence)
        self.state.fail(words, sentence.action)

    def _say_waiting(self) -> None:
        loader, progress = self.ui.loader, self._progress
        if not self.is_looking:
            return
        if loader.state == "loading":
            self.state.wait(tr(WAITING_FOR_MODEL), round(loader.fraction * 100), 100)
        elif progress is not None:
            done, total = progress.done_tokens, progress.total_tokens
            self.state.wait(
                tr("{done} of {total} tokens read", done=format_number(done), total=format_number(total)), done, total
            )
        elif self.ui.go.tab(CHAT).is_at_work:
            self.state.wait(tr(WAITING_FOR_ANSWER))
        else:
            self.state.wait(tr("The model is reading"))

    def _on_loader_changed(self) -> None:
        state = self.ui.loader.state
        if self._start_when_loaded is not None and state == "ready":
            self._start_when_loaded()
        elif self._start_when_loaded is not None and state != "loading":
            self._start_when_loaded = None
            self.state.fail(tr("The model couldn’t be loaded."), "retry")
        elif self.state.is_waiting:
            self._say_waiting()

    def _on_cancelled(self) -> None:
        self.stop()
        self.state.fail(tr(CANCELLED), "retry", is_error=False)
        self.on_cancelled()

    def on_cancelled(self) -> None:
        """Called when the user cancelled; results so far stay."""


class StateRow(QWidget):
    """Message with at most one action; while waiting, progress and Cancel."""

    def __init__(self, ui: UiContext, *, retry: Callable[[], object], cancel: Callable[[], object]) -> None:
        super().__init__()
        self.cancel, self.retry = cancel, retry
        self._ui, self._action = ui, ""
        self.is_waiting = False
        self.label: QLabel = plain_label(wraps=True)
        self.line = ProgressStripe(ui.theme)
        self.button = ui.theme.dress(text_button("", "link", on_click=self._on_pressed), font="control")
        name_widgets(look_state=self.label, look_progress=self.line, look_action=self.button)
        row = fill_layout(QHBoxLayout(), (self.label, 1), (self.button, 0, Qt.AlignmentFlag.AlignTop))
        ui.theme.dress(fill_layout(QVBoxLayout(self), row, self.line), margins=(0, 0, 0, 0), spacing=2)
        ui.theme.dress(self.label, margins=(0, 3, 0, 3), font="small")
        self.hide()

    @property
    def text(self) -> str:
        """Message shown; "" if hidden."""
        return "" if self.isHidden() else self.label.text()

    def show_sentence(self, text: str) -> None:
        self._show(text, "", "")

    def wait(self, text: str, done: int = 0, total: int = 0) -> None:
        """Show a message with Cancel, and with progress if `total` is known."""
        self._show(text, "cancel", tr(CANCEL))
        self.is_waiting = True
        self.line.setVisible(total > 0)
        self.line.setAccessibleName(text)
        self.line.show_share(done, total)

    def fail(self, text: str, action: str = "", *, is_error: bool = True) -> None:
        """Show an error with an action: "retry", or one the window knows by name."""
        # Errors name actions of the whole program; only those that this window has become a button.
        is_known = action == "retry" or action in self._ui.notify.actions
        self._show(text, action if is_known else "", tr(ACTION_LABELS[action]) if is_known else "")
        set_mark(self.label, "kind", "danger" if is_error else "muted")
        announce(self, text)

    def _show(self, text: str, action: str, label: str) -> None:
        self.is_waiting = False
        self._action = action
        self.line.hide()
        # Whatever was shown before may have been an error.
        set_mark(self.label, "kind", "muted")
        self.label.setText(text)
        self.button.setText(label)
        self.button.setAccessibleName(label)
        self.button.setVisible(bool(action))
        self.setVisible(bool(text))

    def _on_pressed(self) -> None:
        if self._action == "cancel":
            self.cancel()
        elif self._action == "retry":
            self.retry()
        else:
            self._ui.notify.actions[self._action]()


Index = QModelIndex | QPersistentModelIndex


class CellModel(QAbstractTableModel):
    """Cells of a `CellTable`; subclasses define their number and content."""

    name_font: FontRole
    """Size and weight of row and column names."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    @property
    def shape(self) -> tuple[int, int]:
        raise NotImplementedError

    def describe_cell(self, row: int, column: int) -> str:
        raise NotImplementedError

    def name(self, section: int, way: Qt.Orientation) -> str:
        """Return the name of a row (vertical) or a column."""
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
        if role == Qt.ItemDataRole.DisplayRole and self.shape[0]:  # Qt asks for headers of an empty model, too
            return self.name(section, orientation)
        if role == Qt.ItemDataRole.FontRole:
            return self._theme.font(self.name_font)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignCenter
        return None


class CellTable(PlainTable):
    """Table of painted cells of equal size, with row and column names; the hovered cell is emitted."""

    def __init__(self, cells: CellModel, name: str, *, select_all: str) -> None:
        super().__init__(cells, name, select_all=select_all)
        self.setMouseTracking(True)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            # Qt's own least width depends on the style, and is wider than a thumbnail.
            header.setMinimumSectionSize(1)
            header.setHighlightSections(True)
            # A click on a header would select its whole row or column.
            header.setSectionsClickable(False)


def paint_frame(painter: QPainter, theme: Theme, option: QStyleOptionViewItem) -> None:
    """Paint a cell's frame, stronger if it has the keyboard focus."""
    has_focus = option.state & QStyle.StateFlag.State_HasFocus
    painter.setBrush(QColor(0, 0, 0, 0))
    painter.setPen(QPen(QColor(theme.tokens.focus if has_focus else theme.tokens.outline), 2))
    painter.drawRect(option.rect.adjusted(1, 1, -1, -1))
