"""Actions on document translations: add files, batch, start, change, save. Shows no widgets but dialogs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.core.errors.app_error import AppError
from app.core.events import CancelToken
from app.features.translate.file_drafts import FileToTranslate, LeavePictures, TranslationDraftSession
from app.features.translate.translation_events import (
    BLOCKS,
    DRAFT,
    Adding,
    GlossaryTerm,
    Pictured,
    StoredTranslation,
    TranslationAdded,
    TranslationEstimate,
    TranslationWish,
)
from app.features.work.job_draft import AddFiles, ChangeOptions, DocumentRenewed, RemoveFiles
from app.features.work.queue import DONE, QUEUED, RUNNING
from app.ui.i18n import sentence_for, tr
from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import UiContext
from app.ui.translate.language_row import Capability, LastWish, usual_target
from app.ui.work.doing import JobActions, JobEstimates
from app.ui.work.intake import Intake

if TYPE_CHECKING:
    from app.features.translate.translation_jobs import TranslationJobs


class DocumentJob(QObject):
    """The open translation and the user's actions on it."""

    changed = Signal()
    """The stored row changed."""
    renewed = Signal()
    """The segments were replaced."""
    queued = Signal()
    """Jobs were queued."""

    def __init__(
        self, translations: TranslationJobs, notify: Notify, parent: QObject, *, on_begun: Callable[[], object]
    ) -> None:
        super().__init__(parent)
        self.on_begun = on_begun
        """Translation started; segments may have changed and should be reloaded."""
        self._translations = translations
        self.doing = JobActions(translations, notify, tr("This translation was deleted."), self)
        self.doing.queued.connect(self.queued)
        self.doing.row_changed.connect(self.changed)
        self.stored: StoredTranslation | None = None
        self.pending: TranslationWish | None = None
        """New options for a finished translation, not applied yet; None if unchanged."""
        self._other_terms: set[int] = set()
        """Ids of translations made with an older glossary."""

    @property
    def pair(self) -> tuple[str, str]:
        """Source and target language of the glossary in use."""
        if self.stored is None:
            return "", ""
        wish = self.pending or self.stored.wish
        return wish.source or self.stored.source_language, wish.target

    def change(self, drafts: Sequence[StoredTranslation], wish: TranslationWish) -> bool:
        """Change the options of drafts. Only the first takes the source language; the others keep their own."""
        first = drafts[0].id if drafts else 0

        def all_of_them() -> None:
            for draft in drafts:
                # Each keeps its own glossary, as the drafts of a batch may have different source languages.
                source = wish.source if draft.id == first else draft.wish.source
                self._translations.change_wish(
                    draft.id, TranslationWish(wish.target, source, wish.formality, wish.domain, draft.wish.glossary)
                )

        return self.doing.try_to(all_of_them)

    def begin(self, ids: Sequence[int]) -> None:
        """Queue translations in this order; an error is shown as a notice."""
        if ids and self.doing.try_to(lambda: self._translations.begin_translations(ids)):
            self._other_terms -= set(ids)
            self.on_begun()
            self.queued.emit()

    def stop(self) -> None:
        if self.stored is not None:
            self.doing.stop(self.stored.id)

    def go_on(self) -> None:
        """Resume a stopped or failed translation, or apply pending options or a changed document."""
        if self.pending is not None:
            self.apply()
        elif self.offers_again:
            self.on_begun()
            self.take_again()
        elif self.stored is not None:
            self.doing.go_on(self.stored.id)

    def apply(self) -> None:
        """Apply pending languages and glossary; only affected segments are translated again."""
        stored, wish = self.stored, self.pending
        if stored is None or (wish is not None and not self.change([stored], wish)):
            return
        self.pending = None
        # It is in the queue already: only its options have changed.
        if stored.state in (QUEUED, RUNNING):
            self.on_begun()
            self.queued.emit()
        else:
            self.begin([stored.id])

    @property
    def is_outdated(self) -> bool:
        """True if the document's text has changed since its segments were made."""
        # Other formats are translated inside their file; a document of blocks is replaced when its pictures are read.
        if (stored := self.stored) is None or stored.format != BLOCKS:
            return False
        return bool(self.doing.result_of(lambda: self._translations.is_outdated(stored.id)))

    @property
    def offers_again(self) -> bool:
        """True if an update from the document should be offered; an error is shown first."""
        return self.stored is not None and self.stored.error is None and self.is_outdated

    def take_again(self) -> None:
        """Update from the changed document; only segments that differ are translated again."""
        stored = self.stored
        if stored is not None and self.doing.try_to(lambda: self._translations.take_again(stored.id)):
            self.renewed.emit()
            self.queued.emit()

    def terms(self) -> tuple[GlossaryTerm, ...] | None:
        """Return the glossary of the current pair, or None if it couldn't be read."""
        return self.doing.result_of(lambda: self._translations.words.read_glossary(*self.pair))

    def keep_terms(self, pair: tuple[str, str], terms: Sequence[GlossaryTerm]) -> bool:
        """Store a pair's glossary.

        Return True if it is that of the open translation, which is marked as outdated when it is done.
        """
        is_kept = self.doing.try_to(lambda: self._translations.words.keep_glossary(*pair, terms))
        is_own = is_kept and self.stored is not None and pair == self.pair
        if is_own and self.stored is not None:
            self._other_terms.add(self.stored.id)
        return is_own

    def change_terms(
        self, pair: tuple[str, str], change: Callable[[Sequence[GlossaryTerm]], Sequence[GlossaryTerm]]
    ) -> None:
        """Store the glossary of a pair that isn't shown any more, as changed by `change`."""
        words = self._translations.words
        self.doing.try_to(lambda: words.keep_glossary(*pair, change(words.read_glossary(*pair))))

    @property
    def can_follow_terms(self) -> bool:
        """True if the translation was made with an older glossary."""
        return self.stored is not None and self.stored.state == DONE and self.stored.id in self._other_terms

    def found_terms(self) -> Sequence[GlossaryTerm]:
        """Return the stored repeated terms of the document with their translations."""
        stored = self.stored
        found = (
            self.doing.result_of(lambda: self._translations.repeated_terms(stored.id)) if stored is not None else None
        )
        return found or ()


