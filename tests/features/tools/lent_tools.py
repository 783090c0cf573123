"""Tools for tests that write down what they were called with, and what a run of rounds told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.events import CancelToken, Finished, FunctionCall, TextDelta
from app.engine.client import EngineClient
from app.features.serving.generation_request import GenerationRequest
from app.features.tool_calls import CallWay, ToolFunction
from app.features.tools.permissions import OWN_SERVER, PermissionAnswer, ToolGrants, ToolPermissions
from app.features.tools.round_events import RoundEvent, StepEnded
from app.features.tools.rounds import ToolRounds
from app.features.tools.tool import IsStopped, Tool, ToolResult
from tests.helpers.engine import user

OWN_WAY = {
    "opening": '<tool_call>\n{"name": "',
    "between": '", "arguments": ',
    "closing": "}\n</tool_call>",
    "joiner": '}\n</tool_call>\n<tool_call>\n{"name": "',
    "begins": "<tool_call>",
}
"""How a model of Qwen's kind calls by its template."""
NUMBER = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
OWN_TOOLS = ToolGrants(servers=frozenset({OWN_SERVER}))


@dataclass
class LentTool:
    """A tool that gives `text`, and the arguments of its calls."""

    name: str
    text: str = "42"
    changes: bool = False
    server: str = OWN_SERVER
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=lambda: NUMBER)
    when_run: Callable[[IsStopped], object] = lambda is_stopped: None
    calls: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def tool(self) -> Tool:
        return Tool(ToolFunction(self.name, self.description, self.parameters), self._run, self.changes, self.server)

    def _run(self, arguments: Mapping[str, Any], is_stopped: IsStopped) -> ToolResult:
        self.calls.append(arguments)
        self.when_run(is_stopped)
        return ToolResult(self.text)


@dataclass
class AskedPerson:
    """Answers permission cards, one after the other; without an answer left the card is closed."""

    answers: list[PermissionAnswer | None] = field(default_factory=list)
    asked: list[FunctionCall] = field(default_factory=list)

    def __call__(self, tool: Tool, call: FunctionCall, is_stopped: IsStopped) -> PermissionAnswer | None:
        self.asked.append(call)
        return self.answers.pop(0) if self.answers else None


def written_call(name: str, *, by_template: bool = False, **arguments: Any) -> str:
    """A call as a model writes it, with or without its template's tags."""
    call = json.dumps({"name": name, "arguments": arguments})
    return f"<tool_call>\n{call}\n</tool_call>" if by_template else call


def run_rounds(
    engine: EngineClient,
    lent: Iterable[LentTool],
    permissions: ToolPermissions | None = None,
    *,
    cancel: CancelToken | None = None,
    question: str = "What is it?",
    way: CallWay = CallWay.LAZY,
    on_event: Callable[[RoundEvent], object] = lambda event: None,
    **options: Any,
) -> list[RoundEvent]:
    """Everything that is told of an answer to one question."""
    permissions = permissions or ToolPermissions(OWN_TOOLS, AskedPerson())
    rounds = ToolRounds(engine, [one.tool for one in lent], permissions, **options)
    events: list[RoundEvent] = []
    for event in rounds.answer(GenerationRequest((user(question),), way=way), cancel or CancelToken()):
        events.append(event)
        on_event(event)
    assert isinstance(events[-1], Finished)
    return events


def text_of(events: Iterable[RoundEvent]) -> str:
    """The words of an answer."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def steps_of(events: Iterable[RoundEvent]) -> list[StepEnded]:
    """What its calls came to."""
    return [event for event in events if isinstance(event, StepEnded)]
