"""What the model thought before it answered: one quiet line that opens to the text."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QTextCursor
from PySide6.QtWidgets import QPushButton, QWidget

from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.text.pieces import Span
from app.ui.text.prose import Style, TextView
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

LINE_PX = 30
INDENT_PX = 15
GAP_PX, OPEN_GAP_PX = 6, 14
SIZE_PX = 14
CARET_PX = 13


class ThinkingView(QWidget):
    """Closed until somebody opens it; nothing is laid out before."""

    resized = Signal()
    opened = Signal()
    """Somebody opened or closed it; the size is not asked for again yet."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = ""
        self._seconds: float | None = None
        self._is_going_on = False
        self._thoughts: ThoughtText | None = None
        self._line: QPushButton = text_button("", "quiet", self)
        self._line.setObjectName("thinking")
        self._line.setCheckable(True)
        self._line.toggled.connect(self._on_toggled)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    @property
    def text(self) -> str:
        """The thinking so far."""
        return self._text

    @property
    def label(self) -> str:
        """What the line says."""
        return self._line.text()

    @property
    def is_open(self) -> bool:
        """Whether the text is shown."""
        return self._line.isChecked()

    def append(self, text: str) -> None:
        """More of it, while it goes on."""
        self._is_going_on = True
        self._text += text
        if self._thoughts is not None:
            self._thoughts.append_text(text)
        self._update()

    def set_text(self, text: str, seconds: float | None) -> None:
        """All of it, and how long it took; None where that is not known."""
        if text != self._text and self._thoughts is not None:
            self._thoughts.set_text(text)
        self._text = text
        self.end(seconds)

    def end(self, seconds: float | None) -> None:
        """The answer begins, or nothing more comes."""
        self._is_going_on = False
        self._seconds = seconds
        self._update()

    def set_open(self, is_open: bool) -> None:
        """Shows or hides the text."""
        self._line.setChecked(is_open)

    def arrange(self, width: int) -> int:
        """Places the parts; returns the height, 0 where there was no thinking."""
        if not self._text:
            return 0
        px = self._theme.px
        hint = self._line.sizeHint()
        height = max(px(LINE_PX), hint.height())
        is_mirrored = self.isRightToLeft()
        x = width - hint.width() if is_mirrored else 0
        self._line.setGeometry(x, (height - hint.height()) // 2, hint.width(), hint.height())
        if self._thoughts is not None:
            indent = px(INDENT_PX)
            text_height = self._thoughts.height_for(width - indent)
            self._thoughts.setGeometry(0 if is_mirrored else indent, height, width - indent, text_height)
            height += text_height
        return height + px(GAP_PX if self._thoughts is None else OPEN_GAP_PX)

    def _on_toggled(self, is_open: bool) -> None:
        if is_open:
            self._thoughts = ThoughtText(self._theme, self)
            self._thoughts.set_text(self._text)
            self._thoughts.show()
        elif self._thoughts is not None:
            self._thoughts.hide()
            self._thoughts.deleteLater()
            self._thoughts = None
        self.opened.emit()
        self._update()

    def _update(self) -> None:
        label = tr("Thinking…") if self._is_going_on else thought_for(self._seconds)
        self._line.setText(label)
        self._line.setAccessibleName(label)
        self._line.setAccessibleDescription(tr("Hides the thinking") if self.is_open else tr("Shows the thinking"))
        closed = "caret-left" if self.isRightToLeft() else "caret-right"
        size = self._theme.px(CARET_PX)
        self._line.setIcon(icon("caret-down" if self.is_open else closed, self._theme.tokens.muted, size))
        self._line.setIconSize(QSize(size, size))
        self.setVisible(bool(self._text))
        self.resized.emit()

    def _on_theme_changed(self) -> None:
        self._line.setFont(self._theme.font(13.5, 500))
        if self._thoughts is not None:
            self._thoughts.set_text(self._text)
        self._update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._thoughts is None:
            return
        px = self._theme.px
        x = self.width() - px(2) if self.isRightToLeft() else 0
        line = QRect(x, self._thoughts.y() + px(2), px(2), self._thoughts.height() - px(4))
        QPainter(self).fillRect(line, QColor(self._theme.tokens.line))


class ThoughtText(TextView):
    """The thinking itself: plain, muted, to be selected and copied."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self.setAccessibleName(tr("What the model thought"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )

    def set_text(self, text: str) -> None:
        """Shows a text from its beginning."""
        self.document().clear()
        QTextCursor(self.document()).setBlockFormat(self.block_format(Style(SIZE_PX)))
        self.append_text(text)

    def append_text(self, text: str) -> None:
        """More at the end; every line is a paragraph, so that only the last one is laid out again."""
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        for number, line in enumerate(text.split("\n")):
            if number:
                cursor.insertBlock(self.block_format(Style(SIZE_PX)))
            self.write(cursor, (Span(line),), Style(SIZE_PX, color=self.theme.tokens.muted))
        cursor.endEditBlock()


def thought_for(seconds: float | None) -> str:
    """How long it took, in words."""
    if seconds is None:
        return tr("Thoughts")
    if seconds < 1:
        return tr("Thought for a moment")
    if seconds < 60:
        return tr("Thought for {seconds} s", seconds=round(seconds) if seconds < 59.5 else 59)
    minutes, rest = divmod(round(seconds), 60)
    return tr("Thought for {minutes} min {seconds} s", minutes=minutes, seconds=rest)
