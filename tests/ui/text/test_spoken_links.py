"""Links of an answer for those who neither see nor click: a place, an action, and the keyboard on each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.screen_reader import install_interfaces
from app.ui.text.markdown import read
from app.ui.text.prose import ProseView
from app.ui.text.table_view import TableView
from app.ui.text.text_body import MessageBody
from app.ui.text.text_view import TextView
from app.ui.theme import Theme
from tests.helpers.accessible_tree import focused_parts, name_of, screen_reader_on, tree_of

WIDTH_PX = 300
MARKDOWN = (
    "- Ask 🌩 [the almanac](https://example.org/a) or [the **long** list of all stations](https://example.org/b).\n\n"
    "| Where | Who |\n| --- | --- |\n| [Here](https://example.org/c) | they |\n"
)
NAMES = ["the almanac", "the long list of all stations", "Here"]


@pytest.fixture
def body(qapp: QApplication, qtbot: QtBot, theme: Theme) -> Iterator[MessageBody]:
    """A paragraph with two links, the second over two lines, and a table with one; a screen reader runs."""
    install_interfaces()
    with screen_reader_on():
        made = MessageBody(theme)
        qtbot.addWidget(made)
        made.set_blocks(read(MARKDOWN), [], 1)
        made.resize(WIDTH_PX, made.arrange(WIDTH_PX))
        made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        made.setFocus()
        made.show()
        qtbot.waitUntil(made.hasFocus)
        yield made


def links(body: MessageBody) -> list[QAccessibleInterface]:
    return [node for node in tree_of(body) if node.role() == QAccessible.Role.Link]


def view_of(body: MessageBody, kind: type[TextView]) -> TextView:
    return next(view for view in body.views if type(view) is kind and isinstance(view, TextView))


def test_links_lie_where_their_letters_are(body: MessageBody) -> None:
    assert [name_of(link) for link in links(body)] == NAMES
    prose, table = view_of(body, ProseView), view_of(body, TableView)
    first, second, third = (link.rect() for link in links(body))
    end = second.bottomLeft() + QPoint(3, -4)  # it goes on in the next line
    for view, place, address in ((prose, first.center(), "a"), (prose, end, "b"), (table, third.center(), "c")):
        assert view.anchorAt(view.viewport().mapFromGlobal(place)) == f"https://example.org/{address}"
    assert second.height() > first.height()
    assert second.right() <= body.mapToGlobal(body.rect().topRight()).x()


def test_links_are_pressed_by_their_action(body: MessageBody, qtbot: QtBot) -> None:
    for link, address in zip(links(body), "abc", strict=True):
        action = link.actionInterface()
        assert action.actionNames() == [action.pressAction()]
        with qtbot.waitSignal(body.link_clicked) as clicked:
            action.doAction(action.pressAction())
        assert clicked.args == [f"https://example.org/{address}"]


def test_tab_goes_from_link_to_link_and_enter_follows(body: MessageBody, qtbot: QtBot) -> None:
    with focused_parts() as told:
        for number, name in enumerate(NAMES):
            if name == "Here":
                view_of(body, TableView).setFocus(Qt.FocusReason.TabFocusReason)
            elif number == 0:
                view_of(body, ProseView).setFocus(Qt.FocusReason.TabFocusReason)
            else:
                qtbot.keyClick(view_of(body, ProseView), Qt.Key.Key_Tab)
            qtbot.waitUntil(lambda name=name: told[-1:] == [name])
            assert [name_of(link) for link in links(body) if link.state().focused] == [name]
            with qtbot.waitSignal(body.link_clicked) as clicked:
                focus = QApplication.focusWidget()
                assert focus is not None
                qtbot.keyClick(focus, Qt.Key.Key_Return)
            assert clicked.args == [f"https://example.org/{'abc'[number]}"]
    assert told == NAMES


def test_backtab_comes_to_the_last_link(body: MessageBody, qtbot: QtBot) -> None:
    with focused_parts() as told:
        view_of(body, ProseView).setFocus(Qt.FocusReason.BacktabFocusReason)
        qtbot.waitUntil(lambda: told == NAMES[1:2])
