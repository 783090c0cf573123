"""Documents in the Translate tab: dropped, put together, translated, looked through, edited, saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent, QResizeEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.events import CancelToken
from app.documents.segments import Content
from app.features.messages import sentence_for
from app.features.translation.result import (
    SegmentDone,
    SegmentGrows,
    Term,
    TermsFound,
    TranslationEnded,
    TranslationEvent,
    TranslationWish,
)
from app.features.translation.stored import DRAFT, Added, Adding, Row, StoredTranslation, TranslationEstimate
from app.features.work.queue import DONE, QUEUED, RUNNING
from app.language.names import is_same
from app.ui.document.files import FileToRead, Stage
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.translate.document_page import DocumentPage, DraftPage, Searched
from app.ui.translate.glossary import GlossaryPanel, MemoryFiles
from app.ui.translate.languages import Able, Capability, last_wish, remember, usual_target
from app.ui.translate.rows import Link
from app.ui.translate.saving import TranslationSaving
from app.ui.translate.texts import (
    Progress,
    Remedy,
    done_words,
    is_rtl,
    name_of,
    stopped_words,
    title_of,
    with_term,
    without_terms,
    work_words,
)
from app.ui.work.doing import Doing
from app.ui.work.estimating import Estimating
from app.ui.work.intake import Intake
from app.ui.work.runner import Runner

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.translation.translations import Translations


AT_WORK = (QUEUED, RUNNING)
REFRESH_MS = 400
SEGMENTS_PER_MS = 50
"""Counting those of a very long document takes longer: it is done less often."""
TICK_MS = 5_000
PANEL_PX, LEAST_PX, NARROW_PX = 380, 300, 740


class StoredRows:
    """The rows of one translation, from any thread."""

    def __init__(self, app: Fireside, stored: StoredTranslation) -> None:
        self._app, self._id, self.count = app, stored.id, stored.segments

    def rows(self, start: int, count: int) -> list[Row]:
        """Rows from a segment on."""
        return self._app.translations.segments.rows(self._id, start, count)


class DocumentTranslationView(QWidget):
    """Shows one translation of a document, or the files that are on their way to become some."""

    list_changed = Signal()
    """Rows of the list are others: new, further, over."""
    shown_changed = Signal(object)
    """The id of the translation that is shown now; None for none."""
    model_wanted = Signal()

    def __init__(
        self, app: Fireside, theme: Theme, notify: Notify, runner: Runner[Progress], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._app, self._theme, self._notify, self.runner = app, theme, notify, runner
        self.stored: StoredTranslation | None = None
        self._places: dict[int, tuple[int, int]] = {}
        self._pending: TranslationWish | None = None
        self.doing = Doing(app.translations, notify, tr("This translation is not there any more."), self)
        self.page = DocumentPage(app, theme, notify)
        self.glossary = GlossaryPanel(theme, notify)
        self.saving = TranslationSaving(app, notify, self)
        self.drafts = DocumentDrafts(self, app, theme, notify)
        self.reading = DraftPage(theme, self.drafts.files)
        self.acting = DocumentActions(self, app, notify)
        self.terms = DocumentTerms(self, app, theme, notify)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.reading)
        self.pages.addWidget(self.page)
        self._side = QWidget()
        self._side_column = QVBoxLayout(self._side)
        self._side_column.addWidget(self.glossary)
        self._side.hide()
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setObjectName("document_splitter")
        self._splitter.setHandleWidth(1)
        self._splitter.addWidget(self.pages)
        self._splitter.addWidget(self._side)
        self._splitter.setStretchFactor(0, 1)
        for place in (0, 1):
            self._splitter.setCollapsible(place, False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._splitter)
        # Counts and times are looked up once in a while, not with each of many segments a second.
        self._soon = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._soon.timeout.connect(self.refresh)
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self._show_work)
        self._connect()
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _connect(self) -> None:
        page = self.page
        self.setFocusProxy(page)
        page.head.glossary_wanted.connect(lambda: self.show_glossary(is_open=not self.is_glossary_open))
        page.bar.choice.changed.connect(self._on_choice)
        page.segments.rows.failed.connect(self._notify.error)
        self.glossary.closed.connect(lambda: self.show_glossary(is_open=False))
        self.saving.progressed.connect(self._on_saving)
        self.runner.happened.connect(self._on_happened)
        self.runner.row_changed.connect(self._on_row_changed)
        self.runner.ended.connect(self.refresh)

    # What is shown.

    def show_translation(self, translation_id: int) -> None:
        """A translation as it is now, where it was left."""
        stored = self.doing.get(translation_id)
        if stored is None:
            self._notify.mention(tr("This translation is not there any more."))
            self.shown_changed.emit(None)
            return
        if self.stored is not None and self.stored.id == translation_id:
            self._show(stored)
            self.pages.setCurrentWidget(self.page)
            return
        self._leave_place()
        self.stored, self._pending = stored, None
        self.terms.show_found()
        self.drafts.forget_estimate()
        self.drafts.capability.look()
        self._show_rows(stored)
        self._show(stored)
        self.pages.setCurrentWidget(self.page)
        if translation_id in self._places:
            self.page.segments.go_to_place(self._places[translation_id])
        self.shown_changed.emit(translation_id)

    def add_files(self, paths: Sequence[str | Path]) -> None:
        """Files and folders that somebody dropped: each becomes a translation."""
        if paths:
            self._leave_place()
            self.stored = None
            self.pages.setCurrentWidget(self.reading)
            self.drafts.add(paths)

    def refresh(self) -> None:
        """The counts, the state and the choices are looked up again."""
        if self.stored is not None and (stored := self.doing.get(self.stored.id)) is not None:
            self._show(stored)

    @property
    def is_glossary_open(self) -> bool:
        """Whether the panel at the right is there."""
        return not self._side.isHidden()

    def show_glossary(self, *, is_open: bool) -> None:
        """The panel at the right; the keyboard goes along."""
        focus = self.glossary.focusWidget()
        had_focus = focus is not None and focus.hasFocus()
        self._side.setVisible(is_open)
        self._arrange()
        self.terms.show()
        if is_open:
            self.glossary.take_keyboard()
        elif had_focus:
            self.page.segments.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def capability(self) -> Capability:
        """What the tab's model can do."""
        return self.drafts.capability

    @property
    def pending(self) -> TranslationWish | None:
        """What was chosen for a translation that was made otherwise; None where nothing was."""
        return self._pending

    def _show(self, stored: StoredTranslation) -> None:
        before = self.stored
        self.stored = stored
        page, is_draft = self.page, stored.state == DRAFT
        if before is None or _columns(before) != _columns(stored):
            self._show_rows(stored)
        page.head.show_title(title_of(stored))
        page.head.show_flagged(stored.flagged)
        name = self.saving.name_of(stored)
        page.head.show_saving(name, is_partial=stored.done < stored.segments, can_save=bool(name) and not is_draft)
        page.bar.choice.show_detected(stored.source_language)
        if self._pending is None and page.bar.choice.wish != without_terms(stored.wish):
            page.bar.choice.show_wish(stored.wish)
        self._show_state(stored)
        self._show_work()
        self.drafts.show()
        self.terms.show()

    def _show_state(self, stored: StoredTranslation) -> None:
        bar = self.page.state
        if self._pending is not None and stored.state != DRAFT:
            words = tr("The settings are different now. Only what they affect is translated again.")
            bar.say(words, tr("Apply to this document"))
            return
        kept = stopped_words(stored)
        bar.show_ended(
            stored,
            failed=tr("The translation could not be made."),
            kept=kept if stored.done else "",
            stopped=tr("Stopped: {words}", words=kept),
        )

    def _show_rows(self, stored: StoredTranslation) -> None:
        source, target = stored.source_language, stored.wish.target
        names = (name_of(source) or tr("Original"), name_of(target))
        rows = StoredRows(self._app, stored)
        segments = self.page.segments
        place = segments.place if segments.rows.rowCount() == stored.segments else (0, 0)
        segments.show_source(rows, names, (is_rtl(source), is_rtl(target)))
        segments.go_to_place(place)
        self.page.set_searched(Searched(rows))
        progress = self.runner.progress_of(stored.id)
        for number, text in progress.growing.items() if progress is not None else ():
            segments.rows.grow(number, text)

    def _show_work(self) -> None:
        stored = self.stored
        if stored is None:
            return
        if stored.state in AT_WORK:
            progress = self.runner.progress_of(stored.id)
            done, rests = (max(progress.done, stored.done), progress.rests) if progress else (stored.done, "")
            left_s = self._app.translations.seconds_left(stored.id)
            words = work_words(stored, done, stored.segments, rests, left_s)
            self.page.bar.show_work(words, done, stored.segments)
        else:
            words = done_words(stored) if stored.state == DONE else ""
            self.page.bar.show_rest(words, is_draft=stored.state == DRAFT)
        is_at_work = stored.state == RUNNING and self.isVisible()
        (self._tick.start if is_at_work else self._tick.stop)()

    def _leave_place(self) -> None:
        """What is shown goes; where it was is kept, and what was typed."""
        if self.stored is None:
            return
        self.page.segments.close_editor()
        self._places[self.stored.id] = self.page.segments.place
        self.drafts.estimating.stop()

    # Other choices.

    def _on_choice(self) -> None:
        """Drafts take a choice at once, all of them that were dropped together; others wait for "Apply"."""
        stored, wish = self.stored, self.page.bar.choice.wish
        if stored is None:
            return
        remember(self._app, self.page.bar.choice, self._notify)
        if stored.state == DRAFT:
            if self.acting.change(self.drafts.batch, wish):
                self.drafts.forget_estimate()
                self.refresh()
            return
        self._pending = wish if wish != without_terms(stored.wish) else None
        self._show_state(stored)
        self._show_work()
        self.terms.show()

    def forget_pending(self) -> None:
        """What was chosen holds now."""
        self._pending = None

    # What happens.

    def _on_happened(self, translation_id: int, event: TranslationEvent) -> None:
        if self.stored is None or translation_id != self.stored.id:
            return
        rows = self.page.segments.rows
        if isinstance(event, SegmentGrows):
            rows.grow(event.id, event.text)
            return
        if isinstance(event, SegmentDone):
            rows.put(event.translated)
        elif isinstance(event, TermsFound):
            self.terms.show_found(event.terms)
        elif isinstance(event, TranslationEnded):
            rows.still()
        if not self._soon.isActive():
            self._soon.start(max(REFRESH_MS, self.stored.segments // SEGMENTS_PER_MS))

    def _on_row_changed(self, translation_id: int) -> None:
        if self.stored is None or translation_id != self.stored.id:
            return
        before = self.stored.state
        self.refresh()
        if before != self.stored.state:
            self.page.segments.rows.still()
            self.page.segments.rows.forget()
            if self.stored.state == DONE:
                self.page.segments.say(tr("The translation is ready. {facts}", facts=done_words(self.stored)))

    def _on_saving(self, translation_id: int, segments: int) -> None:
        stored = self.stored
        if stored is None or translation_id != stored.id:
            return
        percent = 100 * segments // max(1, stored.segments)
        self.page.head.show_progress(tr("Saving… {percent} %", percent=percent) if segments >= 0 else "")
        if segments < 0:
            self.refresh()

    # The window.

    def leave(self) -> None:
        """The window closes: what was typed is kept, nothing is counted any more."""
        self._leave_place()
        self._tick.stop()
        self._soon.stop()

    def _arrange(self) -> None:
        """In a narrow window the glossary takes the document's place."""
        is_open = self.is_glossary_open
        is_narrow = is_open and self.width() < self._theme.px(NARROW_PX)
        self.pages.setHidden(is_narrow)
        if is_open and not is_narrow:
            width = min(self._theme.px(PANEL_PX), self.width() - self._theme.px(LEAST_PX))
            self._splitter.setSizes([self.width() - width, width])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.page.segments.setFocus(event.reason())

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._tick.stop()

    def _on_theme_changed(self) -> None:
        margin = self._theme.px(12)
        self._side_column.setContentsMargins(margin, margin, margin, self._theme.px(16))
        self._side.setMinimumWidth(self._theme.px(LEAST_PX))
        # Not both beside each other: where these have no room, one takes the other's place.
        self._splitter.setMinimumWidth(self._theme.px(LEAST_PX))


def _columns(stored: StoredTranslation) -> tuple[str, str, int]:
    """By what the rows are others."""
    return stored.source_language, stored.wish.target, stored.segments


# What a person does with a translated document: begin, stop, go on, apply, edit, accept, follow a flag, save.


class DocumentActions(QObject):
    """Listens to the widgets of a view; what is stored goes wrong in words."""

    def __init__(self, view: DocumentTranslationView, app: Fireside, notify: Notify) -> None:
        super().__init__(view)
        self._view, self._app, self._notify = view, app, notify
        page = view.page
        page.head.next_wanted.connect(lambda: self.go_to_flagged(page.segments.current + 1))
        page.head.save_wanted.connect(self._save)
        page.head.forms_wanted.connect(self._show_forms)
        page.bar.stop_wanted.connect(self.stop)
        page.state.go_on_wanted.connect(self.go_on)
        page.foot.begun.connect(self.begin)
        page.segments.edited.connect(self.edit)
        page.segments.accepted.connect(self.accept)
        page.segments.next_wanted.connect(self.go_to_flagged)
        page.segments.remedy_wanted.connect(self.follow)
        view.glossary.apply_wanted.connect(self.apply)

    def change(self, drafts: Sequence[StoredTranslation], wish: TranslationWish) -> bool:
        """Drafts are to be translated otherwise. The source's language is each one's own, but for the first."""
        first = drafts[0].id if drafts else 0

        def all_of_them() -> None:
            for one in drafts:
                source = wish.source if one.id == first else one.wish.source
                self._app.translations.change(
                    one.id, TranslationWish(wish.target, source, wish.formality, wish.domain, one.wish.glossary)
                )

        return self._view.doing.try_to(all_of_them)

    def begin(self, is_all: bool) -> None:
        """Translates what was put together."""
        drafts = self._view.drafts.batch if is_all else self._view.drafts.batch[:1]
        self._view.drafts.estimating.stop()
        self._queue([one.id for one in drafts])

    def stop(self) -> None:
        """What is done is kept."""
        if (stored := self._view.stored) is not None:
            self._view.doing.try_to(lambda: self._app.translations.stop(stored.id))
            self._view.refresh()
            self._view.list_changed.emit()

    def go_on(self) -> None:
        """Goes on with one that was stopped or failed, or follows what was chosen."""
        stored = self._view.stored
        if stored is None:
            return
        if self._view.pending is not None:
            self.apply()
        elif self._view.doing.try_to(lambda: self._app.translations.resume(stored.id)):
            self._on_queued()

    def apply(self) -> None:
        """The document follows the languages and the glossary that were chosen; only what that changes is asked."""
        stored, wish = self._view.stored, self._view.pending
        if stored is None:
            return
        if wish is not None and not self.change([stored], wish):
            return
        self._view.forget_pending()
        if stored.state in (QUEUED, RUNNING):
            self._view.page.segments.rows.forget()
            self._on_queued()
        else:
            self._queue([stored.id])

    def edit(self, segment_id: int, content: Content) -> None:
        """What a person made of a segment."""
        self._keep(lambda number: self._app.translations.segments.edit(number, segment_id, content))

    def accept(self, segment_id: int) -> None:
        """A segment is good as it is."""
        self._keep(lambda number: self._app.translations.segments.accept(number, segment_id))

    def go_to_flagged(self, after: int) -> None:
        """The next segment to look at, from the top again at the end."""
        stored, found = self._view.stored, list[int | None]()
        if stored is None:
            return
        self._view.doing.try_to(lambda: found.append(self._app.translations.segments.next_flagged(stored.id, after)))
        segments = self._view.page.segments
        if found and found[0] is not None:
            segments.close_editor()
            segments.go_to(found[0] - 1)
        elif found:
            self._notify.mention(tr("Nothing is left to look at."))

    def follow(self, segment_id: int, link: Link) -> None:
        """One of the two things to do about a flag."""
        if link.remedy is Remedy.KEEP:
            self.accept(segment_id)
        elif link.remedy is Remedy.USE_TERM:
            self._use_term(segment_id, link.told.flag.wanted)
        elif (stored := self._view.stored) is not None:
            again = self._view.doing.try_to(lambda: self._app.translations.translate_again(stored.id, segment_id))
            if again:
                self._show_row(segment_id)
                self._on_queued()

    def _use_term(self, segment_id: int, wanted: str) -> None:
        """Where its place is not plain, the editor opens with it at the end, for a person to move it."""
        segments = self._view.page.segments
        row = segments.rows.row(segment_id - 1)
        if row is None or row.translated is None:
            return
        content = with_term(row.translated.content, wanted)
        if content is not None:
            self.edit(segment_id, content)
            return
        segments.edit_row(segment_id - 1)
        if segments.editor is not None:
            segments.editor.offer(wanted)

    def _keep(self, do: Callable[[int], Row]) -> None:
        stored = self._view.stored
        if stored is None:
            return
        rows: list[Row] = []
        if self._view.doing.try_to(lambda: rows.append(do(stored.id))) and rows:
            self._view.page.segments.rows.put_row(rows[0])
            self._view.refresh()

    def _show_row(self, segment_id: int) -> None:
        self._keep(lambda number: self._app.translations.segments.row(number, segment_id))

    def _queue(self, ids: Sequence[int]) -> None:
        if not ids or not self._view.doing.try_to(lambda: self._app.translations.begin(ids)):
            return
        for number in ids:
            self._view.terms.followed(number)
        self._view.page.segments.rows.forget()
        self._on_queued()
        self._view.page.segments.setFocus()

    def _on_queued(self) -> None:
        self._view.refresh()
        self._view.list_changed.emit()
        self._view.runner.start()

    def _save(self) -> None:
        if (stored := self._view.stored) is not None:
            self._view.page.segments.close_editor()
            self._view.saving.ask(stored)

    def _show_forms(self, button: QWidget) -> None:
        if (stored := self._view.stored) is not None:
            self._view.page.segments.close_editor()
            menu = self._view.saving.menu(stored)
            menu.popup(button.mapToGlobal(button.rect().bottomLeft()))


# The drafts of a document view: files taken, what they would take, whether a model can do it, begun together.


@dataclass(eq=False)
class FileToTranslate(FileToRead):
    """A file that becomes a translation. `page` counts its segments."""

    translation: StoredTranslation | None = None

    def take(self, event: object) -> bool:
        if isinstance(event, Added):
            self.translation, self.stage = event.translation, Stage.READ
        elif isinstance(event, Adding):
            self.page = event.segments
        return isinstance(event, Adding)


class DocumentDrafts(QObject):
    """Files that are dropped together are one batch: they take the same choices and can be begun at once."""

    def __init__(self, view: DocumentTranslationView, app: Fireside, theme: Theme, notify: Notify) -> None:
        super().__init__(view)
        self._view, self._app, self._notify = view, app, notify
        self._batch: list[int] = []
        self._estimate: TranslationEstimate | None = None
        self._problem = ""
        self.files = Intake(self._add, theme, notify, view)
        self.capability = Capability(app, notify, self)
        self.estimating = Estimating(self)
        self.files.refused.connect(self.files.remove)
        self.files.read.connect(self._on_read)
        self.files.changed.connect(self._on_files)
        self.capability.changed.connect(self._on_able)
        self.estimating.estimated.connect(self._on_estimated)
        self.estimating.failed.connect(self._on_not_estimated)
        view.page.needs.models_wanted.connect(lambda _page: view.model_wanted.emit())
        view.page.needs.model_came.connect(self.capability.look)

    @property
    def batch(self) -> list[StoredTranslation]:
        """The draft that is shown, and those that were dropped with it and are not begun either."""
        shown = self._view.stored
        if shown is None:
            return []
        others = (
            [self._view.doing.get(one) for one in self._batch if one != shown.id] if shown.id in self._batch else []
        )
        return [shown, *(one for one in others if one is not None and one.state == DRAFT)]

    def add(self, paths: Sequence[str | Path]) -> None:
        """Another batch."""
        self._batch = []
        for one in [one for one in self.files.files if not one.is_on_its_way]:
            self.files.drop(one)  # what could not be read of the batch before
        self.files.add(paths, FileToTranslate)

    def forget_estimate(self) -> None:
        """What would be done is something else now."""
        self.estimating.stop()
        self._estimate, self._problem = None, ""

    def show(self) -> None:
        """The foot of a draft; nothing for others."""
        stored = self._view.stored
        is_draft = stored is not None and stored.state == DRAFT
        self._view.page.foot.setVisible(is_draft)
        if not is_draft:
            self._view.page.needs.hide()
            self.forget_estimate()
        self._show_able()
        if is_draft:
            if self._estimate is None and not self._problem and not self.estimating.is_busy:
                self._ask()
            self._show_estimate()

    def _show_estimate(self) -> None:
        is_counting = self.estimating.is_busy
        self._view.page.foot.show_drafts(self.batch, self._estimate, is_counting=is_counting, problem=self._problem)

    def _show_able(self) -> None:
        """What the model can do, and which one could where it cannot."""
        able, stored, page = self.capability.able, self._view.stored, self._view.page
        if able is None or stored is None:
            page.foot.show_can(False)
            return
        knows = able.knows
        page.bar.offer(
            able.languages,
            formality=knows is None or knows.takes_formality,
            domain=knows is None or knows.takes_domain,
        )
        can = _can(able, stored)
        page.foot.show_can(can)
        is_needed = stored.state == DRAFT and not can
        if is_needed and page.needs.isHidden():
            page.needs.look(able.missing(stored.source_language, stored.wish.target))
        page.needs.setVisible(is_needed)

    def _ask(self) -> None:
        able, drafts = self.capability.able, self.batch
        if able is not None and drafts and all(_can(able, one) for one in drafts):
            ids = [one.id for one in drafts]
            self.estimating.look(lambda cancel: estimate_all(self._app.translations, ids, cancel))

    def _on_able(self) -> None:
        self._view.page.needs.hide()
        self.forget_estimate()
        self.show()

    def _add(self, one: FileToTranslate, cancel: CancelToken) -> Iterator[Adding | Added]:
        return self._app.translations.add(one.path, last_wish(self._app.settings), cancel, password=one.password)

    def _on_read(self, one: FileToTranslate) -> None:
        self.files.drop(one)
        if one.translation is not None:
            self._on_added(one.translation)

    def _on_added(self, stored: StoredTranslation) -> None:
        if is_same(stored.source_language, stored.wish.target):
            self._choose_another(stored)
        self._batch.append(stored.id)
        self._view.list_changed.emit()
        shown = self._view.stored
        if shown is None:
            self._view.show_translation(stored.id)
        elif shown.id in self._batch:
            self.forget_estimate()
            self.show()

    def _choose_another(self, stored: StoredTranslation) -> None:
        """The document is in the language that was chosen before it was known."""
        able = self.capability.able
        kept = self._app.settings.translations.target
        target = usual_target(kept, stored.source_language, able.languages if able is not None else ())
        self._view.doing.try_to(lambda: self._app.translations.change(stored.id, replace(stored.wish, target=target)))

    def _on_files(self) -> None:
        """Those that could not be read are told of once another one is shown; without any the beginning is."""
        shown, files = self._view.stored, self.files
        if shown is None and not files.files and not self._batch:
            self._view.shown_changed.emit(None)
        elif shown is not None and not files.is_reading:
            for one in [one for one in files.files if one.error]:
                self._notify.mention(one.error)
                files.files.remove(one)

    def _on_estimated(self, estimate: TranslationEstimate) -> None:
        self._estimate = estimate
        self._show_estimate()

    def _on_not_estimated(self, error: BaseException) -> None:
        if not isinstance(error, AppError):
            self._notify.error(error)
        self._problem = tr(sentence_for(error).text)
        self._show_estimate()


def _can(able: Able, stored: StoredTranslation) -> bool:
    return able.can(stored.source_language, stored.wish.target)


# The glossary of the document that is shown: the terms of its languages, and whether the document follows them.


class DocumentTerms(QObject):
    """Terms are kept at once; a document that is done follows them when that is asked for."""

    def __init__(self, view: DocumentTranslationView, app: Fireside, theme: Theme, notify: Notify) -> None:
        super().__init__(view)
        self._view, self._app, self._theme, self._notify = view, app, theme, notify
        self._is_new: set[int] = set()
        view.glossary.changed.connect(self._on_changed)
        view.glossary.memory_wanted.connect(self._show_memory)
        translations = app.translations
        view.glossary.memory = MemoryFiles(notify, view, translations.words.import_tmx, translations.words.export_tmx)

    @property
    def pair(self) -> tuple[str, str]:
        """The languages whose glossary is shown."""
        stored = self._view.stored
        if stored is None:
            return "", ""
        wish = self._view.pending or stored.wish
        return wish.source or stored.source_language, wish.target

    def show(self) -> None:
        """How many there are, and in the panel, where that is open, all of them."""
        stored, (source, target) = self._view.stored, self.pair
        if stored is None:
            return
        try:
            terms = self._app.translations.words.glossary(source, target)
        except AppError as error:
            self._notify.error(error)
            return
        is_open = self._view.is_glossary_open
        self._view.page.head.show_terms(len(terms), is_open=is_open)
        if is_open:
            names = (name_of(source) or tr("Original"), name_of(target))
            self._view.glossary.show_terms(terms, names, f"{source}-{target}")
            self._view.glossary.show_apply(stored.state == DONE and stored.id in self._is_new)

    def show_found(self, terms: Sequence[Term] | None = None) -> None:
        """What the document repeats and how it is translated in all of it; None is what was stored of it."""
        stored, found = self._view.stored, list[Term](terms or ())
        if terms is None and stored is not None:
            self._view.doing.try_to(lambda: found.extend(self._app.translations.terms(stored.id)))
        self._view.glossary.show_found(found)

    def followed(self, translation_id: int) -> None:
        """The document follows the glossary from now on."""
        self._is_new.discard(translation_id)

    def _show_memory(self) -> None:
        from app.ui.settings.translation_memory import MemoryDialog  # not needed at start

        shown = self._view.stored.id if self._view.stored is not None else None
        MemoryDialog(self._app.translations, self._theme, self._notify, self._view, shown).open()

    def _on_changed(self) -> None:
        stored, (source, target), terms = self._view.stored, self.pair, self._view.glossary.terms.terms
        kept = self._view.doing.try_to(lambda: self._app.translations.words.keep_glossary(source, target, terms))
        if stored is not None and kept:
            self._is_new.add(stored.id)
            self._view.drafts.forget_estimate()
            self._view.drafts.show()
            self.show()


def estimate_all(translations: Translations, ids: Sequence[int], cancel: CancelToken) -> TranslationEstimate | None:
    """What all of them would take together; None when cancelled."""
    found = [translations.estimate(number, cancel) for number in ids]
    whole = [one for one in found if one is not None]
    if len(whole) < len(ids):
        return None
    seconds = [one.seconds for one in whole if one.seconds is not None]
    return TranslationEstimate(
        sum(one.segments for one in whole),
        sum(one.known for one in whole),
        sum(one.tokens for one in whole),
        sum(seconds) if len(seconds) == len(whole) else None,
    )
