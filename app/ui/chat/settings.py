"""What one chat sets itself: prompt, longest answer, sampling, thinking; in a new chat they wait for its message."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from PySide6.QtCore import QMargins, QObject, Qt
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QVBoxLayout, QWidget

from app.core.visible import clean_text
from app.features.chat.options import MOST_TOKENS, SWITCHES, known_sampling, own_max_tokens, will_think
from app.features.chats import Chats
from app.store.conversations import Conversation
from app.ui.chat.composer import Composer
from app.ui.chat.open_chat import OpenChat
from app.ui.i18n import tr, window_title
from app.ui.sampling import HEADING, Knob, KnobStepper, SamplingFields, field_label, knob_row
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.dialogs import ScrollBox, cancel_or


@dataclass(frozen=True)
class Chosen:
    """The values; `sampling` has the temperature among its fields. `max_tokens` None: as the settings say."""

    system_prompt: str = ""
    sampling: dict[str, Any] = field(default_factory=dict)
    max_tokens: int | None = None
    thinking: str = ""


class ChatOptions(QObject):
    """Keeps them in the store, and the composer's thinking control in step with chat and model."""

    def __init__(
        self,
        composer: Composer,
        chat: OpenChat,
        chats: Chats,
        theme: Theme,
        *,
        notify: Notify,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._composer, self._chat, self._chats = composer, chat, chats
        self._theme, self._notify, self._window = theme, notify, window
        self._conversation: Conversation | None = None
        self._chosen = Chosen(chats.settings().chat.system_prompt)
        composer.settings.clicked.connect(self.show_dialog)
        composer.thinking.chosen.connect(self._on_thinking)
        composer.entered.connect(self.refresh)  # the settings may have changed meanwhile

    @property
    def system_prompt(self) -> str:
        """The prompt of the chat that is shown, or the one that waits."""
        return self._chosen.system_prompt

    def show(self, conversation: Conversation | None) -> None:
        """Another chat is shown; None is a new one, which begins with the settings' system prompt."""
        self._conversation = conversation
        if conversation is None:
            self._chosen = Chosen(self._chats.settings().chat.system_prompt)
        else:
            temperature = {} if conversation.temperature is None else {"temperature": conversation.temperature}
            sampling = temperature | known_sampling(conversation.sampling)
            longest = own_max_tokens(conversation.sampling)
            self._chosen = Chosen(conversation.system_prompt, sampling, longest, conversation.thinking)
        self.refresh()

    def create(self) -> Conversation:
        """Makes the conversation that a new chat's first message needs, with what was chosen for it. May raise."""
        conversation = self._chat.talk.conversations.create(system_prompt=self._chosen.system_prompt)
        self._conversation = conversation
        self._save()
        return conversation

    def refresh(self) -> None:
        """After the model or a setting changed: the composer offers what can be chosen now."""
        loaded = self._chats.loaded()
        kind = loaded.thinking if loaded is not None else "none"
        thinking = self._chosen.thinking
        if kind in SWITCHES:
            stand_in = None if self._conversation is None else replace(self._conversation, thinking=thinking)
            is_on = thinking != "off" if thinking else will_think(stand_in, self._chats.settings(), loaded)
            self._composer.thinking.show_choice("switch", "on" if is_on else "off")
        elif kind == "effort":
            self._composer.thinking.show_choice(
                "effort", thinking if thinking in ("low", "medium", "high") else "medium"
            )
        else:
            self._composer.thinking.show_choice("none", "")

    def show_dialog(self) -> None:
        chosen, settings = self._chosen, self._chats.settings().chat
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
            with self._notify.guard():
                self._save()

    def _save(self) -> None:
        assert self._conversation is not None
        sampling = dict(self._chosen.sampling)
        if self._chosen.max_tokens is not None:
            sampling["max_tokens"] = self._chosen.max_tokens
        self._chat.talk.conversations.update(
            self._conversation.id,
            system_prompt=self._chosen.system_prompt,
            temperature=sampling.pop("temperature", None),
            sampling=sampling,
            thinking=self._chosen.thinking,
        )


# System prompt, longest answer and sampling of one chat: what is not set here is as Settings or the model have it.


def longest_answer() -> Knob:
    meaning = tr("In tokens; a token is about three quarters of a word.")
    return Knob("max_tokens", tr("Longest answer"), meaning, 16, MOST_TOKENS, 256, 0, 1024, "No limit")


class ChatSettings(QDialog):
    """Asks; `system_prompt`, `max_tokens` and `sampling` are what was chosen once it is accepted.

    `in_settings` names the numbers that Settings have for every chat.
    """

    def __init__(
        self,
        theme: Theme,
        system_prompt: str,
        sampling: Mapping[str, Any],
        parent: QWidget | None = None,
        *,
        max_tokens: int | None = None,
        in_settings: Collection[str] = (),
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        px = theme.px
        self.setWindowTitle(window_title(tr("Chat settings")))
        self.setAccessibleName(tr("Chat settings"))
        self._prompt = QPlainTextEdit(system_prompt)
        self._prompt.setAccessibleName(tr("System prompt"))
        self._prompt.setPlaceholderText(
            tr("How the model should answer in this chat, such as: Answer in one sentence.")
        )
        self._prompt.setTabChangesFocus(True)
        self._prompt.setFixedHeight(px(100))
        longest = longest_answer()
        self._longest = KnobStepper(theme, longest, max_tokens, is_in_settings="max_tokens" in in_settings)
        self._sampling = SamplingFields(theme, sampling, in_settings=in_settings)
        inside = QWidget()
        inside.setMinimumWidth(px(472))
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(px(8))
        column.addWidget(field_label(theme, tr("System prompt"), HEADING, self._prompt))
        column.addWidget(self._prompt)
        column.addSpacing(px(8))
        column.addLayout(knob_row(theme, longest, self._longest, is_heading=True))
        column.addSpacing(px(8))
        column.addWidget(self._sampling)
        around = QVBoxLayout(self)
        around.setSizeConstraint(QVBoxLayout.SizeConstraint.SetFixedSize)
        around.setContentsMargins(px(24), px(20), px(24), px(20))
        around.setSpacing(px(16))
        around.addWidget(ScrollBox(inside, around.contentsMargins() + QMargins(0, 0, 0, px(16 + 40))))
        around.addLayout(cancel_or(self, tr("Save")))

    @property
    def system_prompt(self) -> str:
        return clean_text(self._prompt.toPlainText()).strip()

    @property
    def sampling(self) -> dict[str, float]:
        """The fields of `protocol.Sampling` that are set; the others are left to the model."""
        return self._sampling.chosen

    @property
    def max_tokens(self) -> int | None:
        """The longest answer; None leaves it to Settings, which by default set no limit."""
        chosen = self._longest.chosen
        return None if chosen is None else int(chosen)
