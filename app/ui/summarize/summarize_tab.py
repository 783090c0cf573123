"""The Summarize tab: documents in, summaries out, every statement with its source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.core.errors.app_error import AppError
from app.features.summarize.overview import FirstLook
from app.features.summarize.summary_result import (
    Form,
    Planned,
    PromptRead,
    SectionRead,
    Statement,
    StoredSummary,
    Summary,
    SummaryEvent,
    SummaryOptions,
    Writing,
)
from app.features.work.job_draft import FindDraft, ReportBegun
from app.ui.document.document_panel import DocumentPanel
from app.ui.i18n import tr
from app.ui.shared_labels import STOP
from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import CHAT, TRANSLATE, UiContext
from app.ui.shown_texts import keep_words
from app.ui.summarize.digest_page import FirstLooks
from app.ui.summarize.draft import SummaryDraftPage
from app.ui.summarize.draft_files import DraftFiles
from app.ui.summarize.source_pane import SourcePane
from app.ui.summarize.statements import StatementView
from app.ui.summarize.summary_drop_zone import EmptyPage
from app.ui.summarize.summary_page import ResultPage, SummarySaver
from app.ui.summarize.summary_texts import (
    Chip,
    ChipBuilder,
    ShownStatement,
    SummaryProgress,
    form_and_time,
    note_of,
    places_in,
    shown_sentences,
    shown_statements,
    work_words,
)
from app.ui.summarize.term_chips import TermChip
from app.ui.summarize.wish import MethodLook
from app.ui.theme import HEADING_PX, TOP_PX, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import STEPS, ElidedLabel, ProgressStripe, announce, plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout, name_widgets
from app.ui.widgets.timers import new_timer
from app.ui.work.doing import JobActions
from app.ui.work.intake import KeptUnread
from app.ui.work.job_column import ColumnWords
from app.ui.work.job_runner import JobRunner, RunnerWords
from app.ui.work.job_tab import TabColumn, WorkTab, WorkView

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.shell.picture_reading import PictureReading

POINTS_SO_FAR = "Points so far"
SEARCH_SUMMARIES = "Search summaries"
NO_SUMMARIES_YET = "Your summaries will appear here."
NO_SUMMARIES_FOUND = "No summaries found."


TICK_MS = 5_000
WRITES = "The summary as it is written"
MEANWHILE = "Key sentences, until the model’s summary is ready."


class WorkPage(QWidget):
    """Page of a summary in progress.

    `tell` turns statements into shown ones; `left_s` returns the remaining seconds, if known. `stop` asks to
    stop and keep what is there.
    """

    def __init__(
        self,
        theme: Theme,
        tell: Callable[[Sequence[Statement]], list[ShownStatement]],
        left_s: Callable[[int], float | None],
    ) -> None:
        super().__init__()
        self._tell, self._left_s = tell, left_s
        self.stored: StoredSummary | None = None
        self.progress: SummaryProgress | None = None
        self._count = 0
        self._announced = (False, False)
        """Whether the write-up has been announced, and whether its second attempt has."""
        self._digest: list[ShownStatement] = []
        self._digest_of: tuple[int, ...] = ()
        self._title = keep_words(ElidedLabel())
        self._title.setObjectName("summary_title")
        self.stop = text_button(tr(STOP), "plain")
        self.stop.setToolTip(tr("Stop and keep the summary so far"))
        self.words = plain_label(kind="muted", wraps=True)
        self.line = ProgressStripe(theme)
        self.line.setAccessibleName(tr("Summary progress"))
        self.lead = plain_label()
        self.points = StatementView(theme)
        self.points.setAccessibleName(tr(POINTS_SO_FAR))
        self._head = TabColumn(theme, top_px=TOP_PX, bottom_px=2)
        top = QHBoxLayout()
        fill_layout(top, (self._title, 1), self.stop)
        self._head.rows.addLayout(top)
        for widget in (self.words, self.line, self.lead):
            self._head.rows.addWidget(widget)
        column = QVBoxLayout(self)
        column.setSpacing(0)
        fill_layout(column, self._head, (self.points, 1))
        # The remaining time also falls between two sections.
        self._tick = new_timer(self, TICK_MS, self._show_words, repeats=True)
        theme.dress(column, margins=(0, 0, 0, 16))
        theme.dress(self._title, font="title", least_height=HEADING_PX)
        theme.dress(self.words, font="small")
        theme.dress(self.lead, font="group", margins=(0, 12, 0, 8))
        theme.dress(self.stop, font="control", glyph=("stop", "muted", 15), glyph_size=(24, 15))
        theme.dress(top, spacing=10)
        name_widgets(stop_work=self.stop, work_words=self.words, work_lead=self.lead)

    def show_work(self, stored: StoredSummary, progress: SummaryProgress | None) -> None:
        """Show a queued or running summary as far as it is."""
        # A job that was stopped and resumed has a new progress.
        is_other = self.stored is None or self.stored.id != stored.id or progress is not self.progress
        self.stored, self.progress = stored, progress
        self._title.setText(stored.title)
        self._title.setAccessibleName(stored.title)
        if is_other:
            points = progress.points if progress is not None else []
            self._count = len(points)
            self.points.show_statements(self._tell(points), Form.BULLETS)
            self._digest = self._digest if self._digest_of == stored.document_ids else []
            if progress is not None and progress.text:
                self.points.show_plain(progress.text)
            else:
                self._show_digest()
        self._show_words()

    def show_digest(self, document_ids: tuple[int, ...], shown: Sequence[ShownStatement]) -> None:
        """Show key sentences of the documents in place of sections not read yet."""
        self._digest_of, self._digest = document_ids, list(shown)
        if self.progress is None or not self.progress.text:
            self._show_digest()

    def _show_digest(self) -> None:
        self.points.show_below(tr(MEANWHILE), self._left_of_digest)

    @property
    def _left_of_digest(self) -> list[ShownStatement]:
        """Key sentences of sections that weren't read yet, until points replace them."""
        has_read = self.progress.has_read if self.progress is not None else lambda _anchor: False
        return [
            shown_statement
            for shown_statement in self._digest
            if not any(map(has_read, shown_statement.statement.anchors))
        ]

    def take_event(self, event: SummaryEvent) -> None:
        """Update the page after an event, which `SummaryProgress` has taken already."""
        if (progress := self.progress) is None:
            return
        if isinstance(event, Planned):
            self._count = 0
            self.points.show_statements([], Form.BULLETS)
            self._show_digest()
        elif isinstance(event, SectionRead):
            new = progress.points[self._count :]
            self._count = len(progress.points)
            self.points.add(self._tell(new), self._left_of_digest)
        elif isinstance(event, Writing):
            self.points.show_plain(event.text)
        if isinstance(event, Writing | PromptRead) and self._announced == (progress.is_written, progress.is_second_try):
            self._show_share()  # called many times a second, with the same words
        else:
            self._show_words()

    def _show_words(self) -> None:
        if self.stored is None:
            return
        progress = self.progress
        self.words.setText(work_words(progress, self.stored, self._left_s(self.stored.id)))
        self._announced = (progress.is_written, progress.is_second_try) if progress is not None else (False, False)
        self._show_share()
        lead = ""
        if progress is not None and progress.text:
            lead = tr(WRITES)
        elif progress is not None and progress.points:
            lead = tr(POINTS_SO_FAR)
        self.lead.setText(lead)
        self.lead.setVisible(bool(lead))
        is_at_work = self.isVisible() and progress is not None and not progress.rests
        (self._tick.start if is_at_work else self._tick.stop)()

    def _show_share(self) -> None:
        self.line.setValue(round((self.progress.share if self.progress is not None else 0.0) * STEPS))

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)  # type: ignore[arg-type]
        self._tick.stop()


