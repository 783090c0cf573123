"""Message composer: a growing text field, one menu, chips for what is on, and one button that sends or stops."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.ui.chat.attachment_row import AttachmentRow
from app.ui.chat.composer_menu import ComposerEntry, ComposerMenuButton
from app.ui.chat.message_field import MessageField
from app.ui.chat.thinking_choice import ThinkingChoice
from app.ui.chat.tools_choice import ToolsChoice
from app.ui.focus_ring import has_ring
from app.ui.i18n import tr, with_key
from app.ui.icons import icon
from app.ui.shared_labels import SEND, STOP
from app.ui.theme import Theme, smooth_painter
from app.ui.widgets.buttons import IconButton, OptionChip
from app.ui.widgets.labels import ElidedLabel
from app.ui.widgets.layouts import fill_layout, name_widgets

MESSAGE = "Message"
COMPOSER_HINT = "Ask anything, drop a document, or type / for a prompt"
COMPOSER_HINT_WITH_PICTURES = "Ask anything, drop a document or a picture, or type / for a prompt"

BUTTON_PX = 36
RADIUS_PX = 14
PLUS_EDGE_PX = 3
"""How much further in the plus would begin than the words above it."""


class SendButton(QAbstractButton):
    """Button with an arrow to send, or a square to stop."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_stop = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set_stop(False)

    def set_stop(self, is_stop: bool) -> None:
        self._is_stop = is_stop
        name = tr(STOP) if is_stop else tr(SEND)
        self.setAccessibleName(name)
        self.setToolTip(with_key(name, "Esc" if is_stop else "Enter"))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = smooth_painter(self)
        box = self.rect().toRectF()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.accent if self.isEnabled() else tokens.pressed))
        painter.setOpacity(0.88 if self.isDown() or (self.underMouse() and self.isEnabled()) else 1)
        painter.drawRoundedRect(box, self._theme.px(10), self._theme.px(10))
        painter.setOpacity(1)
        color = tokens.on_accent if self.isEnabled() else tokens.muted
        if self._is_stop:
            side = self._theme.px(12)
            painter.setBrush(QColor(color))
            inset = (self.width() - side) / 2
            painter.drawRoundedRect(box.adjusted(inset, inset, -inset, -inset), 3, 3)
        else:
            side = self._theme.px(19)
            inset = (self.width() - side) // 2
            icon("arrow-up", color, side).paint(painter, self.rect().adjusted(inset, inset, -inset, -inset))
        if has_ring(self):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.text), 2))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), self._theme.px(9), self._theme.px(9))


def _asks(*, sees: bool) -> str:
    return tr(COMPOSER_HINT_WITH_PICTURES) if sees else tr(COMPOSER_HINT)


