"""Messages typed during an answer: they wait above the composer, can be edited there, and are sent after the answer.

Each is stored as soon as it is queued. Those from an earlier run are not sent until the user says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.visible import visible_name
from app.store.queued import QueuedMessage
from app.ui.chat.answering import RunningAnswerView
from app.ui.chat.composer import MessageField
from app.ui.chat.open_chat import OpenChat
from app.ui.i18n import tr
from app.ui.shared_labels import CANCEL, EDIT_LABEL, REMOVE, SAVE
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.labels import ElidedLabel, announce, plain_label, plain_tip
from app.ui.widgets.layouts import scrolled

if TYPE_CHECKING:
    from app.features.chat.answer_service import AnswerService

QUEUED_AFTER_STOP = "The answer was stopped, so this message waits. Press Esc again to hold it until you send it."

SENT_AFTER_ANSWER = "Will be sent after this answer"
QUEUED_UNSENT = "Not sent. Send it when you’re ready."
SENT_AFTER_OTHER_CHAT = "Will be sent after the answer in the other chat"
SENT_AFTER_EDITING = "Will be sent when you finish editing"

MOST_PX, MOST_LOW_PX = 174, 58
"""Most height of the queued messages before they scroll, in a normal and in a low window."""
LOW_PX = 520
FIRST_CHARACTERS = 300
"""Most characters shown of a queued message, elided to one line."""


class QueueState(Enum):
    """State that decides when the queued messages of a chat are sent automatically."""

    ON = "on"
    AFTER_STOP = "after stop"
    """Queued while an answer was being stopped: sent once it has ended."""
    AFTER_NEXT = "after next"
    """The previous answer was stopped or failed: sent after another one ends well, or when the user sends them."""
    OFF = "off"
    """Sent only when the user sends them."""


class MessageQueue(QObject):
    """Queued messages of all chats; shows those of the visible chat above its composer.

    `kept` is the service of stored chats; `can_send` returns whether the model can answer.
    """

    changed = Signal()
    sent = Signal(object)
    """A queued message was sent in the visible chat; carries its question as a `StoredMessage`."""

    def __init__(
        self, view: QueueView, chat: OpenChat, kept: AnswerService, notify: Notify, can_send: Callable[[], bool]
    ) -> None:
        super().__init__(chat)
        self._view, self._chat, self._kept, self._notify, self._can_send = view, chat, kept, notify, can_send
        self._states: dict[int, QueueState] = {}
        """State of each chat by id; chats not in it are OFF."""
        self._messages: list[QueuedMessage] = []
        self._ended_in: int | None = None
        """Id of the chat that was answered last; its queue goes first."""
        self._names: dict[int, list[str]] = {}
        """Names of the pictures and documents of each message, by its id."""
        view.send_wanted.connect(self.send_now)
        view.edited.connect(self._on_edited)
        view.editing_ended.connect(self.send_next)
        view.remove_wanted.connect(self._on_remove_wanted)
        view.move_wanted.connect(self._on_move_wanted)
        chat.live.ended.connect(self._on_ended)
        # Queued, so that the end of the answer is shown first.
        chat.live.ended.connect(lambda: self.send_next(), Qt.ConnectionType.QueuedConnection)  # noqa: PLW0108 - without values
        chat.answering.connect(self._show)

    @property
    def messages(self) -> list[QueuedMessage]:
        """Queued messages of the visible chat, next one first."""
        return self._messages

    @property
    def may_stop(self) -> bool:
        """True if messages wait in the visible chat that would be sent automatically."""
        return bool(self._messages) and self._state is not QueueState.OFF

    def show(self) -> None:
        """Show the queue of the visible chat after either changed."""
        number = self._chat.conversation_id
        self._messages, self._names = [], {}
        if number is not None:
            with self._notify.guard():
                self._messages = self._chat.talk.conversations.queued.list_waiting(number)
                self._names = {message.id: self._names_of(message) for message in self._messages}
        self._show()

    def add(self, text: str, draft_of: int | None) -> None:
        """Queue a message in the visible chat. Raises storage errors.

        `draft_of` as in `QueuedMessages.add`.
        """
        number = self._chat.conversation_id
        assert number is not None
        self._chat.talk.conversations.queued.add(number, text, draft_of=draft_of)
        is_first = not self._messages or self._state is QueueState.AFTER_STOP
        self._states[number] = QueueState.AFTER_STOP if is_first and self._chat.live.is_stopping else QueueState.ON
        self.show()
        announce(self._view, tr("Queued. {words}", words=self._view.words))

    def send_now(self) -> None:
        """Send the queue of the visible chat, now or as soon as the running answer ends."""
        if self._chat.conversation_id is not None:
            self._states[self._chat.conversation_id] = QueueState.ON
        self.send_next()

    def stop(self) -> None:
        """Stop sending in all chats until the user asks for it."""
        # In all chats: whoever presses Escape wants nothing sent by itself.
        for number in self._states:
            self._states[number] = QueueState.OFF
        self._show()

    def edit_last(self, otherwise: Callable[[], None]) -> None:
        """Edit the last queued message, or call `otherwise` if there is none."""
        if not self._view.edit_last():
            otherwise()

    def send_next(self) -> None:
        """Send the next message if no answer runs and the model can answer."""
        if QueueState.ON in self._states.values() and not self._chat.is_busy and self._can_send():
            with self._notify.guard():
                for talk, number in self._sendable_chats():
                    if self._send_next(talk, number):
                        break
            self.show()
        else:
            self._show()

    @property
    def _state(self) -> QueueState:
        return self._states.get(self._chat.conversation_id or 0, QueueState.OFF)

    def _on_ended(self, answering: RunningAnswerView) -> None:
        """Update the states after an answer: nothing is sent automatically after one that was stopped or failed."""
        is_well = answering.ended_well
        before, after = (QueueState.AFTER_NEXT, QueueState.ON) if is_well else (QueueState.ON, QueueState.AFTER_NEXT)
        becomes = {before: after, QueueState.AFTER_STOP: QueueState.ON}
        self._states = {number: becomes.get(state, state) for number, state in self._states.items()}
        self._ended_in = answering.conversation_id

    def _sendable_chats(self) -> Iterator[tuple[AnswerService, int]]:
        """Return the chats with messages to send, starting with the one answered last."""
        # A temporary chat has a store of its own, beside that of all others.
        talks = dict.fromkeys((self._chat.talk, self._kept))
        found = [(talk, number) for talk in talks for number in talk.conversations.queued.list_conversations()]
        found.sort(key=lambda listed: listed[1] != self._ended_in)
        return (message for message in found if self._states.get(message[1]) is QueueState.ON)

    def _send_next(self, talk: AnswerService, number: int) -> bool:
        """Send the next message of a chat. Return False if it is being edited. Raises storage errors, after which the
        queue pauses.
        """
        message = talk.conversations.queued.list_waiting(number)[0]
        is_shown = talk is self._chat.talk and number == self._chat.conversation_id
        if is_shown and self._view.is_editing(message.id):
            return False
        try:
            question = talk.send_queued(message)
        # It would fail again at once.
        except AppError:
            self._states[number] = QueueState.AFTER_NEXT
            raise
        if is_shown:
            self._chat.refresh()
            # Nobody asked for the view to move.
            self._chat.answer(question.id, follows=False)
            self.sent.emit(question)
        else:
            self._chat.answer_elsewhere(talk, question)
        self._chat.touched.emit(number)
        return True

    def _show(self) -> None:
        is_off = self._state in (QueueState.AFTER_NEXT, QueueState.OFF)
        self._view.show_queue(self._messages, self._names, self._state_words(), can_send=is_off and self._can_send())
        self.changed.emit()

    def _state_words(self) -> str:
        running = self._chat.live.answering
        if self._state is QueueState.OFF:
            return tr(QUEUED_UNSENT)
        if self._state is QueueState.AFTER_NEXT and not (running and not running.is_stopped):
            return tr(QUEUED_AFTER_STOP)
        if running is not None and running.conversation_id != self._chat.conversation_id:
            return tr(SENT_AFTER_OTHER_CHAT)
        if running is not None:
            return tr(SENT_AFTER_ANSWER)
        return tr(SENT_AFTER_EDITING) if self._can_send() else tr("Waiting for your choice")

    def _names_of(self, message: QueuedMessage) -> list[str]:
        names = [visible_name(name) for _, name, _ in message.media]
        if not message.documents:
            return names
        store = self._chat.talk.documents.store
        found = [store.get(number) for number, _ in message.documents]
        return names + [stored_document.name for stored_document in found if stored_document is not None]

    def _on_edited(self, number: int, text: str) -> None:
        with self._notify.guard():
            self._chat.talk.conversations.queued.edit_text(number, text)
        self.show()
        self.send_next()

    def _on_remove_wanted(self, number: int) -> None:
        talk = self._chat.talk
        message = next(queued_message for queued_message in self._messages if queued_message.id == number)
        with self._notify.guard():
            talk.conversations.queued.remove(number)
            self._notify.undo(tr("Waiting message removed"), lambda: self._put_back(talk, message))
        self.show()

    def _put_back(self, talk: AnswerService, message: QueuedMessage) -> None:
        with self._notify.guard():
            talk.conversations.queued.put_back(message)
        self.show()
        self.send_next()

    def _on_move_wanted(self, number: int) -> None:
        """Move a message up, in front of the previous one."""
        ids = [message.id for message in self._messages]
        place = ids.index(number)
        ids[place - 1], ids[place] = ids[place], ids[place - 1]
        with self._notify.guard():
            self._chat.talk.conversations.queued.set_order(ids)
        self.show()
        announce(self._view, tr("Moved to position {place}", place=place))


class QueueView(QWidget):
    """List of queued messages under a line that tells when they are sent; hidden while empty."""

    send_wanted = Signal()
    edited = Signal(int, str)
    editing_ended = Signal()
    """Editing ended without a change."""
    remove_wanted = Signal(int)
    move_wanted = Signal(int)

    def __init__(self, theme: Theme, move_focus_away: Callable[[], None], parent: QWidget | None = None) -> None:
        """Create the list; `move_focus_away` moves the focus elsewhere when the focused message is gone."""
        super().__init__(parent)
        self._theme, self._move_focus_away = theme, move_focus_away
        self._chips: dict[int, QueueChip] = {}
        self._words = plain_label(kind="muted", wraps=True)
        self.send_now: QPushButton = text_button(tr("Send now"), "plain")
        self.send_now.setObjectName("send_now")
        self.send_now.clicked.connect(lambda _=False: self.send_wanted.emit())
        line = QHBoxLayout()
        line.addWidget(self._words, 1)
        line.addWidget(self.send_now, 0, Qt.AlignmentFlag.AlignTop)
        self._page = QWidget()
        self._page.setObjectName("page")
        self._column = QVBoxLayout(self._page)
        self._page.installEventFilter(self)
        self._scroll = scrolled(self._page)
        self._scroll.setAccessibleName(tr("Waiting messages"))
        column = QVBoxLayout(self)
        column.addLayout(line)
        column.addWidget(self._scroll)
        theme.dress(column, margins=(0, 4, 0, 2), spacing=6)
        theme.dress(line, margins=(12, 0, 2, 0), spacing=8)
        theme.dress(self._column, margins=(0, 0, 0, 0), spacing=6)
        theme.dress(self._words, self.send_now, font=(13, 500))
        theme.changed.connect(self.fit_height)
        self.setObjectName("queue")
        self.hide()

    @property
    def words(self) -> str:
        return self._words.text()

    @property
    def chips(self) -> list[QueueChip]:
        return list(self._chips.values())

    def is_editing(self, number: int) -> bool:
        return number in self._chips and self._chips[number].field is not None

    def edit_last(self) -> bool:
        if self._chips:
            self.chips[-1].start_editing()
        return bool(self._chips)

    def show_queue(
        self, messages: Sequence[QueuedMessage], names: dict[int, list[str]], words: str, *, can_send: bool
    ) -> None:
        """Show the queue; `names` are the attachments of each message. A message being edited stays open."""
        # Asked before chips go, which pass the focus on.
        focus = self.focusWidget()
        had_focus = self.isAncestorOf(focus) and focus.hasFocus() if focus is not None else False
        for gone in [number for number in self._chips if number not in names]:
            chip = self._chips.pop(gone)
            self._column.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self._chips = {message.id: self._chips.get(message.id) or self._new_chip(message.id) for message in messages}
        for place, message in enumerate(messages):
            self._column.insertWidget(place, self._chips[message.id])
            self._chips[message.id].show_message(message.text, names[message.id], is_first=place == 0)
        if self._words.text() != words and messages and self.isVisible():
            announce(self, words)
        self._words.setText(words)
        self.send_now.setVisible(can_send)
        self.send_now.setAccessibleDescription(words)
        self.setVisible(bool(messages))
        self.fit_height()
        if had_focus and (focus is None or not self.isAncestorOf(focus) or not focus.isVisible()):
            self._move_focus_away()

    def fit_height(self) -> None:
        """Set the height to that of the messages, up to a few of them."""
        most = self._theme.px(MOST_PX if self.window().height() >= self._theme.px(LOW_PX) else MOST_LOW_PX)
        # Without a layout the chips have their old heights.
        self._column.activate()
        self._scroll.setFixedHeight(max(1, min(self._page.sizeHint().height(), most)))
        self.updateGeometry()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit_height()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._page and event.type() == QEvent.Type.LayoutRequest:
            # The edited message may be higher or lower.
            self.fit_height()
        return super().eventFilter(watched, event)

    def _new_chip(self, number: int) -> QueueChip:
        chip = QueueChip(self._theme, self._page)
        chip.edited.connect(lambda text: self.edited.emit(number, text))
        chip.editing_ended.connect(self.editing_ended)
        chip.remove.clicked.connect(lambda _=False: self.remove_wanted.emit(number))
        chip.move_up.clicked.connect(lambda _=False: self.move_wanted.emit(number))
        chip.height_changed.connect(lambda: self._on_height_changed(chip))
        chip.show()
        return chip

    def _on_height_changed(self, chip: QueueChip) -> None:
        self.fit_height()
        self._scroll.ensureWidgetVisible(chip)


class QueueChip(QWidget):
    """Queued message in one line. Clicking it opens a field, in which Enter saves and Escape cancels."""

    edited = Signal(str)
    editing_ended = Signal()
    height_changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.text = ""
        self.field: MessageField | None = None
        """Editor of the message; None while it is not edited."""
        self._editor: QWidget | None = None
        self.setObjectName("queue_chip")
        self._icon = QLabel()
        self._label = ElidedLabel()
        self._documents = plain_label(kind="muted")
        self.move_up = IconButton(theme, "arrow-up", tr("Move up"), size_px=15)
        self.edit = IconButton(theme, "pencil-simple", tr(EDIT_LABEL), size_px=15)
        self.remove = IconButton(theme, "x", tr(REMOVE), size_px=15)
        self.edit.clicked.connect(lambda _=False: self.start_editing())
        self._line = QWidget()
        row = QHBoxLayout(self._line)
        row.addWidget(self._icon)
        row.addWidget(self._label, 1)
        for widget in (self._documents, self.move_up, self.edit, self.remove):
            row.addWidget(widget)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self._line)
        self._line.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.dress(self._column, margins=(0, 0, 0, 0))
        theme.dress(row, margins=(12, 3, 6, 3), spacing=6)
        theme.dress(self._label, font=(14, 400))
        theme.dress(self._documents, font=(13, 400))
        theme.dress(self._icon, picture=("clock", "muted", 15))
        theme.changed.connect(self.update)

    def show_message(self, text: str, documents: Sequence[str], *, is_first: bool) -> None:
        """Show the message with the names of its attachments."""
        self.text = text
        words = " ".join(text[:FIRST_CHARACTERS].split())
        self._label.setText(words)
        self._label.setToolTip(plain_tip(text[:FIRST_CHARACTERS]))
        self._documents.setText(tr("{count} files", count=len(documents)) if len(documents) > 1 else "")
        if len(documents) == 1:
            self._documents.setText(tr("1 file"))
        self._documents.setToolTip(plain_tip("\n".join(documents)))
        self._documents.setVisible(bool(documents))
        self.move_up.setEnabled(not is_first)
        self.setAccessibleName(", ".join([tr("Waiting message: {words}", words=words), *documents]))
        for button in (self.move_up, self.edit, self.remove):
            button.setAccessibleDescription(words[:80])

    def start_editing(self) -> None:
        if self.field is None:
            self.field = field = MessageField(self._theme, self)
            field.edit.has_cancel = True
            field.edit.setAccessibleName(tr("Edit waiting message"))
            field.set_text(self.text)
            field.edit.submitted.connect(self._on_saved)
            field.edit.cancelled.connect(self._on_cancelled)
            field.edit.height_changed.connect(self._on_height_changed)
            cancel, save = text_button(tr(CANCEL), "quiet"), text_button(tr(SAVE), "primary")
            cancel.clicked.connect(lambda _=False: self._on_cancelled())
            save.clicked.connect(lambda _=False: self._on_saved())
            buttons = QHBoxLayout()
            buttons.addStretch(1)
            buttons.addWidget(cancel)
            buttons.addWidget(save)
            self._editor = QWidget()
            column = QVBoxLayout(self._editor)
            column.addWidget(field)
            column.addLayout(buttons)
            self._theme.dress(column, margins=(12, 8, 8, 8), spacing=6)
            self._line.hide()
            self._column.addWidget(self._editor)
            self._on_height_changed()
        self.field.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _stop_editing(self) -> None:
        editor, self._editor, self.field = self._editor, None, None
        if editor is not None:
            self._line.show()
            self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
            self._column.removeWidget(editor)
            editor.hide()
            editor.deleteLater()
            self._on_height_changed()

    def _on_saved(self) -> None:
        text = self.field.text if self.field is not None else ""
        # An empty message is none; the field stays open.
        if text.strip():
            self._stop_editing()
            self.edited.emit(text)

    def _on_cancelled(self) -> None:
        self._stop_editing()
        self.editing_ended.emit()

    def _on_height_changed(self) -> None:
        self._column.activate()
        self.height_changed.emit()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.field is None:
            self.start_editing()
        else:
            super().mouseReleaseEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, radius = self._theme.tokens, self._theme.px(8)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(tokens.outline if self.field is not None else tokens.line), 1))
        painter.setBrush(QColor(tokens.surface))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
