"""The model that answers in the chat that is shown, where another one is in: said beside the composer.

Looking at a chat loads nothing; its answer brings the model in. Where its own is gone, somebody is asked first.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.core.errors import ChatUnavailable
from app.features.chats import Chats
from app.ui.chat.other_models import OtherModels
from app.ui.chat.settings import ChatOptions
from app.ui.i18n import tr, window_title
from app.ui.shell.model_loader import model_name
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.dialogs import QuestionDialog


class OwnModel(QObject):
    """`name_of` is what a person calls a model; it is given by who knows that."""

    changed = Signal()
    """Another one is to answer, or another one is in."""

    def __init__(
        self,
        options: ChatOptions,
        models: OtherModels,
        chats: Chats,
        theme: Theme,
        *,
        notify: Notify,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._options, self._models, self._chats = options, models, chats
        self._theme, self._notify, self._window = theme, notify, window
        self.name_of: Callable[[Path], str] = model_name
        self.of_project: Path | None = None
        """The one of the project that the chat is in."""
        self.path_in: Path | None = None
        """The one that is in, on its way, or asleep."""
        options.model_changed.connect(self._on_model_changed)

    @property
    def path(self) -> Path | None:
        """The model that answers here; None is whichever is in."""
        return self._options.model or self.of_project or self._chats.usual_model()

    @property
    def is_elsewhere(self) -> bool:
        """Whether another one is in, on its way, or asleep."""
        return self.path not in (None, self.path_in)

    @property
    def is_own(self) -> bool:
        """Whether the chat has one for itself, or its project has."""
        return self._options.model is not None or self.of_project is not None

    def choose(self, path: Path | None) -> None:
        """For this chat alone; None, and that of its project: nothing of its own."""
        self._options.set_model(None if path == self.of_project else path)

    def take_project(self, path: Path | None) -> None:
        """The chat is in another project, or that has another model."""
        if path != self.of_project:
            self.of_project = path
            self.changed.emit()

    def look(self, path: Path | None) -> None:
        """`path` is in, on its way, or asleep."""
        self.path_in = path
        self.changed.emit()

    def go_on_with(self, path: Path) -> None:
        """The chat's from now on; nothing of its own where that is the one of all chats."""
        usual = self.of_project or self._chats.model_path()
        self._options.set_model(None if path == usual else path)

    def note(self) -> str:
        """A few words for the composer; empty where nothing has to be said."""
        own = self._options.model
        if own is not None and not own.is_file():
            return tr("{name}, this chat’s model, is not there any more", name=self.name_of(own))
        if self.path is None or not self.is_elsewhere or self.path_in is None:
            return ""
        return tr("{name} answers here. It is loaded with your message.", name=self.name_of(self.path))

    def may_answer(self, then: Callable[[], object], *, can_chat: bool = True) -> bool:
        """Whether there is somebody who answers. Else it is said, or asked, and `then` follows where that helps."""
        own = self._options.model
        if own is not None and not own.is_file():
            self._ask(own, then)
            return False
        if not can_chat:
            self._notify.error(ChatUnavailable(str(self.path or self._chats.model_path())))
        return can_chat

    def _ask(self, own: Path, then: Callable[[], object]) -> None:
        def agree() -> None:
            self._options.set_model(None)
            then()

        usual = self._chats.model_path()
        words = tr("It is this chat’s own model, and its file was moved or deleted. Your message is kept.")
        title = tr("{name} is not there any more.", name=self.name_of(own))
        dialog = QuestionDialog(self._theme, title, words, self._window)
        dialog.setObjectName("model_gone")
        dialog.setWindowTitle(window_title(tr("The model is not there")))
        if usual is not None:
            dialog.add_choice(tr("Go on with {name}", name=self.name_of(usual)), agree, "primary")
        else:
            dialog.add_choice(tr("Find more models…"), self._models.more_wanted.emit, "primary")
        dialog.open()

    def _on_model_changed(self) -> None:
        own, sought = self._options.model, self._options.sought_model
        if own is not None and not own.is_file():
            sought = own.name
        if sought:
            moved = next((path for path, _ in self._models.known() if path.name == sought), None)
            if moved is not None:
                self._options.set_model(moved)  # which comes back here
                return
        self.changed.emit()
