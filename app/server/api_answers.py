"""Answers while they come: what was written so far, in the terms that all contracts share."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.core.errors import GrammarInvalid, TokenUnknown
from app.core.events import AnswerStats, Finished, FinishReason, PromptProgress, TextDelta, TokenChosen, TokenSeen
from app.features.serving import AnswerEvent, GenerationRequest, PromptSeen
from app.features.tool_calls import CallArguments, CallBegins


@dataclass
class ApiCall:
    """One call of a function, `arguments` as JSON text."""

    name: str
    arguments: str = ""
    id: str = field(default_factory=lambda: f"call_{uuid.uuid4().hex[:24]}")

    @property
    def is_whole(self) -> bool:
        """True if its arguments are all there."""
        try:
            json.loads(self.arguments)
        except ValueError:
            return False
        return True

    @property
    def values(self) -> Any:
        """The arguments; an empty object where the answer broke off in them."""
        try:
            return json.loads(self.arguments)
        except ValueError:
            return {}


@dataclass
class ApiAnswer:
    """One answer of a request, as far as it has come; `stats` are there when it has ended."""

    text: str = ""
    thinking: str = ""
    calls: list[ApiCall] = field(default_factory=list)
    tokens: list[TokenSeen] = field(default_factory=list)
    """Chosen, and not handed out yet."""
    prompt: tuple[TokenSeen, ...] = ()
    """Of the text that is gone on with, where that is told."""
    prompt_tokens: int = 0
    """As soon as that is known."""
    _handed_bytes: int = field(default=0, init=False)
    stats: AnswerStats | None = None

    def add_event(self, event: AnswerEvent) -> None:
        """Add what has come: words, thinking, tokens, calls; `Finished` is the last."""
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
                self.stats, self.prompt_tokens = event.stats, event.stats.prompt_tokens
            case PromptProgress():
                self.prompt_tokens = event.total_tokens
            case PromptSeen():
                self.prompt = event.tokens

    def hand_out_tokens(self) -> list[TokenSeen]:
        """Return the chosen tokens whose text has been told. Those of a stop string are no part of an answer."""
        count = len(self.tokens)
        ends_with_stop = self.stats is not None and bool(self.stats.stop)
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
        cut = (FinishReason.LENGTH, FinishReason.CONTEXT, FinishReason.REPEATED)
        return self.stats is not None and self.stats.finish_reason in cut


class ApiContract(Protocol):
    """How one kind of request is answered. `wanted` are its prompts, whose answers are counted through."""

    @property
    def model(self) -> str:
        """Which one is asked, "" for whichever is chosen."""

    @property
    def wanted(self) -> Sequence[GenerationRequest]:
        """What the engine is asked, one after the other."""

    @property
    def answers(self) -> Sequence[ApiAnswer]:
        """They as far as they have come."""

    @property
    def streams(self) -> bool:
        """True if it leaves while it is written."""

    @property
    def chats(self) -> bool:
        """True if the model needs a chat template."""

    def begin_stream(self) -> Iterator[bytes]:
        """Yield what a stream begins with, when the prompt has been taken."""

    def write_event(self, number: int, event: AnswerEvent) -> Iterator[bytes]:
        """Yield what goes out with an event, which its answer takes."""

    def end_stream(self) -> Iterator[bytes]:
        """What a stream ends with."""

    def error_event(self, error: dict[str, Any]) -> bytes:
        """Return what it ends with where the rest cannot come; `error` as `body.failed` has it."""

    def complete_body(self) -> dict[str, Any]:
        """Return all of it at once, where it is not streamed."""


def field_of(error: BaseException, wanted: GenerationRequest) -> str:
    """Return the field of a request that an engine's refusal is about; "" where that is all of it."""
    if isinstance(error, TokenUnknown):
        return "prompt" if wanted.tokens else "logit_bias"
    if not isinstance(error, GrammarInvalid):
        return ""
    return "grammar" if wanted.grammar else "tools" if wanted.tools else "response_format"


def event_line(body: dict[str, Any], name: str = "") -> bytes:
    """One event of a stream."""
    begin = f"event: {name}\n" if name else ""
    return f"{begin}data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


HEARTBEAT = b": still at work\n\n"
"""A comment, which clients skip."""
