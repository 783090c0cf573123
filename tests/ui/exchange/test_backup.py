"""Everything in one file and back, from the settings: what is in it is said first, and nothing is lost by a no."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QDialog, QFileDialog, QLabel, QPushButton

from app.bootstrap import build_program
from app.core.events import CancelToken
from app.features.exchange.restore_backup import BACKUP_RESTORED, RESTORE_UNDONE, accept, unpack_backup
from app.ui.exchange.backup import PUT_BACK_AND_RESTART, RESTORE_QUESTION, BackupFiles
from app.ui.shared_labels import CANCEL
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame
from tests.helpers.texts import shows
from tests.ui.exchange.conftest import add_chat


@pytest.fixture
def saved(frame: Frame, tmp_path: Path) -> Path:
    """A backup with one chat, made from the settings; a second chat came later."""
    add_chat(frame, "Rent", "How high?", "High.")
    path = tmp_path / "all.zip"
    desk = SettingsDesk(frame, "data")
    desk.click(desk.button("Back up: Back up everything"))
    frame.choose_file(path, "back_up")
    frame.wait(lambda: any("Everything was saved in all.zip" in notice for notice in frame.notices))
    add_chat(frame, "Soup", "Which?", "Leek.")
    return path


def asked(frame: Frame, path: Path) -> QDialog:
    """The question, with what is in the backup."""
    desk = SettingsDesk(frame, "data")
    desk.click(desk.button("Restore: Restore a backup"))
    frame.choose_file(path, "restore_backup")
    frame.wait(lambda: frame.has(QDialog, "restore_question"))
    return frame.find_step(QDialog, "restore_question")


def test_a_no_leaves_everything_as_it_was(frame: Frame, saved: Path) -> None:
    dialog = asked(frame, saved)
    words = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert "1 chat, 2 messages" in words
    assert shows(RESTORE_QUESTION, words)
    dialog.reject()
    assert not frame.app.paths.restore.unpacked.exists()
    assert not frame.app.paths.restore.waiting.exists()


def test_a_yes_starts_again_with_what_was_saved(frame: Frame, saved: Path) -> None:
    restarted: list[bool] = []
    frame.notify.actions["restart"] = lambda: restarted.append(True)
    dialog = asked(frame, saved)
    frame.click(next(one for one in dialog.findChildren(type(frame.button(CANCEL))) if "restart" in one.text()))
    assert restarted == [True]
    frame.app.close()
    again = build_program()
    assert [chat.title for chat in again.conversations.find()] == ["Rent"]
    assert BACKUP_RESTORED in [notice.text for notice in again.notices]
    (before,) = again.paths.restore.replaced.iterdir()
    assert (before / "fireside.db").exists()
    again.close()


def test_a_restore_that_is_regretted_is_undone(frame: Frame, saved: Path) -> None:
    restarted: list[bool] = []
    frame.notify.actions["restart"] = lambda: restarted.append(True)
    list(unpack_backup(saved, frame.app.paths, CancelToken()))
    accept(frame.app.paths)
    frame.app.close()
    restored = build_program()
    assert [(notice.text, notice.action) for notice in restored.notices] == [(BACKUP_RESTORED, "put_back")]
    BackupFiles(restored, frame.window.ui).ask_to_put_back()
    dialog = frame.find_step(QDialog, "put_back_question")
    frame.click(next(one for one in dialog.findChildren(QPushButton) if one.text() == PUT_BACK_AND_RESTART))
    assert restarted == [True]
    restored.close()
    again = build_program()
    assert {chat.title for chat in again.conversations.find()} == {"Soup", "Rent"}
    assert [notice.text for notice in again.notices] == [RESTORE_UNDONE]
    again.close()


@pytest.mark.parametrize("is_kept", [False, True])
def test_the_settings_offer_it_while_there_is_something_to_put_back(frame: Frame, *, is_kept: bool) -> None:
    if is_kept:
        (frame.app.paths.restore.replaced / "2026-11-01-120000-abcd").mkdir(parents=True)
    desk = SettingsDesk(frame, "data")
    assert desk.button("Undo restore: Undo the last restore").isEnabled() == is_kept


def test_what_is_no_backup_is_told(frame: Frame, tmp_path: Path) -> None:
    path = tmp_path / "holiday.zip"
    path.write_bytes(b"PK nothing")
    desk = SettingsDesk(frame, "data")
    desk.click(desk.button("Restore: Restore a backup"))
    assert frame.find_step(QFileDialog, "restore_backup").isVisible()
    frame.choose_file(path, "restore_backup")
    told = "Nothing here was changed"
    frame.wait(lambda: any("holiday.zip" in notice and told in notice for notice in frame.notices))
