"""The lock in the settings: a passphrase is set, changed and removed, and what that means is said."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLineEdit, QPushButton

from app.core.errors.lock_errors import WrongPassphrase
from app.store import lock_file
from app.store.lock_file import read_lock
from app.ui.i18n import tr
from app.ui.settings.lock_section import (
    CHANGE,
    CHANGE_PASSPHRASE,
    FORGOTTEN_IS_LOST,
    NOT_THE_SAME,
    REMOVE_AND_RESTART,
    SET,
    SET_AND_RESTART,
    WRONG_PASSPHRASE,
    LockSection,
    PassphraseDialog,
)
from app.ui.shared_labels import REMOVE
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame

PASSPHRASE = "correct horse"


class Desk(SettingsDesk):
    """The page, opened; restarts are counted instead of done."""

    def __init__(self, frame: Frame) -> None:
        self.restarts = 0
        frame.notify.actions["restart"] = self._restart
        super().__init__(frame, "data")
        self.section = self.find_step(LockSection)

    def _restart(self) -> None:
        self.restarts += 1

    def press(self, label: str) -> None:
        self.click(next(one for one in self.section.findChildren(QPushButton) if one.text() == tr(label)))

    @property
    def asked(self) -> PassphraseDialog:
        return [one for one in self.section.findChildren(PassphraseDialog) if one.isVisible()][-1]

    def type_all(self, *texts: str) -> None:
        for field, text in zip(self.asked.findChildren(QLineEdit), texts, strict=True):
            field.setText(text)


@pytest.fixture
def fast_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_file, "ROUNDS", 1000)


@pytest.fixture
def locked(frame: Frame, fast_rounds: None) -> Frame:
    """A window whose data has a lock, as far as the settings look."""
    lock_file.write_lock(frame.app.paths.lock, PASSPHRASE, lock_file.new_key())
    return frame


def test_a_passphrase_is_typed_twice_and_set_once_everything_is_closed(frame: Frame) -> None:
    desk = Desk(frame)
    assert tr(FORGOTTEN_IS_LOST) in desk.said
    desk.press(SET)
    asked = desk.asked
    assert tr(FORGOTTEN_IS_LOST) in asked.words.text()
    assert not asked.yes_button.isEnabled()
    desk.type_all(PASSPHRASE, "correct hose")
    assert asked.problem.text() == tr(NOT_THE_SAME)
    assert not asked.yes_button.isEnabled()
    desk.type_all(PASSPHRASE, PASSPHRASE)
    assert asked.problem.text() == ""
    assert asked.yes_button.text() == tr(SET_AND_RESTART)
    assert frame.app.lock_change is None
    desk.click(asked.yes_button)
    assert desk.restarts == 1
    assert frame.app.lock_change is not None
    frame.app.lock_change = None


def test_the_passphrase_is_changed_with_the_one_in_use(locked: Frame) -> None:
    desk, lock = Desk(locked), locked.app.paths.lock
    key = read_lock(lock, PASSPHRASE)
    desk.press(CHANGE)
    desk.type_all("wrong", "new", "new")
    desk.click(desk.asked.yes_button)
    assert desk.asked.problem.text() == tr(WRONG_PASSPHRASE)
    desk.type_all(PASSPHRASE, "new", "new")
    assert desk.asked.yes_button.text() == tr(CHANGE_PASSPHRASE)
    desk.click(desk.asked.yes_button)
    assert read_lock(lock, "new") == key
    with pytest.raises(WrongPassphrase):
        read_lock(lock, PASSPHRASE)
    assert desk.restarts == 0


def test_the_lock_is_removed_with_the_passphrase_only(locked: Frame) -> None:
    desk = Desk(locked)
    desk.press(f"{REMOVE}…")
    desk.type_all("wrong")
    desk.click(desk.asked.yes_button)
    assert desk.asked.problem.text() == tr(WRONG_PASSPHRASE)
    assert locked.app.lock_change is None
    desk.type_all(PASSPHRASE)
    assert desk.asked.yes_button.text() == tr(REMOVE_AND_RESTART)
    desk.click(desk.asked.yes_button)
    assert desk.restarts == 1
    assert locked.app.lock_change is not None
    locked.app.lock_change = None
