"""Files may be dropped; while they are held above, it is said what can be done with them, and where they would go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.ui.shared_labels import SUMMARIZE
from app.ui.shell.incoming_files import ASK_ABOUT_IT
from app.ui.theme import Theme
from app.ui.widgets.file_drop import FileDrop, FileDropAction

COPY, LEFT, NO_KEY = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
ONE = [FileDropAction("", "Drop here")]
TWO = [FileDropAction("ask", ASK_ABOUT_IT), FileDropAction("summarize", SUMMARIZE)]


@pytest.fixture
def target(qtbot: QtBot) -> QWidget:
    target = QWidget()
    qtbot.addWidget(target)
    target.resize(600, 400)
    target.show()
    return target


def data_with(path: Path | None) -> QMimeData:
    data = QMimeData()
    if path is None:
        data.setText("just words")
    else:
        data.setUrls([QUrl.fromLocalFile(str(path)), QUrl("https://example.org/x")])
    return data


def taking(target: QWidget, zones: Sequence[FileDropAction]) -> tuple[FileDrop, list[tuple[list[str], str]]]:
    """What was dropped, in order."""
    taken: list[tuple[list[str], str]] = []
    drop = FileDrop(Theme("light"), lambda _files: zones, target)
    drop.dropped.connect(lambda files, zone: taken.append((files, zone)))
    return drop, taken


def hint_of(target: QWidget) -> QWidget:
    hint = target.findChild(QWidget, "drop_hint")
    assert hint is not None
    return hint


def drop_at(target: QWidget, data: QMimeData, x: float, y: float = 200) -> None:
    QApplication.sendEvent(target, QDragEnterEvent(QPointF(5, 5), COPY, data, LEFT, NO_KEY))
    QApplication.sendEvent(target, QDragMoveEvent(QPointF(x, y), COPY, data, LEFT, NO_KEY))
    QApplication.sendEvent(target, QDropEvent(QPointF(x, y), COPY, data, LEFT, NO_KEY, QEvent.Type.Drop))


def test_what_is_no_file_is_refused_by_name_and_never_swallowed(target: QWidget) -> None:
    drop, taken = taking(target, ONE)
    refused: list[str] = []
    drop.refused.connect(lambda: refused.append("refused"))
    drop.picture_dropped.connect(lambda picture, ending: refused.append(f"{picture.width()} px {ending}"))
    link, picture = QMimeData(), QMimeData()
    link.setUrls([QUrl("https://example.org/x")])
    picture.setImageData(QImage(2, 2, QImage.Format.Format_RGB32))
    for data in (link, picture):
        drop_at(target, data, 5)
        assert not hint_of(target).isVisible()
    assert (refused, taken) == (["refused", "2 px .png"], [])


def test_files_come_and_the_hint_goes(target: QWidget, tmp_path: Path) -> None:
    _, taken = taking(target, ONE)
    data = data_with(tmp_path / "a b.gguf")
    QApplication.sendEvent(target, QDragEnterEvent(QPointF(5, 5), COPY, data, LEFT, NO_KEY))
    assert hint_of(target).isVisible()
    assert hint_of(target).accessibleName() == "Drop here"
    QApplication.sendEvent(target, QDragLeaveEvent())
    assert not hint_of(target).isVisible()
    drop_at(target, data, 5)
    assert taken == [([str(tmp_path / "a b.gguf")], "")]
    assert not hint_of(target).isVisible()


@pytest.mark.parametrize(
    ("x", "zone"), [(0, "ask"), (150, "ask"), (290, "ask"), (310, "summarize"), (599, "summarize")]
)
def test_the_nearest_zone_takes_them_wherever_they_are_let_go(
    target: QWidget, tmp_path: Path, x: float, zone: str
) -> None:
    _, taken = taking(target, TWO)
    for y in (0, 200, 399):
        drop_at(target, data_with(tmp_path / "lease.pdf"), x, y)
    assert taken == [([str(tmp_path / "lease.pdf")], zone)] * 3


def test_where_reading_begins_at_the_right_the_first_zone_is_there(target: QWidget, tmp_path: Path) -> None:
    target.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    _, taken = taking(target, TWO)
    drop_at(target, data_with(tmp_path / "lease.pdf"), 500)
    assert [zone for _, zone in taken] == ["ask"]


def test_the_zone_under_the_pointer_is_drawn_otherwise(target: QWidget, tmp_path: Path) -> None:
    taking(target, TWO)
    data = data_with(tmp_path / "lease.pdf")
    QApplication.sendEvent(target, QDragEnterEvent(QPointF(100, 200), COPY, data, LEFT, NO_KEY))
    over_first = hint_of(target).grab().toImage()
    QApplication.sendEvent(target, QDragMoveEvent(QPointF(500, 200), COPY, data, LEFT, NO_KEY))
    over_second = hint_of(target).grab().toImage()
    chip = Theme("light").tokens.chip
    assert over_first.pixelColor(100, 100).name().upper() == chip
    assert over_second.pixelColor(100, 100).name().upper() != chip
    assert over_second.pixelColor(500, 100).name().upper() == chip


def test_words_are_not_files(target: QWidget) -> None:
    taking(target, ONE)
    data = data_with(None)
    enter = QDragEnterEvent(QPointF(5, 5), COPY, data, LEFT, NO_KEY)
    enter.ignore()
    QApplication.sendEvent(target, enter)
    assert not enter.isAccepted()
    assert not hint_of(target).isVisible()
