"""Every text and icon of the window follows the zoom, up and back down."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QStyle
from pytestqt.qtbot import QtBot

from app.ui.settings.dialog import SettingsDialog
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame
from tests.helpers.zooming import not_following, sizes

VIEWS: dict[str, Callable[[Frame], None]] = {
    "chat": lambda frame: frame.show_tab("chat"),
    "summarize": lambda frame: frame.show_tab("summarize"),
    "translate": lambda frame: frame.show_tab("translate"),
    "write": lambda frame: frame.show_tab("write"),
    "models": lambda frame: frame.show_tab("models"),
}


@pytest.mark.parametrize("view", VIEWS)
def test_every_text_and_icon_follows_up_and_back_down(frame: Frame, qtbot: QtBot, view: str) -> None:
    frame.window.resize(1600, 1000)
    qtbot.waitExposed(frame.window)
    VIEWS[view](frame)
    before = sizes(frame.window)
    assert len(before) > 10
    frame.theme.zoom = 1.5
    larger = sizes(frame.window)
    assert not not_following(before, larger, 1.5)
    assert sum(place in larger for place in before) > 8
    frame.theme.zoom = 1.0
    assert not not_following(before, sizes(frame.window), 1.0)


def test_the_glyphs_of_a_menu_follow(frame: Frame) -> None:
    frame.theme.zoom = 2.0
    menu = frame.model_menu
    menu.ensurePolished()
    assert menu.style().pixelMetric(QStyle.PixelMetric.PM_SmallIconSize, None, menu) == frame.theme.px(16)


@pytest.fixture
def small(frame: Frame, qtbot: QtBot) -> Frame:
    """A window of the smallest size, at the far corner of the screen."""
    window, room = frame.window, frame.window.screen().availableGeometry()
    with qtbot.waitExposed(window):
        pass
    window.resize(640, 480)
    qtbot.waitUntil(lambda: window.windowHandle().width() == 640)
    corner = QPoint(room.right() - 640 - 20, room.bottom() - 480 - 40)
    window.move(corner)
    qtbot.waitUntil(lambda: (window.pos() - corner).manhattanLength() < 40)
    return frame


def test_a_window_that_zoom_moved_goes_back_to_where_it_was(small: Frame, qtbot: QtBot) -> None:
    window, before = small.window, small.window.pos()
    for zoom in (1.25, 1.5, 1.25):
        small.theme.zoom = zoom
        QApplication.processEvents()
        assert window.pos() != before
    small.theme.zoom = 1.0
    qtbot.waitUntil(lambda: window.pos() == before)
    assert window.width() == 640


def test_in_a_narrow_window_the_column_lies_above_the_content_and_goes_with_a_choice(
    small: Frame, qtbot: QtBot
) -> None:
    window, left = small.window, small.left
    chat_id = small.conversations.create(title="Letter").id
    small.chats.reload()
    small.theme.zoom = 3.0
    window.setMinimumSize(1, 1)
    window.resize(640, 480)
    QApplication.processEvents()
    assert left.isHidden()
    before = small.middle.width()
    window.sizes.toggle_column()
    QApplication.processEvents()
    assert left.isVisible()
    assert small.middle.width() == before, "nothing is pressed together"
    assert clipped_texts(left) == []
    assert before - 3 * 60 < left.width() < before - 3 * 30
    veil = small.veil
    qtbot.mouseClick(veil, Qt.MouseButton.LeftButton, pos=QPoint(veil.width() - 5, 50))
    assert left.isHidden()
    assert veil.isHidden()
    for choose in (lambda: small.chats.open(chat_id), small.new_chat, small.show_models):
        window.sizes.toggle_column()
        assert left.isVisible()
        choose()
        assert left.isHidden()
    window.sizes.toggle_column()
    assert window.sizes.describe()["sidebar_hidden"] is False, "beside the content it was shown"
    small.theme.zoom = 1.0
    window.resize(900, 600)
    QApplication.processEvents()
    assert left.isVisible()
    assert veil.isHidden()
    assert small.middle.x() == 0
    assert left.width() == 260


def test_the_settings_of_a_small_window_have_their_pages_in_a_menu_and_nothing_is_cut(
    small: Frame, qtbot: QtBot
) -> None:
    small.theme.zoom = 2.0
    small.window.open_settings()
    dialog = small.window.findChild(SettingsDialog)
    dialog.resize(640, 440)
    qtbot.waitUntil(dialog._nav.isHidden)
    dialog._choice.choose("2")
    assert dialog.pages.currentIndex() == 2
    for page in range(dialog.pages.count()):
        dialog.show_page(page)
        assert dialog._choice.value == str(page)
        assert clipped_texts(dialog) == []
    dialog.resize(1560, 1040)
    qtbot.waitUntil(dialog._nav.isVisible)
    assert dialog._choice.isHidden()
    dialog.close()


@pytest.mark.parametrize("page", ["suggested", "installed", "storage", "downloads"])
def test_nothing_of_the_models_is_cut_in_the_smallest_window_at_double_size(small: Frame, page: str) -> None:
    small.theme.zoom = 2.0
    small.window.setMinimumSize(1, 1)
    small.window.resize(640, 480)
    small.window.open_models(page)
    QApplication.processEvents()
    small.wait(lambda: clipped_texts(small.window) == [])  # sizes are read on a thread
    small.window.sizes.toggle_column()
    QApplication.processEvents()
    assert small.left.isVisible()
    assert clipped_texts(small.left) == []
