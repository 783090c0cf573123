"""Backup of everything in one file, restoring it, and the restart that applies it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from app import APP_NAME
from app.core.events import CancelToken
from app.features.exchange.backup import BackupFinished, BackupProgress, BackupUnpacked, back_up
from app.features.exchange.restore_backup import accept, last_aside, put_back, refuse_restored, unpack_backup
from app.ui.exchange.window_files import WindowFiles
from app.ui.i18n import size_text, tr, tr_count
from app.ui.locale_formats import format_moment, join_list
from app.ui.shell import tasks
from app.ui.widgets.dialogs import QuestionDialog
from app.ui.work.doing import NoticeProgress, run_in_sight

if TYPE_CHECKING:
    pass

RESTORE_QUESTION = (
    "This replaces all chats, summaries, translations, pages and settings. The current ones are kept for "
    "30 days. Models aren’t affected."
)
RESTORE_AND_RESTART = "Restore and restart"
PUT_BACK_AND_RESTART = "Undo and restart"

RESTORE_A_BACKUP = "Restore a backup"
BACK_UP_EVERYTHING = "Back up everything"

_KINDS = (
    ("chats", "1 chat", "{count} chats"),
    ("messages", "1 message", "{count} messages"),
    ("projects", "1 project", "{count} projects"),
    ("assistants", "1 assistant", "{count} assistants"),
    ("memories", "1 memory", "{count} memories"),
    ("prompts", "1 prompt", "{count} prompts"),
    ("summaries", "1 summary", "{count} summaries"),
    ("translations", "1 translation", "{count} translations"),
    ("pages", "1 page", "{count} pages"),
)


class BackupFiles(WindowFiles):
    """Ask for files, work on a thread, report the result."""

    def ask_where(self) -> QFileDialog:
        """Ask for the file and write a backup to it."""
        return self._ask_to_save(
            tr(BACK_UP_EVERYTHING),
            "back_up",
            kind=tr("Backup"),
            offered=f"{APP_NAME} {time.strftime('%Y-%m-%d')}.zip",  # in every language
            take=self.save,
        )

    def save(self, path: Path) -> tasks.BackgroundTask:
        """Write a backup on a thread, after storing text that was typed."""
        self._ui.go.store()

        def work(token: CancelToken) -> Iterator[object]:
            return back_up(path, self._app.paths, self._app.database, token)

        def then(event: BackupFinished) -> None:
            if not event.is_cancelled:
                words = tr("Everything was saved in {name}, {size}.", name=path.name, size=size_text(event.size_bytes))
                self._notify.saved(path, words)

        return run_in_sight(self._ui, work, tr("Backing up"), _progress_of, then)

    def ask_which(self) -> QFileDialog:
        return self._ask_to_open(tr(RESTORE_A_BACKUP), "restore_backup", filter_=tr("Backups (*.zip)"), take=self.read)

    def read(self, path: Path) -> tasks.BackgroundTask:
        """Unpack a backup next to the current data, then ask for consent."""

        def work(token: CancelToken) -> Iterator[object]:
            return unpack_backup(path, self._app.paths, token)

        def then(event: BackupUnpacked) -> None:
            if not event.is_cancelled:
                self._ask(path, event)

        return run_in_sight(self._ui, work, tr("Reading {name}", name=path.name), _progress_of, then)

    def _ask(self, path: Path, found: BackupUnpacked) -> None:
        made = format_moment(found.made_at)
        contents = list_counts(found.counts) or tr("only settings")
        words = "\n\n".join(
            (
                tr("Made on {date} by {program}: {contents}.", date=made, program=found.program, contents=contents),
                tr(RESTORE_QUESTION),
                tr("{app} restarts. Anything being written stops and is kept with the current data.", app=APP_NAME),
            )
        )  # fmt: skip
        title = tr("Restore {name}?", name=path.name)
        dialog = QuestionDialog(self._ui.theme, title, words, self._window)
        dialog.setObjectName("restore_question")
        dialog.add_choice(tr(RESTORE_AND_RESTART), self._restore, "primary")
        # An unpacked copy takes as much room on the disk as what is here.
        dialog.rejected.connect(lambda: refuse_restored(self._app.paths))
        dialog.open()

    def can_put_back(self) -> bool:
        """Return whether data from before a restore is kept."""
        return last_aside(self._app.paths) is not None

    def ask_to_put_back(self) -> None:
        """Ask, then restart with the data from before the last restore."""
        words = tr("This brings back the data from before the last restore. The current data is kept for 30 "
                   "days. {app} restarts.", app=APP_NAME)  # fmt: skip
        title = tr("Undo the last restore?")
        dialog = QuestionDialog(self._ui.theme, title, words, self._window)
        dialog.setObjectName("put_back_question")
        dialog.add_choice(tr(PUT_BACK_AND_RESTART), self._put_back, "primary")
        dialog.open()

    def _put_back(self) -> None:
        with self._notify.guard():
            put_back(self._app.paths)
            self._notify.actions["restart"]()

    def _restore(self) -> None:
        with self._notify.guard():
            accept(self._app.paths)
            self._notify.actions["restart"]()


def _progress_of(words: str, event: object) -> NoticeProgress | None:
    if not isinstance(event, BackupProgress):
        return None
    sizes = {"done": size_text(event.done_bytes), "total": size_text(event.total_bytes)}
    return NoticeProgress(tr("{words}: {done} of {total}", words=words, **sizes), event.done_bytes, event.total_bytes)


def list_counts(counts: Mapping[str, int]) -> str:
    """Return the counts of each kind in a backup or copy, without zeros; "" if there is nothing in it."""
    parts = []
    for name, text, many in _KINDS:
        if count := counts.get(name, 0):
            parts.append(tr_count(text, many, count))
    return join_list(parts)
