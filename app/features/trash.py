"""The trash: what was deleted, of every kind, taken back or gone for good with every trace of it.

Copies of the database (daily ones, those of before an upgrade or a restore) lose a row before the database itself does,
so that a program that ends in between does it again: the row is still there to say what has to go.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.errors.app_error import AppError
from app.core.errors.saving_errors import DiskFull, FolderNotWritable
from app.features.chat.answer_service import SESSION
from app.features.projects import TOLD_ASSISTANT, TOLD_DOCUMENT, TOLD_MEMORY, TOLD_PROJECT
from app.store.assistant_store import AssistantStore
from app.store.conversations import Conversations
from app.store.database import Database, open_copy
from app.store.deletable import DeletableRows
from app.store.document_store import DocumentStore, PageReadings
from app.store.jobs import JobTable
from app.store.media_store import MediaStore
from app.store.page_store import PageStore
from app.store.projects import Memories, Projects, Tags
from app.store.prompt_store import PromptStore
from app.store.trash import (
    ASSISTANT,
    CHAT,
    GONE,
    MEMORY,
    MEMORY_TABLE,
    MESSAGE,
    PAGE,
    PROJECT,
    PROMPT,
    SUMMARY,
    TAG,
    TRANSLATION,
    DoomedRow,
    TrashedItem,
    TrashStore,
    erase_traces,
    find_doomed,
    list_backups,
)

if TYPE_CHECKING:
    from app.core.paths import AppPaths
    from app.engine.states import StateFolder
    from app.features.media import MediaLibrary
    from app.features.transcribe import RecordedFiles
    from app.features.translate.translation_jobs import TranslationJobs
    from app.store.snapshots import SnapshotFolder

__all__ = ["KINDS", "TrashBin", "TrashedItem", "build_trash", "kept_until"]

_STORES: dict[str, Callable[[Database], DeletableRows[Any]]] = {
    CHAT: Conversations,
    PROJECT: Projects,
    ASSISTANT: AssistantStore,
    MEMORY: Memories,
    TAG: Tags,
    PROMPT: PromptStore,
    SUMMARY: JobTable,
    TRANSLATION: JobTable,
    PAGE: PageStore,
}
KINDS = (CHAT, MESSAGE, PROJECT, ASSISTANT, MEMORY, TAG, PROMPT, SUMMARY, TRANSLATION, PAGE)
"""In the order in which they are offered."""
DAY_S = 24 * 3600.0
_IN_PROMPTS = {"memories": TOLD_MEMORY, "projects": TOLD_PROJECT, "assistants": TOLD_ASSISTANT}
"""Tables whose texts are read by models before any chat, and what `Ask.made_of` names them."""

log = logging.getLogger(__name__)


def kept_until(deleted_at: float, keep_days: int) -> float | None:
    """Return when an item is deleted for good, in seconds since 1970; None: at the next start."""
    return deleted_at + keep_days * DAY_S if keep_days else None


class TrashBin:
    """Deleted items; from any thread. Purging takes seconds, so not on the window's.

    `translations` purges their files; `forget` deletes a chat's KV snapshot by its session name, `forget_made_of` all
    that hold named texts, `forget_documents` those of what several chats begin with, `forget_media` pictures unused and
    older than a moment. `recordings`, if any, go with their last document.
    `forget_loaded` drops names of texts and sessions from a loaded model's memory.
    `copies` finds the copies of the database. Unreferenced data from before `began_at` is purged, too.
    """

    def __init__(
        self,
        database: Database,
        *,
        translations: Callable[[], TranslationJobs],
        forget: Callable[[str], object],
        began_at: float,
        forget_media: Callable[[float], object] = lambda _before: None,
        recordings: Callable[[], RecordedFiles | None] = lambda: None,
        forget_made_of: Callable[[AbstractSet[str]], object] = lambda _names: None,
        forget_documents: Callable[[Callable[[int], bool]], object] = lambda _is_gone: None,
        forget_loaded: Callable[[AbstractSet[str]], object] = lambda _names: None,
        copies: Callable[[], Iterable[Path]] = lambda: (),
    ) -> None:
        self._database, self._translations, self._forget, self._began_at = database, translations, forget, began_at
        self._forget_media, self._recordings = forget_media, recordings
        self._forget_made_of, self._forget_documents, self._copies = forget_made_of, forget_documents, copies
        self._forget_loaded = forget_loaded
        self.purging = threading.RLock()
        """Held while copies are cleaned; a copy made meanwhile could hold what is being purged."""
        self._store, self._conversations, self._jobs = TrashStore(database), Conversations(database), JobTable(database)

    def list_items(self) -> list[TrashedItem]:
        """List what can be restored, last deleted first."""
        return self._store.list_items()

    def restore(self, item: TrashedItem) -> None:
        """Restore an item. Raises KeyError if it is gone."""
        if item.kind == MESSAGE:
            self._conversations.restore_message(item.id)
        else:
            _STORES[item.kind](self._database).restore(item.id)

    def remove(self, *items: TrashedItem) -> None:
        """Purge items with every trace; at once, since every copy of the database is gone through for it."""
        for item in items:
            self._store.give_up(item.kind, item.id)
        self.purge_older(GONE + 1)

    def remove_all(self) -> None:
        self._store.give_up_all()
        self.purge_older(GONE + 1)

    def purge_older(self, before: float) -> None:
        """Purge what was deleted before a moment (seconds since 1970), with every trace."""
        with self.purging:
            self._purge_older(before)

    def _purge_older(self, before: float) -> None:
        if doomed := self._store.list_doomed(before):
            for copy in self._copies():
                purge_from_copy(copy, doomed)
            self._forget_states(doomed)
        self._jobs.purge_deleted(before, but=TRANSLATION)
        # Files of translations go with their rows.
        if self._jobs.deleted(TRANSLATION, before):
            self._translations().remove_deleted(before)
        recordings = self._recordings()
        # Before documents are purged: afterwards nobody knows which recordings they had.
        recorded = recordings.used_names() if recordings is not None else set()
        gone = _purge_rows(self._database, before, self._began_at)
        self._forget_told({TOLD_DOCUMENT.format(number) for number in gone})
        # Asked of all that states hold, so that an interrupted purge leaves none.
        documents = DocumentStore(self._database)
        self._forget_documents(lambda number: documents.get(number) is None)
        if recordings is not None:
            recordings.remove_unused(recorded, self._began_at)
        self._forget_media(self._began_at)
        # Last, over all that was deleted above: full-text indexes keep positions of deleted words until then.
        erase_traces(self._database)

    def purge_entries(self, entries: Sequence[tuple[int, bytes]]) -> None:
        """Remove entries of the translation memory, by id and key, from all copies of the database."""
        with self.purging:
            for copy in self._copies():
                purge_from_copy(copy, [DoomedRow(MEMORY_TABLE, entry_id, key) for entry_id, key in entries])

    def _forget_states(self, doomed: Sequence[DoomedRow]) -> None:
        """Delete the KV snapshots of chats in which a model has read what is about to be purged."""
        self._forget_told({_IN_PROMPTS[row.table].format(row.id) for row in doomed if row.table in _IN_PROMPTS})
        chats = {row.id for row in doomed if row.table == "conversations"}
        read = [self._conversations.get_message(row.id) for row in doomed if row.table == "messages"]
        chats |= {message.conversation_id for message in read if message is not None}
        if sessions := sorted(map(SESSION.format, chats)):
            self._forget_loaded({*sessions})
        for session in sessions:
            self._forget(session)

    def _forget_told(self, names: AbstractSet[str]) -> None:
        """Forget what was made of texts, first in memory, from where it could be saved again."""
        if names:
            self._forget_loaded(names)
            self._forget_made_of(names)


def build_trash(
    paths: AppPaths,
    database: Database,
    *,
    began_at: float,
    translations: Callable[[], TranslationJobs],
    states: Callable[[], StateFolder],
    media: Callable[[], MediaLibrary],
    snapshots: Callable[[], SnapshotFolder],
    forget_loaded: Callable[[AbstractSet[str]], object],
) -> TrashBin:
    """Build the trash of the program's own database; other parts are asked for when something of theirs has to go."""

    def recordings() -> RecordedFiles | None:
        from app.features.transcribe import build_recordings  # few chats have any

        return build_recordings(paths, database) if paths.recordings.is_dir() else None

    def copies() -> list[Path]:
        asides = sorted(paths.restore.replaced.glob(f"*/{paths.database.name}"))
        return [*(copy.path for copy in snapshots().list_snapshots()), *list_backups(paths.database), *asides]

    return TrashBin(
        database,
        translations=translations,
        forget=lambda session: states().delete_session(session),
        began_at=began_at,
        forget_media=lambda before: media().remove_unused(before) if paths.media.is_dir() else None,
        recordings=recordings,
        forget_made_of=lambda names: states().delete_made_of(names),
        forget_documents=lambda is_gone: states().delete_documents(is_gone),
        forget_loaded=forget_loaded,
        copies=copies,
    )


