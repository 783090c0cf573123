"""The Translate tab: the work, the view and the left column, and what passes between these."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.core.errors import AppError
from app.features.translation.result import SegmentDone, TranslationPlanned
from app.ui.second_model_question import SecondModelQuestion
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.translate.running import TranslationRunner

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.translate.translate_view import TranslateView
    from app.ui.translate.translations_column import TranslationsColumn


class TranslateTab(QObject):
    """The work can go on without the view, which is built when it is wanted."""

    state_changed = Signal(str)
    title_changed = Signal()
    models_wanted = Signal(str)
    model_changed = Signal()
    """The tab has another model now."""
    memory_changed = Signal()
    """The work may have put its model in the place of the chat's, or given the place back."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, window: QWidget) -> None:
        super().__init__(window)
        self._app, self._theme, self._notify = app, theme, notify
        self._question = SecondModelQuestion(theme, window)
        app.translations.ask = self._question.ask
        self.runner = TranslationRunner(app, notify, self)
        self.runner.state_changed.connect(self.state_changed)
        self.runner.happened.connect(self._on_happened)
        self.runner.ended.connect(self.memory_changed)

    @cached_property
    def view(self) -> TranslateView:
        """What stands in the middle of the window."""
        from app.ui.translate.translate_view import TranslateView  # work that goes on needs no view

        view = TranslateView(self._app, self._theme, self._notify, self.runner)
        view.models_wanted.connect(self.models_wanted)
        view.model_changed.connect(self.model_changed)
        view.memory_changed.connect(self.memory_changed)
        return view

    @cached_property
    def column(self) -> TranslationsColumn:
        """What stands at the window's left."""
        from app.ui.translate.translations_column import TranslationsColumn

        column = TranslationsColumn(self._theme, self._app.translations, self._notify)
        column.new_wanted.connect(self.show_new)
        column.chosen.connect(self.view.show_translation)
        column.renamed.connect(self._on_renamed)
        column.gone.connect(self._on_gone)
        column.work_wanted.connect(self.runner.start)
        self.runner.happened.connect(self._show_progress)
        self.view.list_changed.connect(column.refresh_soon)
        self.view.list_changed.connect(self.title_changed)
        self.view.shown_changed.connect(self._on_shown)
        return column

    @property
    def open_id(self) -> int | None:
        """The translation that is shown; None is a new one."""
        return self.view.translation_id

    @property
    def is_at_work(self) -> bool:
        """Whether a document or a typed text is being translated."""
        return self.runner.is_running or ("view" in self.__dict__ and self.view.text.work.is_busy)

    @property
    def title(self) -> str:
        """Of the translation that is shown."""
        try:
            stored = self._app.translations.get(self.open_id) if self.open_id else None
        except AppError as error:
            self._notify.error(error)
            stored = None
        return stored.title if stored is not None else ""

    def show_new(self) -> None:
        """The place where one begins."""
        self.view.show_new()
        self.view.take_keyboard()

    def restore(self, translation_id: int) -> None:
        """As it was before a restart: one of the list, or a new one."""
        if translation_id:
            self.view.show_translation(translation_id)
        else:
            self.view.show_new()

    def close(self) -> None:
        """The window closes: a question that waits is answered with no, what was typed is kept."""
        self._question.close()
        if "view" in self.__dict__:
            self.view.leave()

    def _on_shown(self, translation_id: int | None) -> None:
        self.column.show_open(translation_id)
        self.title_changed.emit()

    def _on_happened(self, _translation_id: int, event: object) -> None:
        if isinstance(event, TranslationPlanned):
            self.memory_changed.emit()

    def _show_progress(self, translation_id: int, event: object) -> None:
        if isinstance(event, TranslationPlanned | SegmentDone):
            self.column.show_progress(translation_id)

    def _on_renamed(self, translation_id: int) -> None:
        if translation_id == self.open_id:
            self.view.show_translation(translation_id)
            self.title_changed.emit()

    def _on_gone(self, translation_id: int) -> None:
        if translation_id == self.open_id:
            self.view.forget()
            self.show_new()
