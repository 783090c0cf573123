"""The program's mark can be told apart from its ground, even at 16 pixels."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from app.core.paths import resource
from app.ui.shell.app_icon import app_icon


@pytest.mark.parametrize("size_px", [16, 32, 64])
def test_the_mark_is_drawn_at_every_size(qapp: QApplication, size_px: int) -> None:
    image = app_icon(resource("icons/fireside.svg")).pixmap(QSize(size_px, size_px), 1.0).toImage()
    assert image.width() == size_px
    colours = {image.pixelColor(x, y).name() for x in range(size_px) for y in range(size_px)}
    assert len(colours) > 10
    ember = image.pixelColor(size_px // 2, round(size_px * 0.55))
    assert ember.red() > 180
    assert ember.blue() < 140
