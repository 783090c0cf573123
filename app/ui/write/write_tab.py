"""The Write tab: the page, the left column of the pages, and what passes between these and the window."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.ui.shell.tab_spec import Tab, UiContext
from app.ui.widgets.beside import InsideBeside
from app.ui.work.tab import SecondModelQuestion
from app.ui.write.column import PagesColumn
from app.ui.write.write_view import WriteView

if TYPE_CHECKING:
    from app.bootstrap import Fireside


class WriteTab(Tab):
    """Opens pages and new ones; keeps the list in step with what is written."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        self._app, self._ui = app, ui
        self._question = SecondModelQuestion(ui.theme, ui.window)
        app.writing_engines.ask = self._question.ask

    @cached_property
    def view(self) -> InsideBeside:
        view = InsideBeside(self._ui.theme, self.page, self.page.take_keyboard, self._new_inside)
        view.toggled.connect(self.inside_changed)
        return view

    @cached_property
    def page(self) -> WriteView:
        """What stands beside the panel, or in its place."""
        view = WriteView(self._app, self._ui)
        view.at_work.connect(self.state_changed)
        view.continuing.work.ended.connect(self._ui.loader.look)  # its model may have been in the place of the chat's
        return view

    @cached_property
    def column(self) -> PagesColumn:
        column, view = PagesColumn(self._ui.theme, lambda: self._app.pages, self._ui.notify), self.page
        column.new_wanted.connect(self.show_new)
        column.new_wanted.connect(self.take_keyboard)
        column.chosen.connect(view.show_page)
        column.renamed.connect(self._on_renamed)
        column.gone.connect(self._on_gone)
        view.list_changed.connect(lambda _number: self._refresh())
        view.shown_changed.connect(self._on_shown)
        return column

    @property
    def title(self) -> str:
        return self.page.kept.title

    @property
    def open_id(self) -> int | None:
        return self.page.open_id

    @property
    def is_at_work(self) -> bool:
        return "page" in self.__dict__ and self.page.continuing.is_busy

    def restore(self, kept_id: int) -> None:
        self.column.reload()
        self.page.show_page(kept_id or None)

    def restore_list(self) -> None:
        self.column.reload()

    def show_stored(self, number: int, message_id: int = 0, words: str = "") -> None:  # noqa: ARG002 - only chats have
        self.page.show_page(number)

    def take_keyboard(self) -> None:
        self.page.take_keyboard()

    def on_shown(self, *, is_shown: bool) -> None:
        if is_shown:
            self.page.continuing.counting.measure_soon()
        else:
            self.page.kept.keep()
            self.page.continuing.rest()

    def show_new(self) -> None:
        self.page.show_page(None)

    def ask_for_files(self) -> None:
        self.page.files.ask()

    def take_files(self, files: Sequence[Path]) -> None:
        self.page.files.open(files)

    def take_text(self, text: str) -> None:
        self.page.take_text(text)

    def on_model_chosen(self) -> None:
        self.page.continuing.counting.on_model_changed()

    def do(self, command: str) -> None:
        if command == "inside":
            self.view.toggle()

    def store(self) -> None:
        if "page" in self.__dict__:
            self.page.kept.keep()

    def close(self) -> None:
        """The window closes: a question that waits is answered with no, what was typed is kept."""
        self._question.close()
        if "page" in self.__dict__:
            self.page.leave()

    def _new_inside(self) -> QWidget:
        from app.ui.inside.panel import InsidePanel  # nothing of it is needed before somebody looks
        from app.ui.write.inside import PageSubjects

        app = self._app
        subjects = PageSubjects(self.page.edit, self.page.continuing, self)
        opened = partial(app.writing_engines.opened, may_ask=False)
        panel = InsidePanel(self._ui, lambda: app.engine, subjects, opened)
        panel.closed.connect(self.view.hide_beside)
        return panel

    def _refresh(self) -> None:
        """The list follows what is written, but not while somebody gives a page another title."""
        if not self.column.list.is_editing:
            self.column.reload()

    def _on_shown(self) -> None:
        number = self.page.open_id
        if number is not None and not self.column.model.index_of(number).isValid():
            self.column.search.clear()
            self.column.reload()
        self.column.show_open(number)
        self.changed.emit()

    def _on_renamed(self, number: int) -> None:
        if number == self.page.open_id:
            self.page.kept.look()
            self.title_changed.emit()

    def _on_gone(self, number: int) -> None:
        if number == self.page.open_id:
            self.page.forget()
