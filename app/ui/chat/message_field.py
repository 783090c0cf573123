"""Field for a message that grows with it; a very long paste becomes a chip, so that typing stays quick."""

from __future__ import annotations

import sys
from collections.abc import Callable

from PySide6.QtCore import QEvent, QMimeData, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragMoveEvent,
    QInputMethodEvent,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
    QTextBlockFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QTextEdit, QVBoxLayout, QWidget

from app.core.visible import clean_text
from app.ui.i18n import tr, tr_count
from app.ui.shared_labels import EDIT_LABEL, SAVE
from app.ui.shown_texts import rewrite_text
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, set_text_font, text_button
from app.ui.widgets.dialogs import Dialog, cancel_or
from app.ui.widgets.input_fields import PlainEdit
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout, within_screen
from app.ui.widgets.picture_widgets import picture_in

REMOVE_PASTED_TEXT = "Remove pasted text"
ATTACH_AS_DOCUMENT = "Attach as a document"
CHARACTERS_PASTED = "{count} characters pasted"
LEAVE_IN_MESSAGE = "Keep in message"

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
    turns_wanted = Signal()
    """Ctrl+Up, which goes from turn to turn, was pressed."""
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
        self._settle_direction()
        self.textChanged.connect(self._settle_direction)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self._fit_height())
        theme.dress(self, text=("body", 0))
        theme.changed.connect(self._measure)
        self._measure()

    def set_placeholder(self, text: str) -> None:
        """Show a placeholder, elided to one line."""
        self._placeholder = text
        room = self.viewport().width()
        # Qt wraps a long placeholder, of which a field of one line would show half.
        self.setPlaceholderText(self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room))

    def _settle_direction(self) -> None:
        """Show the caret of an empty field where its hint begins; a text runs as its first letter says."""
        # Qt puts it where the keyboard's language begins, wherever the hint is.
        option = self.document().defaultTextOption()
        wanted = self.layoutDirection() if self.document().isEmpty() else Qt.LayoutDirection.LayoutDirectionAuto
        if option.textDirection() != wanted:
            option.setTextDirection(wanted)
            self.document().setDefaultTextOption(option)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.set_placeholder(rewrite_text(self._placeholder))
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._settle_direction()

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
        leaving = None if self.is_composing else self._way_out(key, modifiers)
        if leaving is not None:
            leaving.emit()
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

    def _way_out(self, key: int, modifiers: Qt.KeyboardModifier) -> SignalInstance | None:
        """Return what is emitted for a key that leads out of the field, or None for one that stays."""
        if key == Qt.Key.Key_Up and not modifiers and self.document().isEmpty():
            return self.up_pressed
        # On macOS these keys move the cursor to the beginning, so there only where it is there already.
        is_at_edge = sys.platform != "darwin" or self.textCursor().atStart()
        if key == Qt.Key.Key_Up and modifiers == Qt.KeyboardModifier.ControlModifier and is_at_edge:
            return self.turns_wanted
        return self.cancelled if key == Qt.Key.Key_Escape and self.has_cancel else None

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
        fill_layout(drop_margins(QVBoxLayout(self)), self.edit, self._chips)
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
            words = tr_count("{count} character pasted", CHARACTERS_PASTED, self._offered.length)
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
        words = tr_count("Pasted text, {count} character", "Pasted text, {count} characters", len(paste))
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
        dialog = LongText(self._theme, self._pastes[index], self.window(), save=lambda text: self._change(index, text))
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
        remove = IconButton(theme, "x", cross, size_px=14, on_click=self.left)
        self._row = theme.dress(fill_layout(QHBoxLayout(self), label, remove), margins=(10, 2, 4, 2), spacing=6)
        theme.dress(label, font="small")

    def offer(self, words: str, do: Callable[[], object]) -> None:
        """Add an action before the remove button."""
        button = self._theme.dress(text_button(words, "link", on_click=lambda _=False: do()), font="control")
        self._row.insertWidget(self._row.count() - 1, button)


LONG_TEXT_PX = (720, 520)


class LongText(Dialog):
    """Dialog to edit a long text. `save` gets the changed text; closing it otherwise changes nothing."""

    def __init__(self, theme: Theme, text: str, parent: QWidget, *, save: Callable[[str], object]) -> None:
        super().__init__(parent)
        self.save = save
        self.set_up_window("long_text", tr("Pasted text"))
        # Lays out only what is seen, so that any length opens at once.
        self.edit = QPlainTextEdit(text)
        self.edit.setAccessibleName(tr("Pasted text"))
        self.edit.setTabChangesFocus(True)
        set_text_font(self.edit, theme.font("row"))
        self.edit.moveCursor(QTextCursor.MoveOperation.Start)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.px(16),) * 4)
        column.setSpacing(theme.px(12))
        fill_layout(column, (self.edit, 1), cancel_or(self, tr(SAVE)))
        self.accepted.connect(lambda: self.save(clean_text(self.edit.toPlainText())))
        self.resize(within_screen(self, QSize(theme.px(LONG_TEXT_PX[0]), theme.px(LONG_TEXT_PX[1]))))
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
