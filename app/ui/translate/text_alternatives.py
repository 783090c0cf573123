"""Other wordings of a selected sentence: a small card below the selection, first with a button, then with what came."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button

WIDTH_PX, LEAST_PX, GAP_PX = 400, 220, 6


class AlternativesCard(QFrame):
    """`wanted`: look for other wordings. `chosen`: this one in place of the sentence."""

    wanted = Signal()
    chosen = Signal(str)
    closed = Signal(bool)
    """Whether the keyboard was in it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._within = theme, parent
        self._at = QRect()
        self.setObjectName("alternatives")
        self.setProperty("kind", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(tr("Other wordings"))
        self.ask = text_button(tr("Other wordings"), "quiet")
        self.ask.clicked.connect(self.wanted)
        self.head = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.head.setProperty("kind", "muted")
        self._close = IconButton(theme, "x", tr("Close"), size_px=14)
        self._close.clicked.connect(self.leave)
        self.list = QListWidget()
        self.list.setObjectName("alternatives_list")
        self.list.setAccessibleName(tr("Other wordings"))
        self.list.setWordWrap(True)
        self.list.setProperty("elides", True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._on_chosen)
        self.list.itemActivated.connect(self._on_chosen)
        self._top = QHBoxLayout()
        self._top.addWidget(self.ask)
        self._top.addWidget(self.head, 1)
        self._top.addWidget(self._close)
        self._column = QVBoxLayout(self)
        self._column.addLayout(self._top)
        self._column.addWidget(self.list)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    def offer(self, at: QRect) -> None:
        """A button below a place of the parent."""
        self._at = at
        self.list.clear()
        self._show_parts(is_asked=False)

    def begin(self) -> None:
        """The wordings are on their way; the keyboard goes to where they come."""
        self.list.clear()
        self.head.setText(tr("Looking for other wordings…"))
        self._show_parts(is_asked=True)
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def add(self, text: str) -> None:
        """One more."""
        if text not in [self.list.item(row).text() for row in range(self.list.count())]:
            QListWidgetItem(text, self.list)
        if self.list.currentRow() < 0:
            self.list.setCurrentRow(0)
        self._place()

    def end(self) -> None:
        """No more come."""
        none, some = tr("No other wording was found."), tr("Other wordings")
        self.head.setText(some if self.list.count() else none)
        self._place()

    def leave(self) -> None:
        """Goes, and tells so."""
        if self.isVisible():
            focus = QApplication.focusWidget()
            had_focus = focus is not None and self.isAncestorOf(focus)
            self.hide()
            self.closed.emit(had_focus)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)

    def _on_chosen(self, item: QListWidgetItem) -> None:
        text = item.text()
        self.leave()
        self.chosen.emit(text)

    def _show_parts(self, *, is_asked: bool) -> None:
        self.ask.setVisible(not is_asked)
        for widget in (self.head, self._close, self.list):
            widget.setVisible(is_asked)
        self.show()
        self.raise_()
        self._place()

    def _place(self) -> None:
        """Below the place where there is room, else above it; within the parent."""
        px, parent = self._theme.px, self._within
        is_asked = not self.list.isHidden()
        if is_asked:
            self.setFixedWidth(max(px(LEAST_PX), min(px(WIDTH_PX), parent.width() - 2 * px(GAP_PX))))
            rows = sum(self._fit(self.list.item(row)) for row in range(self.list.count()))
            self.list.setFixedHeight(min(rows + px(6), parent.height() // 2) if rows else 0)
        else:
            self.setMinimumWidth(0)
            self.setMaximumWidth(px(WIDTH_PX))
        self._column.activate()
        self.adjustSize()
        below = self._at.bottom() + px(GAP_PX)
        above = self._at.top() - px(GAP_PX) - self.height()
        y = below if below + self.height() <= parent.height() or above < 0 else above
        x = min(max(px(GAP_PX), self._at.center().x() - self.width() // 2), parent.width() - self.width() - px(GAP_PX))
        self.move(QPoint(max(0, x), max(0, min(y, parent.height() - self.height()))))

    def _fit(self, item: QListWidgetItem) -> int:
        """As high as its words need it in the width of the card; how high that is."""
        px = self._theme.px
        room = QRect(0, 0, self.width() - px(48), 1 << 16)
        words = self.list.fontMetrics().boundingRect(room, Qt.TextFlag.TextWordWrap.value, item.text())
        item.setSizeHint(QSize(0, words.height() + px(16)))
        return item.sizeHint().height()

    def _on_theme_changed(self) -> None:
        px, theme = self._theme.px, self._theme
        self._column.setContentsMargins(px(6), px(4), px(6), px(4))
        self._column.setSpacing(px(2))
        self.ask.setFont(theme.font(13, 500))
        self.head.setFont(theme.font(12.5, 500))
        self.head.setContentsMargins(px(6), 0, 0, 0)
        self.list.setFont(theme.font(14))
