"""A tool that a model may call in a chat, and the result it gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.features.retrieval.source_places import SourcePlace
from app.features.tool_calls import ToolFunction

IsStopped = Callable[[], bool]
"""Whether the person pressed Stop; asked at least five times a second."""


@dataclass(frozen=True)
class ToolResult:
    """What a tool found, or with `is_error` a sentence that the model can act on.

    `places` are what stretches of the text rest on; their `answer_start` and `answer_end` are places in the text.
    """

    text: str
    is_error: bool = False
    places: tuple[SourcePlace, ...] = ()


@dataclass(frozen=True)
class Tool:
    """A function that can be carried out. `changes`: it writes, sends or runs something.

    `run` takes arguments that match the function's schema, raises nothing that the model caused, and ends soon once
    `IsStopped`. `server` is whose tool it is, "" for the program's own.
    """

    function: ToolFunction
    run: Callable[[Mapping[str, Any], IsStopped], ToolResult]
    changes: bool = False
    server: str = ""

    @property
    def name(self) -> str:
        return self.function.name
