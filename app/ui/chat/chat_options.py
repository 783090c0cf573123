"""What one chat sets itself: prompt, longest answer, sampling, thinking; in a new chat they wait for its message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from app.core.errors import AppError
from app.core.events import ModelLoaded
from app.core.settings import Settings
from app.features.chat.options import SWITCHES, known_sampling, own_max_tokens, will_think
from app.store.conversations import Conversation, Conversations
from app.ui.chat.chat_settings import ChatSettings
from app.ui.chat.composer import Composer
from app.ui.shell.notify import Notify
from app.ui.theme import Theme


@dataclass(frozen=True)
class Chosen:
    """The values; `sampling` has the temperature among its fields. `max_tokens` None: as the settings say."""

    system_prompt: str = ""
    sampling: dict[str, Any] = field(default_factory=dict)
    max_tokens: int | None = None
    thinking: str = ""


class ChatOptions(QObject):
    """Keeps them in the store, and the composer's thinking control in step with chat and model.

    `store` is where the chat that is shown lives, `settings` and `loaded` are asked each time.
    """

    changed = Signal()
    """Something was chosen by the person."""

    def __init__(
        self,
        composer: Composer,
        *,
        store: Callable[[], Conversations],
        settings: Callable[[], Settings],
        loaded: Callable[[], ModelLoaded | None],
        notify: Notify,
        theme: Theme,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._composer, self._store, self._settings, self._loaded = composer, store, settings, loaded
        self._notify, self._theme, self._window = notify, theme, parent
        self._conversation: Conversation | None = None
        self._chosen = Chosen(settings().chat.system_prompt)
        composer.settings_wanted.connect(self.show_dialog)
        composer.thinking_wanted.connect(self._on_thinking)
        composer.entered.connect(self.refresh)  # the settings may have changed meanwhile

    @property
    def system_prompt(self) -> str:
        """The prompt of the chat that is shown, or the one that waits."""
        return self._chosen.system_prompt

    def show(self, conversation: Conversation | None) -> None:
        """Another chat is shown; None is a new one, which begins with the settings' system prompt."""
        self._conversation = conversation
        if conversation is None:
            self._chosen = Chosen(self._settings().chat.system_prompt)
        else:
            temperature = {} if conversation.temperature is None else {"temperature": conversation.temperature}
            sampling = temperature | known_sampling(conversation.sampling)
            longest = own_max_tokens(conversation.sampling)
            self._chosen = Chosen(conversation.system_prompt, sampling, longest, conversation.thinking)
        self.refresh()

    def create(self) -> Conversation:
        """Makes the conversation that a new chat's first message needs, with what was chosen for it. May raise."""
        store = self._store()
        conversation = store.create(system_prompt=self._chosen.system_prompt)
        self._conversation = conversation
        self._save()
        return conversation

    def refresh(self) -> None:
        """After the model or a setting changed: the composer offers what can be chosen now."""
        loaded = self._loaded()
        kind = loaded.thinking if loaded is not None else "none"
        thinking = self._chosen.thinking
        if kind in SWITCHES:
            stand_in = None if self._conversation is None else replace(self._conversation, thinking=thinking)
            is_on = thinking != "off" if thinking else will_think(stand_in, self._settings(), loaded)
            self._composer.set_thinking("switch", "on" if is_on else "off")
        elif kind == "effort":
            self._composer.set_thinking("effort", thinking if thinking in ("low", "medium", "high") else "medium")
        else:
            self._composer.set_thinking("none", "")

    def show_dialog(self) -> None:
        """Asks for system prompt, longest answer and sampling."""
        chosen, settings = self._chosen, self._settings().chat
        dialog = ChatSettings(
            self._theme,
            chosen.system_prompt,
            chosen.sampling,
            self._window,
            max_tokens=chosen.max_tokens,
            in_settings=[name for name in ("temperature", "max_tokens") if getattr(settings, name) != -1],
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(
            lambda: self._choose(
                system_prompt=dialog.system_prompt,
                sampling=known_sampling(dialog.sampling),
                max_tokens=dialog.max_tokens,
            )
        )
        dialog.open()

    def _on_thinking(self, value: str) -> None:
        self._choose(thinking=value)
        self.refresh()

    def _choose(self, **values: Any) -> None:
        self._chosen = replace(self._chosen, **values)
        if self._conversation is not None:
            try:
                self._save()
            except AppError as error:
                self._notify.error(error)
        self.changed.emit()

    def _save(self) -> None:
        assert self._conversation is not None
        sampling = dict(self._chosen.sampling)
        if self._chosen.max_tokens is not None:
            sampling["max_tokens"] = self._chosen.max_tokens
        self._store().update(
            self._conversation.id,
            system_prompt=self._chosen.system_prompt,
            temperature=sampling.pop("temperature", None),
            sampling=sampling,
            thinking=self._chosen.thinking,
        )