class Drafts(QObject):
    """Files added together: one batch with common options, which can be started at once."""

    able_changed = Signal()

    def __init__(
        self,
        translations: TranslationJobs,
        last: LastWish,
        ui: UiContext,
        job: DocumentJob,
        window: QWidget,
        *,
        on_added: Callable[[Any], object],
        on_emptied: Callable[[], object],
        on_estimate: Callable[[], object],
    ) -> None:
        super().__init__(window)
        self.on_estimate, self.on_emptied = on_estimate, on_emptied
        """No file could be used and no translation is shown."""
        self.on_added = on_added
        """Carries a `StoredTranslation` added to the batch."""
        self._translations, self._last, self._notify, self._job = translations, last, ui.notify, job
        self._seen: tuple[int, ...] = ()
        """The batch as it was seen last."""
        self.estimate: TranslationEstimate | None = None
        self.problem = ""
        """Reason why there is no estimate."""
        self.capability = Capability(translations, ui.notify, self)
        self.session = TranslationDraftSession(translations, self._target_for)
        self.files = Intake(self.session, self._add, ui.theme, ui.notify, window=window, pictures=ui.pictures)
        self.estimating = JobEstimates(self)
        self.pictures = ui.pictures
        if ui.pictures is not None:
            ui.pictures.renewed.connect(lambda *ids: self.session.dispatch(DocumentRenewed(*ids)))
        self.session.listen(self._on_state)
        self.capability.changed.connect(self._on_able)
        self.estimating.estimated.connect(self._on_estimated)
        self.estimating.failed.connect(self._on_not_estimated)

    @property
    def batch(self) -> list[StoredTranslation]:
        """The open draft and the drafts of its batch that haven't started."""
        if (shown := self._job.stored) is None:
            return []
        # An older draft that was opened from the list is not part of the batch.
        numbers = [number for number in self.session.state.batch if number != shown.id] if self.has(shown) else []
        others = [self._job.doing.get(number) for number in numbers]
        return [
            shown,
            *(
                stored_translation
                for stored_translation in others
                if stored_translation is not None and stored_translation.state == DRAFT
            ),
        ]

    def has(self, shown: StoredTranslation) -> bool:
        return shown.id in self.session.state.batch

    def add(self, paths: Sequence[str | Path]) -> None:
        """Begin a new batch with these files, dropping those that couldn't be read before."""
        self.session.dispatch(AddFiles(tuple(Path(path) for path in paths), self._last.wish))

    def change(self, wish: TranslationWish) -> bool:
        """Change the options of the batch, also of its files that are still being read."""
        if (shown := self._job.stored) is not None and self.has(shown):
            self.session.dispatch(ChangeOptions(wish))
        return self._job.change(self.batch, wish)

    def begin(self, is_all: bool) -> None:
        """Start all drafts of the batch, or only the open one."""
        self.estimating.stop()
        self._job.begin([stored_translation.id for stored_translation in (self.batch if is_all else self.batch[:1])])

    def can(self, stored: StoredTranslation) -> bool:
        """Return whether the model supports the languages of a translation."""
        able = self.capability.able
        return able is not None and able.can(stored.source_language, stored.wish.target)

    def estimate_drafts(self) -> None:
        """Estimate the work of the batch, unless that is known or running."""
        drafts = self.batch
        is_known = self.estimate is not None or bool(self.problem) or self.estimating.is_busy
        if not is_known and drafts and all(map(self.can, drafts)):
            ids = [draft.id for draft in drafts]
            self.estimating.start_estimate(lambda cancel: self._translations.estimate_all(ids, cancel))

    def forget_estimate(self) -> None:
        """Drop the estimate, as it no longer fits: files or options changed."""
        self.estimating.stop()
        self.estimate, self.problem = None, ""

    @property
    def with_pictures(self) -> list[FileToTranslate]:
        """Files waiting for the text recognition of scanned pages."""
        return [file for file in self.session.state.files if file.waits_for_pictures]

    def leave_pictures(self) -> None:
        """Translate the waiting files by their text layer only, without their scanned pages."""
        self.session.dispatch(LeavePictures())

    def _add(self, file: FileToTranslate, cancel: CancelToken) -> Iterator[Adding | Pictured | TranslationAdded]:
        wish = self.session.state.options or self._last.wish
        return self._translations.add(
            file.path, wish, cancel, password=file.password, leaves_pictures=file.leaves_pictures
        )

    def _target_for(self, source: str) -> str:
        able = self.capability.able
        return usual_target(self._last.target, source, able.languages if able is not None else ())

    def _on_state(self) -> None:
        """Tell of new drafts, and of unreadable files once a translation has replaced the page that lists them."""
        state = self.session.state
        added = [number for number in state.batch if number not in self._seen]
        self._seen = state.batch
        for number in added:
            if (stored := self._job.doing.get(number)) is not None:
                self.on_added(stored)
        shown = self._job.stored
        if shown is None and not added and not state.files and not state.awaited and not state.batch:
            self.on_emptied()
        elif shown is not None and not state.is_reading:
            failed = [file for file in state.files if file.error and file.document is None]
            for file in failed:
                self._notify.mention(file.error)
            if failed:
                self.session.dispatch(RemoveFiles(tuple(file.key for file in failed)))

    def _on_able(self) -> None:
        self.forget_estimate()
        self.able_changed.emit()

    def _on_estimated(self, estimate: TranslationEstimate) -> None:
        self.estimate = estimate
        self.on_estimate()

    def _on_not_estimated(self, error: BaseException) -> None:
        # Expected errors are a line in the foot; only a defect is reported.
        if not isinstance(error, AppError):
            self._notify.error(error)
        self.problem = sentence_for(error).text
        self.on_estimate()
