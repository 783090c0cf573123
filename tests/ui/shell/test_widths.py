"""Nothing of the left column and of the bars is cut, whatever the window's size and its zoom, up and back down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.ui.chat.chat_view import ChatView
from app.ui.models.model_card import ModelCard
from app.ui.models.models_tab import SuggestedPage
from app.ui.summarize.summary_drop_zone import SummaryDropZone
from app.ui.write.write_tab import PageFoot, PageHead
from tests.helpers.clipping import clipped_texts
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


def test_no_word_of_the_suggested_models_is_cut_in_a_small_window(whole: Frame, qtbot: QtBot) -> None:
    resize(whole, 640, 480, 1.0)
    whole.window.show_tab("models")
    (page,) = whole.window.findChildren(SuggestedPage)
    qtbot.waitUntil(lambda: bool(page.findChildren(ModelCard)) or page.empty.isVisible(), timeout=60_000)
    settle()
    assert clipped_texts(whole.window) == []


def test_the_invitation_to_drop_documents_is_whole_in_a_small_window(whole: Frame) -> None:
    resize(whole, 640, 480, 1.0)
    whole.window.show_tab("summarize")
    settle()
    (zone,) = whole.window.findChildren(SummaryDropZone)
    right = zone.mapTo(whole.window, zone.rect().topRight()).x()
    assert right + whole.theme.px(24) <= whole.window.width(), "with its margin, beside a scroll bar"


def test_after_the_largest_size_and_back_the_column_is_as_it_was(whole: Frame) -> None:
    resize(whole, 1280, 800, 1.0)
    whole.window.show_tab("chat")
    settle()
    before = whole.left.width()
    whole.theme.zoom = 3.0
    for name in ("models", "summarize", "chat"):
        whole.window.show_tab(name)
        settle()
    whole.theme.zoom = 1.0
    settle()
    assert (whole.left.isVisible(), whole.left.width()) == (True, before)
    assert cut_sideways(whole.left) == []


def test_where_the_tab_needs_the_room_the_column_goes_and_comes_back(whole: Frame) -> None:
    resize(whole, 640, 480, 2.0)
    assert not whole.left.isVisible()
    resize(whole, 1280, 800, 1.0)
    assert whole.left.isVisible()
