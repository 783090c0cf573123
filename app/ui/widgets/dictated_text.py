"""Dictated words on their way into a text field: provisional ones look like an input method's, and are no part of it.

Confirmed words go where the dictation began, wherever the caret is by then, and are taken back by one undo.
"""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QInputMethodEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QTextEdit, QWidget
from shiboken6 import isValid

from app.ui.utf16 import utf16_length

TextField = QTextEdit | QPlainTextEdit | QLineEdit
_NO_SPACE_FROM = 0x2E80
"""Scripts from here on are written without spaces."""


def as_text_field(widget: QWidget | None) -> TextField | None:
    """Return a widget if it is a field that takes dictated text: one that can be written in and hides nothing."""
    if isinstance(widget, QLineEdit):
        takes = not widget.isReadOnly() and widget.echoMode() == QLineEdit.EchoMode.Normal
        return widget if takes and widget.isEnabled() else None
    if isinstance(widget, QTextEdit | QPlainTextEdit):
        return widget if not widget.isReadOnly() and widget.isEnabled() else None
    return None


def dictated_text(field: TextField) -> DictatedText:
    """Return the place in a field where dictated words go: its caret, or in place of what is selected."""
    return _LineDictation(field) if isinstance(field, QLineEdit) else _TextDictation(field)


class DictatedText(QObject):
    """Base of the two kinds of field. `is_lost` once the text around the place has been replaced by another."""

    def __init__(self, field: TextField) -> None:
        super().__init__()
        self.field = field
        self.provisional = ""
        self.is_lost = False
        self._is_writing = False
        self._is_settled = False
        """True if the provisional words are in the text already and wait to be replaced."""

    def show_provisional(self, words: str) -> None:
        """Show words that may still change; they are no part of the field's text."""
        if self._is_settled or not self._is_alive():
            return
        self.provisional = words
        self._show_preedit(self._spaced(words) if words and self._is_caret_here() else "")

    def confirm(self, words: str) -> bool:
        """Insert words in place of the provisional ones. Return False if there is no place for them any more."""
        if not self._is_alive():
            return not words
        self._show_preedit("")
        was_settled = self._is_settled
        self.provisional, self._is_settled = "", False
        # Words that were left in the text when it went elsewhere are kept there.
        if self.is_lost:
            return was_settled or not words
        self._is_writing = True
        self._replace(self._spaced(words))
        self._is_writing = False
        return True

    def settle(self) -> None:
        """Make the provisional words text now, because the caret is about to move or the text to be stored."""
        if not (words := self.provisional) or self._is_settled or not self._is_alive():
            return
        self._show_preedit("")
        if not self.is_lost:
            self._is_writing = True
            self._replace(self._spaced(words), stays=True)
            self._is_writing = False
            self._is_settled = True

    def _is_alive(self) -> bool:
        return isValid(self.field)

    def _spaced(self, words: str) -> str:
        """Return words with a space before them where the text needs one."""
        before = self._before()
        needs_space = bool(before) and not before.isspace() and before not in "([{“‘«„"
        needs_space = needs_space and max(ord(before), ord(words[:1] or "a")) < _NO_SPACE_FROM
        return f" {words}" if needs_space and words[:1] not in ",.;:!?)]}" else words

    def _show_preedit(self, words: str) -> None:
        underline = QTextCharFormat()
        underline.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
        kind = QInputMethodEvent.AttributeType.TextFormat
        looks = [QInputMethodEvent.Attribute(kind, 0, utf16_length(words), underline)] if words else []
        QApplication.sendEvent(self.field, QInputMethodEvent(words, looks))

    def _before(self) -> str:
        """Return the character that words would follow; "" at the beginning."""
        raise NotImplementedError

    def _is_caret_here(self) -> bool:
        raise NotImplementedError

    def _replace(self, words: str, *, stays: bool = False) -> None:
        """Insert words in place of those that were settled; with `stays` the next ones replace these."""
        raise NotImplementedError


class _TextDictation(DictatedText):
    """A place in a text of several lines, which Qt moves with what is written before it."""

    def __init__(self, field: QTextEdit | QPlainTextEdit) -> None:
        super().__init__(field)
        self._edit = field
        self._cursor = QTextCursor(field.textCursor())
        self._undo_steps = -1
        self._length = field.document().characterCount()
        field.document().contentsChange.connect(self._on_contents_change)

    def _on_contents_change(self, at: int, removed: int, added: int) -> None:
        # Another draft is shown, or the message was sent: the place would be the beginning of another text.
        if not self._is_writing and not at and removed and removed >= self._length - 1 and removed != added:
            self.is_lost = True
        self._length = self._edit.document().characterCount()

    def _before(self) -> str:
        at = self._cursor.selectionStart()
        return str(self._edit.document().characterAt(at - 1)) if at else ""

    def _is_caret_here(self) -> bool:
        caret = self._edit.textCursor()
        return self._edit.hasFocus() and caret.position() == self._cursor.position()

    def _replace(self, words: str, *, stays: bool = False) -> None:
        document = self._edit.document()
        # One undo takes back all, unless something else was typed in between.
        if document.availableUndoSteps() == self._undo_steps:
            self._cursor.joinPreviousEditBlock()
        else:
            self._cursor.beginEditBlock()
        start = self._cursor.selectionStart()
        self._cursor.insertText(words)
        self._cursor.endEditBlock()
        self._undo_steps = document.availableUndoSteps()
        if stays:
            self._cursor.setPosition(start)
            self._cursor.setPosition(start + utf16_length(words), QTextCursor.MoveMode.KeepAnchor)


class _LineDictation(DictatedText):
    """A place in a field of one line, counted anew with each change."""

    def __init__(self, field: QLineEdit) -> None:
        super().__init__(field)
        self._line = field
        selected = field.selectionLength()
        self._start = field.selectionStart() if selected else field.cursorPosition()
        self._end = self._start + selected
        self._text = field.text()
        # A caret that moves ends what one undo takes back: what was typed before stays.
        if self._text and not selected:
            field.setCursorPosition(self._start - 1 if self._start else 1)
            field.setCursorPosition(self._start)
        field.textChanged.connect(self._on_text_changed)

    def _on_text_changed(self, text: str) -> None:
        before, self._text = self._text, text
        if self._is_writing:
            return
        grown = len(text) - len(before)
        caret = self._line.cursorPosition()
        if not self._line.isModified() or (before and not text):
            self.is_lost = True
        elif caret - max(grown, 0) <= self._start:
            self._start, self._end = max(0, self._start + grown), max(0, self._end + grown)

    def _before(self) -> str:
        return self._line.text()[self._start - 1 : self._start] if self._start else ""

    def _is_caret_here(self) -> bool:
        return self._line.hasFocus() and self._line.cursorPosition() == self._end

    def _replace(self, words: str, *, stays: bool = False) -> None:
        caret = self._line.cursorPosition()
        if self._end > self._start:
            self._line.setSelection(self._start, self._end - self._start)
        elif caret != self._start:
            self._line.setCursorPosition(self._start)
        self._line.insert(words)
        end = self._start + len(words)
        moved = len(words) - (self._end - self._start)
        if caret != self._end:
            self._line.setCursorPosition(caret + moved if caret > self._end else caret)
        self._start, self._end = (self._start if stays else end), end
