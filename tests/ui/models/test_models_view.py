"""The Models view as a whole: pages, the search beside them, zoom, direction, and the real parts behind it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.core.errors import NotEnoughDisk
from app.hub.files import ModelFile, RemoteFile, Repository
from app.ui.models.models_view import ModelsView
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame
from tests.ui.models.stand_in import GB, LARGE, QWEN, SMALL, Pages, download

NAMES = ("suggested", "installed", "others", "downloads", "storage")


def fill(pages: Pages, qtbot: QtBot) -> None:
    pages.models.downloads.items = {
        1: download(1, QWEN, "running", 0.5),
        2: download(2, LARGE, "failed", error=NotEnoughDisk("/models", 15 * GB, 9 * GB)),
        3: download(3, SMALL, "done"),
    }
    pages.view.show_page("suggested")
    qtbot.waitUntil(lambda: len(pages.view.suggested.cards()) == 3 and len(pages.view.downloads.cards()) >= 0)
    qtbot.waitUntil(lambda: pages.view.column.pages["others"].accessibleName() == "From other programs · 2")


def test_the_column_leads_to_every_page(pages: Pages, qtbot: QtBot) -> None:
    pages.view.show_page("suggested")
    for name in NAMES:
        qtbot.mouseClick(pages.view.column.pages[name], Qt.MouseButton.LeftButton)
        assert pages.view.page == name
        assert pages.view.column.pages[name].isChecked()


def test_typing_opens_the_search_and_emptying_the_field_goes_back(pages: Pages, qtbot: QtBot) -> None:
    pages.view.show_page("storage")
    field = pages.view.column.search
    qtbot.keyClicks(field, "qwen")
    qtbot.waitUntil(lambda: pages.view.page == "search")
    qtbot.waitUntil(lambda: pages.models.calls == [("search", "qwen")])
    assert pages.view.currentWidget() is pages.view.search
    field.clear()
    qtbot.waitUntil(lambda: pages.view.page == "storage")


def test_what_the_search_queued_is_counted(pages: Pages, qtbot: QtBot) -> None:
    pages.view.show_page("search")
    model = ModelFile(SMALL.file, (RemoteFile(SMALL.file, SMALL.size_bytes),), "Q4_K_M")
    repository = Repository(SMALL.repo, "c0ffee", (model,))
    pages.models.download(repository, model, True)
    pages.view.search.download_wanted.emit(repository, model, True)
    qtbot.waitUntil(lambda: pages.view.column.pages["downloads"].text() == "Downloads · 1")
    assert pages.view.page == "search"
    assert len(pages.models.downloads.all()) == 1


def test_details_open_the_repository(pages: Pages, qtbot: QtBot) -> None:
    opened: list[str] = []
    pages.view.search.open_repository = opened.append  # type: ignore[method-assign]
    pages.view.show_page("suggested")
    qtbot.waitUntil(lambda: len(pages.view.suggested.cards()) == 3)
    qtbot.mouseClick(pages.card("Gemma 4 26B A4B").buttons["details"], Qt.MouseButton.LeftButton)
    assert pages.view.page == "search"
    assert opened == [LARGE.repo]


@pytest.mark.parametrize(("width", "height", "zoom"), [(1280, 800, 1.0), (900, 600, 1.0), (900, 600, 1.5)])
def test_no_text_is_cut_off(pages: Pages, qtbot: QtBot, width: int, height: int, zoom: float) -> None:
    fill(pages, qtbot)
    pages.theme.zoom = zoom
    pages.view.column.setFixedWidth(pages.theme.px(200))
    pages.window.resize(width, height)

    def nothing_is_cut_off() -> None:
        assert clipped_texts(pages.window) == []

    for name in NAMES:
        pages.view.show_page(name)
        qtbot.waitUntil(pages.view._pages[name].isVisible)
        qtbot.waitUntil(nothing_is_cut_off)


@pytest.mark.parametrize("zoom", [1.0, 1.5])
def test_no_page_is_wider_than_its_window(pages: Pages, qtbot: QtBot, zoom: float) -> None:
    fill(pages, qtbot)
    pages.theme.zoom = zoom
    pages.view.column.setFixedWidth(pages.theme.px(200))
    pages.window.resize(900, 600)
    for name in NAMES:
        pages.view.show_page(name)
        page = pages.view._pages[name]
        qtbot.waitUntil(
            lambda page=page: page.isVisible() and page.area.widget().width() <= page.area.viewport().width()
        )


def test_everything_that_takes_the_keyboard_has_a_name(pages: Pages, qtbot: QtBot) -> None:
    fill(pages, qtbot)
    for name in NAMES:
        pages.view.show_page(name)
    nameless = [
        widget
        for widget in pages.window.findChildren(QWidget)
        if isinstance(widget, QAbstractButton | QLineEdit)
        and not widget.accessibleName()
        and not widget.isHidden()
        and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
    ]
    assert nameless == []


def test_mirrored_the_progress_grows_from_the_right(pages: Pages, qtbot: QtBot) -> None:
    pages.models.downloads.items = {1: download(1, QWEN, "running", 0.5)}
    pages.window.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    pages.view.show_page("downloads")
    qtbot.waitUntil(lambda: len(pages.view.downloads.cards()) == 1)
    line = pages.card("Qwen3.5 9B").progress
    picture = line.grab().toImage()
    y = picture.height() - 3
    left, right = picture.pixelColor(picture.width() // 4, y), picture.pixelColor(picture.width() * 3 // 4, y)
    assert right.name() == pages.theme.tokens.muted.lower()
    assert left.name() == pages.theme.tokens.line.lower()


def test_the_real_parts_stand_behind_it(frame: Frame, qtbot: QtBot) -> None:
    view = ModelsView(frame.app, frame.theme, frame.notify, frame.loader)
    qtbot.addWidget(view)
    view.resize(1000, 700)
    view.show()
    for name in NAMES:
        view.show_page(name)
    qtbot.waitUntil(lambda: "Starter" in [card.name.text() for card in view.installed.cards()])
    qtbot.waitUntil(lambda: len(view.suggested.cards()) == 3)
    qtbot.waitUntil(lambda: view.storage.folder.path.text() == str(frame.models.folder()))
    qtbot.waitUntil(lambda: view.downloads.empty.isVisibleTo(view.downloads))


def test_opened_from_the_window_the_search_has_the_keyboard_and_tab_goes_on_to_the_pages(
    frame: Frame, qtbot: QtBot
) -> None:
    frame.window.activateWindow()
    frame.show_models()
    view = frame.window.findChild(ModelsView)
    assert view is not None
    qtbot.waitUntil(lambda: QApplication.focusWidget() is view.column.search)
    qtbot.keyClick(view.column.search, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is view.column.pages["suggested"]
