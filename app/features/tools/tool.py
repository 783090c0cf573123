"""A tool that a model may call in a chat, and the result it gets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from app.core.errors.tool_errors import ToolServerFailed
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, field
from app.features.chat.tool_questions import ToolReach
from app.features.retrieval.source_places import SourcePlace
from app.features.tool_calls import ToolFunction

IsStopped = Callable[[], bool]
"""Whether the person pressed Stop; asked at least five times a second."""


class ToolRefused(Exception):
    """A tool can't do what was asked; its text is a sentence that the model can act on."""


class CallMoved(Exception):
    """What a call asks for is elsewhere: it is to be asked about again, and made, with these arguments."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        super().__init__()
        self.arguments = arguments


class StopToken(CancelToken):
    """A token that asks whether the person pressed Stop."""

    def __init__(self, is_stopped: IsStopped) -> None:
        super().__init__()
        self._is_stopped = is_stopped

    @property
    def cancelled(self) -> bool:
        return self._is_stopped()


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
    `has_pages`: they are parts of one document in their order, so that `read_pages` can go on where the text is cut.
    `failure`: why its server did not answer, which `text` tells the model.
    """

    text: str
    is_error: bool = False
    places: tuple[SourcePlace | MessagePlace, ...] = ()
    has_pages: bool = False
    failure: ToolServerFailed | None = None


@dataclass(frozen=True)
class Tool:
    """A function that can be carried out. `changes`: it writes, sends or runs something.

    `run` takes arguments that match the function's schema, and ends soon once `IsStopped`. It raises ToolRefused, and
    an AppError where the computer is at fault; both are told to the model. `server` is whose tool it is, "" for the
    program's own; `served_name` is what its server calls it where the model knows it by another name, and `reach` what
    the server may use.
    """

    function: ToolFunction
    run: Callable[[Mapping[str, Any], IsStopped], ToolResult]
    changes: bool = False
    server: str = ""
    served_name: str = ""
    reach: ToolReach = field(default_factory=ToolReach)
    ask_as: Callable[[Mapping[str, Any]], Tool | None] | None = None
    """Says what the person is asked about instead of the tool, by the arguments; None if it is the tool itself."""

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def own_name(self) -> str:
        """Its name on its server, which stays the same whatever other servers offer."""
        return self.served_name or self.name

    def granted_as(self, arguments: Mapping[str, Any]) -> Tool:
        """Return what has to be granted before a call with these arguments is carried out."""
        return (self.ask_as(arguments) if self.ask_as is not None else None) or self

    @property
    def fingerprint(self) -> str:
        """What a server says of its tool, as a short hash: another one is another tool. "" for the program's own."""
        if not self.served_name:
            return ""
        described = (self.function.description, self.function.parameters, self.changes)
        return hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()[:16]
