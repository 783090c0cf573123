"""Message composer: a growing text field, chat options, the thinking switch, and one button that sends or stops."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QColor,
    QContextMenuEvent,
    QDragEnterEvent,
    QDragMoveEvent,
    QFocusEvent,
    QInputMethodEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextBlockFormat,
    QTextCursor,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QBoxLayout,
    QDialog,
    QHBoxLayout,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.core.visible import clean_text
from app.ui.chat.attachment_row import AttachmentRow
from app.ui.i18n import tr, window_title
from app.ui.icons import icon
from app.ui.shared_labels import ATTACH_FILES, CHAT_SETTINGS, EDIT_LABEL, SAVE, SEND, STOP
from app.ui.shell.keyboard import with_keys
from app.ui.theme import TEXT_PX, Theme
from app.ui.widgets.buttons import IconButton, set_mark, set_text_font, text_button
from app.ui.widgets.dialogs import cancel_or
from app.ui.widgets.input_fields import PlainEdit
from app.ui.widgets.labels import ElidedLabel, plain_label
from app.ui.widgets.layouts import name_widgets, within_screen
from app.ui.widgets.picture_widgets import picture_in

THINKING_ON = "Thinking on"
THINKING_OFF = "Thinking off"
THINKING_MEDIUM = "Thinking: medium"
SHORT = "Short"
MEDIUM = "Medium"
LONG = "Long"
MESSAGE = "Message"
REMOVE_PASTED_TEXT = "Remove pasted text"
ATTACH_AS_DOCUMENT = "Attach as a document"
CHARACTERS_PASTED = "{count} characters pasted"
LEAVE_IN_MESSAGE = "Keep in message"
COMPOSER_HINT = "Ask anything, drop a document, or type / for a prompt"
COMPOSER_HINT_WITH_PICTURES = "Ask anything, drop a document or a picture, or type / for a prompt"

BUTTON_PX = 36
RADIUS_PX = 14


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
        self.setToolTip(f"{name} ({'Esc' if is_stop else 'Enter'})")
        self.update()

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


def _asks(*, sees: bool) -> str:
    return tr(COMPOSER_HINT_WITH_PICTURES) if sees else tr(COMPOSER_HINT)


class Composer(QWidget):
    """Editor of a message. `sent` carries its text; the receiver clears the field once the message is stored."""

    sent = Signal(str)
    """A message was submitted; while an answer runs, it should be queued."""
    stop_wanted = Signal()
    changed = Signal()
    entered = Signal()
    """The message field received the keyboard focus."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
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
        self.attach = IconButton(theme, "paperclip", tr(ATTACH_FILES))
        self.attach.setObjectName("attach")
        self.attach.setToolTip(with_keys(tr(ATTACH_FILES), "attach"))
        self.picture = IconButton(theme, "image", tr("Attach a picture"))
        self.picture.setObjectName("attach_picture")
        self.picture.hide()
        self.settings = IconButton(theme, "sliders-horizontal", tr(CHAT_SETTINGS))
        self.settings.setObjectName("chat_settings")
        self.thinking = ThinkingChoice(theme)
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
        theme.dress(self._note, font=(12.5, 400))
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
        """Show the picture button and placeholder if the model can see pictures."""
        self.picture.setVisible(sees)
        # The small window has a hint of its own, which stays.
        if self.asks in (_asks(sees=False), _asks(sees=True)):
            self.set_asks(_asks(sees=sees))

    def set_can_send(self, can_send: bool) -> None:
        """Set whether a model can answer; the text typed so far stays."""
        if can_send == self._can_send:
            return
        self._can_send = can_send
        self.field.edit.set_placeholder(self.asks if can_send else tr("Text to continue"))
        self.attach.setEnabled(can_send)
        self._on_changed()

    def set_note(self, text: str) -> None:
        self._note.setText(text)

    def add_way(self, way: QWidget) -> None:
        """Add a button for another kind of attachment next to the one for files."""
        self._row.insertWidget(1, way)

    def add_choice(self, choice: QWidget) -> None:
        """Add another choice for the chat, after the chat options."""
        self._choices.insertWidget(1, choice)

    def set_compact(self, is_compact: bool) -> None:
        """Reduce the composer to one line without chat options, for a low window."""
        if is_compact == self._is_compact:
            return
        self._is_compact = is_compact
        self._more.setHidden(is_compact)
        if is_compact:
            self._row.insertWidget(2, self.field, 1)
        else:
            self._written.addWidget(self.field)
        self._dress()

    @property
    def can_send(self) -> bool:
        """True if a model can answer."""
        return self._can_send

    @property
    def _can_press(self) -> bool:
        return self._is_answering or self._has_message

    @property
    def _has_message(self) -> bool:
        return self._can_send and (bool(self.text.strip()) or self._has_pictures)

    def submit(self) -> None:
        """Send the message, as Enter does."""
        if self._has_message and self.may_send():
            self.sent.emit(self.text)

    def _on_clicked(self) -> None:
        if self._is_answering:
            self.stop_wanted.emit()
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
        more.addWidget(self.settings)
        more.addWidget(self.thinking)
        more.addWidget(self._note, 1)
        self._row = QHBoxLayout()
        self._row.addWidget(self.attach)
        self._row.addWidget(self.picture)
        self._row.addWidget(self._more, 1)
        self._row.addWidget(self.later)
        self._row.addWidget(self.send)
        self._written = QVBoxLayout()
        self._written.addWidget(self.attachments)
        self._written.addWidget(self.field)
        self._column.addLayout(self._written)
        self._column.addLayout(self._row)
        self._theme.dress(more, self._row, margins=(0, 0, 0, 0), spacing=8)
        self._theme.dress(self._written, margins=(6, 0, 0, 0))
        ComposerFitting(
            self._note,
            self.thinking,
            around=self,
            choices=more,
            buttons=self._row,
            column=self._column,
            theme=self._theme,
        )

    def _dress(self) -> None:
        # Icons align with the text; the buttons around them are larger, for their focus rings.
        around = (6, 5, 6, 5) if self._is_compact else (11, 14, 11, 10)
        self._theme.dress(self._column, margins=around)
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
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_focused = self.field.edit.hasFocus()
        painter.setPen(QPen(QColor(tokens.outline if is_focused else tokens.line), 1))
        painter.setBrush(QColor(tokens.surface))
        radius = self._theme.px(RADIUS_PX)
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)


