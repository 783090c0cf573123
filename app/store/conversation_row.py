"""A stored conversation, as its row is read."""

from __future__ import annotations

from typing import Any

from app.core.lazy_dataclasses import dataclass, field

MEMORY_OFFERED = "memory_offered"
"""Key in the stored JSON of a chat's `sampling`: 1 once a memory was suggested after it."""


@dataclass(frozen=True)
class Conversation:
    """A chat. Times are seconds since 1970; `leaf_id` is the last message of the chosen branch.

    `sampling` holds the fields of `protocol.Sampling` this chat sets itself; `thinking` is "" (as in settings), on,
    off, low, medium or high. `first_kept_id` is the first message still sent to the model besides pinned ones; None, or
    a message off the chosen branch, means all. `titled_by` is "" (first words of the chat), model or person. `memory`
    is "" (as in settings), on or off.
    """

    id: int
    title: str
    system_prompt: str
    temperature: float | None
    model: str
    draft: str
    created_at: float
    updated_at: float
    leaf_id: int | None
    pinned: bool
    sampling: dict[str, Any] = field(default_factory=dict)
    thinking: str = ""
    first_kept_id: int | None = None
    project_id: int | None = None
    assistant_id: int | None = None
    titled_by: str = ""
    memory: str = ""
    was_offered_memory: bool = False
    """True once a memory was suggested after it; no export has this."""
