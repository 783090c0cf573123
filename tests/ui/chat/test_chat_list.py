"""Chats as rows in groups by age."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from PySide6.QtCore import QModelIndex, Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from app.store.conversations import Conversation
from app.ui.chat.chats_column import ChatListModel, group_of

NOW = datetime(2026, 11, 24, 16, 0)


def chat(number: int, age: timedelta = timedelta(0), *, pinned: bool = False) -> Conversation:
    seen = (NOW - age).timestamp()
    return Conversation(number, f"Chat {number}", "", None, "", "", seen, seen, None, pinned)


def rows(model: ChatListModel) -> list[str]:
    return [str(model.index(row).data()) for row in range(model.rowCount())]


def test_groups_go_by_calendar_days() -> None:
    ages = {"Today": 15, "Yesterday": 17, "Last 7 days": 24 * 6, "Older": 24 * 7}
    assert [group_of(chat(1, timedelta(hours=hours)), NOW) for hours in ages.values()] == list(ages)
    assert group_of(chat(1, timedelta(days=400), pinned=True), NOW) == "Pinned"


def test_a_clock_that_was_set_back_does_not_hide_a_chat() -> None:
    assert group_of(chat(1, timedelta(hours=-30)), NOW) == "Today"


def test_headings_stand_above_their_chats_and_cannot_be_chosen(qtmodeltester: ModelTester) -> None:
    model = ChatListModel()
    model.show([chat(1), chat(2), chat(3, timedelta(days=1)), chat(4, timedelta(days=30), pinned=True)], NOW)
    qtmodeltester.check(model)
    assert rows(model) == ["Pinned", "Chat 4", "Today", "Chat 1", "Chat 2", "Yesterday", "Chat 3"]
    assert model.flags(model.index(0)) == Qt.ItemFlag.NoItemFlags
    assert model.flags(model.index(1)) & Qt.ItemFlag.ItemIsSelectable


def test_a_chat_is_found_by_its_id() -> None:
    model = ChatListModel()
    model.show([chat(1), chat(2)], NOW)
    assert model.index_of(2).data() == "Chat 2"
    assert model.index_of(9) == QModelIndex()
    assert model.index_of(None) == QModelIndex()


def test_renaming_cleans_the_title_and_refuses_an_empty_one(qtbot: QtBot) -> None:
    model = ChatListModel()
    model.show([chat(1)], NOW)
    with qtbot.waitSignal(model.renamed) as told:
        assert model.setData(model.index(1), "  A \n better   title ")
    assert told.args == [1, "A better title"]
    assert not model.setData(model.index(1), "  \n ")


def test_ten_thousand_chats_are_ready_in_a_moment(qtbot: QtBot) -> None:
    model = ChatListModel()
    many = [chat(number, timedelta(hours=number)) for number in range(1, 10_001)]
    begun_s = time.perf_counter()
    model.show(many, NOW)
    assert time.perf_counter() - begun_s < 0.5
    assert model.rowCount() == 10_004
