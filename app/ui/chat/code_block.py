"""A card with code: its language, Copy, and a horizontal scroll of its own."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QPainter,
    QPaintEvent,
    QPen,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from app.ui.chat.highlight import LONGEST_LINE, Highlighter
from app.ui.chat.pieces import Code, Span
from app.ui.chat.text_view import CODE_LINE_PERCENT, Style, TextView
from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

HEADER_PX = 36
PADDING_PX = 14
COPIED_MS = 1500


class CodeText(TextView):
    """The code itself; grows at its end without being written again."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._shown = ""
        self.setLineWrapMode(TextView.LineWrapMode.NoWrap)
        self.scroll_sideways()
        self.setAccessibleName(tr("Code"))
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        option = self.document().defaultTextOption()
        option.setTextDirection(Qt.LayoutDirection.LeftToRight)
        self.document().setDefaultTextOption(option)

    def set_text(self, text: str, *, again: bool = False) -> None:
        """Shows code; lines that are far too long are broken for the eye only, Copy has them whole."""
        if any(len(line) > LONGEST_LINE for line in text.split("\n")):
            text = "\n".join(line[i : i + LONGEST_LINE] for line in text.split("\n") for i in _pieces(len(line)))
        cursor = QTextCursor(self.document())
        if again or not self._shown or not text.startswith(self._shown):
            self.document().setDefaultFont(self.theme.code_font())
            cursor.select(QTextCursor.SelectionType.Document)
            cursor.removeSelectedText()
            look = QTextBlockFormat()
            look.setLineHeight(CODE_LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            look.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
            cursor.setBlockFormat(look)
            self._shown = ""
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text[len(self._shown) :], self.char_format(Span("", code=True), Style()))
        self._shown = text

    def char_format(self, span: Span, style: Style) -> QTextCharFormat:
        """Code has no chip behind it: the card is there."""
        plain = super().char_format(span, style)
        plain.clearBackground()
        return plain

    def height_for(self, width: int) -> int:
        """Content, and the scroll bar where the longest line needs one."""
        height = super().height_for(width)
        is_wide = self.document().idealWidth() > width
        return height + (self.horizontalScrollBar().sizeHint().height() if is_wide else 0)


class CodeBlock(QWidget):
    """One code block of an answer."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._code = Code("", "")
        self._language = QLabel(self, textFormat=Qt.TextFormat.PlainText)
        self._language.setProperty("kind", "muted")
        self._text = CodeText(theme, self)
        self._highlighter = Highlighter(self._text.document(), theme)
        self._copy: QPushButton = text_button(tr("Copy"), "quiet", self)
        self._copy.setAccessibleName(tr("Copy code"))
        self._copy.clicked.connect(self._on_copy)
        self._copied = QTimer(self, singleShot=True, interval=COPIED_MS)
        self._copied.timeout.connect(lambda: self._show_copied(False))
        theme.changed.connect(self._on_theme_changed)
        self._style()

    @property
    def code(self) -> Code:
        """What is shown."""
        return self._code

    @property
    def highlighting(self) -> bool:
        """Whether colours are still to come."""
        return self._highlighter.busy

    def set_code(self, code: Code) -> bool:
        """Shows code; whether anything changed."""
        if code == self._code:
            return False
        self._code = code
        self._language.setText(code.language or tr("text"))
        self._text.set_text(code.text)
        self._highlighter.set_code(code.language, code.text, is_open=code.open)
        return True

    def height_for(self, width: int) -> int:
        """How high the card is at this width."""
        px = self._theme.px
        return px(HEADER_PX) + self._text.height_for(width - 2 * px(PADDING_PX)) + px(PADDING_PX)

    def arrange(self) -> None:
        """Places the parts in the card's present size."""
        px = self._theme.px
        padding, header = px(PADDING_PX), px(HEADER_PX)
        size = self._copy.sizeHint()
        self._copy.setGeometry(
            self.width() - size.width() - px(6), (header - size.height()) // 2 + 1, size.width(), size.height()
        )
        room = self.width() - size.width() - 3 * padding
        self._language.setGeometry(padding, self._copy.y(), room, size.height())
        self._text.setGeometry(padding, header, self.width() - 2 * padding, self.height() - header - px(PADDING_PX - 4))

    def resizeEvent(self, _event: object) -> None:
        self.arrange()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.tokens.line), 1))
        painter.setBrush(QColor(self._theme.tokens.code))
        radius = self._theme.px(10)
        painter.drawRoundedRect(QRect(self.rect()).toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._code.text)
        self._show_copied(True)
        self._copied.start()

    def _show_copied(self, is_copied: bool) -> None:
        self._copy.setText(tr("Copied") if is_copied else tr("Copy"))
        tokens = self._theme.tokens
        name, color = ("check", tokens.success) if is_copied else ("copy", tokens.muted)
        size = self._theme.px(16)
        self._copy.setIcon(icon(name, color, size))
        self._copy.setIconSize(QSize(size, size))
        self.arrange()

    def _style(self) -> None:
        self._language.setFont(self._theme.font(12.5, 500))
        self._copy.setFont(self._theme.font(12.5, 500))
        self._show_copied(False)

    def _on_theme_changed(self) -> None:
        self._style()
        self._text.set_text(self._code.text, again=True)
        self._highlighter.rehighlight()


def _pieces(length: int) -> range:
    return range(0, max(length, 1), LONGEST_LINE)
