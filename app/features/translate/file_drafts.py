"""Files that become translations to be begun: what is special of them in a job's draft, and what is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.core.lazy_dataclasses import dataclass, replace
from app.features import file_reading as f
from app.features.files_to_read import FileToRead, Stage
from app.features.state_session import SessionMessage
from app.features.translate.translation_events import (
    Adding,
    Pictured,
    StoredTranslation,
    TranslationAdded,
    TranslationWish,
)
from app.features.work.job_draft import FileFinished, FinishFile, JobDraft, JobDraftSession
from app.language.language_names import is_same

if TYPE_CHECKING:
    from app.features.translate.translation_jobs import TranslationJobs


class LeavePictures(SessionMessage):
    """Translate the files that wait for picture pages by their text layer only."""


class DiscardDraft(SessionMessage):
    """The file of this translation was removed while it was being added."""

    job_id: int


@dataclass(frozen=True, eq=False, kw_only=True)
class FileToTranslate(FileToRead):
    """A file to become a translation; `page` counts segments."""

    translation: StoredTranslation | None = None
    leaves_pictures: bool = False

    @property
    def is_whole(self) -> bool:
        return self.translation is not None

    @property
    def waits_for_pictures(self) -> bool:
        """True while its scanned pages are to be recognized."""
        # Its document is stored, but some pages have no text until they are recognized.
        return self.stage is Stage.FAILED and self.document is not None

    @property
    def is_kept_unread(self) -> bool:
        """True also while its scanned pages are being recognized."""
        return super().is_kept_unread or (self.is_plain and self.document is not None and self.translation is None)

    def changes_by(self, event: object) -> dict[str, Any]:
        if isinstance(event, TranslationAdded):
            return {"translation": event.translation}
        if isinstance(event, Pictured):
            return {"document": event.document}
        return {"page": event.segments} if isinstance(event, Adding) else {}


@dataclass(frozen=True)
class TranslationDraft(JobDraft):
    """Files that become translations, and the options of those that were added together."""

    finishes_files: bool = True
    is_one_batch: bool = True

    def new_file(self, **fields: Any) -> FileToTranslate:
        return FileToTranslate(**fields)


Step = tuple[TranslationDraft, tuple[object, ...]]


def _on_leave_pictures(state: TranslationDraft, _message: LeavePictures) -> Step:
    for file in state.parts:
        if file.waits_for_pictures:
            again = replace(file, document=None, leaves_pictures=True)
            state = f.read_again(state, again, f.ReadAgain(file.key))
    return state, ()


def _on_progress(state: TranslationDraft, message: f.FileProgressed) -> Step:
    event, files = message.event, [file for file in state.parts if file.reading == message.reading]
    is_running = message.reading in [reading.number for reading in state.readings]
    if isinstance(event, TranslationAdded) and is_running and not files:
        return state, (DiscardDraft(event.translation.id),)
    return f.on_file_progress(state, message)


class TranslationDraftSession(JobDraftSession):
    """Session of files to translate. `target_for` returns the target of a document in a language that was chosen."""

    def __init__(self, translations: TranslationJobs, target_for: Callable[[str], str]) -> None:
        self._translations, self._target_for = translations, target_for
        super().__init__(
            {FinishFile: self._finish_file, DiscardDraft: self._discard_draft},
            TranslationDraft(),
            {LeavePictures: _on_leave_pictures, f.FileProgressed: _on_progress},
        )

    def _finish_file(self, effect: FinishFile) -> FileFinished:
        translations, stored = self._translations, effect.part.translation
        # The options may have been changed while it was read; its own are its language and glossary.
        options: TranslationWish = effect.options or stored.wish
        own = stored.wish
        wish = TranslationWish(options.target, own.source, options.formality, options.domain, own.glossary)
        # A document in the chosen language gets another target.
        if is_same(stored.source_language, wish.target):
            wish = replace(wish, target=self._target_for(stored.source_language))
        try:
            translations.change_wish(stored.id, wish)
            # The same file with the same options is a draft already; a second row would look just like it.
            return FileFinished(effect.part.key, translations.merge_twin(stored.id).id)
        # It was deleted meanwhile.
        except KeyError:
            return FileFinished(effect.part.key)

    def _discard_draft(self, effect: DiscardDraft) -> None:
        self._translations.discard(effect.job_id)
