"""Messages typed during an answer: they wait above the composer, can be edited there, and are sent after the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.catalogue import CountedTexts
from app.core.counted_units import count_units
from app.features.chat import session_messages as m
from app.features.chat.session import ChatSession
from app.features.chat.session_state import ChatState, QueueState
from app.store.queued import QueuedMessage
from app.ui.chat.message_field import MessageField
from app.ui.i18n import tr
from app.ui.locale_formats import join_list
from app.ui.shared_labels import CANCEL, EDIT_LABEL, REMOVE, SAVE
from app.ui.shell.notify import Notify
from app.ui.theme import Theme, smooth_painter
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.labels import ElidedLabel, announce, plain_label, plain_tip
from app.ui.widgets.layouts import fill_layout, scrolled

QUEUED_AFTER_STOP = "The answer was stopped, so this message waits. Press Esc again to hold it until you send it."

SENT_AFTER_ANSWER = "Will be sent after this answer"
SEVERAL_UNQUEUED: CountedTexts = ("{count} waiting message removed", "{count} waiting messages removed")
QUEUED_UNSENT = "Not sent. Send it when you’re ready."
SENT_AFTER_OTHER_CHAT = "Will be sent after the answer in the other chat"
SENT_AFTER_EDITING = "Will be sent when you finish editing"

MOST_PX, MOST_LOW_PX = 174, 58
"""Most height of the queued messages before they scroll, in a normal and in a low window."""
LOW_PX = 520
FIRST_CHARACTERS = 300
"""Most characters shown of a queued message, elided to one line."""


class QueueView(QWidget):
    """List of the session's queued messages under a line that tells when they are sent; hidden while empty."""

    def __init__(self, session: ChatSession, theme: Theme, notify: Notify, move_focus_away: Callable[[], None]) -> None:
        """Create the list; `move_focus_away` moves the focus elsewhere when the focused message is gone."""
        super().__init__()
        self._session, self._notify = session, notify
        self._theme, self._move_focus_away = theme, move_focus_away
        self._seen: object = None
        """What was shown last of the state."""
        self._chips: dict[int, QueueChip] = {}
        self._words = plain_label(kind="muted", wraps=True)
        self.send_now = text_button(tr("Send now"), "plain", on_click=lambda: session.dispatch(m.SendQueue()))
        self.send_now.setObjectName("send_now")
        line = fill_layout(QHBoxLayout(), (self._words, 1), (self.send_now, 0, Qt.AlignmentFlag.AlignTop))
        self._page = QWidget()
        self._page.setObjectName("page")
        self._column = QVBoxLayout(self._page)
        self._page.installEventFilter(self)
        self._scroll = scrolled(self._page)
        self._scroll.setAccessibleName(tr("Waiting messages"))
        theme.dress(fill_layout(QVBoxLayout(self), line, self._scroll), margins=(0, 4, 0, 2), spacing=6)
        theme.dress(line, margins=(12, 0, 2, 0), spacing=8)
        theme.dress(self._column, margins=(0, 0, 0, 0), spacing=6)
        theme.dress(self._words, self.send_now, font="control")
        theme.changed.connect(self.fit_height)
        self.setObjectName("queue")
        self.hide()
        session.serve(
            {
                m.ReportQueued: lambda _effect: self._announce(tr("Queued. {words}", words=self.words)),
                m.ReportRaised: lambda effect: self._announce(tr("Moved to position {place}", place=effect.number)),
                m.ReportUnqueued: self._report_unqueued,
            }
        )
        session.listen(self.show_state)

    @property
    def words(self) -> str:
        return self._words.text()

    @property
    def chips(self) -> list[QueueChip]:
        return list(self._chips.values())

    def edit_last(self) -> None:
        """Edit the last queued message, or else the last question, for Up in the empty composer."""
        if self._chips:
            self.chips[-1].start_editing()
        else:
            self._session.send_request(m.EditLastQuestion())

    def show_state(self) -> None:
        """Show the queue of the visible chat; a message being edited stays open."""
        state = self._session.state
        seen = (state.queue, state.queue_names, state.queue_state, state.answers, state.place, state.may_send_queue)
        if seen == self._seen:
            return
        self._seen = seen
        is_off = state.queue_state in (QueueState.AFTER_NEXT, QueueState.OFF)
        names = {message.id: names for message, names in zip(state.queue, state.queue_names, strict=True)}
        self._show_queue(state.queue, names, queue_words(state), can_send=is_off and state.may_send_queue)

    def _announce(self, words: str) -> None:
        self.show_state()
        announce(self, words)

    def _report_unqueued(self, effect: m.ReportUnqueued) -> None:
        put_back = m.PutBackQueued(effect.place, effect.message)
        self._notify.undo(
            tr("Waiting message removed"), lambda: self._session.dispatch(put_back), several=SEVERAL_UNQUEUED
        )

    def _show_queue(
        self, messages: Sequence[QueuedMessage], names: Mapping[int, Sequence[str]], words: str, *, can_send: bool
    ) -> None:
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
        chip: QueueChip = QueueChip(
            self._theme, self._page, number, self._session.dispatch, on_height=lambda: self._on_height_changed(chip)
        )
        chip.show()
        return chip

    def _on_height_changed(self, chip: QueueChip) -> None:
        self.fit_height()
        self._scroll.ensureWidgetVisible(chip)


