"""Import and export of the chats tab; the modules behind it are imported on first use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from app.ui.shell.tab_spec import UiContext

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.exchange.export_dialog import ChatExports
    from app.ui.exchange.import_dialog import Importing

COMMANDS = ("export", "print", "export_chats", "import_chats")


class ChatExchange:
    """Commands, menus and dropped files for the exchange of chats."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        self._app, self._ui = app, ui

    def do(self, command: str, open_id: int | None) -> None:
        """Run one of `COMMANDS`; `open_id` is None if no stored chat is open."""
        if command == "import_chats":
            self._importing.ask()
        else:
            self._exporting.do(command, open_id)

    def export(self, conversation_id: int) -> None:
        """Ask how to export a stored chat, and do it."""
        self._exporting.ask([conversation_id])

    def offer_project(self, project_id: int, menu: QMenu) -> None:
        """Add the entry that exports all chats of a project."""
        self._exporting.offer_project(project_id, menu)

    def import_files(self, files: Sequence[Path]) -> None:
        self._importing.import_files(files)

    @cached_property
    def _exporting(self) -> ChatExports:
        from app.ui.exchange.export_dialog import ChatExports

        return ChatExports.of_window(self._app, self._ui)

    @cached_property
    def _importing(self) -> Importing:
        from app.ui.exchange.import_dialog import Importing

        return Importing(self._app, self._ui)