AT_WORK = ("queued", "running")


class SummarizeView(WorkView):
    """View of a summary, or of the form for a new one."""

    ask_wanted = Signal(list, str)
    """Document ids and a title, to start a chat about them."""
    model_wanted = Signal()
    translate_wanted = Signal(str)
    """Text of a summary, to be translated."""

    def __init__(
        self,
        app: Fireside,
        theme: Theme,
        notify: Notify,
        runner: JobRunner[SummaryProgress],
        pictures: PictureReading | None = None,
    ) -> None:
        super().__init__(runner)
        self._app, self._theme, self._notify = app, theme, notify
        self._chip_builder: ChipBuilder | None = None
        self.files = DraftFiles(app, theme, notify, self, pictures)
        self.doing = JobActions(app.summaries, notify, tr("This document was deleted."), self)
        self.looks = FirstLooks(
            app,
            notify,
            self,
            on_seen=self._on_seen,
            on_share=lambda ids, share: self.draft.show_share(ids, share),  # noqa: PLW0108 - made next
        )
        self._saving = SummarySaver(app, notify, self)
        self.empty = EmptyPage(app, theme)
        self.draft: SummaryDraftPage = SummaryDraftPage(app, theme, notify, self.files, self.looks.look_at)
        self.work = WorkPage(
            theme,
            lambda points: shown_statements(points, self._chip_builder) if self._chip_builder else [],
            app.summaries.seconds_left,
        )
        self.result = ResultPage(
            theme,
            notify,
            self._saving,
            begin_again=self._begin_again,
            go_on=lambda: self._with_open(self.doing.go_on),
            ask_about=self.ask_wanted.emit,
            rename=lambda title: self._with_open(lambda number: self.doing.rename(number, title)),
            translate=self.translate_wanted.emit,
        )
        self.methods = MethodLook(app, self, on_found=self._show_method)
        self.pages = QStackedWidget()
        for page in (self.empty, self.draft, self.work, self.result):
            self.pages.addWidget(page)
        self.document = DocumentPanel(theme, notify, self.pages, self.take_keyboard)
        self.source = SourcePane(app, theme, notify, self.document, self.result)
        fill_layout(drop_margins(QVBoxLayout(self)), self.document)
        self._connect()

    def _connect(self) -> None:
        digest = self.draft.digest
        digest.cancel.clicked.connect(self.looks.stop)
        digest.copy_wanted.connect(self._saving.copy)
        digest.save_wanted.connect(lambda summary, at: self._saving.menu(summary).popup(at))
        digest.opened.connect(self._open_in_draft)
        for statements in (self.work.points, self.result.statements):
            statements.opened.connect(self._open)
        for part in (self.work.points, self.result.statements, digest):
            part.left.connect(self.document.dismiss)
            self.document.closed.connect(part.forget_open)
        zone = self.empty.zone
        zone.files_wanted.connect(self.ask_for_files)
        zone.folder.clicked.connect(lambda: self.files.ask_for_folder(self.add_files))
        zone.pasted.connect(self.add_files)
        for better in (self.empty.better, self.draft.better):
            better.download.clicked.connect(self.model_wanted)
        for foot in (self.draft.foot, self.result.foot):
            self._notify.bar.stand_above(foot)
        self.files.session.listen(self._on_draft_changed)
        self.files.session.serve({ReportBegun: lambda effect: self._show_begun(effect.rows)})
        self.files.opened.connect(lambda number: self.document.open(self._app.documents, number))
        if (pictures := self.files.pictures) is not None:
            # The draft takes a corrected document like one of which more pages were read.
            self.document.renewed.connect(lambda _documents, *ids: pictures.renewed.emit(*ids))
            pictures.renewed.connect(self._on_renewed)
        self.draft.pictures.opened.connect(lambda number, mark: self.document.open(self._app.documents, number, mark))
        self.work.stop.clicked.connect(lambda: self._with_open(self.doing.stop))
        self.doing.queued.connect(self.runner.start)
        self.doing.row_changed.connect(self._on_row_changed)
        self.runner.happened.connect(self._on_happened)
        self.runner.row_changed.connect(self._on_row_changed)

    def _show_method(self, model: str, copied_for: frozenset[tuple[Form, bool]]) -> None:
        for foot in (self.draft.foot, self.result.foot):
            foot.show_method(model, copied_for)

    def show_new(self) -> None:
        """Show the documents waiting for Start, or the drop area."""
        self.files.session.dispatch(FindDraft())
        self.show_id(None)
        if self.files.files:
            self.draft.refresh_estimates()
        else:
            self.empty.better.find_better()
        self.methods.find_methods(self.draft.groups)
        self._show_page(self.draft if self.files.files else self.empty)

    def show_job(self, job_id: int) -> None:
        if (stored := self.doing.get(job_id)) is None or stored.state == "draft":
            self.show_new()
            return
        is_other, was_shown = job_id != self.open_id, self.pages.currentWidget()
        self.show_id(job_id)
        try:
            if is_other:
                self._chip_builder = places_in(stored.document_ids, self._app.documents)
            if stored.state in AT_WORK:
                self.work.show_work(stored, self.runner.progress_of(job_id))
                self._show_page(self.work)
            else:
                self._show_result(stored, self._app.summaries.load_summary(job_id))
            # A finished summary needs no key sentences beside it.
            if stored.state != "done" and (is_other or self.pages.currentWidget() is not was_shown):
                self.looks.look_at(stored.document_ids, stored.wish)
        except AppError as error:
            self._notify.error(error)

    def add_files(self, files: Sequence[str | Path]) -> None:
        """Add dropped files, or files sent from a chat."""
        if files:
            self.show_new()
            self.files.add(files)

    def add_documents(self, ids: Sequence[int]) -> None:
        """Add documents already in the library, sent from a chat."""
        self.show_new()
        self.files.add_documents(ids)

    def ask_for_files(self) -> None:
        self.show_new()
        self.files.ask()

    def take_keyboard(self) -> None:
        """Focus the main widget of the page that is shown."""
        page = self.pages.currentWidget()
        targets: dict[QWidget | None, QWidget] = {
            self.empty: self.empty.zone,
            self.draft: self.draft,
            self.work: self.work.points,
        }
        targets.get(page, self.result.statements).setFocus(Qt.FocusReason.OtherFocusReason)

    def close_view(self) -> None:
        """Save typed text and stop estimates before the window closes."""
        self.draft.foot.choices.flush_typing()
        self.draft.estimating.stop()
        self.looks.stop()
        self.document.close_document()

    def _show_page(self, page: QWidget) -> None:
        """Switch pages; the focus follows if it was in the old one."""
        before, focus = self.pages.currentWidget(), QApplication.focusWidget()
        if page is before:
            return
        had_focus = before is not None and focus is not None and (focus is before or before.isAncestorOf(focus))
        self.pages.setCurrentWidget(page)
        self._theme.dress_again(page)
        if had_focus:
            self.take_keyboard()

    def show_id(self, job_id: int | None) -> None:
        if job_id != self.open_id:
            self.document.close_document()
            self.source.forget()
        super().show_id(job_id)

    def _show_result(self, stored: StoredSummary, summary: Summary | None) -> None:
        statements: list[ShownStatement] = []
        set_aside: list[ShownStatement] = []
        if summary is not None:
            self._chip_builder = ChipBuilder(summary.documents, self._app.documents)
            statements, set_aside = (
                shown_statements(statements, self._chip_builder)
                for statements in (summary.statements, summary.set_aside)
            )
        was_at_work = self.pages.currentWidget() is self.work
        self.methods.find_methods([stored.document_ids])
        is_outdated = stored.state == "done" and self._app.summaries.is_outdated(stored.id)
        self.result.show_result(stored, summary, statements, set_aside=set_aside, is_outdated=is_outdated)
        self._show_page(self.result)
        self.source.offer()
        if was_at_work and stored.state == "done":
            announce(self, tr("The summary is ready. {facts}", facts=self.result.head.text))

    def _on_seen(self, document_ids: tuple[int, ...], look: FirstLook) -> None:
        """Show a finished preview, in the draft or in the open summary."""
        try:
            shown = shown_sentences(look.summary.statements, ChipBuilder(look.summary.documents, self._app.documents))
        except AppError as error:
            self._notify.error(error)
            return
        page = self.pages.currentWidget()
        # The draft may have got other documents meanwhile.
        if self.open_id is None and list(document_ids) == self.draft.ids:
            self.draft.digest.show_look(look, shown)
        elif page is self.work and self.work.stored is not None:
            self.work.show_digest(document_ids, shown)
        elif page is self.result and self.result.stored is not None:
            self.result.show_digest(document_ids, look.summary, shown)

    def _on_draft_changed(self) -> None:
        if self.open_id is None:
            if self.files.files and self.pages.currentWidget() is not self.draft:
                self.draft.check_model()
            self._show_page(self.draft if self.files.files else self.empty)
            self.methods.look_at(self.draft.groups)

    def _begin_again(self, ids: list[int], wish: SummaryOptions) -> None:
        """Start a summary of these documents in their newest versions."""
        summaries = self._app.summaries
        begun = self.doing.result_of(
            lambda: summaries.begin_summaries(summaries.current_documents(ids), wish, together=True, is_draft=False)
        )
        if begun:
            self._show_begun(begun)

    def _show_begun(self, begun: Sequence[StoredSummary]) -> None:
        self.runner.start()
        self.show_job(begun[0].id)
        self.list_changed.emit()
        self.take_keyboard()

    def showEvent(self, event: QShowEvent) -> None:
        self._theme.dress_again(self)
        super().showEvent(event)
        self.source.offer()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.source.offer()

    def _with_open(self, do: Callable[[int], object]) -> None:
        if self.open_id is not None:
            do(self.open_id)

    def _on_happened(self, job_id: int, event: SummaryEvent) -> None:
        if job_id == self.open_id and self.pages.currentWidget() is self.work:
            # A job that has just begun has a progress that the page doesn't know.
            if self.work.stored is None or self.work.progress is not self.runner.progress_of(job_id):
                self.show_job(job_id)
            else:
                self.work.take_event(event)

    def _on_row_changed(self, job_id: int) -> None:
        self.list_changed.emit()
        if job_id == self.open_id:
            self.show_job(job_id)

    def _on_renewed(self, earlier_id: int, document_id: int) -> None:
        self.document.take_over(self._app.documents, earlier_id, document_id)
        if self.open_id is not None and self.pages.currentWidget() is self.result:
            self.show_job(self.open_id)

    def _open(self, chip: Chip) -> None:
        self.document.open(self._app.documents, chip.document_id, chip.mark)

    def _open_in_draft(self, chip: Chip) -> None:
        """Open a source from the draft, and scroll to its chip."""
        focus = QApplication.focusWidget()
        self._open(chip)
        # A key term keeps the focus, so that the next press steps on.
        if isinstance(focus, TermChip) and focus.isVisible():
            focus.setFocus(Qt.FocusReason.OtherFocusReason)
        # Later, when the panel has taken its width and the chips have moved.
        QTimer.singleShot(0, self.draft.digest, self.draft.digest.show_open)


