"""Summarize tab without documents: a large drop zone; by keyboard, Enter chooses files and Ctrl+V pastes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
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

from app.ui.document.document_card import RING_REASONS
from app.ui.i18n import tr
from app.ui.screen_reader import read_as
from app.ui.summarize.better_model import BetterModel
from app.ui.theme import HEADING_PX, TOP_PX, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.layouts import drop_margins, fill_layout, name_widgets, scrolled
from app.ui.work.job_tab import TabColumn

if TYPE_CHECKING:
    from app.bootstrap import Fireside


DROP_DOCUMENTS_HERE = "Drop documents or folders here"


class EmptyPage(QWidget):
    """Introduction and drop zone, shown while there are no documents to summarize."""

    def __init__(self, app: Fireside, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._head = QLabel(tr("What would you like summarized?"), wordWrap=True)
        self._words = QLabel(
            tr("Reads every page and links each statement to the sentence it’s based on."), wordWrap=True
        )
        self._words.setProperty("kind", "muted")
        self.zone = SummaryDropZone(theme)
        self.better = BetterModel(app, theme)
        inside = TabColumn(theme, top_px=TOP_PX, bottom_px=20)
        inside.setObjectName("page")
        for widget in (self._head, self._words):
            inside.rows.addWidget(widget)
        inside.rows.addWidget(self.zone, 1)
        inside.rows.addWidget(self.better)
        inside.rows.addStretch(1)
        fill_layout(drop_margins(QVBoxLayout(self)), scrolled(inside))
        theme.dress(self._head, font="title", least_height=HEADING_PX)
        theme.dress(self._words, font="row", margins=(0, 0, 0, 6))
        name_widgets(empty_head=self._head)


ICON_PX = 44
LEAST_PX, MOST_PX = 250, 360


class SummaryDropZone(QFrame):
    """Visual drop target. The window takes the drops; this only invites them."""

    files_wanted = Signal()
    pasted = Signal(list)
    """Paths of files pasted from the clipboard."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._has_ring = False
        self.setObjectName("drop_zone")
        # Enter presses it; of a group readers say what is written in it, and then its description with the same words.
        read_as(self, QAccessible.Role.Button)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._icon = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._head = QLabel(tr(DROP_DOCUMENTS_HERE), alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._formats = QLabel(
            tr("PDF, Word, PowerPoint, Excel, OpenDocument, e-books, web pages, e-mails, Markdown and plain text"),
            alignment=Qt.AlignmentFlag.AlignCenter,
            wordWrap=True,
        )
        self._formats.setProperty("kind", "muted")
        self.setAccessibleName(tr("Drop documents or folders here, or press Enter to choose files"))
        self.setAccessibleDescription(self._formats.text())
        self.browse = text_button(tr("Browse…"), "primary", on_click=self.files_wanted, elides=True)
        self.folder = text_button(tr("Choose a folder…"), "plain", elides=True)
        self._lay_out()
        name_widgets(browse=self.browse)

    def _lay_out(self) -> None:
        buttons, column, theme = QHBoxLayout(), QVBoxLayout(self), self._theme
        fill_layout(buttons, 1, self.browse, self.folder, 1)
        column.addStretch(1)
        for widget in (self._icon, self._head, self._formats):
            column.addWidget(widget)
        fill_layout(column, buttons, 1)
        theme.dress(self._icon, picture=("files", "accent", ICON_PX))
        theme.dress(self._head, font="section")
        theme.dress(self._formats, font="small")
        theme.dress(self.browse, self.folder, font="control")
        theme.dress(column, margins=(24, 28, 24, 28), spacing=8)
        theme.dress(buttons, margins=(0, 12, 0, 0), spacing=8)
        theme.dress(self, least_height=LEAST_PX, most_height=MOST_PX)

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
        # After a click nobody needs to see where the focus is.
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
