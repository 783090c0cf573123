"""A daily copy from the settings: what a day would change is shown, one yes restores it, and that can be undone."""

from __future__ import annotations

from app.bootstrap import build_program
from app.features.exchange.restore_backup import put_back
from app.store.jobs import JobTable
from app.ui.exchange.import_dialog import BAD_ROLE, NOTE_ROLE
from app.ui.exchange.snapshot_dialog import CANT_BE_READ, COMES_BACK, GOES_AWAY, NO_COPIES, SnapshotDialog
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame
from tests.ui.exchange.conftest import add_chat


def opened(frame: Frame) -> SnapshotDialog:
    desk = SettingsDesk(frame, "data")
    desk.click(desk.button("Choose day: Restore a daily copy"))
    return frame.find_step(SnapshotDialog)


def test_a_day_comes_back_after_one_yes_and_can_be_undone(frame: Frame) -> None:
    restarted: list[bool] = []
    frame.notify.actions["restart"] = lambda: restarted.append(True)
    number = add_chat(frame, "Rent", "How high?", "High.")
    assert frame.app.snapshots.take_daily() is not None
    frame.app.conversations.delete(number)
    add_chat(frame, "Soup", "Which?", "Leek.")
    job = JobTable(frame.app.database).add("translation", "A letter", {})
    file = frame.app.paths.translations / str(job.id) / "letter.txt"
    file.parent.mkdir(parents=True)
    file.write_text("Dear landlord")
    dialog = opened(frame)
    frame.wait(dialog.restore.isEnabled)
    rows = [dialog.titles.item(row) for row in range(dialog.titles.count())]
    assert {(row.text(), row.data(NOTE_ROLE)) for row in rows} == {
        ("Rent", COMES_BACK),
        ("Soup", GOES_AWAY),
        ("A letter", GOES_AWAY),
    }
    assert dialog.days.item(0).data(NOTE_ROLE) == "1 chat, 2 messages"
    frame.click(dialog.restore)
    frame.wait(lambda: restarted == [True])
    frame.app.close()
    again = build_program()
    assert [chat.title for chat in again.conversations.find()] == ["Rent"]
    again.housekeeping.remove_unreferenced()
    assert not file.exists(), "nothing here refers to it"
    put_back(again.paths)
    again.close()
    undone = build_program()
    assert [chat.title for chat in undone.conversations.find()] == ["Soup"]
    assert file.read_text() == "Dear landlord"
    undone.close()


def test_a_copy_that_cannot_be_read_is_not_offered_and_none_are_said(frame: Frame) -> None:
    dialog = opened(frame)
    frame.wait(lambda: dialog.told.text() == NO_COPIES)
    dialog.reject()
    frame.app.paths.snapshots.mkdir()
    (frame.app.paths.snapshots / "2026-11-30.db").write_bytes(b"no database")
    dialog = opened(frame)
    frame.wait(lambda: dialog.days.count() == 1)
    assert (dialog.days.item(0).data(NOTE_ROLE), dialog.days.item(0).data(BAD_ROLE)) == (CANT_BE_READ, True)
    assert not dialog.restore.isEnabled()