NOTE_LEAST_PX = 120
"""A note with less room than this is hidden."""


class ComposerFitting(QObject):
    """Keeps the composer's last row from overlapping. When it is narrow, the note moves above it and the thinking
    switch loses its label.
    """

    def __init__(
        self,
        note: ElidedLabel,
        thinking: ThinkingChoice,
        *,
        around: QWidget,
        choices: QBoxLayout,
        buttons: QBoxLayout,
        column: QBoxLayout,
        theme: Theme,
    ) -> None:
        super().__init__(note)
        self._note, self._thinking, self._theme = note, thinking, theme
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
        words_px = self._thinking.words_px
        # Measured without the words, whichever state the switch is in, or it would flip back and forth.
        room += words_px if self._thinking.has_words else 0
        self._thinking.show_words(room >= words_px)
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
    button = IconButton(theme, "queue", tr("Send after this answer"))
    button.setObjectName("send_later")
    button.setToolTip(f"{tr('Send after this answer')} (Enter)")
    button.hide()
    return button


# A field for a message that grows with it; a very long paste becomes a chip, so that typing stays quick.

MOST_LINES = 8
LINE_PX = 24
LINE_PERCENT = 130
LONG_TEXT, LONG_PARAGRAPH = 100_000, 40_000
"""Most characters in the field and in one paragraph: beyond them a keystroke takes over a third of a frame."""
OFFERED_CHARACTERS, OFFERED_LINES = 4_000, 60
"""Size of a pasted text from which attaching it as a document is offered: five times the visible field."""


def is_very_long(text: str) -> bool:
    """Return whether the text would make the field slow."""
    return len(text) > LONG_TEXT or (len(text) > LONG_PARAGRAPH and max(map(len, text.split("\n"))) > LONG_PARAGRAPH)


