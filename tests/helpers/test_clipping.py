"""The check for clipped text finds what is cut off and nothing else."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.helpers.clipping import clipped_texts

TEXT = "a sentence of some length"


@pytest.fixture
def holder(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.resize(600, 200)
    return widget


def test_text_with_enough_room_is_fine(holder: QWidget) -> None:
    row = QHBoxLayout(holder)
    for one in (QLabel(TEXT), QLabel(TEXT, wordWrap=True), QPushButton(TEXT)):
        row.addWidget(one)
    holder.show()
    assert clipped_texts(holder) == []


def test_a_label_that_is_too_narrow_is_found(holder: QWidget) -> None:
    QLabel(TEXT, holder).resize(30, 40)
    holder.show()
    assert len(clipped_texts(holder)) == 1


def test_a_wrapped_label_that_is_too_low_is_found(holder: QWidget) -> None:
    QLabel(TEXT, holder, wordWrap=True).resize(90, 16)
    holder.show()
    assert "high" in clipped_texts(holder)[0]


def test_a_button_that_is_too_narrow_is_found(holder: QWidget) -> None:
    QPushButton(TEXT, holder).resize(40, 30)
    holder.show()
    assert len(clipped_texts(holder)) == 1


def test_a_label_outside_its_parent_is_found(holder: QWidget) -> None:
    label = QLabel(TEXT, holder)
    label.adjustSize()
    label.move(holder.width() - 20, 10)
    holder.show()
    assert "cut off" in clipped_texts(holder)[0]


def test_a_label_that_elides_by_design_says_so(holder: QWidget) -> None:
    label = QLabel(TEXT, holder)
    label.resize(60, 40)
    label.setProperty("elides", True)
    holder.show()
    assert clipped_texts(holder) == []


def test_a_label_of_which_eliding_leaves_nothing_is_found(holder: QWidget) -> None:
    label = QLabel(TEXT, holder)
    label.resize(8, 40)
    label.setProperty("elides", True)
    holder.show()
    assert "shortened" in clipped_texts(holder)[0]
