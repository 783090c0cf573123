"""A locked program, with real keys: nothing of a chat is in the folder or behind the question for the passphrase."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from app.core.events import Role
from app.core.paths import AppPaths
from app.features.lock.lock_change import set_lock
from app.features.lock.open_copies import close_home, unlock_home
from app.store.conversations import Conversations
from app.store.database import Database
from tests.helpers.program import Program, wait_until, xdotool
from tests.helpers.script import write_script

pytestmark = [pytest.mark.display, pytest.mark.timeout(180)]
PASSPHRASE = "correct horse"


def paths_of(home: Path) -> AppPaths:
    return AppPaths(home / "data", home / "config", home / "cache", home / "logs")


def windows(program: Program) -> list[str]:
    pid = str(program.process.pid)
    return xdotool("search", "--all", "--onlyvisible", "--pid", pid, "--name", "Fireside", check=False).split()


def test_a_locked_start_asks_and_opens_what_was_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    paths = paths_of(home)
    with closing(Database.open(paths.database)) as database:
        chats = Conversations(database)
        chat = chats.create(title="Rent")
        chats.add_message(chat.id, None, Role.USER, "Who pays for Qzanzibarium?")
    list(set_lock(paths, PASSPHRASE))
    script = write_script(tmp_path / "script", {"text": "The owner of Qzanzibarium."})
    program = Program(home, {"FIRESIDE_ENGINE_SCRIPT": str(script)})
    try:
        asking = program.window
        program.type("battery staple")
        program.press("Return")
        program.type(PASSPHRASE)
        program.press("Return")
        program.window = wait_until(
            lambda: next((window for window in windows(program) if window != asking), None), "the program's window"
        )
        program.press("ctrl+n")
        program.ask("And who owns Qzanzibarium?")

        copies: set[Path | None] = set()

        def is_answered() -> bool:
            with_key = unlock_home(paths, PASSPHRASE)
            copies.add(with_key.unlocked)
            try:
                with closing(Database.open(with_key.database)) as database:
                    chats = Conversations(database)
                    turns = [turn for found in chats.find() for turn in chats.read_branch(found.id)]
                    return any(turn.text.startswith("The owner of") for turn in turns)
            finally:
                close_home(with_key)

        wait_until(is_answered, "the answer")
        assert program.quit() == 0
    finally:
        program.kill()
    for path in home.rglob("*"):
        assert not path.is_file() or b"qzanzibarium" not in path.read_bytes().lower(), path
    (place,) = copies
    assert place is not None
    assert not place.exists()