class MessageEdit(PlainEdit):
    """Plain text field. Enter sends, Shift+Enter inserts a line break, and input methods keep their keys."""

    submitted = Signal()
    cancelled = Signal()
    up_pressed = Signal()
    scroll_wanted = Signal(object)
    """A scrolling `Qt.Key` was pressed that has no use in the field."""
    height_changed = Signal()
    pasted = Signal(str)
    """A text too long for the field was pasted."""
    passage_pasted = Signal(int, int)
    """A long text was pasted, from one position to another."""
    files_pasted = Signal(list)
    """Paths copied in a file manager were pasted; only with `takes_files`."""
    picture_pasted = Signal(object)
    """A picture without a file was pasted: its bytes or pixels, and a file suffix."""
    typed = Signal()
    """A key or an input method changed the text or the cursor."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.has_cancel = False
        self.takes_files = False
        self.enter_sends = True
        """False: Ctrl+Enter sends and Enter inserts a line break."""
        self.most_lines = MOST_LINES
        self._placeholder = ""
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self._fit_height())
        theme.dress(self, text=(TEXT_PX, 400, 0))
        theme.changed.connect(self._measure)
        self._measure()

    def set_placeholder(self, text: str) -> None:
        """Show a placeholder, elided to one line."""
        self._placeholder = text
        room = self.viewport().width()
        # Qt wraps a long placeholder, of which a field of one line would show half.
        self.setPlaceholderText(self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room))

    def set_text(self, text: str) -> None:
        """Replace the text and put the cursor at its end."""
        self.clear()
        # Clearing drops the height of lines.
        self._set_line_height()
        self.textCursor().insertText(text)
        self.moveCursor(QTextCursor.MoveOperation.End)
        self._fit_height()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._on_key(event)
        self.typed.emit()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        super().inputMethodEvent(event)
        self.typed.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.createStandardContextMenu(event.pos())
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.show_menu(menu, event)

    def _on_key(self, event: QKeyEvent) -> None:
        # Keys of the number pad carry a modifier of their own.
        key, modifiers = event.key(), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self.is_composing:
            sends = Qt.KeyboardModifier.NoModifier if self.enter_sends else Qt.KeyboardModifier.ControlModifier
            if modifiers == sends:
                self.submitted.emit()
                return
            if modifiers in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier):
                # A paragraph, where Qt would insert a line separator without the line's height.
                self.textCursor().insertBlock()
                self.ensureCursorVisible()
                return
        if key == Qt.Key.Key_Up and not modifiers and self.document().isEmpty() and not self.is_composing:
            self.up_pressed.emit()
            return
        if key == Qt.Key.Key_Escape and not self.is_composing and self.has_cancel:
            self.cancelled.emit()
            return
        if event.matches(QKeySequence.StandardKey.Undo):
            before = self.toPlainText()
            super().keyPressEvent(event)
            # If there was nothing to take back here, the window undoes its last action.
            event.setAccepted(before != self.toPlainText())
            return
        if not self.is_composing and self._is_for_transcript(key, modifiers):
            self.scroll_wanted.emit(Qt.Key(key))
            return
        super().keyPressEvent(event)

    def _is_for_transcript(self, key: int, modifiers: Qt.KeyboardModifier) -> bool:
        """Return whether a scrolling key has no use here and should scroll the transcript, as in messengers."""
        if key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            return not modifiers and self.verticalScrollBar().maximum() == 0
        at_end = {Qt.Key.Key_Home: self.textCursor().atStart(), Qt.Key.Key_End: self.textCursor().atEnd()}
        return modifiers == Qt.KeyboardModifier.ControlModifier and at_end.get(Qt.Key(key), False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.set_placeholder(self._placeholder)
        # Growing while being laid out leaves the text at an older width.
        if self.document().textWidth() != self.viewport().width():
            self.document().setTextWidth(self.viewport().width())
            self._fit_height()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Insert pasted text; hand on files, pictures and very long texts by signals."""
        files = local_files(source) if self.takes_files else []
        if files:
            self.files_pasted.emit(files)
            return
        text = clean_text(source.text())
        # Where a text is copied with a picture of it, the text is meant.
        if not text.strip() and (picture := picture_in(source)) is not None:
            self.picture_pasted.emit(picture)
            return
        if is_very_long(text) or is_very_long(text + self.toPlainText()):
            self.pasted.emit(text)
        elif text:
            first = self.textCursor().selectionStart()
            super().insertFromMimeData(source)
            if len(text) >= OFFERED_CHARACTERS or text.count("\n") >= OFFERED_LINES:
                self.passage_pasted.emit(first, self.textCursor().position())

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        is_file = self.takes_files and bool(local_files(source))
        return super().canInsertFromMimeData(source) or source.hasImage() or is_file or is_address(source)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept web addresses as text without fetching them; files are left to the window."""
        if is_address(event.mimeData()):
            # Past `PlainEdit`, which leaves everything with an address to the window.
            QTextEdit.dragEnterEvent(self, event)
        else:
            super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if is_address(event.mimeData()):
            QTextEdit.dragMoveEvent(self, event)
        else:
            super().dragMoveEvent(event)

    def _fit_height(self) -> None:
        px = self._theme.px
        most = self.most_lines * px(LINE_PX)
        wanted = min(max(round(self.document().size().height()), px(LINE_PX)), most)
        is_full = self.document().size().height() > most + 1
        # A scroll bar that comes and goes would change the width, and so the height again.
        self.setVerticalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAsNeeded if is_full else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        if self.minimumHeight() != wanted or self.maximumHeight() != wanted:
            self.setFixedHeight(wanted)
            self.height_changed.emit()

    def _set_line_height(self) -> None:
        look = QTextBlockFormat()
        look.setLineHeight(LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor = self.textCursor()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.setBlockFormat(look)

    def _measure(self) -> None:
        self._set_line_height()
        self.set_placeholder(self._placeholder)
        self._fit_height()


def local_files(data: QMimeData) -> list[str]:
    """Return the local files that a clipboard or a drop refers to."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]