def purge_from_copy(path: Path, doomed: Sequence[DoomedRow]) -> None:
    """Remove from a copy of the database, and from the files in its folder, what the database itself is about to purge.

    A copy that can't be cleaned, as it is damaged or another version's, is deleted. Raises DiskFull or
    FolderNotWritable; the copy is then as it was.
    """
    if not (found := find_doomed(path, doomed)):
        return
    try:
        with open_copy(path) as copy:
            # Files belong to a copy only where it lies with them, as before a restore.
            before = _list_files(copy, path.parent)
            TrashStore(copy).doom(found)
            JobTable(copy).purge_deleted(GONE + 1)
            _purge_rows(copy, GONE + 1, math.inf)
            MediaStore(copy).forget_unused(math.inf)
            erase_traces(copy)
            gone = before - _list_files(copy, path.parent)
        for file in sorted(gone):
            file.unlink(missing_ok=True)
            with suppress(OSError):  # others are left in it
                file.parent.rmdir()
    except (DiskFull, FolderNotWritable):
        raise
    except AppError as error:
        log.info("%s could not be cleaned and was deleted: %s", path.name, type(error).__name__)
        for file in path.parent.glob(f"{path.name}*"):  # with SQLite's journals
            file.unlink(missing_ok=True)


def _purge_rows(database: Database, before: float, unused_before: float) -> list[int]:
    """Purge rows of all kinds but jobs that were deleted before a moment, and what was used by nothing else.

    Return the ids of the documents that went.
    """
    # Chats first: what only they used can then go.
    for kind in (CHAT, PAGE, ASSISTANT, PROJECT, MEMORY, TAG, PROMPT):
        _STORES[kind](database).purge_deleted(before)
    documents = DocumentStore(database).purge_unused(unused_before)
    PageReadings(database).purge_unused()
    return documents


def _list_files(copy: Database, folder: Path) -> set[Path]:
    """Return the files in a copy's folder that its rows refer to."""
    jobs = JobTable(copy).list_ids(TRANSLATION)
    files = {folder / "media" / sha256[:2] / sha256 for sha256 in MediaStore(copy).all()}
    files |= {file for job in jobs for file in (folder / "translations" / str(job)).glob("*")}
    paths = DocumentStore(copy).list_paths()
    files |= {folder / "recordings" / path.name for path in paths if path.parent.name == "recordings"}
    return {file for file in files if file.is_file()}
