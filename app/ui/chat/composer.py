"""The composer: a field that grows, Chat settings, thinking where the model can, and one button that sends or stops."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.chat.attachment_row import AttachmentRow
from app.ui.chat.message_field import MessageField
from app.ui.chat.thinking_choice import ThinkingChoice
from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.shell.shortcuts import with_keys
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.layouts import name_widgets

BUTTON_PX = 36
RADIUS_PX = 14


class SendButton(QAbstractButton):
    """An arrow that sends, or a square that stops."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_stop = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set_stop(False)

    def set_stop(self, is_stop: bool) -> None:
        """Send, or Stop."""
        self._is_stop = is_stop
        name = tr("Stop") if is_stop else tr("Send")
        self.setAccessibleName(name)
        self.setToolTip(f"{name} ({'Esc' if is_stop else 'Enter'})")
        self.update()

    def sizeHint(self) -> QSize:
        size = self._theme.px(BUTTON_PX)
        return QSize(size, size)

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self.rect().toRectF()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.accent if self.isEnabled() else tokens.line))
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
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.text), 2))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), self._theme.px(9), self._theme.px(9))


class Composer(QWidget):
    """Where a message is written. `sent` carries its text; the field is emptied by whoever kept it."""

    sent = Signal(str)
    stop_wanted = Signal()
    settings_wanted = Signal()
    edit_last_wanted = Signal()
    thinking_wanted = Signal(str)
    """on, off, low, medium or high."""
    attach_wanted = Signal()
    changed = Signal()
    entered = Signal()
    """The keyboard came to the message field."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_answering = False
        self.attachments = AttachmentRow(theme)
        self.field = MessageField(theme)
        self.field.edit.takes_files = True
        self.field.edit.setAccessibleName(tr("Message"))
        self.field.edit.setObjectName("message")
        self.field.edit.set_placeholder(tr("Ask anything, or drop a document"))
        self.attach = IconButton(theme, "paperclip", tr("Attach files"))
        self.attach.setObjectName("attach")
        self.attach.setToolTip(with_keys(tr("Attach files"), "attach"))
        self.settings = IconButton(theme, "sliders-horizontal", tr("Chat settings"))
        self.settings.setObjectName("chat_settings")
        self.thinking = ThinkingChoice(theme)
        self.thinking.chosen.connect(self.thinking_wanted)
        self.send = SendButton(theme)
        self.send.setObjectName("send")
        self._note = QLabel(textFormat=Qt.TextFormat.PlainText)
        self._note.setProperty("kind", "muted")
        self._column = QVBoxLayout(self)
        self._is_compact = False
        self._more = QWidget()
        self._more_row = QHBoxLayout(self._more)
        self._more_row.setContentsMargins(0, 0, 0, 0)
        self._more_row.addWidget(self.settings)
        self._more_row.addWidget(self.thinking)
        self._more_row.addWidget(self._note, 1)
        self._row = QHBoxLayout()
        self._row.addWidget(self.attach)
        self._row.addWidget(self._more, 1)
        self._row.addWidget(self.send)
        self._written = QVBoxLayout()
        self._written.addWidget(self.attachments)
        self._written.addWidget(self.field)
        self._column.addLayout(self._written)
        self._column.addLayout(self._row)
        self.field.edit.submitted.connect(self._on_submitted)
        self.field.edit.up_pressed.connect(self.edit_last_wanted)
        self.field.changed.connect(self._on_changed)
        self.send.clicked.connect(self._on_clicked)
        self.settings.clicked.connect(self.settings_wanted)
        self.attach.clicked.connect(self.attach_wanted)
        self.field.edit.installEventFilter(self)
        self.setFocusProxy(self.field.edit)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._on_changed()
        name_widgets(composer_note=self._note)

    @property
    def text(self) -> str:
        """What is written, pastes included."""
        return self.field.text

    def set_text(self, text: str) -> None:
        """Replaces what is written."""
        self.field.set_text(text)
        self._on_changed()

    def set_answering(self, is_answering: bool) -> None:
        """While an answer runs, Send is Stop; typing goes on."""
        self._is_answering = is_answering
        self.send.set_stop(is_answering)
        self._on_changed()

    def set_thinking(self, kind: str, value: str) -> None:
        """What can be chosen: "switch" (on or off), "effort" (low, medium, high) or "none"; and what is chosen."""
        self.thinking.show_choice(kind, value)

    def set_note(self, text: str) -> None:
        """A few muted words beside the buttons."""
        self._note.setText(text)

    def set_compact(self, is_compact: bool) -> None:
        """In a low window: one line, without what can be chosen for the chat."""
        if is_compact == self._is_compact:
            return
        self._is_compact = is_compact
        self._more.setHidden(is_compact)
        if is_compact:
            self._row.insertWidget(1, self.field, 1)
        else:
            self._written.addWidget(self.field)
        self._on_theme_changed()

    @property
    def _can_press(self) -> bool:
        return self._is_answering or bool(self.text.strip())

    def _on_submitted(self) -> None:
        if not self._is_answering and self._can_press:
            self.sent.emit(self.text)

    def _on_clicked(self) -> None:
        if self._is_answering:
            self.stop_wanted.emit()
        else:
            self._on_submitted()

    def _on_changed(self) -> None:
        self.send.setEnabled(self._can_press)
        self.changed.emit()

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        # The glyphs stand under the text, and the buttons around them have room for their focus rings.
        around = (6, 5, 6, 5) if self._is_compact else (11, 14, 11, 10)
        self._column.setContentsMargins(*map(px, around))
        self._written.setContentsMargins(px(6), 0, 0, 0)
        for column in (self._column, self._written):
            column.setSpacing(px(0 if self._is_compact else 6))
        for row in (self._row, self._more_row):
            row.setSpacing(px(8))
        self._row.setContentsMargins(0, 0, 0, 0)
        self._note.setFont(self._theme.font(12.5))
        self.send.setFixedSize(self.send.sizeHint())

    def eventFilter(self, _watched: object, event: object) -> bool:
        if isinstance(event, QFocusEvent):
            self.update()
            if event.gotFocus():
                self.entered.emit()
        return False

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_focused = self.field.edit.hasFocus()
        painter.setPen(QPen(QColor(tokens.outline if is_focused else tokens.line), 1))
        painter.setBrush(QColor(tokens.surface))
        radius = self._theme.px(RADIUS_PX)
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
