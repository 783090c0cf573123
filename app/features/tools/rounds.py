"""Rounds of an answer with tools: ask, carry out what the model calls, ask again, until it answers in words.

Prompts, grammars and readers are those of the server (`app.features.serving`); there the calls leave the program, here
they are carried out. Nothing that a tool gives back is ever read as a call or as a permission: results go into the
prompt, fenced, and only the model's own answers are read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from app.core.errors.request_errors import PromptTooLong
from app.core.events import (
    CANCELLED,
    AnswerStats,
    CancelToken,
    Finished,
    FinishReason,
    FunctionCall,
    LinkedToken,
    LookProgress,
    Message,
    PromptProgress,
    Role,
    TextDelta,
    TokenChosen,
    Waiting,
)
from app.core.lazy_dataclasses import dataclass, field, replace
from app.engine.contract import Engine
from app.engine.protocol import MOST_CALLS, Ask, CallSyntax
from app.features.serving.answered_calls import CallReading, add_stats, ask_again, reader_of
from app.features.serving.generation_request import GenerationRequest
from app.features.tool_calls import CallArguments, CallBegins, CallWay, parse_arguments, tools_told
from app.features.tools.permissions import ToolPermissions
from app.features.tools.result_text import MOST_CHARACTERS, fence_result, run_capped
from app.features.tools.round_events import RoundEvent, RoundsEnded, StepBegan, StepEnded, StepState, ToolsChosen
from app.features.tools.tool import CallMoved, Tool, ToolResult
from app.features.tools.tool_search import choose_tools
from app.features.untagged_calls import fits_schema
from app.language.courtesies import is_courtesy

MOST_ROUNDS = 8
"""Rounds of calls for one question, by default."""
MOST_FRUITLESS = 2
"""Rounds in turn without a call that was carried out: a small model would go on like that without end."""
SCHEMAS_SHARE = 0.75
"""Of the context, for the chat and the schemas together."""
MOST_MOVES = 5
"""Places that one call may lead to, each of which is asked about."""
ANSWER_SHARE = 0.125
"""Of the context, for an answer: older results are left out for it."""
LEAST_SCHEMAS_SHARE = 0.125
"""Of the context, for schemas, however long the chat is."""

REPEATED = "You called {name} with exactly these arguments before; its result is above. Use it, or call it differently."
NOT_ALLOWED = "The person did not allow this call. Answer without it."
REFUSED = "This call was wrong again, so it was not carried out. Answer without it."
MOVED = "That leads from one place to the next without end."
STOPPED = "The person pressed Stop."
UNKNOWN = "There is no tool called {name}. The tools are: {names}."
MISMATCHED = "The arguments of {name} don't match its schema, so it was not called."
UNREADABLE = "That was no whole call, so nothing was called."
SCHEMA = "Call it again like this:"
LEFT_OUT = "(This result was left out to make room.)"


class ToolRounds:
    """Answers with tools, in one chat. From any thread; owns none: tools run where the answer is iterated."""

    def __init__(
        self,
        engine: Engine,
        tools: Sequence[Tool],
        permissions: ToolPermissions,
        *,
        most_rounds: int = MOST_ROUNDS,
        shape_ask: Callable[[Ask], Ask] = lambda ask: ask,
    ) -> None:
        """`shape_ask` may change each request before it is made, such as its session."""
        self._engine, self._tools, self._permissions = engine, tuple(tools), permissions
        self._most_rounds, self._shape_ask = most_rounds, shape_ask

    def answer(self, wanted: GenerationRequest, cancel: CancelToken) -> Iterator[RoundEvent]:
        """Answer a conversation; `wanted` has no tools of its own. The last event is `Finished`, also when stopped.

        Raises the engine's errors; what tools fail at is told to the model.
        """
        if tools := self._tools:
            chosen = self._choose_tools(wanted, cancel)
            tools = tuple(self._tools[number] for number in chosen)
            if len(tools) < len(self._tools):
                left_out = (tool.name for number, tool in enumerate(self._tools) if number not in chosen)
                yield ToolsChosen(tuple(tool.name for tool in tools), tuple(left_out))
        run = _AnswerRun(self._engine, tools, self._permissions, wanted, cancel=cancel, shape_ask=self._shape_ask)
        while run.rounds < self._most_rounds and run.fruitless < MOST_FRUITLESS:
            yield from run.ask_round()
            if run.is_over:
                return
        yield RoundsEnded(run.rounds, run.fruitless == MOST_FRUITLESS)
        yield from run.ask_last()

    def _choose_tools(self, wanted: GenerationRequest, cancel: CancelToken) -> Sequence[int]:
        """Return the numbers of the tools to tell: all while they fit, else the best for the last question."""
        every = range(len(self._tools))
        functions = [tool.function for tool in self._tools]
        texts = [json.dumps(told, ensure_ascii=False) for told in tools_told(functions)]
        tokens = self._engine.count_texts(texts, cancel=cancel)
        if (model := self._engine.loaded) is None or len(tokens) < len(texts):
            return every
        chat = sum(self._engine.count_texts([message.text for message in wanted.messages], cancel=cancel))
        context = model.context_tokens
        room = int(max(LEAST_SCHEMAS_SHARE * context, SCHEMAS_SHARE * context - chat))
        if sum(tokens) <= room:
            return every
        return choose_tools(_last_question(wanted), functions, tokens, room)


@dataclass
class _RoundAnswer:
    """What the model wrote in one round, calls and words."""

    text: str = ""
    names: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    unread: str = ""
    is_refusal: bool = False
    stats: AnswerStats = CANCELLED


class _AnswerRun:
    """One answer: the conversation as it grows, and what was called so far."""

    def __init__(
        self,
        engine: Engine,
        tools: Sequence[Tool],
        permissions: ToolPermissions,
        wanted: GenerationRequest,
        *,
        cancel: CancelToken,
        shape_ask: Callable[[Ask], Ask],
    ) -> None:
        self._engine, self._permissions, self._cancel = engine, permissions, cancel
        self._tools = {tool.name: tool for tool in tools}
        self._functions = tuple(tool.function for tool in tools)
        self._wanted, self._shape_ask = wanted, shape_ask
        self._is_courtesy = is_courtesy(_last_question(wanted))
        self._messages = list(wanted.messages)
        self._syntax: CallSyntax | None = engine.call_syntax() if tools or wanted.has_calls else None
        model = engine.loaded
        # About a quarter of the context for one result.
        self._most_characters = min(MOST_CHARACTERS, model.context_tokens) if model is not None else MOST_CHARACTERS
        self._called: set[tuple[str, str]] = set()
        self._corrected: set[str] = set()
        self._steps, self._stats = 0, AnswerStats(0, 0, 0, 0.0, 0.0, FinishReason.STOP)
        self.rounds, self.fruitless = 0, 0
        self.is_over = False
        self._fruitless_from: int | None = None
        """Where the turns begin that led to nothing, since the last call that was carried out."""

    def ask_round(self) -> Iterator[RoundEvent]:
        """Ask once, and carry out what is called; sets `is_over` with the last event."""
        answer = _RoundAnswer()
        yield from self._ask(answer, self._functions)
        if self._is_courtesy and (answer.names or answer.unread):
            # Small models answer a greeting with the time.
            answer.names.clear()
            answer.unread, answer.is_refusal = "", not answer.text.strip()
        if answer.is_refusal:
            self._stats = add_stats(self._stats, answer.stats)
            yield from self.ask_last()
            return
        is_stopped = answer.stats.finish_reason is FinishReason.CANCELLED
        if is_stopped or not (answer.names or answer.unread):
            # After a result or a refusal small models may write nothing at all.
            if is_stopped or answer.text.strip() or not self.rounds:
                yield self._finish(answer.stats)
            else:
                self._stats = add_stats(self._stats, answer.stats)
                yield from self.ask_last()
            return
        self.rounds += 1
        begin = len(self._messages)
        self._stats = add_stats(self._stats, answer.stats)
        if answer.names:
            yield from self._carry_out_all(answer)
        else:
            yield from self._correct_text(answer)
        if not self.fruitless:
            self._fruitless_from = None
        elif self._fruitless_from is None:
            self._fruitless_from = begin
        if self._cancel.cancelled:
            yield self._finish(CANCELLED)

    def ask_last(self) -> Iterator[RoundEvent]:
        """Ask for an answer in words; calls in it are not carried out and not shown."""
        answer = _RoundAnswer()
        # Calls that led to nothing would be looked at as an example.
        if self._fruitless_from is not None:
            del self._messages[self._fruitless_from :]
        yield from self._ask(answer, ())
        yield self._finish(answer.stats)

    def _finish(self, stats: AnswerStats) -> Finished:
        self.is_over = True
        return Finished(add_stats(self._stats, stats))

    def _ask(self, answer: _RoundAnswer, functions: tuple[Any, ...]) -> Iterator[RoundEvent]:
        """Ask with these functions, and gather the answer; what is no call is yielded as it comes."""
        while True:
            request = replace(self._wanted, messages=tuple(self._messages), tools=functions, count=1)
            request = replace(request, tells_words_do=request.way is CallWay.LAZY)
            # Also without functions, so that calls are never shown as an answer's words.
            reading = CallReading(reader_of(replace(request, tools=self._functions), self._syntax))
            ask = self._shape_ask(replace(request.engine_asks(self._syntax)[0], is_outside=False))
            if self._lacks_room(ask) and self._shorten_results():
                continue
            try:
                yield from self._take_answer(ask, reading, answer)
            except PromptTooLong:
                if self._shorten_results():
                    continue
                raise
            break
        for call in reading.written_calls[:MOST_CALLS]:
            answer.names.append(call.name)
            answer.arguments.append(json.dumps({} if call.arguments is None else call.arguments, ensure_ascii=False))
        del answer.names[MOST_CALLS:], answer.arguments[MOST_CALLS:]
        answer.unread, answer.is_refusal = reading.unread, reading.is_refusal
        is_whole = answer.stats.finish_reason is FinishReason.STOP
        is_words = not (answer.names or answer.unread or self._is_courtesy)
        if functions and is_whole and is_words and reading.named:
            yield from self._ask_for_named(answer, ask, request, reading.named)

    def _ask_for_named(
        self, answer: _RoundAnswer, ask: Ask, request: GenerationRequest, names: Sequence[str]
    ) -> Iterator[RoundEvent]:
        """Ask for the call that the model has only spoken of: small models explain what should be called."""
        again, first = ask_again(ask, request, self._syntax, names), answer.stats
        yield from self._take_answer(again.ask, CallReading(again.reader), answer)
        answer.stats = add_stats(first, answer.stats)

    def _take_answer(self, ask: Ask, reading: CallReading, answer: _RoundAnswer) -> Iterator[RoundEvent]:
        """Gather an answer as it comes; a call that is longer than it may be is ended, and read as a wrong one."""
        ending = LinkedToken(self._cancel)
        for event in self._engine.answer(ask, ending):
            told = event
            if isinstance(event, Finished) and ending.cancelled and not self._cancel.cancelled:
                told = Finished(replace(event.stats, finish_reason=FinishReason.STOP))
            yield from self._take_event(told, reading, answer)
            if reading.is_overlong:
                ending.cancel()

    def _take_event(self, event: Any, reading: CallReading, answer: _RoundAnswer) -> Iterator[RoundEvent]:
        if isinstance(event, Waiting | LookProgress):
            yield event
            return
        for told in reading.take_event(event):
            match told:
                case CallBegins(name=name):
                    answer.names.append(name)
                    answer.arguments.append("")
                case CallArguments(number=number, piece=piece):
                    answer.arguments[number] += piece
                case TextDelta(text=text, thinking=thinking):
                    answer.text += "" if thinking else text
                    yield told
                case PromptProgress() | TokenChosen():
                    yield told
        if isinstance(event, Finished):
            answer.stats = event.stats

    def _lacks_room(self, ask: Ask) -> bool:
        """Return whether results have left too little of the context for an answer."""
        model = self._engine.loaded
        if not self.rounds or model is None:
            return False
        prompt = self._engine.count_tokens(ask.messages, ask.template_variables)
        return prompt > (1 - ANSWER_SHARE) * model.context_tokens

    def _shorten_results(self) -> bool:
        """Leave out the oldest result of this answer that is still there; False if there is none."""
        for place in range(len(self._wanted.messages), len(self._messages)):
            message = self._messages[place]
            if message.result_of is not None and message.text != LEFT_OUT:
                self._messages[place] = replace(message, text=LEFT_OUT)
                return True
        return False

    def _carry_out_all(self, answer: _RoundAnswer) -> Iterator[RoundEvent]:
        """Carry out the calls of a round in their order, until Stop."""
        written = zip(answer.names, answer.arguments, strict=True)
        calls = [FunctionCall(f"call_{self._steps + n}", *call) for n, call in enumerate(written, 1)]
        self._messages.append(Message(Role.ASSISTANT, answer.text, calls=tuple(calls)))
        self.fruitless += 1
        for call in calls:
            if self._cancel.cancelled:
                return
            begun_s = time.monotonic()
            self._steps += 1
            tool = self._tools.get(call.name)
            if (refusal := self._find_refusal(call, tool)) is not None or tool is None:
                yield StepBegan(self._steps, call, tool)
            state, result = refusal or (yield from self._run_tool(call, self._tools[call.name]))
            text = result.text
            # Only what a tool gave is from outside; the other sentences are the program's own.
            if state in (StepState.DONE, StepState.FAILED):
                self.fruitless = 0
                text = fence_result(call.name, text)
            self._messages.append(Message(Role.USER, text, result_of=call))
            yield StepEnded(self._steps, call, state, result, time.monotonic() - begun_s)

    def _find_refusal(self, call: FunctionCall, tool: Tool | None) -> tuple[StepState, ToolResult] | None:
        """Return why a call can't be carried out, told so that the model can do better; None if it can."""
        arguments = _read_arguments(call.arguments)
        if tool is None:
            near = get_close_matches(call.name, self._tools, 1, 0.5)
            said = UNKNOWN.format(name=call.name, names=", ".join(self._tools))  # to a model, in every language
            return self._correct(call.name, said, self._tools[near[0]] if near else None)
        if arguments is None or not fits_schema(arguments, tool.function):
            return self._correct(call.name, MISMATCHED.format(name=call.name), tool)
        key = call.name, json.dumps(arguments, sort_keys=True)
        if key in self._called:
            return StepState.REPEATED, ToolResult(REPEATED.format(name=call.name), is_error=True)
        self._called.add(key)
        return None

    def _correct(self, key: str, said: str, tool: Tool | None) -> tuple[StepState, ToolResult]:
        """Answer a wrong call: the first of a name with the tool's full schema, others with a refusal."""
        if key in self._corrected:
            return StepState.REFUSED, ToolResult(REFUSED, is_error=True)
        self._corrected.add(key)
        if tool is None:
            return StepState.WRONG, ToolResult(said, is_error=True)
        schema = json.dumps(tools_told([tool.function])[0]["function"], ensure_ascii=False)
        return StepState.WRONG, ToolResult(f"{said} {SCHEMA}\n{schema}", is_error=True)

    def _run_tool(self, call: FunctionCall, tool: Tool) -> Generator[StepBegan, None, tuple[StepState, ToolResult]]:
        """Carry out a call, wherever it leads to; told as begun before each place that has to be allowed."""

        def is_stopped() -> bool:
            return self._cancel.cancelled

        for _ in range(MOST_MOVES):
            arguments = _read_arguments(call.arguments) or {}
            granted = tool.granted_as(arguments)
            yield StepBegan(self._steps, call, granted, self._permissions.must_ask(granted))
            if not self._permissions.allow_call(granted, call, is_stopped):
                state = StepState.STOPPED if is_stopped() else StepState.NOT_ALLOWED
                return state, ToolResult(STOPPED if is_stopped() else NOT_ALLOWED, is_error=True)
            try:
                result = run_capped(tool, arguments, is_stopped, self._most_characters)
            except CallMoved as moved:
                call = replace(call, arguments=json.dumps(moved.arguments, ensure_ascii=False))
                continue
            if is_stopped():
                return StepState.STOPPED, result
            return (StepState.FAILED if result.is_error else StepState.DONE), result
        return StepState.FAILED, ToolResult(MOVED, is_error=True)

    def _correct_text(self, answer: _RoundAnswer) -> Iterator[RoundEvent]:
        """Answer what was meant as a call and is none, as a turn of the person's: there is no call to give it to."""
        self._steps += 1
        self.fruitless += 1
        call = FunctionCall(f"call_{self._steps}", "", answer.unread)
        yield StepBegan(self._steps, call)
        named = next((tool for name, tool in self._tools.items() if name in answer.unread), None)
        state, result = self._correct("", UNREADABLE, named)
        self._messages.append(Message(Role.ASSISTANT, answer.text + answer.unread))
        self._messages.append(Message(Role.USER, result.text))
        yield StepEnded(self._steps, call, state, result)


def _last_question(wanted: GenerationRequest) -> str:
    return next((turn.text for turn in reversed(wanted.messages) if turn.role is Role.USER), "")


def _read_arguments(text: str) -> Mapping[str, Any] | None:
    found = parse_arguments(text)
    return found if isinstance(found, dict) else None
