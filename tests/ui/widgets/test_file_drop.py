"""Files may be dropped; while they are held above, a sentence says what will happen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.ui.theme import Theme
from app.ui.widgets.file_drop import FileDrop

COPY, LEFT, NO_KEY = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def data_with(path: Path | None) -> QMimeData:
    data = QMimeData()
    if path is None:
        data.setText("just words")
    else:
        data.setUrls([QUrl.fromLocalFile(str(path)), QUrl("https://example.org/x")])
    return data


def test_files_come_and_the_hint_goes(qtbot: QtBot, tmp_path: Path) -> None:
    target = QWidget()
    qtbot.addWidget(target)
    target.show()
    drop = FileDrop(Theme("light"), "Drop here", target)
    data = data_with(tmp_path / "a b.gguf")
    for leaves in (True, False):
        QApplication.sendEvent(target, QDragEnterEvent(QPointF(5, 5), COPY, data, LEFT, NO_KEY))
        hint = target.findChildren(QWidget)[-1]
        assert hint.isVisible()
        if leaves:
            QApplication.sendEvent(target, QDragLeaveEvent())
            assert not hint.isVisible()
    with qtbot.waitSignal(drop.dropped) as told:
        QApplication.sendEvent(target, QDropEvent(QPointF(5, 5), COPY, data, LEFT, NO_KEY, QEvent.Type.Drop))
    assert told.args == [[str(tmp_path / "a b.gguf")]]
    assert not hint.isVisible()


def test_words_are_not_files(qtbot: QtBot) -> None:
    target = QWidget()
    qtbot.addWidget(target)
    FileDrop(Theme("light"), "Drop here", target)
    data = data_with(None)
    enter = QDragEnterEvent(QPointF(5, 5), COPY, data, LEFT, NO_KEY)
    enter.ignore()
    QApplication.sendEvent(target, enter)
    assert not enter.isAccepted()
