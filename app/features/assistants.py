"""A chat's own choices, and assistants: the same saved under a name for other chats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.core.lazy_dataclasses import dataclass, field
from app.features.chat.chat_options import (
    TOOLS,
    known_sampling,
    own_max_tokens,
    own_model,
    own_thinking_budget,
    uses_tools,
)

if TYPE_CHECKING:
    from app.store.assistant_store import Assistant
    from app.store.conversation_row import Conversation

ICONS = (
    "user-circle-gear", "sparkle", "chat-circle-text", "pen-nib", "book-open", "graduation-cap", "student", "translate",
    "code", "terminal", "bug", "flask", "calculator", "chart-line", "briefcase", "envelope-simple",
    "scales", "bank", "lightbulb", "brain", "globe", "airplane", "cooking-pot", "heartbeat",
    "palette", "music-notes", "game-controller", "leaf", "cat", "rocket", "star", "coffee",
)  # fmt: skip
"""Glyphs that an assistant can have; the first is for one without."""


@dataclass(frozen=True)
class AssistantChoice:
    """A chat's own choices;

    None or "" means as in the settings. `sampling` includes the temperature, `thinking` is "", "on", "off" or one of
    `EFFORTS`, `model` a path or "" for that of all chats.
    """

    system_prompt: str = ""
    sampling: dict[str, Any] = field(default_factory=dict)
    max_tokens: int | None = None
    thinking: str = ""
    thinking_budget: int | None = None
    model: str = ""
    tools: bool = False

    @property
    def stored_sampling(self) -> dict[str, Any]:
        """The sampling with the token limits, and whether tools are on, stored in it."""
        tokens = {"max_tokens": self.max_tokens, "thinking_budget": self.thinking_budget}
        switch = {TOOLS: 1} if self.tools else {}
        return self.sampling | {name: value for name, value in tokens.items() if value is not None} | switch


def chosen_in(conversation: Conversation) -> AssistantChoice:
    temperature = {} if conversation.temperature is None else {"temperature": conversation.temperature}
    model = own_model(conversation)
    # Older chats have their temperature in a column of its own; a newer choice in `sampling` wins.
    values = temperature | conversation.sampling
    return _choose_values(
        conversation.system_prompt, values, conversation.thinking, str(model) if model is not None else ""
    )


def chosen_of(assistant: Assistant) -> AssistantChoice:
    """Return the choices a chat takes from an assistant."""
    return _choose_values(assistant.instructions, assistant.sampling, assistant.thinking, assistant.model)


def _choose_values(prompt: str, stored: Mapping[str, Any], thinking: str, model: str) -> AssistantChoice:
    longest, budget = own_max_tokens(stored), own_thinking_budget(stored)
    return AssistantChoice(prompt, known_sampling(stored), longest, thinking, budget, model, uses_tools(stored))


def in_conversation(chosen: AssistantChoice) -> dict[str, Any]:
    """Return the fields for `Conversations.update`."""
    sampling = chosen.stored_sampling
    return {
        "system_prompt": chosen.system_prompt,
        # The column stays filled: an older program reads the temperature there.
        "temperature": sampling.pop("temperature", None),
        "sampling": sampling,
        "thinking": chosen.thinking,
        "model": chosen.model,
    }


def in_assistant(chosen: AssistantChoice) -> dict[str, Any]:
    """Return the fields for `AssistantStore.update`."""
    return {
        "instructions": chosen.system_prompt,
        "sampling": chosen.stored_sampling,
        "thinking": chosen.thinking,
        "model": chosen.model,
    }


def conversation_of(assistant: Assistant | None) -> Conversation | None:
    """Build an unstored conversation with an assistant's choices, for callers without a store."""
    return plan_conversation(chosen_of(assistant)) if assistant is not None else None


def plan_conversation(chosen: AssistantChoice, *, memory: str = "", project_id: int | None = None) -> Conversation:
    """Build the conversation that would be stored, with id 0."""
    from app.store.conversation_row import Conversation  # not needed before the window is seen

    values = in_conversation(chosen) | {"memory": memory, "project_id": project_id}
    return Conversation(id=0, title="", draft="", created_at=0, updated_at=0, leaf_id=None, pinned=False, **values)


def icon_of(assistant: Assistant) -> str:
    """Return an assistant's icon; a default if a newer version stored an unknown one."""
    return assistant.icon if assistant.icon in ICONS else ICONS[0]
