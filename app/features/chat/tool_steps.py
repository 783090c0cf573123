"""A step of an answer with tools, as it is stored among what the answer rests on; light enough for a start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from app.core.errors.tool_errors import ToolServerFailed
from app.core.lazy_dataclasses import asdict, dataclass, field

RUNNING, ASKING = "running", "asking"
"""States of a step whose result has not come yet; with the second the person is asked about it."""
FAILED = "failed"
LEFT_OUT = "left_out"
"""State of a step without a tool and a server: its `result` names the tools that the model was not told of."""
STEP = "step"
"""Key of a step among an answer's sources."""


@dataclass(frozen=True)
class ToolStep:
    """A call of a tool: `arguments` as JSON text, its result, and what came of it, a value of `StepState`.

    `server` is whose tool it was, "" for the program's own; without a `tool` it is about the server itself. With a
    `problem`, which is a reason of `ToolServerFailed`, `result` is its detail: it is put in words where it is shown.
    """

    tool: str
    arguments: str
    result: str
    state: str
    server: str = ""
    problem: str = ""

    @property
    def failure(self) -> ToolServerFailed | None:
        """Why the server did not answer; None if it did, or if an older version kept only a sentence."""
        return ToolServerFailed(self.server, self.problem, self.result) if self.problem else None


def failed_step(error: ToolServerFailed, tool: str = "", arguments: str = "") -> ToolStep:
    """Return the step of a server that failed, to begin with or at a call."""
    return ToolStep(tool, arguments, error.detail, FAILED, error.server, error.reason)


@dataclass(frozen=True)
class StepsChanged:
    """Event: an answer's steps as they are now, a running one last."""

    steps: tuple[ToolStep, ...]


@dataclass
class AnswerSteps:
    """What an answer in a chat called so far, and the documents that the results come from."""

    conversation_id: int
    question_id: int | None = None
    steps: list[ToolStep] = field(default_factory=list)
    document_ids: list[int] = field(default_factory=list)

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The steps in the form that is stored with the answer."""
        return [step_to_fields(step) for step in self.steps]


def step_to_fields(step: ToolStep) -> dict[str, Any]:
    optional = ("server", "problem")
    return {STEP: {name: value for name, value in asdict(step).items() if value or name not in optional}}


def steps_of(sources: Sequence[dict[str, Any]]) -> tuple[ToolStep, ...]:
    """Return the steps that are stored with an answer; what no version has written is left out."""
    return tuple(_read_steps(sources))


def _read_steps(sources: Sequence[dict[str, Any]]) -> Iterator[ToolStep]:
    for fields in sources:
        stored = fields.get(STEP) if isinstance(fields, dict) else None
        if isinstance(stored, dict):
            values = [stored.get(name) for name in ("tool", "arguments", "result", "state")]
            values += [stored.get(name, "") for name in ("server", "problem")]
            texts = [value for value in values if isinstance(value, str)]
            if len(texts) == len(values):
                yield ToolStep(*texts)
