"""Card of alternative wordings below the selection: first a button, then the results."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.ui.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import fill_layout

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
        self._close = IconButton(theme, "x", tr("Close"), size_px=14, on_click=self.close_card)
        self.list = QListWidget()
        self.list.setObjectName("alternatives_list")
        self.list.setAccessibleName(tr("Other wordings"))
        self.list.setWordWrap(True)
        self.list.setProperty("elides", True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._on_chosen)
        self.list.itemActivated.connect(self._on_chosen)
        top = fill_layout(QHBoxLayout(), self.ask, (self.head, 1), self._close)
        self._column = theme.dress(fill_layout(QVBoxLayout(self), top, self.list), margins=(6, 4, 6, 4), spacing=2)
        theme.dress(self.ask, font="control")
        theme.dress(self.head, font="caption", margins=(6, 0, 0, 0))
        theme.dress(self.list, font="row")
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
