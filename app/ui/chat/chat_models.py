"""What answers in a chat: its model and what that can do, its options, its assistant and its project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.core.paths import starter_model
from app.ui.chat.chat_assistants import ChatAssistants
from app.ui.chat.chat_options import ChatOptions, OwnModel
from app.ui.chat.chat_projects import ProjectBanner
from app.ui.chat.composer import Composer
from app.ui.chat.open_chat import OpenChat
from app.ui.chat.welcome import EmptyState
from app.ui.shell.model_about import OtherModels
from app.ui.shell.notify import Notify
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.features.chat_services import Chats


class ChatModels(QObject):
    """Knows which model answers in the visible chat, and shows in the composer and the greeting what it can do."""

    changed = Signal()
    """Another model answers, or it is in another state."""

    def __init__(
        self, composer: Composer, chat: OpenChat, chats: Chats, theme: Theme, *, notify: Notify, window: QWidget
    ) -> None:
        super().__init__(window)
        self._composer, self._chats = composer, chats
        self.state = "asleep"
        """State of the model: asleep, loading, ready or failed."""
        self.can_chat = True
        """True if the model can chat; one without a chat template only continues text."""
        self._completion_model: Path | None = None
        """The last model found to have no chat template."""
        self.empty = EmptyState(theme)
        """Greeting of a chat without messages."""
        self.others = OtherModels(chats.loaded, window)
        self.options = ChatOptions(composer, chat, chats, self.others, theme, notify=notify, window=window)
        self.own = OwnModel(self.options, self.others, chats, theme, notify=notify, window=window)
        self.assistants = ChatAssistants(
            self.options, composer, self.empty, chats, self.others, theme=theme, notify=notify
        )
        self.project_banner = ProjectBanner(theme, chat, on_model=self.own.take_project)
        self.own.changed.connect(self._show_model)

    def set_state(self, state: str, path: Path | None = None) -> None:
        """Set the model's state; `path` is the model it is about, if that is not the chosen one yet."""
        self.state = state
        self.own.update_model(path)
        self.options.refresh()

    def may_answer(self, then: Callable[[], object]) -> bool:
        """Return whether a model can answer; else it is said why not, and `then` may run once one can."""
        return self.own.may_answer(then, can_chat=self.can_chat)

    def _show_model(self) -> None:
        path, loaded = self.own.path or self.own.path_in or self._chats.model_path(), self._chats.loaded()
        # Only a loaded model tells; it is remembered, since the model may go to sleep.
        if loaded is not None and Path(loaded.path) == path:
            self._completion_model = None if loaded.can_chat else path
        self.can_chat = path is None or path != self._completion_model
        is_starter = path is not None and path == starter_model()
        host = self._chats.host_of(path) if path is not None else ""
        self.empty.set_model(is_starter=is_starter, is_there=path is not None, can_chat=self.can_chat, host=host)
        self._composer.set_can_send(self.can_chat)
        self._composer.set_sees(sees=self.can_chat and loaded is not None and loaded.sees)
        self.changed.emit()
