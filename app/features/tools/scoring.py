"""How well a model calls tools: requests with known calls, answered in three ways of constraining it.

Grammars make calls valid, not right, and cost small models what they know (arXiv 2605.26128), so the way that suits a
model is measured before it is trusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.core.errors.app_error import AppError
from app.core.events import CancelToken, Finished, FinishReason, Message, PromptProgress, Role, TextDelta, TokenChosen
from app.core.lazy_dataclasses import dataclass, field
from app.engine.contract import Engine
from app.engine.protocol import Ask, Sampling
from app.features.serving.answered_calls import CallReading, ask_again, reader_of
from app.features.serving.generation_request import GenerationRequest
from app.features.tool_calls import CallArguments, CallBegins, CallWay, ToolFunction, parse_arguments
from app.features.tools.score_requests import ScoreRequest
from app.features.untagged_calls import CallScan, fits_schema, parse_calls
from app.language.courtesies import is_courtesy

MOST_TOKENS = 160
"""Of an answer: more than the longest call with some words before it. Answers in words may be cut."""


@dataclass(frozen=True)
class ScoredAnswer:
    """A model's answer to one request: the tool it called first, "" for none, and what that was worth.

    `is_valid`: it can be carried out as it is, or is words.
    """

    request: ScoreRequest
    tool: str
    arguments: Mapping[str, Any]
    is_valid: bool
    text: str = ""

    @property
    def has_right_tool(self) -> bool:
        """True also where none is right and none was called."""
        return self.is_valid and self.tool == self.request.tool

    @property
    def is_right(self) -> bool:
        return self.has_right_tool and (not self.tool or self.request.accepts(self.arguments))

    @property
    def is_valid_but_wrong(self) -> bool:
        """True for a call that can be carried out and is not the one that was wanted."""
        return self.is_valid and bool(self.tool) and not self.is_right

    @property
    def is_without_need(self) -> bool:
        return bool(self.tool) and not self.request.tool


@dataclass
class WayScore:
    """The answers of one way over all requests, and their counts."""

    way: CallWay
    answers: list[ScoredAnswer] = field(default_factory=list)

    def to_fields(self) -> dict[str, Any]:
        """Return the counts as `tools score --json` has them."""
        return {
            "way": self.way.value,
            "valid": sum(answer.is_valid for answer in self.answers),
            "right_tool": sum(answer.has_right_tool for answer in self.answers),
            "right_arguments": sum(answer.is_right for answer in self.answers),
            "valid_but_wrong": sum(answer.is_valid_but_wrong for answer in self.answers),
            "called_without_need": sum(answer.is_without_need for answer in self.answers),
        }


@dataclass(frozen=True)
class WaysCompared:
    """The scores of several ways over the same requests."""

    requests: int
    ways: tuple[WayScore, ...]

    @property
    def best(self) -> CallWay:
        """The way with most right arguments, then fewest calls without need, then most valid ones, then the first."""

        def worth(score: WayScore) -> tuple[int, int, int]:
            counts = score.to_fields()
            return counts["right_arguments"], -counts["called_without_need"], counts["valid"]

        return max(self.ways, key=worth).way

    def to_fields(self) -> dict[str, Any]:
        """Return the whole object that `tools score --json` prints."""
        ways = [score.to_fields() for score in self.ways]
        return {"requests": self.requests, "ways": ways, "best": self.best.value}


@dataclass(frozen=True)
class RequestScored:
    """One more answer of a way: `done` of all answers of all ways."""

    answer: ScoredAnswer
    way: CallWay
    done: int
    total: int


def compare_ways(
    engine: Engine,
    requests: Sequence[ScoreRequest],
    tools: Sequence[ToolFunction],
    cancel: CancelToken,
    ways: Sequence[CallWay] = tuple(CallWay),
) -> Iterator[RequestScored | WaysCompared]:
    """Yield every scored answer, and at last, unless cancelled, the comparison. Raises the engine's errors."""
    asking, scores = _CallAsking(engine, tools, cancel), [WayScore(way) for way in ways]
    done, total = 0, len(requests) * len(ways)
    for score in scores:
        for answer in asking.score_answers(requests, score.way):
            score.answers.append(answer)
            done += 1
            yield RequestScored(answer, score.way, done, total)
        if cancel.cancelled:
            return
    yield WaysCompared(len(requests), tuple(scores))


