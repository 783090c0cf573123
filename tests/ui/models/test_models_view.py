"""The Models view: its pages, and its left column by click, by keyboard, and a search that waits for a pause."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.core.errors.hub_errors import NotEnoughDisk
from app.ui.inside.how_it_works import HowItWorks
from app.ui.models.anatomy_view import AnatomyPage, FactRow
from app.ui.models.blind import TWO_MODELS_NEEDED, BlindPage
from app.ui.models.compare_page import ComparePage
from app.ui.models.models_column import ModelsColumn
from app.ui.models.models_tab import ModelsView
from app.ui.shared_labels import STARTER
from app.ui.theme import Theme
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.models import ModelsDesk
from tests.helpers.desks.window import Frame
from tests.ui.models.stand_in import GB, LARGE, QWEN, SMALL, Pages, download

NAMES = ("suggested", "installed", "others", "downloads", "storage")


def fill(pages: Pages, qtbot: QtBot) -> None:
    pages.queue.items = {
        1: download(1, QWEN, "running", 0.5),
        2: download(2, LARGE, "failed", error=NotEnoughDisk("/models", 15 * GB, 9 * GB)),
        3: download(3, SMALL, "done"),
    }
    pages.show("suggested")
    qtbot.waitUntil(lambda: len(pages.cards("suggested")) == 3 and len(pages.cards("downloads")) >= 0)
    qtbot.waitUntil(lambda: pages.link("others").accessibleName() == "From other programs · 2")


def test_the_column_leads_to_every_page(pages: Pages, qtbot: QtBot) -> None:
    pages.show("suggested")
    for name in NAMES:
        qtbot.mouseClick(pages.link(name), Qt.MouseButton.LeftButton)
        assert pages.shown == name
        assert pages.link(name).isChecked()


def test_typing_opens_the_search_and_emptying_the_field_goes_back(pages: Pages, qtbot: QtBot) -> None:
    pages.show("storage")
    field = pages.search_field
    qtbot.keyClicks(field, "qwen")
    qtbot.waitUntil(lambda: pages.shown == "search")
    qtbot.waitUntil(lambda: pages.models.calls == [("search", "qwen")])
    assert pages.searching.isVisible()
    field.clear()
    qtbot.waitUntil(lambda: pages.shown == "storage")


def test_no_text_is_cut_off(pages: Pages, qtbot: QtBot) -> None:
    fill(pages, qtbot)
    pages.theme.zoom = 1.5
    pages.column.setFixedWidth(pages.theme.px(200))
    pages.window.resize(900, 600)

    def nothing_is_cut_off() -> None:
        assert clipped_texts(pages.window) == []

    for name in NAMES:
        pages.show(name)
        qtbot.waitUntil(pages.page(name).isVisible)
        qtbot.waitUntil(nothing_is_cut_off)


def test_no_page_is_wider_than_its_window(pages: Pages, qtbot: QtBot) -> None:
    fill(pages, qtbot)
    pages.theme.zoom = 1.5
    pages.column.setFixedWidth(pages.theme.px(200))
    pages.window.resize(900, 600)
    for name in NAMES:
        pages.show(name)
        page = pages.page(name)
        qtbot.waitUntil(
            lambda page=page: page.isVisible() and page.area.widget().width() <= page.area.viewport().width()
        )


def test_the_real_parts_stand_behind_it(frame: Frame, qtbot: QtBot) -> None:
    view = ModelsView(frame.app, frame.window.ui)
    qtbot.addWidget(view)
    view.resize(1000, 700)
    view.show()
    for name in NAMES:
        view.show_page(name)
    qtbot.waitUntil(lambda: STARTER in [card.name.text() for card in view.installed.cards()])
    qtbot.waitUntil(lambda: len(view.suggested.cards()) == 3)
    qtbot.waitUntil(lambda: view.storage.folder.path.text() == str(frame.models.models_folder()))
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


def test_a_model_is_looked_into_compared_and_explained_by_clicks(frame: Frame, qtbot: QtBot) -> None:
    frame.show_models("installed")
    desk = ModelsDesk(frame.find_step(ModelsView), frame.app, frame.notify)
    desk.wait(lambda: bool(desk.cards("installed")))
    desk.click(desk.link("installed"))
    desk.click(desk.card(STARTER).buttons["inside"])
    desk.wait(lambda: any(row.isVisible() for row in desk.every(FactRow)))
    desk.click(desk.find_step(AnatomyPage).explained)
    desk.wait(desk.find_step(HowItWorks).isVisible)
    desk.click(desk.link("compare"))
    measured = desk.find_step(ComparePage)
    desk.wait(measured.isVisible)
    other = next(button for button in measured.ways.findChildren(QPushButton) if not button.isChecked())
    desk.click(other)
    blind = desk.find_step(BlindPage)
    desk.wait(blind.isVisible)
    assert blind.status.text() == TWO_MODELS_NEEDED
    assert (measured.ways.chosen is other, desk.link("compare").isChecked()) == (False, True)
    desk.click(next(button for button in blind.ways.findChildren(QPushButton) if not button.isChecked()))
    desk.wait(measured.isVisible)


def column(qtbot: QtBot) -> ModelsColumn:
    made = ModelsColumn(Theme("light"))
    qtbot.addWidget(made)
    made.resize(260, 600)
    made.show()
    return made


def test_a_click_chooses_a_page_and_only_it_is_marked(qtbot: QtBot) -> None:
    left = column(qtbot)
    left.search.setFocus()
    with qtbot.waitSignal(left.page_chosen) as chosen:
        qtbot.mouseClick(left.pages["storage"], Qt.MouseButton.LeftButton)
    assert not left.search.hasFocus(), "its ring would look like a second choice"
    assert chosen.args == ["storage"]
    left.show_page("storage")
    assert [name for name, button in left.pages.items() if button.isChecked()] == ["storage"]
    left.show_page("search")
    assert [name for name, button in left.pages.items() if button.isChecked()] == []


def test_arrows_go_from_the_search_through_the_pages(qtbot: QtBot) -> None:
    left = column(qtbot)
    chosen: list[str] = []
    left.page_chosen.connect(chosen.append)
    left.search.setFocus()
    for _ in range(len(left.pages) + 2):
        qtbot.keyClick(left.focusWidget(), Qt.Key.Key_Down)
    qtbot.keyClick(left.focusWidget(), Qt.Key.Key_Up)
    assert chosen == [*left.pages, list(left.pages)[-2]]
    assert list(left.pages)[:6] == ["suggested", "installed", "others", "storage", "downloads", "compare"]
