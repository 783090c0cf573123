"""A line that opens to show text below it, such as what the model thought; nothing is laid out until it is opened."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QAccessible, QColor, QPainter, QPaintEvent, QTextCursor
from PySide6.QtWidgets import QPushButton, QWidget

from app.ui.screen_reader import read_as
from app.ui.text.paragraph_styles import ProseStyle
from app.ui.text.pieces import StyledSpan
from app.ui.text.text_view import TextView
from app.ui.theme import Theme
from app.ui.widgets.buttons import put_glyph_after, text_button

LINE_PX = 30
INDENT_PX = 15
GAP_PX, OPEN_GAP_PX = 6, 14
SIZE_PX = 14
CARET_PX = 13


class FoldedText(QWidget):
    """Base of lines that open; hidden without a text."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None,
        *,
        name: str,
        on_opened: Callable[[], object],
        on_resized: Callable[[], object],
    ) -> None:
        super().__init__(parent)
        self.on_resized, self.on_opened = on_resized, on_opened
        """The user opened or closed it; called before the new size is requested."""
        self._theme = theme
        self.text = ""
        """The text received so far."""
        self._thoughts: ThoughtText | None = None
        self._line: QPushButton = text_button("", "quiet", self, name=name, elides=True)
        self._line.setCheckable(True)
        read_as(self._line, QAccessible.Role.Button, folds=True)
        self._line.toggled.connect(self._on_toggled)
        theme.dress(self._line, font="control")
        theme.changed.connect(self._on_theme_changed)
        self.update_line()
        self.hide()

    def line_words(self) -> str:
        """Return the words of the line that opens and closes it."""
        raise NotImplementedError

    def fold_words(self) -> tuple[str, str]:
        """Return what a press does, for screen readers: to open it, and to close it."""
        raise NotImplementedError

    def text_name(self) -> str:
        """Return what the text is called for screen readers."""
        raise NotImplementedError

    @property
    def is_open(self) -> bool:
        return self._line.isChecked()

    def set_open(self, is_open: bool) -> None:
        self._line.setChecked(is_open)

    def append_text(self, text: str) -> None:
        self.text += text
        if self._thoughts is not None:
            self._thoughts.append_text(text)
        self.update_line()

    def replace_text(self, text: str) -> None:
        if text != self.text and self._thoughts is not None:
            self._thoughts.set_text(text)
        self.text = text

    def arrange(self, width: int) -> int:
        """Lay out the parts for a width. Return the height, 0 without any text."""
        if not self.text:
            return 0
        px = self._theme.px
        hint = self._line.sizeHint()
        height = max(px(LINE_PX), hint.height())
        is_mirrored = self.isRightToLeft()
        wide = min(hint.width(), width)
        x = width - wide if is_mirrored else 0
        self._line.setGeometry(x, (height - hint.height()) // 2, wide, hint.height())
        if self._thoughts is not None:
            indent = px(INDENT_PX)
            text_height = self._thoughts.height_for(width - indent)
            self._thoughts.setGeometry(0 if is_mirrored else indent, height, width - indent, text_height)
            height += text_height
        return height + px(GAP_PX if self._thoughts is None else OPEN_GAP_PX)

    def update_line(self) -> None:
        """Show the words of the line as they are now."""
        label, (opens, closes) = self.line_words(), self.fold_words()
        self._line.setText(label)
        self._line.setAccessibleName(label)
        self._line.setAccessibleDescription(closes if self.is_open else opens)
        self._theme.dress(self._line, glyph=("caret-up" if self.is_open else "caret-down", "muted", CARET_PX))
        put_glyph_after(self._line, self)
        self.setVisible(bool(self.text))
        self.on_resized()

    def _on_toggled(self, is_open: bool) -> None:
        if is_open:
            self._thoughts = ThoughtText(self._theme, self, self.text_name())
            self._thoughts.set_text(self.text)
            # A child of a visible widget stays hidden until it is shown.
            self._thoughts.show()
        elif self._thoughts is not None:
            self._thoughts.hide()
            self._thoughts.deleteLater()
            self._thoughts = None
        self.on_opened()
        self.update_line()

    def _on_theme_changed(self) -> None:
        if self._thoughts is not None:
            self._thoughts.set_text(self.text)
        self.update_line()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._thoughts is None:
            return
        px = self._theme.px
        x = self.width() - px(2) if self.isRightToLeft() else 0
        line = QRect(x, self._thoughts.y() + px(2), px(2), self._thoughts.height() - px(4))
        QPainter(self).fillRect(line, QColor(self._theme.tokens.line))


class ThoughtText(TextView):
    """Text below a line that opens: plain, muted and selectable."""

    def __init__(self, theme: Theme, parent: QWidget, name: str) -> None:
        super().__init__(theme, parent)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )

    def set_text(self, text: str) -> None:
        self.document().clear()
        # A cleared document has one paragraph, in Qt's own format.
        QTextCursor(self.document()).setBlockFormat(self.block_format(ProseStyle(SIZE_PX)))
        self.append_text(text)

    def append_text(self, text: str) -> None:
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        # As one change, so that it is laid out once.
        cursor.beginEditBlock()
        for number, line in enumerate(text.split("\n")):
            if number:
                # With one block for each line only the last one is laid out again.
                cursor.insertBlock(self.block_format(ProseStyle(SIZE_PX)))
            self.write(cursor, (StyledSpan(line),), ProseStyle(SIZE_PX, color=self.theme.tokens.muted))
        cursor.endEditBlock()