class Composer(QWidget):
    """Editor of a message. `sent` carries its text; the receiver clears the field once the message is stored."""

    sent = Signal(str)
    """A message was submitted; while an answer runs, it should be queued."""
    changed = Signal()
    entered = Signal()
    """The message field received the keyboard focus."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, stop: Callable[[], object]) -> None:
        super().__init__(parent)
        self.stop, self._theme = stop, theme
        self._is_answering = False
        self._can_send = True
        self._beside = ""
        self._has_pictures = False
        self.asks = _asks(sees=False)
        """Placeholder of the field while a model can answer."""
        self.may_send: Callable[[], bool] = lambda: True
        """Asked before a message is sent; a callback that refuses explains why, and may call `submit` later."""
        self.attachments = AttachmentRow(theme)
        self.field = MessageField(theme)
        self.field.edit.takes_files = True
        self.field.edit.setAccessibleName(tr(MESSAGE))
        self.field.edit.setObjectName("message")
        self.field.edit.set_placeholder(self.asks)
        self.plus = ComposerMenuButton(theme)
        self.sees = False
        """True if the model can see pictures."""
        self.thinking = ThinkingChoice(theme)
        self.plus.add_entry(ComposerEntry.THINKING, self.thinking.add_to_menu)
        self.tools = ToolsChoice(theme)
        self.plus.add_entry(ComposerEntry.TOOLS, self.tools.add_to_menu)
        self.send = SendButton(theme)
        self.send.setObjectName("send")
        self.later = _later_button(theme)
        self._note = ElidedLabel()
        self._note.setProperty("kind", "muted")
        self._is_compact = False
        self._lay_out()
        self.field.edit.submitted.connect(self.submit)
        self.field.changed.connect(self._on_changed)
        self.later.clicked.connect(self.submit)
        self.send.clicked.connect(self._on_clicked)
        self.field.edit.installEventFilter(self)
        self.setFocusProxy(self.field.edit)
        theme.dress(self._note, font="small")
        theme.dress(self.send, size=(BUTTON_PX, BUTTON_PX))
        self._dress()
        self._on_changed()
        name_widgets(composer_note=self._note)

    @property
    def text(self) -> str:
        """The complete message: typed text, pastes, and the text set by `set_beside`."""
        return "\n\n".join(part for part in (self.field.text, self._beside) if part)

    def set_beside(self, text: str) -> None:
        """Set a text that is sent with the message; the caller displays it."""
        self._beside = text
        self._on_changed()

    def set_pictures(self, *, are_there: bool) -> None:
        """Set whether pictures are attached: a message with pictures can be sent without text."""
        if are_there != self._has_pictures:
            self._has_pictures = are_there
            self._on_changed()

    def set_text(self, text: str) -> None:
        self.field.set_text(text)
        self._on_changed()

    def add_paragraph(self, text: str) -> None:
        """Append a paragraph to the message and put the cursor after it."""
        before = self.text.rstrip()
        self.set_text(f"{before}\n\n{text}\n\n" if before else f"{text}\n\n")
        self.field.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_answering(self, is_answering: bool) -> None:
        """Switch the button between Send and Stop; typing stays possible during an answer."""
        self._is_answering = is_answering
        self.send.set_stop(is_answering)
        self._on_changed()

    def set_asks(self, words: str) -> None:
        """Set the placeholder of the field while a model can answer."""
        self.asks = words
        if self._can_send:
            self.field.edit.set_placeholder(words)

    def set_sees(self, *, sees: bool) -> None:
        """Offer pictures, in the menu and the placeholder, if the model can see them."""
        self.sees = sees
        # The small window has a hint of its own, which stays.
        if self.asks in (_asks(sees=False), _asks(sees=True)):
            self.set_asks(_asks(sees=sees))

    def set_can_send(self, can_send: bool) -> None:
        """Set whether a model can answer; the text typed so far stays."""
        if can_send == self._can_send:
            return
        self._can_send = can_send
        self.field.edit.set_placeholder(self.asks if can_send else tr("Text to continue"))
        self._on_changed()

    def set_note(self, text: str) -> None:
        self._note.setText(text)

    def add_way(self, way: QWidget) -> None:
        """Add a button for another kind of attachment next to the menu's."""
        self._row.insertWidget(1, way)

    def add_chip(self, chip: OptionChip) -> None:
        """Add the chip of an option that can be on, after the one for thinking."""
        self._choices.insertWidget(1, chip)

    def set_compact(self, is_compact: bool) -> None:
        """Reduce the composer to one line without chat options, for a low window."""
        if is_compact == self._is_compact:
            return
        self._is_compact = is_compact
        self._more.setHidden(is_compact)
        if is_compact:
            self._row.insertWidget(self._row.indexOf(self._more), self.field, 1)
        else:
            self._written.addWidget(self.field)
        self._dress()

    @property
    def can_send(self) -> bool:
        return self._can_send

    @property
    def _can_press(self) -> bool:
        return self._is_answering or self._has_message

    @property
    def _has_message(self) -> bool:
        return self._can_send and (bool(self.text.strip()) or self._has_pictures)

    def submit(self) -> None:
        if self._has_message and self.may_send():
            self.sent.emit(self.text)

    def _on_clicked(self) -> None:
        if self._is_answering:
            self.stop()
        else:
            self.submit()

    def _on_changed(self) -> None:
        self.send.setEnabled(self._can_press)
        self.later.setVisible(self._is_answering and self._has_message)
        self.changed.emit()

    def _lay_out(self) -> None:
        self._column = QVBoxLayout(self)
        self._more = QWidget()
        self._choices = more = QHBoxLayout(self._more)
        fill_layout(more, self.thinking, self.tools, (self._note, 1))
        self._row = fill_layout(QHBoxLayout(), self.plus, (self._more, 1), self.later, self.send)
        self._written = fill_layout(QVBoxLayout(), self.attachments, self.field)
        fill_layout(self._column, self._written, self._row)
        self._theme.dress(more, self._row, margins=(0, 0, 0, 0), spacing=8)
        ComposerFitting(
            self._note, around=self, choices=more, buttons=self._row, column=self._column, theme=self._theme
        )

    def _dress(self) -> None:
        # Icons align with the text; the buttons around them are larger, for their focus rings.
        around = (6, 5, 6, 5) if self._is_compact else (11 - PLUS_EDGE_PX, 14, 11, 10)
        self._theme.dress(self._column, margins=around)
        self._theme.dress(self._written, margins=(6 if self._is_compact else 6 + PLUS_EDGE_PX, 0, 0, 0))
        self._theme.dress(self._column, self._written, spacing=0 if self._is_compact else 6)

    def eventFilter(self, _watched: object, event: object) -> bool:
        # The frame around the field is painted by the composer.
        if isinstance(event, QFocusEvent):
            self.update()
            if event.gotFocus():
                self.entered.emit()
        return False

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = smooth_painter(self)
        is_focused = self.field.edit.hasFocus()
        painter.setPen(QPen(QColor(tokens.outline if is_focused else tokens.line), 1))
        painter.setBrush(QColor(tokens.surface))
        radius = self._theme.px(RADIUS_PX)
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)


