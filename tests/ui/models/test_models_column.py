"""The left column of the Models view: by click, by keyboard, and a search that waits for a pause."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QStackedWidget
from pytestqt.qtbot import QtBot

from app.ui.models.models_view import ModelsColumn
from app.ui.theme import Theme


def column(qtbot: QtBot) -> ModelsColumn:
    made = ModelsColumn(Theme("light"))
    qtbot.addWidget(made)
    made.resize(260, 600)
    made.show()
    return made


def test_a_click_chooses_a_page_and_only_it_is_marked(qtbot: QtBot) -> None:
    left = column(qtbot)
    with qtbot.waitSignal(left.page_chosen) as chosen:
        qtbot.mouseClick(left.pages["storage"], Qt.MouseButton.LeftButton)
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


def test_the_search_is_told_once_when_typing_pauses(qtbot: QtBot) -> None:
    left = column(qtbot)
    told: list[str] = []
    left.search_changed.connect(told.append)
    with qtbot.waitSignal(left.search_changed):
        qtbot.keyClicks(left.search, " qwen ")
    assert told == ["qwen"]
    qtbot.keyClick(left.search, Qt.Key.Key_Return)
    assert told == ["qwen", "qwen"]
    with qtbot.waitSignal(left.search_changed):
        left.search.clear()
    assert told[-1] == ""


def test_counts_stand_behind_the_names_and_none_is_not_said(qtbot: QtBot) -> None:
    left = column(qtbot)
    left.show_count("installed", 3)
    assert left.pages["installed"].text() == "Installed · 3"
    left.show_count("installed", 0)
    assert left.pages["installed"].text() == "Installed"


def test_a_long_name_is_shortened_in_a_narrow_column_and_said_in_full(qtbot: QtBot) -> None:
    left = column(qtbot)
    left.show_count("others", 128)
    left.resize(170, 600)
    button = left.pages["others"]
    qtbot.waitUntil(lambda: button.text().endswith("…"))
    assert button.accessibleName() == button.toolTip() == "From other programs · 128"


def test_add_a_file(qtbot: QtBot) -> None:
    left = column(qtbot)
    button = left.findChild(QPushButton, "add_file")
    assert button is not None
    button.setFocus()
    with qtbot.waitSignal(left.add_wanted):
        qtbot.keyClick(button, Qt.Key.Key_Space)


def test_in_a_low_column_the_pages_scroll_and_the_search_keeps_its_distance(qtbot: QtBot) -> None:
    left = column(qtbot)
    left.resize(260, 200)
    QApplication.processEvents()
    button = left.findChild(QPushButton, "add_file")
    assert button is not None
    assert left.search.y() - button.geometry().bottom() > 5
    left.pages["storage"].setFocus()
    qtbot.keyClick(left.pages["storage"], Qt.Key.Key_Down)
    last = left.pages["downloads"]
    assert last.hasFocus()
    qtbot.waitUntil(lambda: left.rect().contains(QRect(last.mapTo(left, QPoint(0, 0)), last.size())))


def test_the_headings_keep_their_face_when_the_column_comes_into_a_window(qapp: QApplication, qtbot: QtBot) -> None:
    theme, window = Theme("light"), QStackedWidget()
    theme.install(qapp)
    qtbot.addWidget(window)
    window.show()
    left = ModelsColumn(theme)
    window.addWidget(left)
    headings = [label for label in left.findChildren(QLabel) if label.text().isupper()]
    assert [heading.font().weight() for heading in headings] == [600, 600, 600]
    qapp.setStyleSheet("")
