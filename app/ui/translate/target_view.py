"""A text's translation: paragraphs with their flags below; selectable by sentences."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QByteArray, QMimeData, QRect, Qt, QUrl, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QTextBlock, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from app.core.lazy_dataclasses import dataclass, field
from app.language.scripts import is_right_to_left
from app.ui.i18n import tr
from app.ui.shared_labels import TRANSLATION
from app.ui.text.formats import block_format, char_format
from app.ui.text.keyboard_walk import ENTER
from app.ui.theme import Theme
from app.ui.translate.segment_layout import LINE, as_lines
from app.ui.translate.sentence_ranges import sentences_around
from app.ui.translate.source_edit import LINE_PERCENT, follow_each_paragraph
from app.ui.utf16 import characters_before, utf16_length
from app.ui.widgets.spoken_views import UNSPOKEN_PROPERTY
from app.ui.widgets.timers import new_timer

FLAG_GLYPH = "⚑"
SELECTED_MS = 250
SMALL_GAP_PX, FLAG_PX = 2, 13
MOST_EMPTY = 4
"""Limit of blank lines shown between paragraphs."""
PENDING = "…"
_NOT_TEXT = -1
"""Block state of lines with flags."""


@dataclass
class Paragraph:
    """Paragraph of a translation. `gap` counts the line breaks before it; `flags` are (reason, remedies)."""

    id: int
    gap: int = 2
    text: str = ""
    is_done: bool = False
    flags: Sequence[tuple[str, Sequence[tuple[str, str]]]] = field(default_factory=tuple)
    """For each flag its reason and its remedies: name and label."""


@dataclass(frozen=True)
class Selected:
    """A selected sentence: paragraph, start and end in it, text."""

    paragraph: int
    start: int
    end: int
    sentence: str


class TargetView(QTextBrowser):
    """Read-only translation. `sentence_selected` is emitted once a selection is finished; None when it is gone."""

    sentence_selected = Signal(object)
    alternatives_wanted = Signal()
    remedy_wanted = Signal(int, str)
    """A paragraph's id, and the remedy for its flags."""
    stopped = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._paragraphs: list[Paragraph] = []
        self._is_rtl = False
        self._words = ""
        self.setObjectName("text_target")
        self.setProperty("kind", "bare")
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setOpenLinks(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(tr(TRANSLATION))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
            | Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.viewport().setAutoFillBackground(False)
        follow_each_paragraph(self)
        self.anchorClicked.connect(self._on_anchor)
        self._rest = new_timer(self, SELECTED_MS, self._tell_selected)
        # Announced after a pause, not with every step of a drag.
        self.selectionChanged.connect(self._rest.start)
        theme.dress(self, text=("body", 4))
        theme.changed.connect(self._rebuild)
        self._rebuild()

    def loadResource(self, type_: int, name: QUrl | str) -> object:  # noqa: ARG002
        # Never loads anything. Returns empty bytes, as after None Qt would look for a file itself.
        return QByteArray()

    def show_words(self, words: str) -> None:
        """Show a muted message in place of a translation."""
        self._words, self._paragraphs = words, []
        self._rebuild()

    def show_paragraphs(self, paragraphs: Sequence[Paragraph], *, is_rtl: bool) -> None:
        same = [(paragraph.id, paragraph.gap) for paragraph in paragraphs] == [
            (paragraph.id, paragraph.gap) for paragraph in self._paragraphs
        ]
        before = self._paragraphs
        self._words, self._is_rtl = "", is_rtl
        # Only paragraphs that differ are written, so that a selection elsewhere stays.
        if same and before:
            for paragraph, other in zip(paragraphs, before, strict=True):
                if paragraph != other:
                    self.show_paragraph(paragraph)
            return
        self._paragraphs = list(paragraphs)
        # Writing everything again scrolls to the top.
        position = self.verticalScrollBar().value()
        self._rebuild()
        self.verticalScrollBar().setValue(position)

    def show_paragraph(self, paragraph: Paragraph) -> None:
        """Update in place a paragraph that grew or is finished."""
        place = next((number for number, known in enumerate(self._paragraphs) if known.id == paragraph.id), -1)
        if place < 0:
            return
        block = self._block_of(paragraph.id)
        known, self._paragraphs[place] = self._paragraphs[place], paragraph
        if not block.isValid():
            return
        cursor = QTextCursor(block)
        if known.flags:  # their block is removed with the paragraph
            cursor.movePosition(QTextCursor.MoveOperation.NextBlock, QTextCursor.MoveMode.KeepAnchor)
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        cursor.beginEditBlock()
        # Text that only grew is appended, which keeps the user's selection.
        if not known.flags and not paragraph.flags and known.text and paragraph.text.startswith(known.text):
            cursor.clearSelection()
            cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock)
            cursor.insertText(as_lines(paragraph.text[len(known.text) :]), self._text_look(paragraph))
        else:
            cursor.removeSelectedText()
            self._write(cursor, paragraph)
        cursor.endEditBlock()

    def selected(self) -> Selected | None:
        """Return the selection extended to whole sentences of a finished paragraph, or None."""
        cursor = self.textCursor()
        block = self.document().findBlock(cursor.selectionStart())
        paragraph = next((paragraph for paragraph in self._paragraphs if paragraph.id == block.userState()), None)
        if not cursor.hasSelection() or paragraph is None or not paragraph.is_done or not paragraph.text.strip():
            return None
        start, end = (
            characters_before(paragraph.text, position - block.position())
            for position in (cursor.selectionStart(), cursor.selectionEnd())
        )
        start, end = sentences_around(paragraph.text, start, end)
        sentence = paragraph.text[start:end]
        stripped = sentence.strip()
        start += len(sentence) - len(sentence.lstrip())
        return Selected(paragraph.id, start, start + len(stripped), stripped) if stripped else None

    def rect_of(self, selected: Selected) -> QRect:
        """Return the end of a selection in viewport pixels."""
        return self.cursorRect(self._cursor_at(selected.paragraph, selected.end))

    def select(self, selected: Selected) -> None:
        cursor = self._cursor_at(selected.paragraph, selected.start)
        end = self._cursor_at(selected.paragraph, selected.end).position()
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in ENTER
        # On a remedy, Enter follows its link.
        if is_enter and self.textCursor().hasSelection() and not self.textCursor().charFormat().isAnchor():
            self.alternatives_wanted.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.stopped.emit()
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        self._rest.start()

    def createMimeDataFromSelection(self) -> QMimeData:
        # Copies the words without the flags.
        cursor, found = self.textCursor(), []
        block = self.document().findBlock(cursor.selectionStart())
        while block.isValid() and block.position() < cursor.selectionEnd():
            if block.userState() != _NOT_TEXT:
                start = max(0, cursor.selectionStart() - block.position())
                found.append(block.text()[start : cursor.selectionEnd() - block.position()])
            block = block.next()
        data = QMimeData()
        data.setText("\n".join(found).replace(LINE, "\n"))
        return data

    def _tell_selected(self) -> None:
        self.sentence_selected.emit(self.selected())

    def _on_anchor(self, url: QUrl) -> None:
        _, number, name = url.toString().split(":")
        self.remedy_wanted.emit(int(number), name)

    def _cursor_at(self, number: int, place: int) -> QTextCursor:
        block = self._block_of(number)
        cursor = QTextCursor(block)
        cursor.setPosition(block.position() + utf16_length(block.text()[:place]))
        return cursor

    def _block_of(self, number: int) -> QTextBlock:
        block = self.document().begin()
        while block.isValid() and block.userState() != number:
            block = block.next()
        return block

    def _rebuild(self) -> None:
        self.clear()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        if self._words:
            cursor.setBlockFormat(block_format(LINE_PERCENT, is_rtl=self.isRightToLeft()))
            cursor.insertText(self._words, char_format(self._theme.font("row"), self._theme.tokens.muted))
        for place, paragraph in enumerate(self._paragraphs):
            if place:
                cursor.insertBlock()
            self._write(cursor, paragraph)
        cursor.endEditBlock()

    def _write(self, cursor: QTextCursor, paragraph: Paragraph) -> None:
        """Write a paragraph into the cursor's empty block, and its flags into one after it."""
        is_first = bool(self._paragraphs) and self._paragraphs[0].id == paragraph.id
        gap = (
            0
            if is_first
            else round(min(paragraph.gap - 1, MOST_EMPTY) * self.fontMetrics().height() * LINE_PERCENT / 100)
        )
        rtl = is_right_to_left(paragraph.text) if paragraph.text else self._is_rtl
        cursor.setBlockFormat(block_format(LINE_PERCENT, gap, is_rtl=rtl))
        cursor.block().setUserState(paragraph.id)
        cursor.insertText(
            as_lines(paragraph.text or ("" if paragraph.is_done else PENDING)), self._text_look(paragraph)
        )
        if paragraph.flags:
            cursor.insertBlock(block_format(LINE_PERCENT, self._theme.px(SMALL_GAP_PX), is_rtl=self.isRightToLeft()))
            cursor.block().setUserState(_NOT_TEXT)
            self._write_flags(cursor, paragraph)

    def _write_flags(self, cursor: QTextCursor, paragraph: Paragraph) -> None:
        tokens = self._theme.tokens
        look = char_format(self._theme.font("small"), tokens.warning)
        link = char_format(self._theme.font("group"), tokens.warning)
        for aside in (look, link):
            aside.setProperty(UNSPOKEN_PROPERTY, True)
        link.setAnchor(True)
        for place, (reason, remedies) in enumerate(paragraph.flags):
            cursor.insertText(f"{LINE if place else ''}{FLAG_GLYPH} {reason} ", look)
            for number, (name, words) in enumerate(remedies):
                if number:
                    cursor.insertText(" · ", look)
                link.setAnchorHref(f"remedy:{paragraph.id}:{name}")
                cursor.insertText(words, link)

    def _text_look(self, paragraph: Paragraph) -> QTextCharFormat:
        return char_format(self._theme.font(), self._theme.tokens.text if paragraph.text else self._theme.tokens.muted)