RUNNER_WORDS = RunnerWords(
    "Summarizing",
    "Summarizing {number} of {count}",
    "Summary paused while you chat",
    "Summary waiting for memory",
    "Your summary is ready.",
    "A summary stopped with a problem.",
    ("{count} summary is ready.", "{count} summaries are ready."),
    (
        "{problems} of {count} summary stopped with a problem.",
        "{problems} of {count} summaries stopped with a problem.",
    ),
)


class SummarizeTab(WorkTab):
    """Tab whose jobs run without its view, which is built on first use."""

    begins, moves = Planned, (Planned, SectionRead)

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__(ui, app.summaries, new_runner(app, ui.notify), summary_words())
        self._app = app
        self._unread: KeptUnread | None = None

    @cached_property
    def view(self) -> SummarizeView:
        go, view = (
            self._ui.go,
            SummarizeView(self._app, self._ui.theme, self._ui.notify, self.runner, self._ui.pictures),
        )
        if self._ui.reading is not None:
            view.draft.digest.read_view = self._ui.reading.read_view
            view.result.offer_reading(self._ui.reading.read_view)
        view.ask_wanted.connect(lambda ids, title: go.tab(CHAT).take_documents(ids, title))
        view.model_wanted.connect(go.open_models)
        view.translate_wanted.connect(lambda text: go.show_tab(TRANSLATE).take_text(text))
        self._unread = KeptUnread(view.files.session, "unread_summarized", self._app, self._ui, view)
        return view

    def restore(self, kept_id: int) -> None:
        super().restore(kept_id)
        if self._unread is not None:
            self._unread.go_on()

    def take_documents(self, ids: Sequence[int], title: str = "") -> None:  # noqa: ARG002 - they get one by themselves
        self.view.add_documents(ids)

    def close(self) -> None:
        if self._unread is not None:
            self._unread.keep_unread()
        super().close()

    def on_model_chosen(self) -> None:
        if self.open_id is None:
            self.view.show_new()  # with a new estimate
        elif (stored := self.view.result.stored) is not None:
            self.view.methods.find_methods([stored.document_ids])


def new_runner(app: Fireside, notify: Notify) -> JobRunner[SummaryProgress]:
    return JobRunner(app.summaries, SummaryProgress, RUNNER_WORDS, notify)


def summary_words() -> ColumnWords:
    return ColumnWords(
        name="summaries",
        icon="plus",
        new=tr("New summary"),
        search=tr(SEARCH_SUMMARIES),
        all=tr("Summaries"),
        nothing_found=tr(NO_SUMMARIES_FOUND),
        nothing_yet=tr(NO_SUMMARIES_YET),
        note_of=note_of,
        twin_note_of=form_and_time,
    )
