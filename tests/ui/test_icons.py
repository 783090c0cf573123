"""Glyphs are drawn at the size that is asked for, in their colour; a missing one is no error."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage
from PySide6.QtWidgets import QApplication

from app.ui.icons import icon


def _ink(image: QImage) -> float:
    """The share of pixels that are not transparent."""
    inked = sum(image.pixelColor(x, y).alpha() > 60 for x in range(image.width()) for y in range(image.height()))
    return inked / (image.width() * image.height())


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0, 3.0])
def test_a_glyph_has_as_many_pixels_as_the_screen_wants(qapp: QApplication, ratio: float) -> None:
    image = icon("copy", "#B23F12").pixmap(QSize(20, 20), ratio).toImage()
    assert image.width() == round(20 * ratio)
    assert 0.03 < _ink(image) < 0.6


def test_a_glyph_has_its_colour(qapp: QApplication) -> None:
    image = icon("stop-fill", "#B23F12").pixmap(QSize(64, 64), 1.0).toImage()
    assert image.pixelColor(32, 32) == QColor("#B23F12")


def test_different_names_give_different_drawings(qapp: QApplication) -> None:
    drawn = [icon(name, "#000000").pixmap(QSize(32, 32), 1.0).toImage() for name in ("copy", "trash", "arrow-up")]
    assert drawn[0] != drawn[1] != drawn[2]


def test_an_unknown_name_gives_the_fallback(qapp: QApplication) -> None:
    assert _ink(icon("no-such-glyph", "#000000").pixmap(QSize(20, 20), 1.0).toImage()) > 0.02


def test_a_disabled_glyph_is_fainter(qapp: QApplication) -> None:
    glyph = icon("stop-fill", "#000000")
    enabled = glyph.pixmap(QSize(32, 32), 1.0).toImage().pixelColor(16, 16).alpha()
    assert glyph.pixmap(QSize(32, 32), 1.0, QIcon.Mode.Disabled).toImage().pixelColor(16, 16).alpha() < enabled