def queue_words(state: ChatState) -> str:
    """Return when the queue of the visible chat is sent."""
    running = next((answer for answer in state.answers if answer.is_main), None)
    if state.queue_state is QueueState.OFF:
        return tr(QUEUED_UNSENT)
    if state.queue_state is QueueState.AFTER_NEXT and not (running and not running.is_stopped):
        return tr(QUEUED_AFTER_STOP)
    if running is not None and running.place.conversation_id != state.place.conversation_id:
        return tr(SENT_AFTER_OTHER_CHAT)
    if running is not None:
        return tr(SENT_AFTER_ANSWER)
    return tr(SENT_AFTER_EDITING) if state.may_send_queue else tr("Waiting for your choice")


class QueueChip(QWidget):
    """Queued message in one line. Clicking it opens a field, in which Enter saves and Escape cancels.

    `number` is its place in the queue, `dispatch` the session's.
    """

    def __init__(
        self,
        theme: Theme,
        parent: QWidget,
        number: int,
        dispatch: Callable[[object], object],
        *,
        on_height: Callable[[], object],
    ) -> None:
        super().__init__(parent)
        self.on_height, self._number, self._dispatch, self._theme = on_height, number, dispatch, theme
        self.text = ""
        self.field: MessageField | None = None
        """Editor of the message; None while it is not edited."""
        self._editor: QWidget | None = None
        self.setObjectName("queue_chip")
        self._icon = QLabel()
        self._label = ElidedLabel()
        self._documents = plain_label(kind="muted")
        self.move_up = IconButton(
            theme, "caret-up", tr("Move up"), size_px=15, on_click=lambda: dispatch(m.RaiseQueued(number))
        )
        self.edit = IconButton(theme, "pencil-simple", tr(EDIT_LABEL), size_px=15, on_click=self.start_editing)
        self.remove = IconButton(theme, "x", tr(REMOVE), size_px=15, on_click=lambda: dispatch(m.RemoveQueued(number)))
        self._line = QWidget()
        row = fill_layout(QHBoxLayout(self._line), self._icon, (self._label, 1))
        for widget in (self._documents, self.move_up, self.edit, self.remove):
            row.addWidget(widget)
        self._column = fill_layout(QVBoxLayout(self), self._line)
        self._line.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.dress(self._column, margins=(0, 0, 0, 0))
        theme.dress(row, margins=(12, 3, 6, 3), spacing=6)
        theme.dress(self._label, font="row")
        theme.dress(self._documents, font="small")
        theme.dress(self._icon, picture=("clock", "muted", 15))
        theme.changed.connect(self.update)

    def show_message(self, text: str, documents: Sequence[str], *, is_first: bool) -> None:
        """Show the message with the names of its attachments."""
        self.text = text
        words = " ".join(text[:FIRST_CHARACTERS].split())
        self._label.setText(words)
        self._label.setToolTip(plain_tip(text[:FIRST_CHARACTERS]))
        self._documents.setText(count_units("file", len(documents)) if documents else "")
        self._documents.setToolTip(plain_tip("\n".join(documents)))
        self._documents.setVisible(bool(documents))
        self.move_up.setEnabled(not is_first)
        self.setAccessibleName(join_list([tr("Waiting message: {words}", words=words), *documents]))
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
            cancel = text_button(tr(CANCEL), "quiet", on_click=self._on_cancelled)
            save = text_button(tr(SAVE), "primary", on_click=self._on_saved)
            buttons = fill_layout(QHBoxLayout(), 1, cancel, save)
            self._editor = QWidget()
            self._theme.dress(fill_layout(QVBoxLayout(self._editor), field, buttons), margins=(12, 8, 8, 8), spacing=6)
            self._line.hide()
            self._column.addWidget(self._editor)
            self._on_height_changed()
            self._dispatch(m.EditQueued(self._number))
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
            self._dispatch(m.ChangeQueued(self._number, text))

    def _on_cancelled(self) -> None:
        self._stop_editing()
        self._dispatch(m.EditQueued(None))

    def _on_height_changed(self) -> None:
        self._column.activate()
        self.on_height()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.field is None:
            self.start_editing()
        else:
            super().mouseReleaseEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens, radius = self._theme.tokens, self._theme.px(8)
        painter = smooth_painter(self)
        painter.setPen(QPen(QColor(tokens.outline if self.field is not None else tokens.line), 1))
        painter.setBrush(QColor(tokens.surface))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
