"""The translation of a typed text: a paragraph under each other, what is flagged below it; it can be selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QMimeData, QRect, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QTextBlock, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from app.language.scripts import is_right_to_left
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.translate.text_places import place_in, sentences_around
from app.ui.translate.text_source import LINE_PERCENT, follow_each_paragraph
from app.ui.widgets.buttons import set_text_font

LINE_SEPARATOR = "\u2028"
FLAG_GLYPH = "⚑"
SELECTED_MS = 250
SMALL_GAP_PX, FLAG_PX = 2, 13
MOST_EMPTY = 4
"""Empty lines between two paragraphs; more are not shown."""
PENDING = "…"
_NOT_TEXT = -1
"""The state of a block that holds flags."""


@dataclass
class Paragraph:
    """One paragraph of the translation. `gap` counts the line breaks before it; `flags` are (reason, remedies)."""

    id: int
    gap: int = 2
    text: str = ""
    is_done: bool = False
    flags: Sequence[tuple[str, Sequence[tuple[str, str]]]] = field(default_factory=tuple)
    """For each flag its reason, and what can be done about it: a name and its words."""


@dataclass(frozen=True)
class Selected:
    """A sentence that was selected: in which paragraph, from where to where in it, and its words."""

    paragraph: int
    start: int
    end: int
    sentence: str


class TargetView(QTextBrowser):
    """Read-only. `sentence_selected` comes when a selection has come to rest; None where it has gone."""

    sentence_selected = Signal(object)
    alternatives_wanted = Signal()
    remedy_wanted = Signal(int, str)
    """A paragraph's id, and what is to be done about its flags."""
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
        self.setAccessibleName(tr("Translation"))
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
        self._rest = QTimer(self, singleShot=True, interval=SELECTED_MS)
        self._rest.timeout.connect(self._tell_selected)
        self.selectionChanged.connect(self._rest.start)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def loadResource(self, type_: int, name: QUrl | str) -> object:  # noqa: ARG002
        """Nothing is ever fetched."""
        return None

    @property
    def is_empty(self) -> bool:
        """Whether there is no translation."""
        return not any(one.text for one in self._paragraphs)

    def show_words(self, words: str) -> None:
        """A muted sentence in place of a translation."""
        self._words, self._paragraphs = words, []
        self._rebuild()

    def show_paragraphs(self, paragraphs: Sequence[Paragraph], *, is_rtl: bool) -> None:
        """Another translation, as far as it is there."""
        same = [(one.id, one.gap) for one in paragraphs] == [(one.id, one.gap) for one in self._paragraphs]
        before = self._paragraphs
        self._words, self._is_rtl = "", is_rtl
        if same and before:
            for one, other in zip(paragraphs, before, strict=True):
                if one != other:
                    self.show_paragraph(one)
            return
        self._paragraphs = list(paragraphs)
        position = self.verticalScrollBar().value()
        self._rebuild()
        self.verticalScrollBar().setValue(position)

    def show_paragraph(self, paragraph: Paragraph) -> None:
        """One of them is another: it grows, or is done."""
        place = next((i for i, one in enumerate(self._paragraphs) if one.id == paragraph.id), -1)
        if place < 0:
            return
        block = self._block_of(paragraph.id)
        known, self._paragraphs[place] = self._paragraphs[place], paragraph
        if not block.isValid():
            return
        cursor = QTextCursor(block)
        if known.flags:  # their block goes with the words
            cursor.movePosition(QTextCursor.MoveOperation.NextBlock, QTextCursor.MoveMode.KeepAnchor)
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        cursor.beginEditBlock()
        if not known.flags and not paragraph.flags and known.text and paragraph.text.startswith(known.text):
            cursor.clearSelection()
            cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock)
            cursor.insertText(_lines(paragraph.text[len(known.text) :]), self._text_look(paragraph))
        else:
            cursor.removeSelectedText()
            self._write(cursor, paragraph)
        cursor.endEditBlock()

    def selected(self) -> Selected | None:
        """What is selected, widened to whole sentences of one paragraph; None without a selection in a done one."""
        cursor = self.textCursor()
        block = self.document().findBlock(cursor.selectionStart())
        one = next((each for each in self._paragraphs if each.id == block.userState()), None)
        if not cursor.hasSelection() or one is None or not one.is_done or not one.text.strip():
            return None
        start, end = (
            place_in(one.text, position - block.position())
            for position in (cursor.selectionStart(), cursor.selectionEnd())
        )
        start, end = sentences_around(one.text, start, end)
        sentence = one.text[start:end]
        kept = sentence.strip()
        start += len(sentence) - len(sentence.lstrip())
        return Selected(one.id, start, start + len(kept), kept) if kept else None

    def rect_of(self, selected: Selected) -> QRect:
        """Where the end of it is seen, in the viewport's pixels."""
        return self.cursorRect(self._cursor_at(selected.paragraph, selected.end))

    def select(self, selected: Selected) -> None:
        """Marks it as the selection."""
        cursor = self._cursor_at(selected.paragraph, selected.start)
        end = self._cursor_at(selected.paragraph, selected.end).position()
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
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
        """The words without what is said about them."""
        cursor, found = self.textCursor(), []
        block = self.document().findBlock(cursor.selectionStart())
        while block.isValid() and block.position() < cursor.selectionEnd():
            if block.userState() != _NOT_TEXT:
                start = max(0, cursor.selectionStart() - block.position())
                found.append(block.text()[start : cursor.selectionEnd() - block.position()])
            block = block.next()
        data = QMimeData()
        data.setText("\n".join(found).replace(LINE_SEPARATOR, "\n"))
        return data

    def _tell_selected(self) -> None:
        self.sentence_selected.emit(self.selected())

    def _on_anchor(self, url: QUrl) -> None:
        _, number, name = url.toString().split(":")
        self.remedy_wanted.emit(int(number), name)

    def _cursor_at(self, number: int, place: int) -> QTextCursor:
        block = self._block_of(number)
        cursor = QTextCursor(block)
        cursor.setPosition(block.position() + len(block.text()[:place].encode("utf-16-le")) // 2)
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
            look = QTextCharFormat()
            look.setForeground(QColor(self._theme.tokens.muted))
            look.setFont(self._theme.font(14))
            cursor.setBlockFormat(self._block_look(0, rtl=self.isRightToLeft()))
            cursor.insertText(self._words, look)
        for place, one in enumerate(self._paragraphs):
            if place:
                cursor.insertBlock()
            self._write(cursor, one)
        cursor.endEditBlock()

    def _write(self, cursor: QTextCursor, one: Paragraph) -> None:
        """The paragraph into the empty block of the cursor, and its flags into one behind it."""
        is_first = bool(self._paragraphs) and self._paragraphs[0].id == one.id
        gap = 0 if is_first else round(min(one.gap - 1, MOST_EMPTY) * self.fontMetrics().height() * LINE_PERCENT / 100)
        rtl = is_right_to_left(one.text) if one.text else self._is_rtl
        cursor.setBlockFormat(self._block_look(gap, rtl=rtl))
        cursor.block().setUserState(one.id)
        cursor.insertText(_lines(one.text or ("" if one.is_done else PENDING)), self._text_look(one))
        if one.flags:
            cursor.insertBlock(self._block_look(self._theme.px(SMALL_GAP_PX), rtl=self.isRightToLeft()))
            cursor.block().setUserState(_NOT_TEXT)
            self._write_flags(cursor, one)

    def _write_flags(self, cursor: QTextCursor, one: Paragraph) -> None:
        tokens = self._theme.tokens
        look = QTextCharFormat()
        look.setFont(self._theme.font(FLAG_PX))
        look.setForeground(QColor(tokens.warning))
        link = QTextCharFormat(look)
        link.setFont(self._theme.font(FLAG_PX, 600))
        link.setAnchor(True)
        for place, (reason, remedies) in enumerate(one.flags):
            cursor.insertText(f"{LINE_SEPARATOR if place else ''}{FLAG_GLYPH} {reason} ", look)
            for number, (name, words) in enumerate(remedies):
                if number:
                    cursor.insertText(" · ", look)
                link.setAnchorHref(f"remedy:{one.id}:{name}")
                cursor.insertText(words, link)

    def _block_look(self, gap_px: int, *, rtl: bool) -> QTextBlockFormat:
        look = QTextBlockFormat()
        look.setLineHeight(LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        look.setTopMargin(gap_px)
        look.setLayoutDirection(Qt.LayoutDirection.RightToLeft if rtl else Qt.LayoutDirection.LeftToRight)
        return look

    def _text_look(self, one: Paragraph) -> QTextCharFormat:
        look = QTextCharFormat()
        look.setFont(self._theme.font())
        look.setForeground(QColor(self._theme.tokens.text if one.text else self._theme.tokens.muted))
        return look

    def _on_theme_changed(self) -> None:
        set_text_font(self, self._theme.font())
        self.document().setDefaultFont(self._theme.font())
        self.document().setDocumentMargin(self._theme.px(4))
        self._rebuild()


def _lines(text: str) -> str:
    return text.replace("\n", LINE_SEPARATOR)
