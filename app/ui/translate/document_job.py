"""What is done with translated documents: files taken, put together, begun, changed, saved. Shows only dialogs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.core.errors import AppError
from app.core.events import CancelToken
from app.features.document_library import WHOLE
from app.features.error_messages import sentence_for
from app.features.translate.saving import endings_of, file_name
from app.features.translate.translation_events import (
    BLOCKS,
    DRAFT,
    Adding,
    GlossaryTerm,
    Pictured,
    Saved,
    Saving,
    StoredTranslation,
    TranslationAdded,
    TranslationEstimate,
    TranslationWish,
)
from app.features.work.queue import DONE, QUEUED, RUNNING
from app.language.language_names import is_same
from app.ui.document.document_files import FileToRead, Stage
from app.ui.i18n import tr
from app.ui.shared_labels import SAVED_AS
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import UiContext
from app.ui.translate.language_row import Capability, LastWish, usual_target
from app.ui.work.doing import Doing, Estimating, SavedFiles
from app.ui.work.intake import Intake

if TYPE_CHECKING:
    from app.features.translate.translation_jobs import TranslationJobs

NEW_DOCUMENT_LAYOUT = "It is a new document: the layout of the original is not kept."

ONE_SEGMENT_UNCHANGED = "1 segment couldn’t be translated and was left unchanged."


class DocumentJob(QObject):
    """The translation that is shown, and what a person does with it."""

    changed = Signal()
    """Its row is another one."""
    begun = Signal()
    """What is translated of it may be another: its segments are asked again."""
    renewed = Signal()
    """Its segments are others."""
    queued = Signal()
    """It waits in the queue, or others with it."""

    def __init__(self, translations: TranslationJobs, notify: Notify, parent: QObject) -> None:
        super().__init__(parent)
        self._translations = translations
        self.doing = Doing(translations, notify, tr("This translation is not there any more."), self)
        self.doing.queued.connect(self.queued)
        self.doing.row_changed.connect(self.changed)
        self.stored: StoredTranslation | None = None
        self.pending: TranslationWish | None = None
        """What was chosen for a translation that was made otherwise; None where nothing was."""
        self._other_terms: set[int] = set()
        """Those that do not follow their glossary yet."""

    @property
    def pair(self) -> tuple[str, str]:
        """The languages whose glossary is the one of this translation."""
        if self.stored is None:
            return "", ""
        wish = self.pending or self.stored.wish
        return wish.source or self.stored.source_language, wish.target

    def change(self, drafts: Sequence[StoredTranslation], wish: TranslationWish) -> bool:
        """Drafts are to be translated otherwise. The source's language is each one's own, but for the first."""
        first = drafts[0].id if drafts else 0

        def all_of_them() -> None:
            for draft in drafts:
                source = wish.source if draft.id == first else draft.wish.source
                self._translations.change_wish(
                    draft.id, TranslationWish(wish.target, source, wish.formality, wish.domain, draft.wish.glossary)
                )

        return self.doing.try_to(all_of_them)

    def begin(self, ids: Sequence[int]) -> None:
        """Translates these, one after the other."""
        if ids and self.doing.try_to(lambda: self._translations.begin_translations(ids)):
            self._other_terms -= set(ids)
            self.begun.emit()
            self.queued.emit()

    def stop(self) -> None:
        """What is done is kept."""
        if self.stored is not None:
            self.doing.stop(self.stored.id)

    def go_on(self) -> None:
        """Goes on with one that was stopped or failed, or follows what was chosen, or its document."""
        if self.pending is not None:
            self.apply()
        elif self.offers_again:
            self.begun.emit()
            self.take_again()
        elif self.stored is not None:
            self.doing.go_on(self.stored.id)

    def apply(self) -> None:
        """The document follows the languages and the glossary that were chosen; only what that changes is asked."""
        stored, wish = self.stored, self.pending
        if stored is None or (wish is not None and not self.change([stored], wish)):
            return
        self.pending = None
        if stored.state in (QUEUED, RUNNING):
            self.begun.emit()
            self.queued.emit()
        else:
            self.begin([stored.id])

    @property
    def is_outdated(self) -> bool:
        """Whether its document says something else by now than its segments."""
        stored = self.stored
        if stored is None or stored.format != BLOCKS:
            return False
        return bool(self.doing.result_of(lambda: self._translations.is_outdated(stored.id)))

    @property
    def offers_again(self) -> bool:
        """Whether that is offered; why it failed goes first."""
        return self.stored is not None and self.stored.error is None and self.is_outdated

    def take_again(self) -> None:
        """It follows its document; only segments that are others are asked."""
        stored = self.stored
        if stored is not None and self.doing.try_to(lambda: self._translations.take_again(stored.id)):
            self.renewed.emit()
            self.queued.emit()

    # Its terms.

    def terms(self) -> tuple[GlossaryTerm, ...] | None:
        """The glossary of its languages; None where it could not be read."""
        return self.doing.result_of(lambda: self._translations.words.read_glossary(*self.pair))

    def keep_terms(self, pair: tuple[str, str], terms: Sequence[GlossaryTerm]) -> bool:
        """These are the glossary of a pair now; whether it is the one of this translation.

        One that is done follows them when that is asked for.
        """
        is_kept = self.doing.try_to(lambda: self._translations.words.keep_glossary(*pair, terms))
        is_own = is_kept and self.stored is not None and pair == self.pair
        if is_own and self.stored is not None:
            self._other_terms.add(self.stored.id)
        return is_own

    def change_terms(
        self, pair: tuple[str, str], change: Callable[[Sequence[GlossaryTerm]], Sequence[GlossaryTerm]]
    ) -> None:
        """The glossary of a pair becomes what `change` makes of it."""
        words = self._translations.words
        self.doing.try_to(lambda: words.keep_glossary(*pair, change(words.read_glossary(*pair))))

    @property
    def can_follow_terms(self) -> bool:
        """Whether it was translated with other terms."""
        return self.stored is not None and self.stored.state == DONE and self.stored.id in self._other_terms

    def found_terms(self) -> Sequence[GlossaryTerm]:
        """What it repeats and how that is translated in all of it, as it was stored."""
        stored = self.stored
        found = (
            self.doing.result_of(lambda: self._translations.repeated_terms(stored.id)) if stored is not None else None
        )
        return found or ()


@dataclass(eq=False)
class FileToTranslate(FileToRead):
    """A file that becomes a translation. `page` counts its segments."""

    translation: StoredTranslation | None = None
    leaves_pictures: bool = False

    @property
    def is_kept_unread(self) -> bool:
        """So is one whose pictures are being read."""
        is_plain = not self.password and self.part == WHOLE
        return super().is_kept_unread or (is_plain and self.document is not None and self.translation is None)

    def take_event(self, event: object) -> bool:
        if isinstance(event, TranslationAdded):
            self.translation, self.stage = event.translation, Stage.READ
        elif isinstance(event, Pictured):
            self.document = event.document
        elif isinstance(event, Adding):
            self.page = event.segments
        return isinstance(event, Adding)


class Drafts(QObject):
    """Files that are dropped together are one batch: they take the same choices and can be begun at once."""

    added = Signal(object)
    """A `StoredTranslation` of the batch."""
    emptied = Signal()
    """Nothing came of the files, and no translation is shown."""
    able_changed = Signal()
    estimate_changed = Signal()

    def __init__(
        self, translations: TranslationJobs, last: LastWish, ui: UiContext, job: DocumentJob, window: QWidget
    ) -> None:
        super().__init__(window)
        self._translations, self._last, self._notify, self._job = translations, last, ui.notify, job
        self._batch: list[int] = []
        self.estimate: TranslationEstimate | None = None
        self.problem = ""
        """Why there is no estimate."""
        self.files = Intake(self._add, ui.theme, ui.notify, window)
        self.capability = Capability(translations, ui.notify, self)
        self.estimating = Estimating(self)
        self.files.refused.connect(self.files.remove)
        self.files.read.connect(self._on_read)
        self.files.failed.connect(self._on_failed)
        self.pictures = ui.pictures
        if ui.pictures is not None:
            ui.pictures.renewed.connect(self._on_renewed)
        self.files.changed.connect(self._on_files)
        self.capability.changed.connect(self._on_able)
        self.estimating.estimated.connect(self._on_estimated)
        self.estimating.failed.connect(self._on_not_estimated)

    @property
    def batch(self) -> list[StoredTranslation]:
        """The draft that is shown, and those that were dropped with it and are not begun either."""
        shown = self._job.stored
        if shown is None:
            return []
        numbers = [number for number in self._batch if number != shown.id] if shown.id in self._batch else []
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
        """Whether it is of the batch."""
        return shown.id in self._batch

    def add(self, paths: Sequence[str | Path]) -> None:
        """Another batch."""
        self._batch = []
        for one in [file for file in self.files.files if not file.is_on_its_way]:
            self.files.drop(one)  # what could not be read of the batch before
        self.files.add(paths, FileToTranslate)

    def begin(self, is_all: bool) -> None:
        """Translates what was put together, or only the one that is shown."""
        self.estimating.stop()
        self._job.begin([stored_translation.id for stored_translation in (self.batch if is_all else self.batch[:1])])

    def can(self, stored: StoredTranslation) -> bool:
        """Whether the model can translate it."""
        able = self.capability.able
        return able is not None and able.can(stored.source_language, stored.wish.target)

    def estimate_drafts(self) -> None:
        """Asks what the batch would take, where that is not known."""
        drafts = self.batch
        is_known = self.estimate is not None or bool(self.problem) or self.estimating.is_busy
        if not is_known and drafts and all(map(self.can, drafts)):
            ids = [draft.id for draft in drafts]
            self.estimating.start_estimate(lambda cancel: self._translations.estimate_all(ids, cancel))

    def forget_estimate(self) -> None:
        """What would be done is something else now."""
        self.estimating.stop()
        self.estimate, self.problem = None, ""

    @property
    def with_pictures(self) -> list[FileToTranslate]:
        """Those that wait until their pages that are pictures are read."""
        return [file for file in self.files.files if file.stage is Stage.FAILED and file.document is not None]

    def leave_pictures(self) -> None:
        """What they have as text is translated."""
        for to_translate in self.with_pictures:
            self._add_again(to_translate, leaves_pictures=True)

    def _add(self, one: FileToTranslate, cancel: CancelToken) -> Iterator[Adding | Pictured | TranslationAdded]:
        return self._translations.add(
            one.path, self._last.wish, cancel, password=one.password, leaves_pictures=one.leaves_pictures
        )

    def _on_failed(self, one: FileToTranslate) -> None:
        if one.document is not None and self.pictures is not None:
            self.pictures.begin_by_itself(one.document)

    def _on_renewed(self, earlier_id: int, document_id: int) -> None:
        """One whose pictures are read is taken again."""
        for to_translate in self.with_pictures:
            if to_translate.document is not None and to_translate.document.id in (earlier_id, document_id):
                self._add_again(to_translate)

    def _add_again(self, one: FileToTranslate, *, leaves_pictures: bool = False) -> None:
        self.files.drop(one)
        self.files.add_wanted(FileToTranslate(one.path, password=one.password, leaves_pictures=leaves_pictures))

    def _on_read(self, one: FileToTranslate) -> None:
        self.files.drop(one)
        stored = one.translation
        if stored is None:
            return
        if is_same(stored.source_language, stored.wish.target):
            self._choose_another(stored)
        number = stored.id
        stored = self._job.doing.result_of(lambda: self._translations.merge_twin(number)) or stored
        self._batch.append(stored.id)
        self.added.emit(stored)

    def _choose_another(self, stored: StoredTranslation) -> None:
        """The document is in the language that was chosen before it was known."""
        able = self.capability.able
        target = usual_target(self._last.target, stored.source_language, able.languages if able is not None else ())
        self._job.doing.try_to(lambda: self._translations.change_wish(stored.id, replace(stored.wish, target=target)))

    def _on_files(self) -> None:
        """Those that could not be read are told of once a translation is shown."""
        shown, files = self._job.stored, self.files
        if shown is None and not files.files and not files.looked_at and not self._batch:
            self.emptied.emit()
        elif shown is not None and not files.is_reading:
            for one in [file for file in files.files if file.error and file.document is None]:
                self._notify.mention(one.error)
                files.drop(one)

    def _on_able(self) -> None:
        self.forget_estimate()
        self.able_changed.emit()

    def _on_estimated(self, estimate: TranslationEstimate) -> None:
        self.estimate = estimate
        self.estimate_changed.emit()

    def _on_not_estimated(self, error: BaseException) -> None:
        if not isinstance(error, AppError):
            self._notify.error(error)
        self.problem = tr(sentence_for(error).text)
        self.estimate_changed.emit()


# Saves a translation where the person says: as its document, or side by side with the source.


BILINGUAL = (
    (".html", "Source and translation, as a web page"),
    (".csv", "Source and translation, as a table"),
    (".tmx", "For other translation programs"),
)


class TranslationSaving(SavedFiles):
    """What takes time is done on a thread; what goes wrong is told in words."""

    progressed = Signal(int, int)
    """A translation's id and how many of its segments are written; -1 when it is over."""

    def __init__(self, translations: TranslationJobs, notify: Notify, window: QWidget) -> None:
        super().__init__(notify, window)
        self._files = translations.files

    def menu(self, stored: StoredTranslation) -> QMenu:
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for ending in endings_of(stored):
            name = tr("A new document, without the layout") if stored.format == "blocks" else tr("The document")
            menu.addAction(f"{name}\t{ending}", partial(self.ask, stored, ending))
        menu.addSeparator()
        for ending, name in BILINGUAL:
            menu.addAction(f"{tr(name)}\t{ending}", partial(self.ask, stored, ending, is_bilingual=True))
        return menu

    def name_of(self, stored: StoredTranslation) -> str:
        """What is offered as the name; "" where nothing can be saved."""
        ending = next(iter(endings_of(stored)), "")
        return file_name(stored, ending) if ending else ""

    def ask(self, stored: StoredTranslation, ending: str = "", *, is_bilingual: bool = False) -> QFileDialog | None:
        """Asks where, and saves there. Without an ending it is the usual one."""
        ending = ending or next(iter(endings_of(stored)), "")
        if not ending:
            return None
        save = self.save_bilingual if is_bilingual else self.save
        return self._ask_to_save(
            tr("Save the translation"),
            "save_translation",
            kind=ending.removeprefix(".").upper(),
            offered=file_name(stored, ending),
            take=lambda path: save(stored.id, _with_ending(path, ending)),
        )

    def save(self, translation_id: int, path: Path) -> tasks.BackgroundTask:

        def over(error: BaseException | None = None) -> None:
            self.progressed.emit(translation_id, -1)
            if error is not None:
                self._notify.error(error, action=lambda: self.save(translation_id, path))

        task = tasks.run(lambda cancel: self._files.save(translation_id, path, cancel), self)
        task.event.connect(lambda event: self._on_event(translation_id, event))
        task.finished.connect(over)
        task.failed.connect(over)
        return task

    def save_bilingual(self, translation_id: int, path: Path) -> tasks.BackgroundTask:
        """Writes source and translation side by side."""
        return self._write(path, lambda: self._files.save_bilingual(translation_id, path))

    def _on_event(self, translation_id: int, event: Saving | Saved) -> None:
        if isinstance(event, Saving):
            self.progressed.emit(translation_id, event.segments)
        else:
            self._notify.saved(event.path, saved_words(event))


