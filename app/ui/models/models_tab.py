"""The Models tab: the view with its pages, the column, and what passes between these and the window."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from app.ui.shell.tab_spec import Tab, UiContext

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.models.models_view import ModelsColumn, ModelsView


class ModelsTab(Tab):
    """A model file can be added without the view."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__()
        self._app, self._ui = app, ui

    @cached_property
    def view(self) -> ModelsView:
        from app.ui.models.models_view import ModelsView  # adding a file needs no view

        view = ModelsView(self._app, self._ui)
        view.column.page_chosen.connect(lambda _: self.changed.emit())
        view.column.search.returnPressed.connect(self.changed)
        return view

    @property
    def column(self) -> ModelsColumn:
        return self.view.column

    def do(self, command: str) -> None:
        self.view.show_page(command)

    def take_keyboard(self) -> None:
        self.column.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def take_files(self, files: Sequence[Path]) -> None:
        from app.ui.models.installed import FileAdding  # not needed at start

        adding = FileAdding(self._app, self._ui)
        for path in files:
            adding.add_file(path, self._ui.go.use_model)

    def close(self) -> None:
        if "view" in self.__dict__:
            self.view.close_work()