def is_address(data: QMimeData) -> bool:
    """Return whether the data has URLs that are neither local files nor come with a picture."""
    return data.hasUrls() and not local_files(data) and not data.hasImage()


class MessageField(QWidget):
    """Message field with chips for long pastes; `text` contains all of it."""

    changed = Signal()
    attach_wanted = Signal(str)
    """A pasted text was moved out of the field to become an attached document. Only with `can_attach`."""
    attach_undone = Signal()
    """Undo returned the last attached text to the field."""
    paste_removed = Signal(int, str)
    """A paste was removed by its chip: its index and its text."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.can_attach = False
        self._pastes: list[str] = []
        self._offered: FieldPassage | None = None
        self._left: tuple[str, int, bool] | None = None
        """Text last moved out of the field, the undo steps available then, and True while it is out."""
        self.edit = MessageEdit(theme)
        self.edit.pasted.connect(self._on_pasted)
        self.edit.passage_pasted.connect(self._on_passage_pasted)
        self.edit.textChanged.connect(self._look_at_undo)
        self.edit.textChanged.connect(self.changed)
        self._chips = QHBoxLayout()
        self._chips.setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.edit)
        column.addLayout(self._chips)
        self.setFocusProxy(self.edit)

    @property
    def text(self) -> str:
        """Typed text and pastes, cleaned of NUL and lone surrogates."""
        typed = clean_text(self.edit.toPlainText())
        return "\n\n".join(([typed] if typed.strip() else []) + self._pastes)

    def set_text(self, text: str) -> None:
        """Replace everything; a very long text becomes a chip."""
        self._pastes = [text] if is_very_long(text) else []
        self._offered = self._left = None
        self._show_chips()
        self.edit.set_text("" if self._pastes else text)

    def attach_passage(self) -> None:
        """Move the selection, or else the last long paste, out of the field as a document."""
        cursor = self.edit.textCursor()
        if not cursor.hasSelection() and self._offered is not None:
            cursor = self._offered.cursor
        text = clean_text(cursor.selection().toPlainText())
        self._offered = None
        if text.strip():
            cursor.removeSelectedText()
            # Undo brings the text back exactly when fewer steps than now are left.
            self._left = (text, self.edit.document().availableUndoSteps(), True)
            self.attach_wanted.emit(text)
        self._show_chips()
        self.edit.setFocus()

    def _look_at_undo(self) -> None:
        """Sync the attached document with undo and redo: undo returns its text to the field, redo removes it again."""
        if self._offered is not None and self._offered.is_empty:
            self._offered = None
            self._show_chips()
        if self._left is None:
            return
        text, steps, is_away = self._left
        is_before = self.edit.document().availableUndoSteps() < steps
        if is_away and is_before:
            self._left = (text, steps, False)
            self.attach_undone.emit()
        elif not is_away and not is_before:
            is_again = text not in self.edit.toPlainText()
            self._left = (text, steps, True) if is_again else None
            if is_again:
                self.attach_wanted.emit(text)

    def _on_passage_pasted(self, first: int, last: int) -> None:
        if self.can_attach:
            self._offered = FieldPassage(self.edit, first, last)
            self._show_chips()

    def _on_pasted(self, text: str) -> None:
        self._pastes.append(text)
        self._show_chips()
        self.changed.emit()

    def _change(self, index: int, text: str) -> None:
        if text.strip():
            self._pastes[index] = text
        self._show_chips()
        self.edit.setFocus()
        self.changed.emit()

    def _remove(self, index: int) -> str:
        text = self._pastes.pop(index)
        self._show_chips()
        self.edit.setFocus()
        self.changed.emit()
        return text

    def _forget_offer(self) -> None:
        self._offered = None
        self._show_chips()
        self.edit.setFocus()

    def _show_chips(self) -> None:
        while (item := self._chips.takeAt(0)) is not None:
            if (chip := item.widget()) is not None:
                # deleteLater acts later; until then the chip would still be visible without a layout.
                chip.hide()
                chip.deleteLater()
        chips = [self._chip_of(index, paste) for index, paste in enumerate(self._pastes)]
        if self._offered is not None:
            words = tr(CHARACTERS_PASTED, count=f"{self._offered.length:,}")
            chip = PasteChip(self._theme, words, tr(LEAVE_IN_MESSAGE))
            chip.offer(tr(ATTACH_AS_DOCUMENT), self.attach_passage)
            chip.left.connect(self._forget_offer)
            chips.append(chip)
        for chip in chips:
            self._chips.addWidget(chip)
            chip.show()
        if chips:
            self._chips.addStretch(1)
        self.edit.height_changed.emit()

    def _chip_of(self, index: int, paste: str) -> PasteChip:
        words = tr("Pasted text, {count} characters", count=f"{len(paste):,}")
        chip = PasteChip(self._theme, words, tr(REMOVE_PASTED_TEXT))
        chip.offer(tr(EDIT_LABEL), lambda: self._edit_paste(index))
        if self.can_attach:
            chip.offer(tr(ATTACH_AS_DOCUMENT), lambda: self.attach_wanted.emit(self._remove(index)))
        chip.left.connect(lambda: self.paste_removed.emit(index, self._remove(index)))
        return chip

    def put_paste_back(self, index: int, text: str) -> None:
        """Restore a removed paste at its index, or at the end."""
        self._pastes.insert(index, text)
        self._show_chips()
        self.changed.emit()

    def _edit_paste(self, index: int) -> None:
        dialog = LongText(self._theme, self._pastes[index], self.window())
        dialog.saved.connect(lambda text: self._change(index, text))
        dialog.open()


class FieldPassage:
    """Range in a field that follows edits before and after it."""

    def __init__(self, edit: MessageEdit, first: int, last: int) -> None:
        self._begin, self._end = QTextCursor(edit.document()), QTextCursor(edit.document())
        self._begin.setPosition(first)
        self._end.setPosition(last)
        # What is typed behind it is no part of it.
        self._end.setKeepPositionOnInsert(True)

    @property
    def cursor(self) -> QTextCursor:
        """The current range, as a selection."""
        cursor = QTextCursor(self._begin)
        cursor.setPosition(self._begin.position())
        cursor.setPosition(self._end.position(), QTextCursor.MoveMode.KeepAnchor)
        return cursor

    @property
    def length(self) -> int:
        return max(0, self._end.position() - self._begin.position())

    @property
    def is_empty(self) -> bool:
        """True if all text of the range was deleted."""
        return self.length == 0


class PasteChip(QWidget):
    """Chip of a long paste with its actions and a button to remove it."""

    left = Signal()

    def __init__(self, theme: Theme, words: str, cross: str) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("paste_chip")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        label = plain_label(words)
        remove = IconButton(theme, "x", cross, size_px=14)
        remove.clicked.connect(lambda _=False: self.left.emit())
        self._row = QHBoxLayout(self)
        self._row.addWidget(label)
        self._row.addWidget(remove)
        theme.dress(self._row, margins=(10, 2, 4, 2), spacing=6)
        theme.dress(label, font=(13, 400))

    def offer(self, words: str, do: Callable[[], object]) -> None:
        """Add an action before the remove button."""
        button = text_button(words, "link")
        button.clicked.connect(lambda _=False: do())
        self._theme.dress(button, font=(13, 500))
        self._row.insertWidget(self._row.count() - 1, button)


# The composer's thinking control: on and off, or the effort.

ICON_PX = 17


class ThinkingChoice(QWidget):
    """Switch for thinking, or a button with a menu of efforts; hidden if the model offers no choice."""

    chosen = Signal(str)
    """A value was chosen: on, off, low, medium or high."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._kind = "none"
        self.value = ""
        """The current value: on, off, low, medium or high; "" without a choice."""
        self.words_px = 0
        """Width of the label in addition to the icon."""
        self.has_words = True
        self.button: QPushButton = text_button("", "quiet", self)
        self.button.setObjectName("thinking_choice")
        self.button.clicked.connect(self._on_clicked)
        theme.dress(self.button, font=(13, 500))
        theme.changed.connect(self._update)
        self._update()

    def show_choice(self, kind: str, value: str) -> None:
        """Show a kind of choice, "switch" (on or off), "effort" (low, medium, high) or "none", and its value."""
        self._kind, self.value = kind, value
        self._update()

    def show_words(self, has_words: bool) -> None:
        """Show or hide the label next to the icon."""
        if has_words != self.has_words:
            self.has_words = has_words
            self._update()

    def menu(self) -> QMenu:
        """Return the menu of efforts with the current one checked."""
        menu = QMenu(self)
        menu.setAccessibleName(tr("Thinking time"))
        group = QActionGroup(menu)
        for value, word in efforts().items():
            action = QAction(word, group, checkable=True, checked=value == self.value)
            action.triggered.connect(lambda _=False, value=value: self.chosen.emit(value))
            menu.addAction(action)
        return menu

    def _on_clicked(self) -> None:
        if self._kind == "switch":
            self.chosen.emit("off" if self.value == "on" else "on")
            return
        menu = self.menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.button.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _update(self) -> None:
        is_switch = self._kind == "switch"
        words = {"on": tr(THINKING_ON), "off": tr(THINKING_OFF)} if is_switch else _with_effort()
        about = tr("Let the model think before it answers") if is_switch else tr("Thinking time")
        said = words.get(self.value, "")
        self.button.setAccessibleName(said)
        self.button.setAccessibleDescription(about)
        self.button.setToolTip(about if self.has_words else f"{said}. {about}")
        glyph = ("brain", "muted" if self.value == "off" else "text", ICON_PX)
        self._theme.dress(self.button, glyph=glyph, glyph_size=(ICON_PX + 4, ICON_PX))
        set_mark(self.button, "on", self.value != "off")
        # Measured with and without words, since the row has room for one or the other.
        self.button.setText("")
        without_words = self.button.sizeHint().width()
        self.button.setText(said)
        self.words_px = self.button.sizeHint().width() - without_words if self._kind != "none" else 0
        self.button.setText(said if self.has_words else "")
        self.button.setFixedSize(self.button.sizeHint())
        self.setFixedSize(self.button.size())
        self.setVisible(self._kind != "none")


