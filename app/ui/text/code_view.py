"""Code blocks: a card with language, Copy, highlighting and horizontal scrolling."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from PySide6.QtCore import QEvent, QRect, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QGuiApplication,
    QPaintEvent,
    QPen,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QPushButton, QWidget

from app.core.visible import reveal_directions
from app.features.drawings import kind_of
from app.ui.i18n import Translatable, tr
from app.ui.screen_reader import SpokenPart, read_as
from app.ui.scroll_bars import STRIP_PX
from app.ui.shared_labels import COPIED, COPY
from app.ui.text.code_colours import LONGEST_LINE, CodeHighlighter
from app.ui.text.formats import block_format
from app.ui.text.links import drawing_link
from app.ui.text.paragraph_styles import ProseStyle
from app.ui.text.pieces import Code, Piece, StyledSpan
from app.ui.text.prose import CODE_LINE_PERCENT
from app.ui.text.text_view import TextView
from app.ui.theme import Theme, smooth_painter
from app.ui.utf16 import utf16_length, utf16_slice
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_label
from app.ui.widgets.spoken_views import IS_CODE
from app.ui.widgets.timers import new_timer

OPEN_DRAWING = "Open this drawing in the browser"
COPY_CODE = "Copy code"
WRAP: Translatable = "Wrap"
OPEN_IN_BROWSER: Translatable = "Open in the browser"
CODE_IN = "Code: {language}"


HEADER_PX = 36
PADDING_PX = 16
COPIED_MS = 1500


class CodeText(TextView):
    """Code view that appends growing code instead of rewriting it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._shown = ""
        self._breaks: frozenset[int] = frozenset()
        """Positions of line breaks on screen that aren't in the text."""
        self.code: Code | None = None
        """The block shown; None for other text."""
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setLineWrapMode(TextView.LineWrapMode.NoWrap)
        self.scroll_sideways()
        self.setAccessibleName(tr("Code"))
        read_as(self, QAccessible.Role.Section)
        self.setProperty(IS_CODE, True)
        # Code reads from left to right, also in a right-to-left window or with right-to-left words in it.
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        option = self.document().defaultTextOption()
        option.setTextDirection(Qt.LayoutDirection.LeftToRight)
        self.document().setDefaultTextOption(option)

    def spoken_count(self) -> int:
        return self.document().blockCount()

    def spoken_part(self, number: int) -> SpokenPart:
        block = self.document().findBlockByNumber(number)
        place = self.document().documentLayout().blockBoundingRect(block).toRect().translated(self.viewport().pos())
        return SpokenPart(QAccessible.Role.Paragraph, block.text(), place)

    def set_text(self, text: str, *, again: bool = False) -> None:
        """Show code. Extremely long lines are broken on screen only; Copy has them whole."""
        self._breaks = frozenset()
        if any(len(line) > LONGEST_LINE for line in text.split("\n")):
            text, self._breaks = _broken(text)
        cursor = QTextCursor(self.document())
        # Usually only the new end is inserted: replacing all would lay out every line again with each token.
        if again or not self._shown or not text.startswith(self._shown):
            self.document().setDefaultFont(self.theme.fonts.code())
            cursor.select(QTextCursor.SelectionType.Document)
            cursor.removeSelectedText()
            cursor.setBlockFormat(block_format(CODE_LINE_PERCENT, is_rtl=False))
            self._shown = ""
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(
            reveal_directions(text[len(self._shown) :]), self.char_format(StyledSpan("", code=True), ProseStyle())
        )
        self._shown = text

    def selected(self) -> list[Piece]:
        cursor = self.textCursor()
        if self.code is None or not cursor.hasSelection():
            return super().selected()
        start, end = cursor.selectionStart(), cursor.selectionEnd()
        parts = []
        # Breaks that are on the screen only don't go along to the clipboard.
        for at in sorted(number for number in self._breaks if start <= number < end):
            parts.append(utf16_slice(self._shown, start, at))
            start = at + 1
        return [replace(self.code, text="".join([*parts, utf16_slice(self._shown, start, end)]))]

    def char_format(self, span: StyledSpan, style: ProseStyle) -> QTextCharFormat:
        # No chip behind code here: the card is its background.
        plain = super().char_format(span, style)
        plain.clearBackground()
        return plain

    def height_for(self, width: int) -> int:
        """Return the height at a width, with a scroll bar if a line is wider."""
        height = super().height_for(width)
        # Without wrapping, the document's ideal width is that of its longest line.
        is_wide = self.document().idealWidth() > width
        return height + (self.theme.px(STRIP_PX) if is_wide else 0)


