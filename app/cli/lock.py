"""`lock …` in the terminal: set, change or remove the passphrase that encrypts the data; and open it for commands."""

from __future__ import annotations

import argparse
import getpass
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from app import APP_NAME
from app.cli import terminal
from app.core.catalogue import Translatable, tr
from app.core.errors.lock_errors import DataLocked, WrongPassphrase
from app.core.paths import AppPaths, has_lock_to_open, is_locked
from app.features.error_messages import sentence_for
from app.features.lock.lock_change import LockProgress, change_passphrase, finish_change, remove_lock, set_lock
from app.features.lock.open_copies import remove_left_copies, unlock_home

FILE_VARIABLE, NEW_FILE_VARIABLE = "FIRESIDE_PASSPHRASE_FILE", "FIRESIDE_NEW_PASSPHRASE_FILE"
TRIES = 3
FORGOTTEN_IS_LOST = "If you forget the passphrase, your chats can’t be recovered by anyone."
LOCK_SET = "Locked. {app} asks for the passphrase at every start."
LOCK_REMOVED, PASSPHRASE_CHANGED = "The lock was removed.", "The passphrase was changed."
NOT_LOCKED, ALREADY_LOCKED = "No lock is set.", "A lock is already set."
DIFFERENT = "The two passphrases differ. Nothing was changed."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = tr(
        "Encrypt everything you wrote with a passphrase. The passphrase is asked for on the "
        "terminal, or read from the files named by {variable} and, for a new one, "
        "{new_variable}.",
        variable=FILE_VARIABLE,
        new_variable=NEW_FILE_VARIABLE,
    )
    parts = parser.add_subparsers(required=True, metavar="COMMAND")
    texts: dict[str, Translatable] = {
        "status": "tell whether a lock is set",
        "set": "set a passphrase and encrypt; if you forget it, your chats can’t be recovered by anyone",
        "change": "change the passphrase",
        "remove": "remove the lock and store everything unencrypted again",
    }
    for name, text in texts.items():
        part: argparse.ArgumentParser = parts.add_parser(name, help=tr(text), description=tr(text))
        terminal.add_json(part, globals()[f"run_{name}"])


def run_status(options: argparse.Namespace) -> int:
    locked = is_locked(AppPaths.from_environment().data)
    if options.json:
        terminal.print_json({"locked": locked})
    else:
        print(tr("A lock is set.") if locked else tr(NOT_LOCKED))
    return 0


def run_set(options: argparse.Namespace) -> int:
    paths = AppPaths.from_environment()
    if is_locked(paths.data):
        return _refuse(ALREADY_LOCKED)
    print(tr(FORGOTTEN_IS_LOST), file=sys.stderr)
    passphrase = _ask_new()
    if not passphrase:
        return _refuse(DIFFERENT)
    _follow_change(set_lock(paths, passphrase))
    return _tell_done(options, LOCK_SET, locked=True)


def run_change(options: argparse.Namespace) -> int:
    paths = AppPaths.from_environment()
    if not is_locked(paths.data):
        return _refuse(NOT_LOCKED)
    old, new = _ask_passphrase(paths), _ask_new()
    if not new:
        return _refuse(DIFFERENT)
    change_passphrase(paths, old, new)
    return _tell_done(options, PASSPHRASE_CHANGED, locked=True)


def run_remove(options: argparse.Namespace) -> int:
    paths = AppPaths.from_environment()
    if not is_locked(paths.data):
        return _refuse(NOT_LOCKED)
    _follow_change(remove_lock(paths, _ask_passphrase(paths)))
    return _tell_done(options, LOCK_REMOVED, locked=False)


def open_for_command(command: str) -> None:
    """Finish an interrupted change, then open the lock for a command that uses the data.

    Raises DataLocked without a terminal and without a file, WrongPassphrase after the last try.
    """
    paths = AppPaths.from_environment()
    if not has_lock_to_open(paths):
        return
    finish_change(paths)
    remove_left_copies(paths)
    if command in WITHOUT_DATA or not is_locked(paths.data):
        return
    for left in reversed(range(TRIES)):
        try:
            unlock_home(paths, _ask_passphrase(paths))
            return
        except WrongPassphrase as error:
            # A file says the same each time.
            if not left or os.environ.get(FILE_VARIABLE):
                raise
            print(sentence_for(error).text, file=sys.stderr)


WITHOUT_DATA = ("lock", "doctor", "lend")
"""Commands that touch nothing of what is encrypted; `lock` asks by itself."""


def _ask_passphrase(paths: AppPaths) -> str:
    return _read_file(FILE_VARIABLE) or _ask_terminal(tr("Passphrase: "), paths)


def _ask_new() -> str:
    """Return a new passphrase, typed twice the same; "" where the two differ."""
    if given := _read_file(NEW_FILE_VARIABLE):
        return given
    paths = AppPaths.from_environment()
    first, second = (_ask_terminal(tr(text), paths) for text in ("New passphrase: ", "New passphrase again: "))
    return first if first == second else ""


def _read_file(variable: str) -> str:
    name = os.environ.get(variable)
    return Path(name).expanduser().read_text("utf-8").rstrip("\r\n") if name else ""


def _ask_terminal(words: str, paths: AppPaths) -> str:
    # Standard input may carry a question; where there is no terminal either, a script is to get the error.
    if not _has_terminal():
        raise DataLocked(str(paths.data))
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        passphrase = getpass.getpass(words)
    except EOFError:
        passphrase = ""
    finally:
        signal.signal(signal.SIGINT, previous)
    if not passphrase:
        raise DataLocked(str(paths.data))
    return passphrase


def _has_terminal() -> bool:
    if os.name == "nt":
        return sys.stdin.isatty()
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _follow_change(change: Iterator[LockProgress]) -> None:
    line = terminal.TerminalProgress()
    for step in change:
        if step.total_bytes:
            line.show(tr("Changing the lock"), f"{step.done_bytes / step.total_bytes:.0%}")
    line.end()


def _refuse(text: Translatable) -> int:
    print(tr(text), file=sys.stderr)
    return 1


def _tell_done(options: argparse.Namespace, text: Translatable, *, locked: bool) -> int:
    if options.json:
        terminal.print_json({"locked": locked})
    else:
        print(tr(text, app=APP_NAME))
    return 0
