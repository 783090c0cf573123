"""Nothing of the left column and of the bars is cut, whatever the window's size and its zoom, up and back down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint
from PySide6.QtWidgets import QApplication, QWidget

from app.ui.chat.chat_view import ChatView
from app.ui.write.write_tab import PageFoot, PageHead
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script

TABS = ("chat", "summarize", "translate", "write", "models")


@pytest.fixture
def whole(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frame]:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    with open_window(qapp, make_chat=ChatView) as frame:
        for number in range(8):  # a list that is longer than a low window
            frame.conversations.create(title=f"A chat with quite a long title about kilns, number {number}")
        frame.chats.reload()
        yield frame


def settle() -> None:
    """Layouts of layouts need a round each."""
    for _ in range(4):
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)


def cut_sideways(part: QWidget) -> list[str]:
    """What of a part reaches over its left or right edge, or over the window's."""
    window = part.window()
    found = []
    for child in part.findChildren(QWidget):
        if not child.isVisible() or child.window() is not window:
            continue
        left = child.mapTo(window, QPoint()).x()
        start, end = (
            part.mapTo(window, QPoint()).x(),
            min(part.mapTo(window, QPoint()).x() + part.width(), window.width()),
        )
        if left < start or left + child.width() > end:
            found.append(f"{type(child).__name__} {child.objectName()} {left - start} {left + child.width() - end}")
    return found


def problems(frame: Frame) -> list[str]:
    """Of the column and the bars, in each tab."""
    found = []
    for name in TABS:
        frame.window.show_tab(name)
        settle()
        parts: list[QWidget] = [frame.left, *frame.window.findChildren(PageFoot), *frame.window.findChildren(PageHead)]
        found += [f"{name}: {line}" for part in parts if part.isVisible() for line in cut_sideways(part)]
    return found


def resize(frame: Frame, width: int, height: int, zoom: float) -> None:
    frame.theme.zoom = zoom
    frame.window.setMinimumSize(1, 1)  # as on a screen that is as small
    frame.window.resize(width, height)
    settle()


def test_nothing_is_cut_in_any_tab_at_any_size_and_zoom(whole: Frame) -> None:
    found = {}
    for width, height, zoom in (
        (640, 480, 1.0),
        (640, 320, 1.0),
        (1280, 800, 2.0),
        (640, 480, 2.0),
        (1280, 800, 3.0),
        (1280, 800, 1.0),
        (640, 480, 1.0),
    ):
        resize(whole, width, height, zoom)
        if cut := problems(whole):
            found[width, height, zoom] = cut
    assert found == {}
