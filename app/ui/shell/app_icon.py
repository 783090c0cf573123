"""The program's own mark, from its SVG file at every size a window asks for."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer


def app_icon(path: Path, sizes_px: tuple[int, ...] = (16, 32, 64)) -> QIcon:
    """An icon with one drawing per size."""
    renderer = QSvgRenderer(QByteArray(path.read_bytes()))
    icon = QIcon()
    for size_px in sizes_px:
        icon.addPixmap(_drawn(renderer, size_px))
    return icon


def _drawn(renderer: QSvgRenderer, size_px: int) -> QPixmap:
    pixmap = QPixmap(size_px, size_px)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size_px, size_px))
    painter.end()
    return pixmap