class CodeBlock(QWidget):
    """Code block of an answer: language, highlighted code, buttons to copy and to draw it."""

    link_clicked = Signal(str)
    """Address of a drawing to open."""
    resized = Signal()
    """Line wrapping was toggled."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.code = Code("", "")
        """The block shown."""
        self._language = theme.dress(plain_label(kind="muted", parent=self), font="caption")
        self._labels: dict[QPushButton, Translatable] = {}
        self._text = CodeText(theme, self)
        self.highlighter = CodeHighlighter(self._text.document(), theme)
        self._copy = self._header_button(COPY, tr(COPY_CODE))
        self._copy.clicked.connect(self._on_copy)
        self._copied = new_timer(self, COPIED_MS, lambda: self._show_copied(False))
        theme.changed.connect(self._on_theme_changed)
        self._show_copied(False)

    @cached_property
    def wrap(self) -> QPushButton:
        """Button that breaks long lines, made when there is one: a chat has many blocks, and most need none."""
        button = self._header_button(WRAP, tr("Wrap long lines"))
        button.setCheckable(True)
        read_as(button, QAccessible.Role.Switch)
        button.toggled.connect(self._on_wrap)
        return self._theme.dress(button, glyph=("arrow-elbow-down-left", "muted", 16))

    @cached_property
    def draw(self) -> QPushButton:
        """Button that opens the drawing which the code describes."""
        button = self._header_button(OPEN_IN_BROWSER, tr(OPEN_DRAWING))
        button.clicked.connect(lambda _=False: self.link_clicked.emit(drawing_link(self._kind, self.code.text)))
        return self._theme.dress(button, glyph=("arrow-square-out", "muted", 16))

    def _show_button(self, name: str, *, is_shown: bool) -> None:
        """Show or hide one of these buttons, and lay out the header again if that is a change."""
        # `isHidden`, since `isVisible` is False as long as the whole answer isn't shown.
        was_shown = name in vars(self) and not getattr(self, name).isHidden()
        if is_shown != was_shown:
            getattr(self, name).setVisible(is_shown)
            self._arrange()

    @property
    def _is_wrapped(self) -> bool:
        return "wrap" in vars(self) and self.wrap.isChecked()

    @property
    def _kind(self) -> str:
        """Kind of drawing the code describes; "" while it is incomplete."""
        return "" if self.code.open else kind_of(self.code.language, self.code.text)

    def set_code(self, code: Code) -> bool:
        """Show code; return True if it changed. Highlighting follows on later turns of the event loop."""
        if code == self.code:
            return False
        self.code = code
        self._language.setText(code.language or tr("text"))
        self._text.setAccessibleName(tr(CODE_IN, language=code.language) if code.language else tr("Code"))
        self._text.code = code
        self._text.set_text(code.text)
        self.highlighter.set_code(code.language, code.text, is_open=code.open)
        self._show_button("draw", is_shown=bool(self._kind))
        return True

    def height_for(self, width: int) -> int:
        px = self._theme.px
        room = width - 2 * px(PADDING_PX)
        height = px(HEADER_PX) + self._text.height_for(room) + px(PADDING_PX)
        is_wide = self._is_wrapped or self._text.document().idealWidth() > room
        self._show_button("wrap", is_shown=is_wide)
        return height

    def resizeEvent(self, _event: object) -> None:
        self._arrange()

    def _header_button(self, words: Translatable, name: str) -> QPushButton:
        button: QPushButton = text_button(tr(words), "quiet", self)
        button.setAccessibleName(name)
        button.setToolTip(name)
        # Kept apart from the button's text, which `_arrange` empties where there is no room.
        self._labels[button] = words
        self._theme.dress(button, font="caption")
        button.hide()
        return button

    def _label_of(self, button: QPushButton) -> Translatable:
        return self._labels[button]

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._arrange()
        super().changeEvent(event)

    def _arrange(self) -> None:
        """Show button labels if there is room for all, else icons."""
        px = self._theme.px
        padding, header, gap = px(PADDING_PX), px(HEADER_PX), px(4)
        made = [self._copy, *(getattr(self, name) for name in ("draw", "wrap") if name in vars(self))]
        shown = [button for button in made if not button.isHidden()]
        for button in shown:
            button.setText(tr(self._label_of(button)))
        language = self._language.sizeHint().width() + 3 * padding
        if language + sum(button.sizeHint().width() + gap for button in shown) > self.width():
            for button in shown[1:]:
                button.setText("")
        right = self.width() - px(6)
        for button in shown:
            size = button.sizeHint()
            button.setGeometry(right - size.width(), (header - size.height()) // 2 + 1, size.width(), size.height())
            right -= size.width() + gap
        self._language.setGeometry(padding, self._copy.y(), max(0, right - padding), self._copy.height())
        self._text.setGeometry(padding, header, self.width() - 2 * padding, self.height() - header - px(PADDING_PX - 4))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = smooth_painter(self)
        painter.setPen(QPen(QColor(self._theme.tokens.line), 1))
        # Half a pixel inwards, or the line of one pixel is blurred over two.
        painter.setBrush(QColor(self._theme.tokens.code))
        radius = self._theme.px(10)
        painter.drawRoundedRect(QRect(self.rect()).toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)

    def _on_wrap(self, is_wrapped: bool) -> None:
        modes = CodeText.LineWrapMode
        self._text.setLineWrapMode(modes.FixedPixelWidth if is_wrapped else modes.NoWrap)
        self.resized.emit()
        self._arrange()

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.code.text)
        self._show_copied(True)
        self._copied.start()

    def _show_copied(self, is_copied: bool) -> None:
        self._labels[self._copy] = COPIED if is_copied else COPY
        self._copy.show()
        self._theme.dress(self._copy, glyph=("check", "success", 16) if is_copied else ("copy", "muted", 16))
        self._arrange()

    def _on_theme_changed(self) -> None:
        self._show_copied(False)
        # Characters keep the colours and font they were inserted with, so they are inserted again.
        self._text.set_text(self.code.text, again=True)
        self.highlighter.rehighlight()


def _broken(text: str) -> tuple[str, frozenset[int]]:
    """Break over-long lines; return the text and the positions of the breaks."""
    lines, breaks, at = list[str](), set[int](), 0
    for line in text.split("\n"):
        for begin in range(0, max(len(line), 1), LONGEST_LINE):
            if begin:
                # The break takes the place of the newline that was counted behind the part before.
                breaks.add(at - 1)
            lines.append(line[begin : begin + LONGEST_LINE])
            at += utf16_length(lines[-1]) + 1
    return "\n".join(lines), frozenset(breaks)