NOTE_LEAST_PX = 120
"""A note with less room than this is hidden."""


class ComposerFitting(QObject):
    """Keeps the composer's last row from overlapping. When it is narrow, the note moves above it and the chips lose
    their words.
    """

    def __init__(
        self,
        note: ElidedLabel,
        *,
        around: QWidget,
        choices: QBoxLayout,
        buttons: QBoxLayout,
        column: QBoxLayout,
        theme: Theme,
    ) -> None:
        super().__init__(note)
        self._note, self._theme = note, theme
        self._around, self._choices, self._buttons, self._column = around, choices, buttons, column
        self._is_above = False
        around.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._place_note()
        return False

    def _place_note(self) -> None:
        note, column = self._note, self._column
        inner = column.contentsMargins()
        room = self._around.width() - inner.left() - inner.right() - self._buttons.minimumSize().width()
        room -= self._choices.spacing() if self._is_above else -note.minimumSizeHint().width()
        chips = [chip for chip in self._around.findChildren(OptionChip) if not chip.isHidden()]
        words_px = sum(chip.words_px for chip in chips)
        # Measured without the words, whichever state the chips are in, or they would flip back and forth.
        room += sum(chip.words_px for chip in chips if chip.has_words)
        for chip in chips:
            chip.show_words(room >= words_px)
        room -= words_px
        is_narrow = room < min(note.sizeHint().width(), self._theme.px(NOTE_LEAST_PX))
        is_above = is_narrow and bool(note.text()) and self._choices.isEmpty() is False
        if is_above == self._is_above:
            return
        self._is_above = is_above
        # In line with the text above it.
        note.setContentsMargins(self._theme.px(6) if is_above else 0, 0, 0, 0)
        if is_above:
            self._choices.removeWidget(note)
            self._choices.addStretch(1)
            column.insertWidget(1, note)
        else:
            column.removeWidget(note)
            self._choices.takeAt(self._choices.count() - 1)
            self._choices.addWidget(note, 1)


def _later_button(theme: Theme) -> IconButton:
    button = IconButton(theme, "queue", tr("Send after this answer"), name="send_later")
    button.setToolTip(f"{tr('Send after this answer')} (Enter)")
    button.hide()
    return button
