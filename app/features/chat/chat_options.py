"""Engine options of a conversation other than its messages: sampling, thinking, limits."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.core.events import ModelLoaded
    from app.core.settings import Settings
    from app.engine.protocol import Sampling
    from app.store.conversation_row import Conversation

MOST_TOKENS = 131_072
"""The longest limit that can be set for an answer."""
EFFORTS = ("low", "medium", "high")
TOOLS = "tools"
SWITCHES = ("switch", "switch_off")
_WHOLE_NUMBERS = frozenset(("top_k", "seed"))


def options_for(conversation: Conversation | None, settings: Settings, loaded: ModelLoaded | None) -> dict[str, Any]:
    """Return the fields of `engine.protocol.Ask` decided by conversation and settings.

    `loaded` is the model that will answer, if known: options it lacks are left out.
    """
    return {
        "sampling": sampling_of(conversation, settings),
        "max_tokens": max_tokens_of(conversation, settings),
        "template_variables": template_variables(conversation, settings, loaded),
        "thinking_budget": thinking_budget_of(conversation, settings),
        "stop_on_repetition": True,
    }


def own_model(conversation: Conversation | None) -> Path | None:
    """Return a conversation's own model; None for a name that came with an import."""
    # Imported chats have names of other programs' models there, which are no paths.
    path = Path(conversation.model) if conversation is not None and conversation.model else None
    return path if path is not None and path.is_absolute() else None


def sampling_of(conversation: Conversation | None, settings: Settings) -> Sampling:
    """Return the chat's own sampling and the settings' temperature; the rest is up to task, file and family."""
    # Negative leaves the temperature to model and family.
    chosen = {"temperature": settings.chat.temperature} if settings.chat.temperature >= 0 else {}
    if conversation is not None:
        if conversation.temperature is not None:
            chosen["temperature"] = conversation.temperature
        chosen |= known_sampling(conversation.sampling)
    from app.engine.protocol import Sampling  # the wire to the engine is not needed before the window is seen

    return Sampling(**chosen)  # type: ignore[arg-type]


def max_tokens_of(conversation: Conversation | None, settings: Settings) -> int:
    """Return the answer's token limit; -1 is as much as the context allows."""
    own = own_max_tokens(conversation.sampling) if conversation is not None else None
    return settings.chat.max_tokens if own is None else own


def thinking_budget_of(conversation: Conversation | None, settings: Settings) -> int:
    """Return the token limit of thinking; -1 is unlimited."""
    own = own_thinking_budget(conversation.sampling) if conversation is not None else None
    return settings.chat.thinking_budget if own is None else own


def own_max_tokens(stored: Mapping[str, Any]) -> int | None:
    """Return a chat's own token limit, stored in its sampling; None means as in the settings."""
    return _own_tokens(stored, "max_tokens")


def own_thinking_budget(stored: Mapping[str, Any]) -> int | None:
    """Return a chat's own limit of thinking, as `own_max_tokens`."""
    return _own_tokens(stored, "thinking_budget")


def _own_tokens(stored: Mapping[str, Any], name: str) -> int | None:
    value = stored.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def uses_tools(stored: Mapping[str, Any]) -> bool:
    """Return whether a chat's tools are switched on, which is stored in its sampling."""
    return stored.get(TOOLS) == 1


def known_sampling(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored sampling fields that this version knows and that are numbers."""
    known = {
        name: value
        for name, value in stored.items()
        # A newer program may have stored what this one doesn't know; True is an int in Python.
        if name in _sampling_fields() and isinstance(value, int | float) and not isinstance(value, bool)
    }
    # JSON has one kind of numbers, the engine two.
    return {name: int(value) if name in _WHOLE_NUMBERS else float(value) for name, value in known.items()}


@functools.cache
def _sampling_fields() -> frozenset[str]:
    from app.engine.protocol import Sampling  # as above

    return frozenset(field.name for field in dataclasses.fields(Sampling))


def template_variables(
    conversation: Conversation | None, settings: Settings, loaded: ModelLoaded | None
) -> dict[str, Any]:
    """Return the template variables that switch thinking or set its effort; {} leaves it to the model.

    They change only the prompt's end, so that the KV cache of the conversation stays usable.
    """
    if not (wish := _thinking_choice(conversation, settings)) or loaded is None:
        return {}
    if loaded.thinking in SWITCHES:
        # Templates call the switch by either name; the other one is passed over.
        return {"enable_thinking": wish != "off", "thinking": wish != "off"}
    if loaded.thinking == "effort":
        effort = "low" if wish == "off" else wish  # such a model always thinks; this is the least it can do
        return {"reasoning_effort": effort} if effort in EFFORTS else {}
    return {}


def will_think(conversation: Conversation | None, settings: Settings, loaded: ModelLoaded | None) -> bool:
    """Return whether an answer will begin with thinking, as far as the template tells."""
    if loaded is None or loaded.thinking == "none":
        return False
    if loaded.thinking in SWITCHES:
        wish = _thinking_choice(conversation, settings)
        # Without a choice a switch is on for some families and off for others.
        return wish != "off" if wish else loaded.thinking == "switch"
    return True


def _thinking_choice(conversation: Conversation | None, settings: Settings) -> str:
    """on, off, low, medium or high; "" leaves it to the model."""
    if conversation is not None and conversation.thinking:
        return conversation.thinking
    return "" if settings.chat.thinking == "auto" else settings.chat.thinking
