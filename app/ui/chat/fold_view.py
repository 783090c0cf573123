"""The title of a part of an answer that opens and closes, and the place where that part ends."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QPushButton, QWidget

from app.ui.chat.pieces import Fold
from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

LINE_PX, CARET_PX = 30, 13


class FoldView(QWidget):
    """One line to press; what it opens is the body's matter."""

    toggled = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.fold: Fold | None = None
        self._line: QPushButton = text_button("", "quiet", self)
        self._line.setObjectName("thinking")
        self._line.setCheckable(True)
        self._line.toggled.connect(self._on_toggled)
        theme.changed.connect(self._update)

    @property
    def is_open(self) -> bool:
        """Whether what follows is shown."""
        return self._line.isChecked()

    def set_fold(self, fold: Fold) -> bool:
        """Shows a title; whether anything changed. What somebody opened stays open."""
        if fold == self.fold:
            return False
        if self.fold is None or fold.is_open != self.fold.is_open:
            self.set_open(fold.is_open)
        self.fold = fold
        self._update()
        return True

    def set_open(self, is_open: bool) -> None:
        """Opens or closes it without telling."""
        self._line.blockSignals(True)
        self._line.setChecked(is_open)
        self._line.blockSignals(False)
        self._update()

    def height_for(self, _width: int) -> int:
        """How high the line is."""
        return max(self._theme.px(LINE_PX), self._line.sizeHint().height())

    def resizeEvent(self, _event: object) -> None:
        hint = self._line.sizeHint()
        width = min(hint.width(), self.width())
        self._line.setGeometry(self.width() - width if self.isRightToLeft() else 0, 0, width, self.height())

    def _on_toggled(self) -> None:
        self._update()
        self.toggled.emit()

    def _update(self) -> None:
        title = (self.fold.title if self.fold else "") or tr("Details")
        self._line.setText(title.replace("&", "&&").replace("\u2028", " "))
        self._line.setAccessibleName(title)
        self._line.setAccessibleDescription(tr("Hides what follows") if self.is_open else tr("Shows what follows"))
        self._line.setFont(self._theme.font(14, 600))
        size = self._theme.px(CARET_PX)
        closed = "caret-left" if self.isRightToLeft() else "caret-right"
        self._line.setIcon(icon("caret-down" if self.is_open else closed, self._theme.tokens.muted, size))
        self._line.setIconSize(QSize(size, size))


class FoldEndView(QWidget):
    """Where the part ends: nothing to be seen."""

    def height_for(self, _width: int) -> int:
        """None."""
        return 0
