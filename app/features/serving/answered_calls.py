"""Tool calls in answers: told apart from text, and asked for once more where they can't be carried out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.core.events import AnswerStats, Finished, FinishReason, FunctionCall, Message, TextDelta, TokenChosen
from app.core.lazy_dataclasses import dataclass, replace
from app.engine.protocol import Ask, CallSyntax
from app.features import tool_calls
from app.features.serving.generation_request import AnswerEvent, GenerationRequest
from app.features.untagged_calls import CallDetector, UntaggedCallReader, WordsReader, WrittenCall

Readers = tool_calls.SyntaxReader | UntaggedCallReader


class CallReading:
    """Separate tool calls from text in one answer. A token is held back as long as its text is."""

    def __init__(self, reader: Readers | None) -> None:
        self._reader, self._tokens = reader, list[TokenChosen]()

    @property
    def rejected(self) -> tuple[str, ...]:
        """Rejected calls, as in `UntaggedCallReader`."""
        return (self._reader.rejected or ()) if isinstance(self._reader, UntaggedCallReader) else ()

    @property
    def written_calls(self) -> tuple[WrittenCall, ...]:
        """Calls of a rejected answer, as the model wrote them."""
        return self._reader.written_calls if isinstance(self._reader, UntaggedCallReader) and self.is_rejected else ()

    @property
    def unread(self) -> str:
        """What was meant as a call and could not be read as one; known when the answer has ended."""
        return "" if self._reader is None else self._reader.unread

    @property
    def named(self) -> tuple[str, ...]:
        """Functions that an answer names in words instead of calling one, as in `UntaggedCallReader`."""
        return self._reader.named if isinstance(self._reader, UntaggedCallReader) and not self.is_rejected else ()

    @property
    def is_overlong(self) -> bool:
        """True once a call has become longer than it may be, as in `UntaggedCallReader`."""
        return isinstance(self._reader, UntaggedCallReader) and self._reader.is_overlong

    @property
    def is_refusal(self) -> bool:
        """True if the answer was that no tool fits: it is discarded, and words are wanted instead."""
        return isinstance(self._reader, UntaggedCallReader) and self._reader.is_refusal

    @property
    def is_rejected(self) -> bool:
        """True if the answer was a call that can't be carried out; it is discarded."""
        return isinstance(self._reader, UntaggedCallReader) and self._reader.rejected is not None

    def take_event(self, event: AnswerEvent) -> Iterator[AnswerEvent]:
        """Yield what is safe to send now, but not the end of the answer."""
        reader = self._reader
        match event:
            case TextDelta(text=text, thinking=False) if reader is not None:
                yield from self._with_tokens(reader.read(text))
            # Tokens of held text are told with it, or with none if it becomes a call.
            case TokenChosen() if isinstance(reader, UntaggedCallReader) and reader.is_holding:
                self._tokens.append(event)
            case Finished() if reader is not None:
                told = list(reader.close())
                if self.is_rejected and event.stats.finish_reason is not FinishReason.STOP:
                    assert isinstance(reader, UntaggedCallReader)
                    told = list(reader.release())  # it was cut: nobody knows what it would have become
                if not self.is_rejected:
                    yield from self._with_tokens(iter(told))
            case Finished():
                pass
            case _:
                yield event

    def _with_tokens(self, told: Iterator[tool_calls.Told]) -> Iterator[AnswerEvent]:
        for event in told:
            yield from self._tokens
            self._tokens.clear()
            yield TextDelta(event.piece) if isinstance(event, tool_calls.CallWords) else event


def reader_of(wanted: GenerationRequest, syntax: CallSyntax | None) -> Readers | None:
    if not wanted.tools:
        return None
    if wanted.must_call:
        return _strict_reader(wanted.tools, syntax)
    inner: CallDetector = WordsReader()
    begins = ""
    if syntax is not None:
        inner, begins = tool_calls.SyntaxReader(syntax, wanted.tools, must_call=False), syntax.begins
    return UntaggedCallReader(
        wanted.tools,
        inner,
        begins=begins,
        several=wanted.several_calls,
        takes_json=bool(wanted.json_schema),
        answered=list(_just_answered(wanted.messages)),
        drops_unknown=wanted.is_constrained,
        escape=tool_calls.NO_TOOL_FITS if wanted.may_refuse else "",
    )


def _just_answered(messages: Sequence[Message]) -> Iterator[FunctionCall]:
    """Yield the calls whose results end the conversation."""
    for message in reversed(messages):
        if message.result_of is None:
            return
        yield message.result_of


def _strict_reader(tools: Sequence[tool_calls.ToolFunction], syntax: CallSyntax | None) -> tool_calls.SyntaxReader:
    return tool_calls.SyntaxReader(syntax or tool_calls.JSON_LINES, tools, must_call=True)


@dataclass(frozen=True)
class AskedAgain:
    """A repeated request after a rejected answer, with its reader."""

    ask: Ask
    reader: Readers | None


def add_stats(first: AnswerStats, second: AnswerStats) -> AnswerStats:
    """Add the stats of an answer requested twice: both prompts and both answers count."""
    return replace(
        second,
        prompt_tokens=first.prompt_tokens + second.prompt_tokens,
        reused_tokens=first.reused_tokens + second.reused_tokens,
        generated_tokens=first.generated_tokens + second.generated_tokens,
    )


def ask_again(ask: Ask, wanted: GenerationRequest, syntax: CallSyntax | None, names: Sequence[str]) -> AskedAgain:
    """Build the second request: functions called with wrong arguments must be called.

    Without any, text is the answer.
    """
    if not names:  # without functions before its eyes: words about a function that it made up help nobody
        # Without functions: words about one that the model made up help nobody.
        plain = replace(wanted, tools=(), count=1).engine_asks(syntax)[0]
        return AskedAgain(replace(plain, sampling=ask.sampling), None)
    tools = tuple(tool for tool in wanted.tools if tool.name in names)
    held = replace(wanted, tools=tools, must_call=True).engine_asks(syntax)[0]
    again = replace(ask, grammar=held.grammar, json_schema=held.json_schema, calling=held.calling)
    return AskedAgain(again, _strict_reader(tools, syntax))
