"""Where versions part: every branch once, in its place, however deep the conversation is."""

from __future__ import annotations

from app.core.events import Role
from app.features.chat.branches import branches_of
from app.store.message_rows import OutlineMessage


def message(number: int, parent: int | None) -> OutlineMessage:
    return OutlineMessage(number, parent, Role.USER, f"words {number}", "")


def test_branches_are_listed_below_the_parting_that_they_come_after() -> None:
    parents = {1: None, 2: 1, 3: 1, 4: 2, 5: 4, 6: 4, 7: 3, 8: 7, 9: None}
    found = branches_of([message(*each) for each in parents.items()], (1, 3, 7, 8))
    assert [(one.message_id, one.depth, one.place, one.count, one.following) for one in found] == [
        (1, 0, 1, 2, 0),
        (2, 1, 1, 2, 1),
        (5, 2, 1, 2, 0),
        (6, 2, 2, 2, 0),
        (3, 1, 2, 2, 2),
        (9, 0, 2, 2, 0),
    ]
    assert [one.message_id for one in found if one.is_shown] == [1, 3]


def test_a_conversation_without_versions_has_no_branches_and_a_deep_one_is_no_trouble() -> None:
    line = [message(1, None), *(message(number, number - 1) for number in range(2, 5_000))]
    assert branches_of(line, ()) == []
    assert branches_of([], ()) == []
    wide = [message(1, None), *(message(number, number // 2) for number in range(2, 5_000))]
    assert {one.message_id for one in branches_of(wide, ())} == set(range(2, 5_000))