class _CallAsking:
    """Asks one model for calls of the same tools."""

    def __init__(self, engine: Engine, tools: Sequence[ToolFunction], cancel: CancelToken) -> None:
        self._engine, self._tools, self._cancel = engine, tools, cancel
        self._syntax = engine.call_syntax()

    def score_answers(self, requests: Sequence[ScoreRequest], way: CallWay) -> Iterator[ScoredAnswer]:
        """Yield the answers in the order in which they are complete."""
        wanted = [_request_of(request, self._tools, way) for request in requests]
        # Together, since what all prompts begin with is then read once.
        asks = [generation.engine_asks(self._syntax)[0] for generation in wanted]
        collected = [CollectedAnswer(CallReading(reader_of(generation, self._syntax))) for generation in wanted]
        for number in self._collect_answers(asks, collected):
            answer = collected[number]
            reading = answer.reading
            # As in a chat no greeting is answered with a call; free is the model as it is.
            if way is not CallWay.FREE and is_courtesy(requests[number].text):
                answer = CollectedAnswer(CallReading(None))
            # A call that can't be carried out, or is only spoken of, is asked for once more.
            elif way is CallWay.LAZY and (reading.is_rejected or (reading.named and not answer.calls)):
                answer = self._ask_again(asks[number], wanted[number], reading.rejected or reading.named)
            yield answer.score(requests[number], self._tools)

    def _collect_answers(self, asks: Sequence[Ask], collected: Sequence[CollectedAnswer]) -> Iterator[int]:
        """Yield the number of each answer that is complete."""
        for number, event in self._engine.generate_many(asks, cancel=self._cancel, background=True):
            if isinstance(event, AppError):
                raise event
            if isinstance(event, PromptProgress | TextDelta | TokenChosen | Finished):
                collected[number].take_event(event)
            if isinstance(event, Finished) and event.stats.finish_reason is not FinishReason.CANCELLED:
                yield number

    def _ask_again(self, ask: Ask, wanted: GenerationRequest, names: Sequence[str]) -> CollectedAnswer:
        """Ask again, held to the tools that were called wrongly; without any it becomes words, which nobody reads."""
        if not names:
            return CollectedAnswer(CallReading(None))
        again = ask_again(ask, wanted, self._syntax, names)
        answer = CollectedAnswer(CallReading(again.reader))
        for _ in self._collect_answers([again.ask], [answer]):
            pass
        return answer


def _request_of(request: ScoreRequest, tools: Sequence[ToolFunction], way: CallWay) -> GenerationRequest:
    return GenerationRequest(
        messages=(Message(Role.USER, request.text),),
        tools=tuple(tools),
        way=way,
        # As the chat asks; free is the model as it is.
        tells_words_do=way is CallWay.LAZY,
        several_calls=False,
        max_tokens=MOST_TOKENS,
        sampling=Sampling(temperature=0.0),
        # Thoughts would take minutes of each model that has them.
        thinks=False,
        thinking_budget=0,
    )


@dataclass
class CollectedAnswer:
    """What has come of one answer: its text as written, and the calls in it."""

    reading: CallReading
    text: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)

    def take_event(self, event: PromptProgress | TextDelta | TokenChosen | Finished) -> None:
        if isinstance(event, TextDelta) and not event.thinking:
            self.text += event.text
        for told in self.reading.take_event(event):
            if isinstance(told, CallBegins):
                self.calls.append((told.name, ""))
            elif isinstance(told, CallArguments):
                name, arguments = self.calls[told.number]
                self.calls[told.number] = (name, arguments + told.piece)

    def score(self, request: ScoreRequest, tools: Sequence[ToolFunction]) -> ScoredAnswer:
        """Judge it. Several calls are valid if all are; the first one is what was called."""
        read = [(name, parse_arguments(arguments)) for name, arguments in self.calls]
        offered = {tool.name: tool for tool in tools}
        is_valid = all(name in offered and fits_schema(arguments, offered[name]) for name, arguments in read)
        # A call was begun that nobody can carry out.
        if not self.reading.is_refusal and (self.reading.is_rejected or (not read and self.reading.unread)):
            is_valid = False
        # A call without end, cut at the most tokens that an answer may have.
        if not read and self.text.strip() and parse_calls(self.text)[0] is CallScan.OPEN:
            is_valid = False
        name, arguments = read[0] if read else ("", {})
        return ScoredAnswer(request, name, arguments if isinstance(arguments, dict) else {}, is_valid, self.text)
