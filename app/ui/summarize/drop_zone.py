"""The large place to drop documents on; by keyboard it takes Enter to choose files, and Ctrl+V."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.icons import icon
from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.document_card import RING_REASONS
from app.ui.widgets.names import name_widgets

ICON_PX = 44
LEAST_PX, MOST_PX = 250, 360


class DropZone(QFrame):
    """Files dropped anywhere on the window come here; this shows that they may."""

    files_wanted = Signal()
    folder_wanted = Signal()
    pasted = Signal(list)
    """Paths of files from the clipboard."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._has_ring = False
        self.setObjectName("drop_zone")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._head = QLabel(tr("Drop documents or folders here"), alignment=Qt.AlignmentFlag.AlignCenter)
        self._formats = QLabel(
            tr("PDF, Word, PowerPoint, Excel, OpenDocument, e-books, web pages, e-mails, Markdown and plain text"),
            alignment=Qt.AlignmentFlag.AlignCenter,
            wordWrap=True,
        )
        self._formats.setProperty("kind", "muted")
        self.setAccessibleName(tr("Drop documents or folders here, or press Enter to choose files"))
        self.setAccessibleDescription(self._formats.text())
        self.browse = text_button(tr("Browse…"), "primary")
        self.browse.clicked.connect(self.files_wanted)
        self.folder = text_button(tr("Choose a folder…"), "plain")
        self.folder.clicked.connect(self.folder_wanted)
        self._buttons = QHBoxLayout()
        self._buttons.addStretch(1)
        self._buttons.addWidget(self.browse)
        self._buttons.addWidget(self.folder)
        self._buttons.addStretch(1)
        self._column = QVBoxLayout(self)
        self._column.addStretch(1)
        for widget in (self._icon, self._head, self._formats):
            self._column.addWidget(widget)
        self._column.addLayout(self._buttons)
        self._column.addStretch(1)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        name_widgets(browse=self.browse)

    def _on_theme_changed(self) -> None:
        px, theme = self._theme.px, self._theme
        self._icon.setPixmap(icon("files", theme.tokens.accent, px(ICON_PX)).pixmap(px(ICON_PX)))
        self._head.setFont(theme.font(17, 600))
        self._formats.setFont(theme.font(13.5))
        for button in (self.browse, self.folder):
            button.setFont(theme.font(14, 500))
        self._column.setContentsMargins(px(40), px(28), px(40), px(28))
        self._column.setSpacing(px(8))
        self._buttons.setSpacing(px(8))
        self._buttons.setContentsMargins(0, px(12), 0, 0)
        self.setMinimumHeight(px(LEAST_PX))
        self.setMaximumHeight(px(MOST_PX))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        tokens, px, painter = self._theme.tokens, self._theme.px, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(tokens.surface))
        if self._has_ring:
            painter.setPen(QPen(QColor(tokens.focus), 2))
        else:
            painter.setPen(QPen(QColor(tokens.outline), 1.4, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5), px(12), px(12))

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._has_ring = event.reason() in RING_REASONS
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._has_ring = False
        super().focusOutEvent(event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.files_wanted.emit()
        elif event.matches(QKeySequence.StandardKey.Paste):
            urls = QGuiApplication.clipboard().mimeData().urls()
            self.pasted.emit([Path(url.toLocalFile()) for url in urls if url.isLocalFile()])
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.files_wanted.emit()
