"""Requests to a loaded model, and its replies as events."""

from __future__ import annotations

import array
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from app.core.errors.engine_errors import ProtocolViolation
from app.core.events import CancelToken, Media, Message, TuningProgress
from app.core.wire import EventReply
from app.engine import protocol
from app.engine.contract import NO_LABELS, NO_VECTORS, AnswerEvent, EmbeddingVectors, TokenLabels
from app.engine.protocol import Ask
from app.engine.states import StateFolder
from app.engine.tuning import TUNING_BUDGET_S, ModelTuning


class EngineRequests(ABC):
    """What a model is asked, from any thread; the child that answers is the subclass's."""

    _states: StateFolder | None

    @property
    @abstractmethod
    def pid(self) -> int | None:
        """Process id of the running child; None without one."""

    @abstractmethod
    def _replies(
        self, make: Callable[[int], protocol.Request], cancel: CancelToken | None, *, needs_model: bool = True
    ) -> Iterator[protocol.Reply]:
        """Send the request made for an id, loading a lost or sleeping model first, and yield its replies."""

    def generate(
        self, messages: Sequence[Message], *, cancel: CancelToken | None = None, **options: Any
    ) -> Iterator[AnswerEvent]:
        """Answer a conversation; ends with `Finished` or raises an AppError. `options` are the fields of `Ask`."""
        return self.answer(Ask(messages, **options), cancel)

    def answer(self, ask: Ask, cancel: CancelToken | None = None) -> Iterator[AnswerEvent]:
        """Answer a request that is already made: events up to `Finished`. Raises AppErrors."""
        for reply in self._replies(lambda id_: protocol.Generate(id_, ask), cancel):
            if isinstance(reply, EventReply):
                yield reply.event

    def count_tokens(self, messages: Sequence[Message], template_variables: Mapping[str, object] | None = None) -> int:
        """Count the tokens of a conversation's prompt, template included."""
        for reply in self._replies(lambda id_: protocol.CountTokens(id_, messages, template_variables or {}), None):
            if isinstance(reply, protocol.TokensCounted):
                return reply.prompt_tokens
        raise ProtocolViolation("CountTokens was not answered with TokensCounted")

    def count_texts(self, texts: Sequence[str], *, cancel: CancelToken | None = None) -> tuple[int, ...]:
        """Tokens of each text by itself; zeros when that was cancelled while the model was loading."""
        for reply in self._replies(lambda id_: protocol.CountTexts(id_, tuple(texts)), cancel):
            if isinstance(reply, protocol.TextsCounted):
                return reply.counts
        if cancel is not None and cancel.cancelled:
            return (0,) * len(texts)
        raise ProtocolViolation("CountTexts was not answered with TextsCounted")

    def count_media(
        self, media: Sequence[Media], *, cancel: CancelToken | None = None
    ) -> tuple[protocol.MediaCount, ...]:
        """Count the tokens of each image or sound; 0 for those the model can't take.

        Returns an empty tuple if cancelled while the model was loading.
        """
        for reply in self._replies(lambda id_: protocol.CountMedia(id_, tuple(media)), cancel):
            if isinstance(reply, protocol.MediaCounted):
                return reply.counts
        if cancel is not None and cancel.cancelled:
            return ()
        raise ProtocolViolation("CountMedia was not answered with MediaCounted")

    def call_syntax(self) -> protocol.CallSyntax | None:
        """Return the function-call syntax of the model's template; None if it has none we understand."""
        for reply in self._replies(protocol.FindCallSyntax, None):
            if isinstance(reply, protocol.CallSyntaxFound):
                return reply.syntax
        raise ProtocolViolation("FindCallSyntax was not answered with CallSyntaxFound")

    def embed(self, texts: Sequence[str], *, cancel: CancelToken | None = None) -> EmbeddingVectors:
        """Return a vector for each text; none when cancelled. Raises EmbeddingsUnavailable, PromptTooLong."""
        # Vectors come in several messages, since a line has a limit.
        numbers = bytearray()
        for reply in self._replies(lambda id_: protocol.Embed(id_, tuple(texts)), cancel):
            if isinstance(reply, protocol.Vectors):
                numbers += reply.numbers
            if isinstance(reply, protocol.Embedded):
                return EmbeddingVectors(array.array("f", bytes(numbers)), reply.width, reply.prompt_tokens)
        if cancel is not None and cancel.cancelled:
            return NO_VECTORS
        raise ProtocolViolation("Embed was not answered with Embedded")

    def classify_tokens(self, source: str, text: str, *, cancel: CancelToken | None = None) -> TokenLabels:
        """Labels of each token of a text; none when cancelled. Raises CheckingUnavailable, PromptTooLong."""
        for reply in self._replies(lambda id_: protocol.ClassifyTokens(id_, source, text), cancel):
            if isinstance(reply, protocol.TokensClassified):
                return TokenLabels(reply.starts, reply.ends, array.array("f", reply.logits), reply.labels)
        if cancel is not None and cancel.cancelled:
            return NO_LABELS
        raise ProtocolViolation("ClassifyTokens was not answered with TokensClassified")

    def inspect(
        self,
        what: str,
        text: str = "",
        messages: Sequence[Message] = (),
        *,
        cancel: CancelToken | None = None,
        on_attention: Callable[[bytes], object] = lambda shares: None,
        **options: Any,
    ) -> protocol.Inspected:
        """Return tokens, layers or attention of a text. `options` are the fields of `protocol.Inspect`.

        `on_attention` gets each layer's shares, see `protocol.Attended`. Raises AppErrors for what can't be shown;
        returns no tokens if cancelled.
        """
        for reply in self._replies(lambda id_: protocol.Inspect(id_, what, text, tuple(messages), **options), cancel):
            if isinstance(reply, protocol.Attended):
                on_attention(reply.shares)
            if isinstance(reply, protocol.Inspected):
                return reply
        if cancel is not None and cancel.cancelled:
            return protocol.Inspected(0, 0)
        raise ProtocolViolation("Inspect was not answered with Inspected")

    def tune(
        self, *, cancel: CancelToken | None = None, budget_s: float = TUNING_BUDGET_S, only_new: bool = False
    ) -> Iterator[TuningProgress | ModelTuning]:
        """Measure how the loaded model runs fastest here: progress, then what was found, which is kept already.

        With `only_new` what was found earlier is returned at once. Ends without it when cancelled, or when anything
        else is asked of the model meanwhile.
        """
        for reply in self._replies(lambda id_: protocol.TuneModel(id_, budget_s, only_new), cancel):
            if isinstance(reply, EventReply):
                yield reply.event
            elif isinstance(reply, protocol.TuningFound):
                yield reply.tuning

    def forget_session(self, session: str) -> None:
        """Delete a session's saved state and its cache in the child."""
        if self.pid is not None:
            for _ in self._replies(lambda id_: protocol.ForgetSession(id_, session), None, needs_model=False):
                pass
        if self._states is not None:
            # After the child has forgotten it: it could write the state again.
            self._states.delete_session(session)

    def forget_texts(self, names: AbstractSet[str]) -> None:
        """Drop what the child keeps of texts and sessions; what is saved of them is `StateFolder.delete_made_of`'s."""
        if self.pid is not None:
            told = tuple(sorted(names))
            for _ in self._replies(lambda id_: protocol.ForgetTexts(id_, told), None, needs_model=False):
                pass

    def _describe_devices(self, machines: tuple[str, ...]) -> protocol.DevicesDescribed:
        for reply in self._replies(lambda id_: protocol.DescribeDevices(id_, machines), None, needs_model=False):
            if isinstance(reply, protocol.DevicesDescribed):
                return reply
        raise ProtocolViolation("DescribeDevices was not answered with DevicesDescribed")
