"""Panes of a typed text on one card: source at the leading side, translation at the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QByteArray, QMimeData, QPoint, QRect, QSignalBlocker, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent, QTextBlock, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QTextBrowser,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.core.visible import clean_text
from app.language.scripts import is_right_to_left
from app.language.sentences import split_sentences
from app.ui.i18n import tr
from app.ui.shared_labels import CHARACTER_COUNT, TRANSLATION
from app.ui.text.formats import block_format, char_format
from app.ui.text.keyboard_walk import ENTER
from app.ui.theme import TEXT_PX, Theme
from app.ui.translate.needs_model import NeedsModel
from app.ui.translate.segment_layout import LINE, as_lines
from app.ui.utf16 import characters_before, utf16_length
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.input_fields import PlainEdit
from app.ui.widgets.labels import ElidedLabel, plain_label
from app.ui.widgets.layouts import name_widgets, scrolled

CLEAR_TEXT = "Clear the text"
TEXT_TO_TRANSLATE = "Text to translate"
TRANSLATE_BACK = "Translate back, to compare"
COPY_TRANSLATION = "Copy the translation"

NARROW_PX = 460
"""Card width below which the panes are stacked."""
BACK_PX, LEAST_BACK_PX = 130, 40
INSET_PX = 16


class TextPanes(QFrame):
    """Container of the panes; their actions are the page's."""

    def __init__(self, theme: Theme, needs: NeedsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.needs = needs
        self.setObjectName("text_panes")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.source, self.target = SourceEdit(theme), TargetView(theme)
        self.hint = plain_label(kind="muted", wraps=True)
        self.count = ElidedLabel()
        self.clear = IconButton(theme, "x", tr(CLEAR_TEXT), size_px=16)
        self.state = ElidedLabel()
        self.state.setObjectName("text_state")
        for label in (self.count, self.state):
            label.setProperty("kind", "muted")
        self.back = IconButton(theme, "arrow-u-down-left", tr(TRANSLATE_BACK), size_px=18)
        self.back.setCheckable(True)
        self.copy = IconButton(theme, "copy", tr(COPY_TRANSLATION), size_px=18)
        self.back_text = QTextEdit()
        self.back_text.setReadOnly(True)
        self.back_text.setObjectName("back_text")
        self.back_text.setProperty("kind", "bare")
        self.back_text.setFrameShape(QFrame.Shape.NoFrame)
        self.back_text.setAccessibleName(tr("Translated back"))
        self.back_text.setTabChangesFocus(True)
        self.back_text.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        follow_each_paragraph(self.back_text)
        self._lay_out()
        self.alternatives = AlternativesCard(theme, self.right)
        self.show_back(shown=False)
        name_widgets(text_hint=self.hint, text_count=self.count, translate_back=self.back, copy_translation=self.copy)

    def show_needs(self, *, needed: bool) -> None:
        """Show the model offer in place of the translation."""
        self._stack.setCurrentWidget(self._needs_page if needed else self._answer)
        for button in (self.back, self.copy):
            button.setEnabled(not needed)
            button.setVisible(not needed)  # a small window has no room for both

    def show_back(self, *, shown: bool) -> None:
        self._back_part.setVisible(shown)

    def show_count(self) -> None:
        count = len(self.source.text)
        words = tr("1 character") if count == 1 else tr(CHARACTER_COUNT, count=f"{count:,}")
        self.count.setText(words if count else "")
        self.clear.setVisible(bool(count))

    def show_state(self, text: str) -> None:
        self.state.setText(text)
        self.state.setAccessibleName(text)

    def say_back(self, text: str) -> None:
        self.back_text.setPlainText(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_narrow = self.width() < self._theme.px(NARROW_PX)
        wanted = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        if self._sides.direction() != wanted:
            self._sides.setDirection(wanted)
        self._rule.setMinimumSize(*((0, 1) if is_narrow else (1, 0)))
        # QWIDGETSIZE_MAX, Qt's value for no limit.
        self._rule.setMaximumSize(*((16_777_215, 1) if is_narrow else (1, 16_777_215)))

    def _lay_out(self) -> None:
        self.left, self.right = QWidget(), QWidget()
        left_foot, right_foot = QHBoxLayout(), QHBoxLayout()
        left_foot.addWidget(self.count, 1)
        left_foot.addWidget(self.clear)
        left = QVBoxLayout(self.left)
        left.addWidget(self.source, 1)
        left.addLayout(left_foot)
        self._back_part = self._new_back_part()
        self._answer, needs_page = QWidget(), QWidget()
        needs_page.setObjectName("page")
        answer = QVBoxLayout(self._answer)
        answer.setContentsMargins(0, 0, 0, 0)
        answer.addWidget(self.target, 1)
        answer.addWidget(self._back_part)
        needs = QVBoxLayout(needs_page)
        needs.addWidget(self.needs)
        needs.addWidget(self.hint)
        needs.addStretch(1)
        self._needs_page = scrolled(needs_page)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._answer)
        self._stack.addWidget(self._needs_page)
        right_foot.addWidget(self.state, 1)
        right_foot.addWidget(self.back)
        right_foot.addWidget(self.copy)
        right = QVBoxLayout(self.right)
        right.addWidget(self._stack, 1)
        right.addLayout(right_foot)
        self._rule = QFrame()
        self._rule.setObjectName("panes_rule")
        self._rule.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._sides = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._sides.setContentsMargins(1, 1, 1, 1)
        self._sides.setSpacing(0)
        self._sides.addWidget(self.left, 1)
        self._sides.addWidget(self._rule)
        self._sides.addWidget(self.right, 1)
        dress = self._theme.dress
        dress(left, right, margins=(INSET_PX, 12, INSET_PX, 8), spacing=6)
        dress(needs, margins=(0, 4, 0, 0), spacing=14)
        dress(self.hint, font=(14, 400))
        dress(self.count, self.state, font=(12.5, 400), margins=(4, 0, 0, 0))
        dress(self.source, self.target, self.back_text, least_height=LEAST_BACK_PX)

    def _new_back_part(self) -> QWidget:
        part, rule, head = QWidget(), QFrame(), QLabel(tr("Translated back"))
        rule.setProperty("kind", "rule")
        head.setProperty("kind", "muted")
        column = QVBoxLayout(part)
        for widget in (rule, head, self.back_text):
            column.addWidget(widget)
        self._theme.dress(column, margins=(0, 0, 0, 0), spacing=6)
        self._theme.dress(head, font=(12, 600), margins=(4, 0, 0, 0))
        self._theme.dress(self.back_text, text=(14, 400, 4), most_height=BACK_PX)
        return part


# Source editor: plain text, each paragraph in its own direction.


LINE_PERCENT = 140


class SourceEdit(PlainEdit):
    """Source editor: Ctrl+Enter translates at once, Esc stops; dragged files go to the window."""

    wanted = Signal()
    stopped = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("text_source")
        self.setPlaceholderText(tr("Type or paste a text"))
        self.setAccessibleName(tr(TEXT_TO_TRANSLATE))
        follow_each_paragraph(self)
        set_line_height(self)
        theme.dress(self, text=(TEXT_PX, 400, 4))

    @property
    def text(self) -> str:
        """The typed text without NUL characters and lone surrogates."""
        # The store can't keep NUL and lone surrogates.
        return clean_text(self.toPlainText())

    def show_text(self, text: str) -> None:
        """Set another text, such as a stored one, without emitting changes."""
        # It wasn't typed, so nothing is to follow from it.
        with QSignalBlocker(self):
            self.setPlainText(text)
            # setPlainText drops all formats of paragraphs.
            set_line_height(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in ENTER
        # While an input method composes, Enter and Escape are its keys.
        if is_enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier and not self.is_composing:
            self.wanted.emit()
        elif event.key() == Qt.Key.Key_Escape and not self.is_composing:
            self.stopped.emit()
        else:
            super().keyPressEvent(event)


def follow_each_paragraph(edit: QTextEdit) -> None:
    """Detect the text direction of each paragraph by its first letters."""
    option = edit.document().defaultTextOption()
    option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    edit.document().setDefaultTextOption(option)


def set_line_height(edit: QTextEdit) -> None:
    """Set the line height; paragraphs get no extra space."""
    cursor = edit.textCursor()
    cursor.select(cursor.SelectionType.Document)
    cursor.mergeBlockFormat(block_format(LINE_PERCENT))


# Translation view: paragraphs with their flags below; selectable.


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
        self._rest = QTimer(self, singleShot=True, interval=SELECTED_MS)
        self._rest.timeout.connect(self._tell_selected)
        # Announced after a pause, not with every step of a drag.
        self.selectionChanged.connect(self._rest.start)
        theme.dress(self, text=(TEXT_PX, 400, 4))
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
            cursor.insertText(self._words, char_format(self._theme.font(14), self._theme.tokens.muted))
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
        look = char_format(self._theme.font(FLAG_PX), tokens.warning)
        link = char_format(self._theme.font(FLAG_PX, 600), tokens.warning)
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


# Card of alternative wordings below the selection: first a button, then the results.


WIDTH_PX, LEAST_PX, GAP_PX = 400, 220, 6


class AlternativesCard(QFrame):
    """Card of alternative wordings. `ask` requests them; `chosen` carries one to replace the sentence."""

    chosen = Signal(str)
    closed = Signal(bool)
    """True if it had the keyboard focus."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._within = theme, parent
        self._at = QRect()
        self.setObjectName("alternatives")
        self.setProperty("kind", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(tr("Other wordings"))
        self.ask = text_button(tr("Other wordings"), "quiet")
        self.head = plain_label(kind="muted")
        self._close = IconButton(theme, "x", tr("Close"), size_px=14)
        self._close.clicked.connect(self.close_card)
        self.list = QListWidget()
        self.list.setObjectName("alternatives_list")
        self.list.setAccessibleName(tr("Other wordings"))
        self.list.setWordWrap(True)
        self.list.setProperty("elides", True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._on_chosen)
        self.list.itemActivated.connect(self._on_chosen)
        top = QHBoxLayout()
        top.addWidget(self.ask)
        top.addWidget(self.head, 1)
        top.addWidget(self._close)
        self._column = QVBoxLayout(self)
        self._column.addLayout(top)
        self._column.addWidget(self.list)
        theme.dress(self._column, margins=(6, 4, 6, 4), spacing=2)
        theme.dress(self.ask, font=(13, 500))
        theme.dress(self.head, font=(12.5, 500), margins=(6, 0, 0, 0))
        theme.dress(self.list, font=(14, 400))
        self.hide()

    def offer(self, at: QRect) -> None:
        """Show the button below a point of the parent."""
        self._at = at
        self.list.clear()
        self._show_parts(is_asked=False)

    def begin(self) -> None:
        """Wait for wordings; the focus moves to their list."""
        self.list.clear()
        self.head.setText(tr("Looking for other wordings…"))
        self._show_parts(is_asked=True)
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def add(self, text: str) -> None:
        if text not in [self.list.item(row).text() for row in range(self.list.count())]:
            QListWidgetItem(text, self.list)
        if self.list.currentRow() < 0:
            self.list.setCurrentRow(0)
        self._place_card()

    def end(self) -> None:
        none, some = tr("No other wordings found."), tr("Other wordings")
        self.head.setText(some if self.list.count() else none)
        self._place_card()

    def close_card(self) -> None:
        """Hide the card and emit `closed`, unless it is hidden already."""
        if self.isVisible():
            focus = QApplication.focusWidget()
            had_focus = focus is not None and self.isAncestorOf(focus)
            self.hide()
            self.closed.emit(had_focus)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_card()
        else:
            super().keyPressEvent(event)

    def _on_chosen(self, item: QListWidgetItem) -> None:
        text = item.text()
        self.close_card()
        self.chosen.emit(text)

    def _show_parts(self, *, is_asked: bool) -> None:
        self.ask.setVisible(not is_asked)
        for widget in (self.head, self._close, self.list):
            widget.setVisible(is_asked)
        self.show()
        self.raise_()
        self._place_card()

    def _place_card(self) -> None:
        """Place the card below the point, or above if there is no room, within the parent."""
        px, parent = self._theme.px, self._within
        is_asked = not self.list.isHidden()
        if is_asked:
            # The width first, as the heights of the rows depend on it.
            self.setFixedWidth(max(px(LEAST_PX), min(px(WIDTH_PX), parent.width() - 2 * px(GAP_PX))))
            rows = sum(self._fit_item(self.list.item(row)) for row in range(self.list.count()))
            self.list.setFixedHeight(min(rows + px(6), parent.height() // 2) if rows else 0)
        else:
            self.setMinimumWidth(0)
            self.setMaximumWidth(px(WIDTH_PX))
        # Only then does the size hint count parts that were just shown or hidden.
        self._column.activate()
        self.adjustSize()
        below = self._at.bottom() + px(GAP_PX)
        above = self._at.top() - px(GAP_PX) - self.height()
        y = below if below + self.height() <= parent.height() or above < 0 else above
        x = min(max(px(GAP_PX), self._at.center().x() - self.width() // 2), parent.width() - self.width() - px(GAP_PX))
        self.move(QPoint(max(0, x), max(0, min(y, parent.height() - self.height()))))

    def _fit_item(self, item: QListWidgetItem) -> int:
        """Fit an item's height to its wrapped text; return the height."""
        px = self._theme.px
        room = QRect(0, 0, self.width() - px(48), 1 << 16)
        words = self.list.fontMetrics().boundingRect(room, Qt.TextFlag.TextWordWrap.value, item.text())
        item.setSizeHint(QSize(0, words.height() + px(16)))
        return item.sizeHint().height()


# Sentences of a text by position.


def sentences_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the range of whole sentences that contains `start` and `end`."""
    begins = [first for first, _ in split_sentences(text)]
    first = max((number for number in begins if number <= start), default=0)
    last = min((number for number in begins if number >= end and number > first), default=len(text))
    return first, last


def sentence_like(source: str, target: str, start: int, end: int) -> tuple[str, int, int]:
    """Return the source sentence for a translated range, with its range.

    With equal numbers of sentences it is the one at the same place, else the whole text.
    """
    ours, theirs = list(split_sentences(source)), list(split_sentences(target))
    chosen = [number for number, (first, last) in enumerate(theirs) if first < end and last > start]
    if len(ours) != len(theirs) or not chosen:
        return source.strip(), 0, len(target)
    words = source[ours[chosen[0]][0] : ours[chosen[-1]][1]].strip()
    return words, theirs[chosen[0]][0], theirs[chosen[-1]][1]
