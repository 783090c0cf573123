"""A tool that a model may call in a chat, and the result it gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.features.retrieval.source_places import SourcePlace
from app.features.tool_calls import ToolFunction

IsStopped = Callable[[], bool]
"""Whether the person pressed Stop; asked at least five times a second."""


class ToolRefused(Exception):
    """A tool can't do what was asked; its text is a sentence that the model can act on."""


@dataclass(frozen=True)
class MessagePlace:
    """A message of another chat that the text from `answer_start` to `answer_end` is from."""

    answer_start: int
    answer_end: int
    conversation_id: int
    message_id: int


@dataclass(frozen=True)
class ToolResult:
    """What a tool found, or with `is_error` a sentence that the model can act on.

    `places` are what stretches of the text rest on; their `answer_start` and `answer_end` are places in the text.
    """

    text: str
    is_error: bool = False
    places: tuple[SourcePlace | MessagePlace, ...] = ()


@dataclass(frozen=True)
class Tool:
    """A function that can be carried out. `changes`: it writes, sends or runs something.

    `run` takes arguments that match the function's schema, and ends soon once `IsStopped`. It raises ToolRefused, and
    an AppError where the computer is at fault; both are told to the model. `server` is whose tool it is, "" for the
    program's own; `served_name` is what its server calls it where the model knows it by another name.
    """

    function: ToolFunction
    run: Callable[[Mapping[str, Any], IsStopped], ToolResult]
    changes: bool = False
    server: str = ""
    served_name: str = ""

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def own_name(self) -> str:
        """Its name on its server, which stays the same whatever other servers offer."""
        return self.served_name or self.name
