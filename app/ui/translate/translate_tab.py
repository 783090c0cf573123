"""The Translate tab: what of the frame of a tab is its own."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from app.features.translation.result import SegmentDone, TranslationPlanned
from app.ui.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import UiContext
from app.ui.translate.texts import Progress, is_at_work, note_of, title_of
from app.ui.work.column import ColumnWords
from app.ui.work.intake import Intake, KeptUnread
from app.ui.work.tab import Runner, RunnerWords, WorkTab

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.translate.translate_view import TranslateView

RUNNER_WORDS = RunnerWords(
    "Translating",
    "Translating {number} of {count}",
    "Translation paused while you chat",
    "Translation waits for memory",
    "Your translation is ready.",
    "A translation stopped with a problem.",
    "{count} translations are ready.",
    "{problems} of {count} translations stopped with a problem.",
)


class TranslateTab(WorkTab):
    """The work can go on without the view, which is built when it is wanted."""

    begins, moves = TranslationPlanned, (TranslationPlanned, SegmentDone)

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__(ui, app.translations, new_runner(app, ui.notify), translation_words())
        self._app = app
        self._unread: KeptUnread | None = None

    @cached_property
    def view(self) -> TranslateView:
        from app.ui.translate.languages import LastWish
        from app.ui.translate.translate_view import TranslateView  # work that goes on needs no view

        app, ui = self._app, self._ui
        last = LastWish(lambda: app.settings, app.change, ui.notify)
        view = TranslateView(app.translations, app.models, last, ui, self.runner)
        view.model_changed.connect(self.model_changed)
        view.intake_made.connect(self._keep_unread)
        return view

    def restore(self, kept_id: int) -> None:
        super().restore(kept_id)
        if self._app.settings.window.unread_translated:
            self.view.go_on()

    def _keep_unread(self, intake: Intake) -> None:
        from app.ui.translate.document_job import FileToTranslate  # with the view that has the intake

        self._unread = KeptUnread(intake, "unread_translated", self._app, self._ui, FileToTranslate)
        self._unread.go_on()

    def take_text(self, text: str) -> None:
        self.view.translate_text(text)

    def on_model_chosen(self) -> None:
        self.view.on_model_changed()

    def _on_gone(self, job_id: int) -> None:
        if job_id == self.open_id:
            self.view.forget()  # what was typed there would be kept as another one
        super()._on_gone(job_id)

    def close(self) -> None:
        if self._unread is not None:
            self._unread.leave()
        super().close()

    @property
    def is_at_work(self) -> bool:
        """Whether a document or a typed text is being translated."""
        return self.runner.is_running or ("view" in self.__dict__ and self.view.text.work.is_busy)


def new_runner(app: Fireside, notify: Notify) -> Runner[Progress]:
    return Runner(app.translations, Progress, RUNNER_WORDS, notify)


def translation_words() -> ColumnWords:
    return ColumnWords(
        name="translations",
        icon="plus",
        new=tr("New translation"),
        search=tr("Search translations"),
        all=tr("Translations"),
        nothing_found=tr("No translation has these words."),
        nothing_yet=tr("Your translations will be here."),
        note_of=note_of,
        is_at_work=is_at_work,
        title_of=title_of,
    )
