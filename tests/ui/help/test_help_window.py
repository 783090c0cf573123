"""F1 opens the page of what is shown, over every screen; the help is searched, followed and left by keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.features.help_pages import CHANGES, load_help_page
from app.ui.help.help_topics import PAGES, SCREENS
from app.ui.help.help_window import HelpWindow, show_help
from app.ui.settings.dialog import SettingsDialog
from app.ui.text.text_view import TextView
from tests.helpers.desks.desk import Desk
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.window_tour import MODELS_PAGES, cut_texts, settle


class HelpDesk(Desk):
    """The help that is open over a window."""

    root: HelpWindow

    @property
    def text(self) -> str:
        """What can be read of the page."""
        views = [view for part in self.root.view.texts for view in part.body.findChildren(TextView)]
        return "\n".join(view.toPlainText() for view in views)

    @property
    def marked(self) -> list[str]:
        """The words that are highlighted."""
        views = [view for part in self.root.view.texts for view in part.body.findChildren(TextView)]
        return [mark.cursor.selectedText() for view in views for mark in view.extraSelections()]


@pytest.fixture
def frame(qapp: QApplication) -> Iterator[Frame]:
    with open_window(qapp) as frame:
        frame.activate()
        yield frame


def help_of(frame: Frame, widget: QWidget) -> HelpDesk:
    """Presses F1 there, and returns the help that opens."""
    QTest.keyClick(widget, Qt.Key.Key_F1)
    frame.wait(lambda: any(window.isVisible() for window in frame.every(HelpWindow)))
    window = next(window for window in frame.every(HelpWindow) if window.isVisible())
    frame.wait(window.isActiveWindow)  # before, keys would be those of the window behind
    return HelpDesk(window)


def test_f1_opens_the_page_of_every_tab_and_of_every_page_of_the_models(frame: Frame) -> None:
    screens = [
        ("chat", ""),
        ("summarize", ""),
        ("translate", ""),
        ("write", ""),
        *(("models", p) for p in MODELS_PAGES),
    ]
    for tab, page in screens:
        frame.window.open_models(page) if page else frame.window.show_tab(tab)
        frame.do("help")
        window = frame.find_step(HelpWindow)
        assert window.page == SCREENS[f"{tab}/{page}" if page else tab]
        window.close()
        settle()


def test_f1_opens_the_page_of_every_page_of_the_settings_over_them(frame: Frame) -> None:
    frame.window.open_settings()
    dialog = frame.find_step(SettingsDialog)
    for number in range(dialog.pages.count()):
        dialog.show_page(number)
        desk = help_of(frame, dialog)
        assert desk.root.parentWidget() is dialog
        assert desk.root.page == SCREENS[dialog.help_screen]
    dialog.close()


def test_escape_closes_the_help_and_returns_the_focus(frame: Frame) -> None:
    frame.chat.focus_composer()
    before = frame.focus
    desk = help_of(frame, before)
    assert desk.root.page == "chat"
    QTest.keyClick(desk.root.view, Qt.Key.Key_Escape)
    frame.wait(lambda: QApplication.focusWidget() is before)
    assert not frame.has(HelpWindow)


def test_f1_again_goes_to_the_search_and_other_screens_use_the_same_window(frame: Frame) -> None:
    desk = help_of(frame, frame.window)
    QTest.keyClick(desk.root.view, Qt.Key.Key_F1)
    assert desk.root.search.field.hasFocus()
    frame.window.open_help("memories")
    assert [window.page for window in frame.every(HelpWindow)] == ["memories"]


def test_links_lead_to_other_pages_and_back_returns(frame: Frame) -> None:
    desk = HelpDesk(show_help(frame.theme, "start", frame.window))
    assert not desk.has(QWidget, "help_back")
    link = next(view for view in desk.every(TextView) if view.toPlainText())
    link.link_clicked.emit("https://help.invalid/models")
    assert desk.root.page == "models"
    assert desk.root.windowTitle().startswith("Help: ")
    desk.click(desk.root.back)
    assert (desk.root.page, desk.root.back.isVisible()) == ("start", False)


def test_a_search_over_all_pages_opens_one_with_its_words_marked(frame: Frame) -> None:
    desk = HelpDesk(show_help(frame.theme, "start", frame.window))
    desk.wait(desk.root.isActiveWindow)
    QTest.keyClick(desk.root.view, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(desk.root.search.field, "passphrase")
    assert load_help_page("your-data", "en").title in desk.root.search.titles
    while desk.root.search.titles[desk.root.search.list.currentIndex().row()] != "Your data":
        QTest.keyClick(desk.root.search.field, Qt.Key.Key_Down)
    QTest.keyClick(desk.root.search.field, Qt.Key.Key_Return)
    assert desk.root.page == "your-data"
    assert {word.lower() for word in desk.marked} == {"passphrase"}
    assert desk.root.search.field.text() == ""


def test_the_list_shows_the_open_page_and_arrows_choose_others(frame: Frame) -> None:
    desk = HelpDesk(show_help(frame.theme, PAGES[0], frame.window))
    assert desk.root.list.currentIndex().data() == load_help_page(PAGES[0], "en").title
    desk.root.list.setFocus()
    QTest.keyClick(desk.root.list, Qt.Key.Key_Down)
    desk.wait(lambda: desk.root.page == PAGES[1])
    assert desk.root.list.hasFocus()
    QTest.keyClick(desk.root.list, Qt.Key.Key_F2)
    assert not desk.root.list.is_editing


def test_the_changelog_is_a_page(frame: Frame) -> None:
    desk = HelpDesk(show_help(frame.theme, CHANGES, frame.window))
    assert "The first version that can be used." in desk.text


def test_nothing_of_the_help_is_cut_at_any_size(frame: Frame) -> None:
    window = show_help(frame.theme, "start", frame.window)
    for size in ((880, 640), (624, 384)):
        window.resize(*size)
        for name in PAGES[:-1]:
            window.show_page(name)
            settle()
            assert cut_texts() == [], name
