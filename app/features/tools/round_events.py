"""What is told of an answer with tools: a line for each step, which opens to show arguments and result."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from app.core.events import Finished, FunctionCall, LookProgress, PromptProgress, TextDelta, TokenChosen, Waiting
from app.core.lazy_dataclasses import dataclass, field
from app.features.tool_calls import parse_arguments
from app.features.tools.tool import Tool, ToolResult


class StepState(StrEnum):
    """What a call of the model came to; the values are stored."""

    DONE = "done"
    FAILED = "failed"
    """The tool said why it could do nothing."""
    WRONG = "wrong"
    """There is no such tool, or the arguments don't match its schema; the schema was told."""
    REFUSED = "refused"
    """Wrong once more after the schema was told."""
    REPEATED = "repeated"
    """The very same call as an earlier one."""
    NOT_ALLOWED = "not_allowed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class ToolsChosen:
    """Not all schemas fit: these tools were chosen for the question by search, and `left_out` were not told."""

    shown: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class StepBegan:
    """A call of the model, before anything is done; steps are counted from 1. `tool` is None if there is none.

    `asks`: the person is asked about `tool` now. Told again where the call leads to another place, with that in `call`.
    """

    number: int
    call: FunctionCall
    tool: Tool | None = None
    asks: bool = False


@dataclass(frozen=True)
class StepEnded:
    """What a call came to. `seconds` is how long it took, a person's answer included."""

    number: int
    call: FunctionCall
    state: StepState
    result: ToolResult
    seconds: float = field(default=0.0, compare=False)

    def to_fields(self) -> dict[str, Any]:
        """Return the JSON form of the step, as the terminal prints it."""
        return {
            "tool": self.call.name,
            "arguments": parse_arguments(self.call.arguments),
            "result": self.result.text,
            "is_error": self.result.is_error,
        }


@dataclass(frozen=True)
class RoundsEnded:
    """No tool is called any more: the model answers with what it has. `fruitless`: its last calls led to nothing."""

    rounds: int
    fruitless: bool


StepEvent = ToolsChosen | StepBegan | StepEnded | RoundsEnded
RoundEvent = StepEvent | Waiting | PromptProgress | LookProgress | TextDelta | TokenChosen | Finished
