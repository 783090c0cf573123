"""Answers while they come: what was written so far, in the terms that all contracts share."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from app.core.errors.request_errors import GrammarInvalid, TokenUnknown
from app.core.events import AnswerStats, Finished, FinishReason, PromptProgress, TextDelta, TokenChosen, TokenSeen
from app.core.lazy_dataclasses import dataclass, field
from app.features.serving.generation_request import AnswerEvent, GenerationRequest, PromptSeen
from app.features.tool_calls import CallArguments, CallBegins


@dataclass
class ApiCall:
    """A function call; `arguments` is JSON text."""

    name: str
    arguments: str = ""
    # OpenAI's prefix: agents of its contract hand the id back with the result, and it has to be unlike any other.
    id: str = field(default_factory=lambda: f"call_{uuid.uuid4().hex[:24]}")

    @property
    def is_whole(self) -> bool:
        try:
            json.loads(self.arguments)
        except ValueError:
            return False
        return True

    @property
    def values(self) -> Any:
        """The parsed arguments; an empty object if the answer broke off in them."""
        try:
            return json.loads(self.arguments)
        except ValueError:
            return {}


@dataclass
class ApiAnswer:
    """An answer of a request as it grows; `stats` is set when it has ended."""

    text: str = ""
    thinking: str = ""
    calls: list[ApiCall] = field(default_factory=list)
    tokens: list[TokenSeen] = field(default_factory=list)
    """Chosen, and not handed out yet."""
    prompt: tuple[TokenSeen, ...] = ()
    """Tokens of the prompt being continued, if requested."""
    prompt_tokens: int = 0
    """Set as soon as the engine reports it."""
    _handed_bytes: int = field(default=0, init=False)
    stats: AnswerStats | None = None

    def add_event(self, event: AnswerEvent) -> None:
        """Add text, thinking, a token or a call; `Finished` is the last event."""
        match event:
            case TextDelta(thinking=True):
                self.thinking += event.text
            case TextDelta():
                self.text += event.text
            case TokenChosen():
                self.tokens.append(event.token)
            case CallBegins():
                self.calls.append(ApiCall(event.name))
            case CallArguments():
                self.calls[event.number].arguments += event.piece
            case Finished():
                # Replaces what progress reported: the engine counts finally, with a second prompt for a call asked for
                # again.
                self.stats, self.prompt_tokens = event.stats, event.stats.prompt_tokens
            case PromptProgress():
                self.prompt_tokens = event.total_tokens
            case PromptSeen():
                self.prompt = event.tokens

    def hand_out_tokens(self) -> list[TokenSeen]:
        """Return tokens whose text was sent and that were not handed out yet. Tokens of a stop string aren't part of an
        answer.
        """
        count = len(self.tokens)
        # A stop string's text is withheld, but its tokens were chosen before anybody could know.
        ends_with_stop = self.stats is not None and bool(self.stats.stop)
        # While text is held back as a possible stop string, tokens run ahead of it: only as many leave as their bytes
        # were sent. Thinking and calls have bytes that are not in `text`, so these are not matched.
        if not self.thinking and not self.calls and (self.stats is None or ends_with_stop):
            written = len(self.text.encode())
            count, at = 0, self._handed_bytes
            while count < len(self.tokens) and at < written:
                at, count = at + len(self.tokens[count].data), count + 1
        handed, self.tokens = self.tokens[:count], self.tokens[count:]
        self._handed_bytes += sum(len(token.data) for token in handed)
        return handed

    @property
    def is_cut(self) -> bool:
        """True if it ended before its end: for want of room, or because it repeated itself."""
        # A loop counts as a limit: clients read "length" as "there was more to come".
        cut = (FinishReason.LENGTH, FinishReason.CONTEXT, FinishReason.REPEATED)
        return self.stats is not None and self.stats.finish_reason in cut


class ApiContract(Protocol):
    """Contract of one kind of request. `wanted` holds its prompts; event numbers are those of their answers."""

    @property
    def model(self) -> str:
        """Name of the requested model; "" for the chosen one."""

    @property
    def wanted(self) -> Sequence[GenerationRequest]:
        """The prompts for the engine, answered one after another."""

    @property
    def answers(self) -> Sequence[ApiAnswer]:
        """The answers as far as they have come."""

    @property
    def streams(self) -> bool:
        """True if the answer is streamed."""

    @property
    def chats(self) -> bool:
        """True if the model needs a chat template."""

    def begin_stream(self) -> Iterator[bytes]:
        """Yield what a stream begins with, when the prompt has been taken."""

    def write_event(self, number: int, event: AnswerEvent) -> Iterator[bytes]:
        """Add an event to its answer and yield what is sent for it."""

    def end_stream(self) -> Iterator[bytes]:
        """Yield the last lines of a stream."""

    def error_event(self, error: dict[str, Any]) -> bytes:
        """Return what it ends with where the rest cannot come; `error` as `json_body.error_body` has it."""

    def complete_body(self) -> dict[str, Any]:
        """Return all of it at once, where it is not streamed."""


def field_of(error: BaseException, wanted: GenerationRequest) -> str:
    """Return the request field that an engine's refusal concerns; "" for the request as a whole."""
    if isinstance(error, TokenUnknown):
        return "prompt" if wanted.tokens else "logit_bias"
    if not isinstance(error, GrammarInvalid):
        return ""
    return "grammar" if wanted.grammar else "tools" if wanted.tools else "response_format"


def event_line(body: dict[str, Any], name: str = "") -> bytes:
    """Encode one server-sent event."""
    begin = f"event: {name}\n" if name else ""
    # Server-sent events are lines of UTF-8; escapes would be several times as long for most languages.
    return f"{begin}data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


# A line that begins with a colon is a comment in server-sent events.
HEARTBEAT = b": still at work\n\n"
