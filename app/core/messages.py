"""Who says what: frozen values shared by store, features and engine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True)
class Message:
    """One turn, as it is shown to a model."""

    role: Role
    text: str


def clean_text(text: str) -> str:
    """Text that every later stage can hold: NUL removed, lone surrogates replaced by U+FFFD."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