def saved_words(saved: Saved) -> str:
    """What there is to say of a file that was saved."""
    words = [tr(SAVED_AS, name=saved.path.name)]
    if count := len(saved.untranslated):
        told = tr("1 segment is not translated yet") if count == 1 else tr("{count} segments are not translated yet")
        told = told.format(count=f"{count:,}")
        words.append(tr("{told} and marked so.", told=told) if saved.is_marked else f"{told}.")
    if count := len(saved.kept):
        told = tr(ONE_SEGMENT_UNCHANGED)
        more = tr("{count} segments couldn’t be translated and were left unchanged.", count=f"{count:,}")
        words.append(told if count == 1 else more)
    if count := len(saved.refused):
        words.append(tr("{count} couldn’t keep their formatting and were left unchanged.", count=f"{count:,}"))
    if not saved.keeps_layout:
        words.append(tr(NEW_DOCUMENT_LAYOUT))
    return " ".join(words)


def _with_ending(path: Path, ending: str) -> Path:
    """To the dialog "lease v1.2" has an ending, though none of ours; nothing that is there is written over unasked."""
    if path.suffix.lower() == ending.lower():
        return path
    named = path.with_name(path.name + ending)
    number = 2
    while named.exists():
        named = path.with_name(f"{path.name} {number}{ending}")
        number += 1
    return named
