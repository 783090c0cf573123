"""The trash: what was deleted, of every kind, taken back or gone for good with every trace of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.features.chat.answer_service import SESSION
from app.store.assistant_store import AssistantStore
from app.store.conversations import Conversations
from app.store.database import Database
from app.store.deletable import DeletableRows
from app.store.document_store import DocumentStore, PageReadings
from app.store.jobs import JobTable
from app.store.page_store import PageStore
from app.store.projects import Memories, Projects, Tags
from app.store.prompt_store import PromptStore
from app.store.trash import (
    ASSISTANT,
    CHAT,
    GONE,
    MEMORY,
    MESSAGE,
    PAGE,
    PROJECT,
    PROMPT,
    SUMMARY,
    TAG,
    TRANSLATION,
    TrashedItem,
    TrashStore,
    erase_traces,
)

if TYPE_CHECKING:
    from app.features.transcribe import RecordedFiles
    from app.features.translate.translation_jobs import TranslationJobs

__all__ = ["KINDS", "TrashBin", "TrashedItem", "kept_until"]

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


def kept_until(deleted_at: float, keep_days: int) -> float | None:
    """Return when an item is deleted for good, in seconds since 1970; None: at the next start."""
    return deleted_at + keep_days * DAY_S if keep_days else None


class TrashBin:
    """Deleted items; from any thread. Purging takes seconds, so not on the window's.

    `translations` purges their files; `forget` deletes a chat's KV snapshot by its session name, `forget_media`
    pictures unused and older than a moment. `recordings`, if any, go with their last document. Unreferenced data from
    before `began_at` is purged, too.
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
    ) -> None:
        self._database, self._translations, self._forget, self._began_at = database, translations, forget, began_at
        self._forget_media, self._recordings = forget_media, recordings
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

    def remove(self, item: TrashedItem) -> None:
        """Purge an item with every trace."""
        self._store.give_up(item.kind, item.id)
        self.purge_older(GONE + 1)

    def remove_all(self) -> None:
        self._store.give_up_all()
        self.purge_older(GONE + 1)

    def purge_older(self, before: float) -> None:
        """Purge what was deleted before a moment (seconds since 1970), with every trace."""
        # Chats first: what only they used can then go.
        for number in self._conversations.purge_deleted(before):
            self._forget(SESSION.format(number))
        self._jobs.purge_deleted(before, but=TRANSLATION)
        # Files of translations go with their rows.
        if self._jobs.deleted(TRANSLATION, before):
            self._translations().remove_deleted(before)
        for kind in (PAGE, ASSISTANT, PROJECT, MEMORY, TAG, PROMPT):
            _STORES[kind](self._database).purge_deleted(before)
        recordings = self._recordings()
        # Before documents are purged: afterwards nobody knows which recordings they had.
        recorded = recordings.used_names() if recordings is not None else set()
        DocumentStore(self._database).purge_unused(self._began_at)
        if recordings is not None:
            recordings.remove_unused(recorded, self._began_at)
        self._forget_media(self._began_at)
        PageReadings(self._database).purge_unused()
        # Last, over all that was deleted above: full-text indexes keep positions of deleted words until then.
        erase_traces(self._database)
