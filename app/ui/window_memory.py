"""What the window looked like when it was closed, and how it looks so again."""

from __future__ import annotations

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QMainWindow, QSplitter, QWidget

from app.core.settings import Window
from app.ui.theme import Theme

SIZE_PX = (1280, 800)


def restore(window: QMainWindow, splitter: QSplitter, column: QWidget, theme: Theme, kept: Window) -> None:
    """Geometry and the left column; what cannot be used any more falls back to the size as drawn."""
    geometry = QByteArray.fromBase64(kept.geometry.encode("ascii", "ignore"))
    if geometry.isEmpty() or not window.restoreGeometry(geometry):
        window.resize(*SIZE_PX)
    width = theme.px(kept.sidebar_width)
    splitter.setSizes([width, max(1, window.width() - width)])
    column.setHidden(kept.sidebar_hidden)


def describe(window: QMainWindow, column: QWidget, theme: Theme) -> dict[str, object]:
    """Values for the settings; the column's width is kept as it is without zoom."""
    values: dict[str, object] = {
        "geometry": bytes(window.saveGeometry().toBase64().data()).decode("ascii"),
        "sidebar_hidden": column.isHidden(),
    }
    if not column.isHidden():
        values["sidebar_width"] = round(column.width() / theme.px(1000) * 1000)
    return values
