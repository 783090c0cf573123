"""The Translate tab: typed text, or a document with its segments; jobs run without the view."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout

from app.features.translate.translation_events import TYPED, SegmentDone, TranslationPlanned
from app.ui.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import UiContext
from app.ui.translate.translation_texts import TranslationProgress, is_at_work, note_of, title_of
from app.ui.widgets.dialogs import DOCUMENTS, document_filters, file_dialog
from app.ui.widgets.layouts import drop_margins, fill_layout
from app.ui.work.doing import JobActions
from app.ui.work.intake import Intake, KeptUnread
from app.ui.work.job_column import ColumnWords
from app.ui.work.job_runner import JobRunner, RunnerWords
from app.ui.work.job_tab import WorkTab, WorkView

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.models.collection import ModelCollection
    from app.features.translate.translation_jobs import TranslationJobs
    from app.ui.translate.document_view import DocumentTranslationView
    from app.ui.translate.language_row import LastWish

SEARCH_TRANSLATIONS = "Search translations"
CHOOSE_DOCUMENTS = "Choose documents to translate"
NO_TRANSLATIONS_YET = "Your translations will appear here."
NO_TRANSLATIONS_FOUND = "No translations found."


RUNNER_WORDS = RunnerWords(
    "Translating",
    "Translating {number} of {count}",
    "Translation paused while you chat",
    "Translation waiting for memory",
    "Your translation is ready.",
    "A translation stopped with a problem.",
    ("{count} translation is ready.", "{count} translations are ready."),
    (
        "{problems} of {count} translation stopped with a problem.",
        "{problems} of {count} translations stopped with a problem.",
    ),
)


class TranslateTab(WorkTab):
    """Tab whose jobs run without its view, which is built on first use."""

    begins, moves = TranslationPlanned, (TranslationPlanned, SegmentDone)

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__(ui, app.translations, new_runner(app, ui.notify), translation_words())
        self._app = app
        self._unread: KeptUnread | None = None

    @cached_property
    def view(self) -> TranslateView:
        from app.ui.translate.language_row import LastWish  # running jobs need no view

        app, ui = self._app, self._ui
        last = LastWish(lambda: app.settings, app.change_settings, ui.notify)
        view = TranslateView(app.translations, app.models, last, ui, self.runner)
        view.model_changed.connect(self.model_changed)
        view.intake_made.connect(self._keep_unread)
        self.own_engine = view.text.work
        view.text.work.state_changed.connect(self.model_changed)
        return view

    def restore(self, kept_id: int) -> None:
        super().restore(kept_id)
        if self._app.settings.window.unread_translated:
            self.view.go_on()

    def _keep_unread(self, intake: Intake) -> None:
        self._unread = KeptUnread(intake.session, "unread_translated", self._app, self._ui, intake)
        self._unread.go_on()

    def take_text(self, text: str) -> None:
        self.view.translate_text(text)

    def on_model_chosen(self) -> None:
        self.view.on_model_changed()

    def _on_gone(self, job_id: int) -> None:
        if job_id == self.open_id:
            self.view.forget()  # its text would be saved as another one
        super()._on_gone(job_id)

    def close(self) -> None:
        if self._unread is not None:
            self._unread.keep_unread()
        super().close()

    @property
    def is_at_work(self) -> bool:
        """True while a document or typed text is being translated."""
        return self.runner.is_running or ("view" in self.__dict__ and self.view.text.work.is_busy)


def new_runner(app: Fireside, notify: Notify) -> JobRunner[TranslationProgress]:
    return JobRunner(app.translations, TranslationProgress, RUNNER_WORDS, notify)


def translation_words() -> ColumnWords:
    return ColumnWords(
        name="translations",
        icon="plus",
        new=tr("New translation"),
        search=tr(SEARCH_TRANSLATIONS),
        all=tr("Translations"),
        nothing_found=tr(NO_TRANSLATIONS_FOUND),
        nothing_yet=tr(NO_TRANSLATIONS_YET),
        note_of=note_of,
        is_at_work=is_at_work,
        title_of=title_of,
    )


class TranslateView(WorkView):
    """View of a translation, or of the form for a new one."""

    model_changed = Signal()
    """A model was downloaded for the tab."""
    intake_made = Signal(object)
    """The `Intake` of documents, created with their view."""

    def __init__(
        self,
        translations: TranslationJobs,
        models: ModelCollection,
        last: LastWish,
        ui: UiContext,
        runner: JobRunner[TranslationProgress],
    ) -> None:
        from app.ui.translate.text_page import TextPage  # running jobs need no view

        super().__init__(runner)
        self._translations, self._models, self._last, self._ui = translations, models, last, ui
        self._awaits_document = False
        self._document: DocumentTranslationView | None = None
        self._doing = JobActions(translations, ui.notify, "", self)
        self.text = TextPage(translations, models, last, ui)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.text)
        fill_layout(drop_margins(QVBoxLayout(self)), self.pages)
        self.text.list_changed.connect(self.list_changed)
        self.text.shown_changed.connect(self._on_text_shown)
        self.text.open.clicked.connect(self.ask_for_files)
        self.text.needs.model_came.connect(self.model_changed)
        runner.row_changed.connect(lambda _number: self.list_changed.emit())

    @property
    def document(self) -> DocumentTranslationView:
        """View of documents, built on first use, when `intake_made` is emitted."""
        # Typed text doesn't need it.
        if self._document is None:
            from app.ui.translate.document_view import DocumentTranslationView

            view = self._document = DocumentTranslationView(
                self._translations, self._models, self._last, self._ui, self.runner
            )
            view.list_changed.connect(self.list_changed)
            view.shown_changed.connect(self._on_document_shown)
            view.page.needs.model_came.connect(self.model_changed)
            self.pages.addWidget(view)
            self.intake_made.emit(view.drafts.files)
        return self._document

    def go_on(self) -> None:
        """Resume files of an earlier session, and show them if nothing is open."""
        document = self.document
        if self.open_id is None and document.drafts.session.state.files:
            self.pages.setCurrentWidget(document)
            self._awaits_document = True

    def show_new(self) -> None:
        """Show an empty text, which also accepts dropped documents."""
        self.text.show_new()
        self.pages.setCurrentWidget(self.text)
        self.show_id(None)

    def show_job(self, job_id: int) -> None:
        if (stored := self._doing.get(job_id)) is None:
            self.show_new()
        elif stored.format == TYPED:
            self.text.show_text(job_id)
            self.pages.setCurrentWidget(self.text)
            self.show_id(job_id)
        else:
            self.document.show_translation(job_id)
            self.pages.setCurrentWidget(self.document)
            self.show_id(job_id)

    def translate_text(self, text: str) -> None:
        """Show a text from another tab as a new one and translate it at once."""
        self.pages.setCurrentWidget(self.text)
        self.text.show_new(text)
        self.show_id(None)
        self.text.take_keyboard()

    def add_files(self, files: Sequence[str | Path]) -> None:
        if files:
            self.pages.setCurrentWidget(self.document)
            self.show_id(None)
            self._awaits_document = True
            self.document.add_files([Path(file) for file in files])

    def ask_for_files(self) -> None:
        mode, filters = QFileDialog.FileMode.ExistingFiles, document_filters()
        words = tr(CHOOSE_DOCUMENTS)
        file_dialog(self, words, DOCUMENTS, self.add_files, name="translate_dialog", mode=mode, filters=filters).open()

    def forget(self) -> None:
        if self.pages.currentWidget() is self.text:
            self.text.forget()

    def on_model_changed(self) -> None:
        self.text.capability.check_model()
        if self._document is not None:
            self._document.drafts.capability.check_model()

    def take_keyboard(self) -> None:
        if (page := self.pages.currentWidget()) is self.text:
            self.text.take_keyboard()
        elif page is not None:
            page.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_view(self) -> None:
        """Save typed text in both views before the window closes."""
        self.text.close_text()
        if self._document is not None:
            self._document.close_view()

    def _on_text_shown(self, number: int | None) -> None:
        # Only the page in front decides which row of the list is open.
        if self.pages.currentWidget() is self.text:
            self.show_id(number)

    def _on_document_shown(self, number: int | None) -> None:
        if number is None:
            self.show_new()
        elif self.pages.currentWidget() is self._document:
            self.show_id(number)
            if self._awaits_document and self.isVisible():  # the focused widget was hidden while the document was read
                self.take_keyboard()
            self._awaits_document = False
