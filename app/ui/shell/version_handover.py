"""Lets a newer version of a model take over from the older one after its first answer."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.store.message_rows import MessageState
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.hub.model_trash import TrashedModel

NEWER_TOOK_OVER = "The newer version of “{name}” works and replaced the older one, which is in the trash for a week."


class VersionHandover(QObject):
    """Looks after each complete answer whether an older version of its model is still here."""

    def __init__(self, app: Fireside, loader: ModelLoader, notify: Notify) -> None:
        super().__init__(loader)
        self._app, self._loader, self._notify = app, loader, notify
        self._settled: set[Path] = set()

    def on_answer(self, message_id: int) -> None:
        """Retire what the model that gave this answer replaces; does nothing after an answer that failed."""
        path, message = self._loader.path, self._app.conversations.get_message(message_id)
        if path is None or path in self._settled or message is None or message.state != MessageState.COMPLETE:
            return
        self._settled.add(path)
        tasks.ask(lambda _: self._app.models.retire_older(path), self, self._on_retired, self._notify.error)

    def _on_retired(self, thrown: list[TrashedModel]) -> None:
        for older in thrown:
            self._notify.undo(tr(NEWER_TOOK_OVER, name=older.name), partial(self._put_back, older))

    def _put_back(self, older: TrashedModel) -> None:
        tasks.ask(lambda _: self._app.models.keep_older(older), self, lambda _: None, self._notify.error)
