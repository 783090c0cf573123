"""Stops the caret's blinking when idle: each blink repaints its field, twice a second."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

REST_AFTER_MS = 5_000


class CalmCaret(QObject):
    """Stops the caret's blinking some seconds after it last moved: each blink repaints its field."""

    def __init__(self, parent: QObject | None = None, rest_after_ms: int = REST_AFTER_MS) -> None:
        super().__init__(parent)
        self._flash_ms = QApplication.cursorFlashTime()
        self._rest = QTimer(self, singleShot=True, interval=rest_after_ms)
        self._rest.timeout.connect(self._on_rest)
        QGuiApplication.inputMethod().cursorRectangleChanged.connect(self._on_moved)
        self._rest.start()

    def _on_moved(self) -> None:
        if not self._rest.isActive():
            QApplication.setCursorFlashTime(self._flash_ms)
        self._rest.start()

    def _on_rest(self) -> None:
        # Without blinking; the caret itself stays.
        QApplication.setCursorFlashTime(0)
