"""What is cleared up while the program runs: what nobody refers to any more, and the day's copy of the database."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from app.core.errors.saving_errors import DiskFull
from app.core.paths import AppPaths, close_to_others
from app.features.trash import DAY_S, TrashBin
from app.store.database import Database
from app.store.jobs import PAGE_READING, TRANSLATION, JobTable
from app.store.snapshots import SnapshotFolder
from app.store.trash import remove_old_backups

if TYPE_CHECKING:
    from app.features.translate.translation_jobs import TranslationJobs


class DataHousekeeping:
    """Clears up; all of it is slow, so it is called on a worker thread.

    `translations` builds the jobs on first use; what came after `began_at`, when this run began, is spared.
    """

    def __init__(
        self,
        paths: AppPaths,
        database: Database,
        *,
        keep_days: Callable[[], int],
        translations: Callable[[], TranslationJobs],
        trash: TrashBin,
        snapshots: SnapshotFolder,
        began_at: Callable[[], float],
    ) -> None:
        self._paths, self._database, self._keep_days, self._translations = paths, database, keep_days, translations
        self._trash, self._snapshots, self._began_at = trash, snapshots, began_at

    def remove_unreferenced(self) -> None:
        """Delete unreferenced documents and their copies, and what is past its time in the trash."""
        from app.features.media import remove_passing
        from app.features.work.saved_file import remove_interrupted

        paths, jobs = self._paths, JobTable(self._database)
        # Each file, which takes a while: the start itself only looks at folders.
        close_to_others(paths.folders, deeply=True)
        remove_interrupted()
        copies = paths.translations
        if jobs.list_ids(TRANSLATION) or (copies.is_dir() and any(copies.iterdir())):
            self._translations().remove_leftovers(self._began_at())  # imports 7 MB of modules
        for left in paths.own_words.parent.glob(f".{paths.own_words.name}.*"):  # of a save that was ended by force
            if left.stat().st_mtime < self._began_at():
                left.unlink(missing_ok=True)
        # Deleting rows needs room on the disk, too.
        with suppress(DiskFull):
            for done in jobs.find(PAGE_READING, ("done",)):
                jobs.remove(done.id)
        with suppress(DiskFull):  # which was told at start: what was deleted stays until there is room
            self._trash.purge_older(self._began_at() - self._keep_days() * DAY_S)
        for folder in (paths.decoded, paths.documents):
            remove_passing(folder, self._began_at())
        remove_old_backups(self._database, time.time())
        if paths.restore.replaced.is_dir() or paths.restore.unpacked.is_dir():
            from app.features.exchange.restore_backup import remove_old

            remove_old(paths, time.time())

    def take_snapshot(self) -> None:
        """Take today's copy of the database if it is due, after purging what is past its time by then."""
        if self._snapshots.is_due():
            if days := self._keep_days():
                with suppress(DiskFull):
                    self._trash.purge_older(time.time() - days * DAY_S)
            with self._trash.purging:
                self._snapshots.take_daily()
