"""What the tab of the chats has to do with files and paper; nothing of it is imported before somebody wants it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from app.ui.shell.tab_spec import UiContext

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.exchange.export_dialog import Exporting
    from app.ui.exchange.import_dialog import Importing

COMMANDS = ("export", "print", "export_chats", "import_chats")


class ChatExchange:
    """By its commands, the menus of the list, and files that are dropped."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        self._app, self._ui = app, ui

    def do(self, command: str, open_id: int | None) -> None:
        """One of `COMMANDS`; None where no kept chat is open."""
        if command == "import_chats":
            self._importing.ask()
        else:
            self._exporting.do(command, open_id)

    def export(self, conversation_id: int) -> None:
        """Asks how."""
        self._exporting.ask([conversation_id])

    def offer_project(self, project_id: int, menu: QMenu) -> None:
        """Its chats together."""
        self._exporting.offer_project(project_id, menu)

    def import_files(self, files: Sequence[Path]) -> None:
        """Their chats come in."""
        self._importing.import_files(files)

    @cached_property
    def _exporting(self) -> Exporting:
        from app.ui.exchange.export_dialog import Exporting

        return Exporting(self._app, self._ui)

    @cached_property
    def _importing(self) -> Importing:
        from app.ui.exchange.import_dialog import Importing

        return Importing(self._app, self._ui)
