"""Files dropped anywhere on a window, and what appears while they are held above it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QDragMoveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.ui.theme import Theme


class FileDrop(QObject):
    """Lets a widget take files; `dropped` brings their paths."""

    dropped = Signal(list)

    def __init__(self, theme: Theme, text: str, target: QWidget) -> None:
        super().__init__(target)
        self._hint = _Hint(theme, text, target)
        target.setAcceptDrops(True)
        target.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDragMoveEvent):  # entering is a move too
            if event.mimeData().hasUrls():
                event.acceptProposedAction()
                self._hint.appear()
            return True
        if event.type() == QEvent.Type.DragLeave:
            self._hint.hide()
        elif isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            self._hint.hide()
            event.acceptProposedAction()
            self.dropped.emit([url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()])
            return True
        return super().eventFilter(watched, event)


class _Hint(QWidget):
    """A dashed frame with a sentence over the whole target; it takes no events itself."""

    def __init__(self, theme: Theme, text: str, target: QWidget) -> None:
        super().__init__(target)
        self._theme, self._text, self._target = theme, text, target
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def appear(self) -> None:
        if self.isVisible():
            return
        self.setGeometry(self._target.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        tokens, px = self._theme.tokens, self._theme.px
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(tokens.background)
        veil.setAlphaF(0.9)
        painter.fillRect(self.rect(), veil)
        painter.setPen(QPen(QColor(tokens.accent), 2, Qt.PenStyle.DashLine))
        edge = px(24)
        painter.drawRoundedRect(self.rect().adjusted(edge, edge, -edge, -edge), px(10), px(10))
        painter.setPen(QColor(tokens.text))
        painter.setFont(self._theme.font(16, 600))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
