"""What saves and opens files for a whole window: one of each kind, as it outlives the page that asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.ui.shell.tab_spec import UiContext
from app.ui.work.doing import SavedFiles

if TYPE_CHECKING:
    from app.bootstrap import Fireside


class WindowFiles(SavedFiles):
    """File dialogs and their work, which continue in the window when a page or dialog that began them closes."""

    def __init__(self, app: Fireside, ui: UiContext, window: QWidget | None = None) -> None:
        super().__init__(ui.notify, window or ui.window)
        self._app, self._ui = app, ui

    @classmethod
    def of_window(cls, app: Fireside, ui: UiContext) -> Self:
        """Return the window's own, made on first use: settings that are opened a hundred times need no hundred."""
        found = ui.window.findChild(cls, options=Qt.FindChildOption.FindDirectChildrenOnly)
        return found if isinstance(found, cls) else cls(app, ui)