def efforts() -> dict[str, str]:
    """Return the names of the thinking efforts by value."""
    return {"low": tr(SHORT), "medium": tr(MEDIUM), "high": tr(LONG)}


def _with_effort() -> dict[str, str]:
    return {"low": tr("Thinking: short"), "medium": tr(THINKING_MEDIUM), "high": tr("Thinking: long")}


LONG_TEXT_PX = (720, 520)


class LongText(QDialog):
    """Dialog to edit a long text. `saved` carries the changed text; closing it otherwise changes nothing."""

    saved = Signal(str)

    def __init__(self, theme: Theme, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("long_text")
        self.setWindowTitle(window_title(tr("Pasted text")))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        # Lays out only what is seen, so that any length opens at once.
        self.edit = QPlainTextEdit(text)
        self.edit.setAccessibleName(tr("Pasted text"))
        self.edit.setTabChangesFocus(True)
        set_text_font(self.edit, theme.font(14))
        self.edit.moveCursor(QTextCursor.MoveOperation.Start)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.px(16),) * 4)
        column.setSpacing(theme.px(12))
        column.addWidget(self.edit, 1)
        column.addLayout(cancel_or(self, tr(SAVE)))
        self.accepted.connect(lambda: self.saved.emit(clean_text(self.edit.toPlainText())))
        self.resize(within_screen(self, QSize(theme.px(LONG_TEXT_PX[0]), theme.px(LONG_TEXT_PX[1]))))
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
