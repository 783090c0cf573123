"""The trash in the settings: what was deleted in the window comes back to its list, or goes when it is wanted."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt

from app.store.trash import TrashedItem
from app.ui.settings.data import (
    EMPTY_TRASH,
    GONE_IN_DAYS,
    REMOVED_AT_DATE,
    REMOVED_AT_NEXT_START,
    UNTIL_NEXT_START,
    TrashPage,
)
from app.ui.shared_labels import DELETE
from app.ui.work.job_column import SEVERAL_DELETED
from tests.helpers.deleted_text import files_with
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame
from tests.helpers.texts import shows
from tests.ui.exchange.conftest import add_chat


class Desk(SettingsDesk):
    """The page, opened."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame, "trash")
        self.page = self.find_step(TrashPage)

    @property
    def titles(self) -> list[str]:
        return [self.page.list.item(row).text() for row in range(self.page.list.count())]

    def select(self, *titles: str) -> None:
        for row, title in enumerate(self.titles):
            self.page.list.item(row).setSelected(title in titles)


@pytest.fixture
def numbers(frame: Frame) -> list[int]:
    """Three chats, two of which are deleted in their list, one after the other, as a person does it."""
    made = [add_chat(frame, title, "Well?", f"About {title}.") for title in ("Rent", "Soup", "Stew")]
    for number in made[:2]:
        frame.chats.choose_for(number, DELETE)
    return made


def test_a_deleted_chat_comes_back_to_its_list(frame: Frame, numbers: list[int]) -> None:
    assert frame.notices == [SEVERAL_DELETED[1].format(count=2)]
    desk = Desk(frame)
    assert desk.titles == ["Soup", "Rent"]
    assert not desk.page.restore_button.isEnabled(), "nothing is chosen"
    assert GONE_IN_DAYS.format(n=30) in desk.page.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert shows(REMOVED_AT_DATE, desk.page.list.item(0).toolTip())
    desk.select("Rent")
    desk.click(desk.page.restore_button)
    assert desk.titles == ["Soup"]
    assert frame.chats.has_row(numbers[0])
    assert [hit.title for hit in frame.app.finding.search_text("about", 9, kinds=("chat",)) if hit.message_id] == [
        "Stew",
        "Rent",
    ]


def test_a_deleted_message_comes_back_to_its_place(frame: Frame, numbers: list[int]) -> None:
    question, answer = frame.app.conversations.read_branch(numbers[2])
    frame.app.conversations.delete_message(answer.id)
    desk = Desk(frame)
    desk.page.kind.choose("message")
    assert desk.titles == ["About Stew."]
    assert "in “Stew”" in desk.page.list.item(0).toolTip()
    desk.select("About Stew.")
    desk.click(desk.page.restore_button)
    assert [one.id for one in frame.app.conversations.read_branch(numbers[2])] == [question.id, answer.id]
    assert desk.titles == ["Soup", "Rent"], "of a kind that is not there any more everything is shown"


def test_the_trash_is_emptied_after_one_question(frame: Frame, numbers: list[int]) -> None:
    desk = Desk(frame)
    desk.click(desk.page.empty_button)
    desk.answer(EMPTY_TRASH)
    desk.wait(lambda: desk.titles == [])
    assert desk.page.nothing.isVisible()
    assert not desk.page.empty_button.isEnabled()
    assert files_with("About Rent", frame.app.paths.data) == []
    assert [chat.title for chat in frame.app.conversations.find()] == ["Stew"]


def test_who_wants_that_has_nothing_kept_beyond_the_next_start(frame: Frame, numbers: list[int]) -> None:
    desk = Desk(frame)
    desk.click(desk.button(UNTIL_NEXT_START))
    assert frame.settings.trash.keep_days == 0
    assert REMOVED_AT_NEXT_START.format(app="Fireside") in desk.page.list.item(0).toolTip()
    frame.app.began_at += 3600
    frame.app.housekeeping.remove_unreferenced()
    rows: list[TrashedItem] | Any = frame.app.trash.list_items()
    assert rows == []
