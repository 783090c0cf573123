"""The Summarize tab: the work, the view and the left column, and what passes between these."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.core.errors import AppError
from app.features.summarize import Planned, SectionRead
from app.ui.second_model_question import SecondModelQuestion
from app.ui.shell.notify import Notify
from app.ui.summarize.running import SummaryRunner
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.summarize.summaries_column import SummariesColumn
    from app.ui.summarize.summarize_view import SummarizeView


class SummarizeTab(QObject):
    """The work can go on without the view, which is built when it is wanted."""

    ask_wanted = Signal(list, str)
    """Ids of documents and a title: a chat about them is wanted."""
    state_changed = Signal(str)
    title_changed = Signal()
    model_wanted = Signal()
    translate_wanted = Signal(str)
    """The text of a summary is to be translated."""
    memory_changed = Signal()
    """The work may have put its model in the place of the chat's, or given the place back."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, window: QWidget) -> None:
        super().__init__(window)
        self._app, self._theme, self._notify = app, theme, notify
        self._question = SecondModelQuestion(theme, window)
        app.summaries.ask = self._question.ask
        self.runner = SummaryRunner(app, notify, self)
        self.runner.state_changed.connect(self.state_changed)
        self.runner.happened.connect(self._on_happened)
        self.runner.ended.connect(self.memory_changed)

    @cached_property
    def view(self) -> SummarizeView:
        """What stands in the middle of the window."""
        from app.ui.summarize.summarize_view import SummarizeView  # work that goes on needs no view

        view = SummarizeView(self._app, self._theme, self._notify, self.runner)
        view.ask_wanted.connect(self.ask_wanted)
        view.model_wanted.connect(self.model_wanted)
        view.translate_wanted.connect(self.translate_wanted)
        return view

    @cached_property
    def column(self) -> SummariesColumn:
        """What stands at the window's left."""
        from app.ui.summarize.summaries_column import SummariesColumn

        column = SummariesColumn(self._theme, self._app.summaries, self._notify)
        column.new_wanted.connect(self.show_new)
        column.chosen.connect(self.view.show_summary)
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
        """The summary that is shown; None is one that is being put together."""
        return self.view.summary_id

    @property
    def title(self) -> str:
        """Of the summary that is shown."""
        try:
            stored = self._app.summaries.get(self.open_id) if self.open_id else None
        except AppError as error:
            self._notify.error(error)
            stored = None
        return stored.title if stored is not None else ""

    def show_new(self) -> None:
        """The place where documents are put together."""
        self.view.show_new()
        self.view.take_keyboard()

    def restore(self, summary_id: int) -> None:
        """As it was before a restart: one of the list, or what is being put together."""
        if summary_id:
            self.view.show_summary(summary_id)
        else:
            self.view.show_new()

    def close(self) -> None:
        """The window closes: a question that waits is answered with no, the child that draws pages ends."""
        self._question.close()
        if "view" in self.__dict__:
            self.view.leave()

    def _on_shown(self, summary_id: int | None) -> None:
        self.column.show_open(summary_id)
        self.title_changed.emit()

    def _on_happened(self, _summary_id: int, event: object) -> None:
        if isinstance(event, Planned):
            self.memory_changed.emit()

    def _show_progress(self, summary_id: int, event: object) -> None:
        if isinstance(event, Planned | SectionRead):
            self.column.show_progress(summary_id)

    def _on_renamed(self, summary_id: int) -> None:
        if summary_id == self.open_id:
            self.view.show_summary(summary_id)
            self.title_changed.emit()

    def _on_gone(self, summary_id: int) -> None:
        if summary_id == self.open_id:
            self.show_new()
