"""An answer while it is written: thinking apart, whole characters, stop strings, limits, measures. No model here."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Sequence

from app.core.events import FinishReason
from app.engine import protocol
from app.engine.reasoning import PLAIN, Reasoning, Span, Syntax, overlap


class StopStrings:
    """Lets text through up to the first stop string; holds back what may be the beginning of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.met = False

    def feed(self, text: str) -> str:
        """The part of everything so far that may be shown now and was not yet."""
        if not self._stops or self.met:
            return "" if self.met else text
        text = self._held + text
        found = [at for at in (text.find(stop) for stop in self._stops) if at >= 0]
        if found:
            self.met = True
            self._held = ""
            return text[: min(found)]
        keep = max(overlap(text, stop) for stop in self._stops)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> str:
        """What was held back, when the answer ends without a stop string."""
        held, self._held = self._held, ""
        return held


class Answer:
    """Turns token bytes into deltas and says when to stop.

    `begun_s` is when the request's turn came. `thinking_style` is how the model writes its thinking:
    ``syntax_of(template_source).after(text of the prompt's last trusted part)``. Before each token that is to be
    sampled, `forced_text` is asked; what it gives is tokenized with control tokens and added in the token's place.

    `max_tokens` counts the answer alone, and below 0 is no limit; the thinking has its own budget.
    """

    def __init__(
        self,
        request: protocol.Generate,
        reply: Callable[[protocol.Reply], None],
        begun_s: float,
        thinking_style: Syntax = PLAIN,
    ) -> None:
        self.prompt_tokens = 0
        self.reused_tokens = 0
        self.generated_tokens = 0
        self.thinking_tokens = 0
        self._request = request
        self._reply = reply
        self._stops = StopStrings(request.stop)
        self._reasoning = Reasoning(thinking_style)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._undecided_tokens = 0
        self._is_forced = False
        self._begun_s = begun_s
        self._first_s = 0.0
        self._last_s = 0.0

    def begin(self, prompt_tokens: int, reused_tokens: int) -> None:
        """The size of the prompt, and how much of it was in memory already."""
        self.prompt_tokens = prompt_tokens
        self.reused_tokens = reused_tokens

    def read(self, done_tokens: int) -> None:
        """Progress while the prompt is read."""
        self._reply(protocol.Reading(self._request.id, done_tokens, self.prompt_tokens))

    def add(self, piece: bytes) -> FinishReason | None:
        """One more token; returns why the answer ends with it, or None.

        `piece` is the token's text; control tokens give nothing, but for those in the syntax's `marks`.
        """
        self._last_s = time.perf_counter()
        if self.generated_tokens == 0:
            self._first_s = self._last_s
        self.generated_tokens += 1
        self._show(self._reasoning.feed(self._decoder.decode(piece)))
        self._count()
        if self._stops.met:
            return FinishReason.STOP
        written = self.generated_tokens - self.thinking_tokens
        return FinishReason.LENGTH if 0 <= self._request.max_tokens <= written else None

    def is_outside(self, piece: bytes) -> bool:
        """Whether a token with this piece, coming next, would not be a part of the answer, which a grammar governs."""
        return self._reasoning.is_outside(piece.decode("utf-8", "replace"))

    def forced_text(self) -> str | None:
        """What has to be written next instead of a sampled token: the end of thinking whose budget is used up."""
        budget = self._request.thinking_budget
        if self._is_forced or budget < 0 or not self._reasoning.is_thinking or self.thinking_tokens < budget:
            return None
        self._is_forced = True
        return self._reasoning.syntax.forced_end

    def finish(self, reason: FinishReason) -> protocol.Answered:
        """Shows what was held back (half a character as U+FFFD) and gives the last reply."""
        self._show(self._reasoning.feed(self._decoder.decode(b"", final=True)))
        self._show(self._reasoning.finish())
        self._send(self._stops.rest(), thinking=False)
        writing_s = self._last_s - self._first_s
        rate = (self.generated_tokens - 1) / writing_s if self.generated_tokens > 1 and writing_s > 0 else 0.0
        return protocol.Answered(
            self._request.id,
            self.prompt_tokens,
            self.reused_tokens,
            self.generated_tokens,
            self._first_s - self._begun_s if self.generated_tokens else 0.0,
            rate,
            str(reason),
            self.thinking_tokens,
        )

    def _count(self) -> None:
        """Tokens that may yet turn out to be an opening mark count as thinking once they are one."""
        if self._reasoning.is_undecided:
            self._undecided_tokens += 1
        elif not self._reasoning.is_answering:
            self.thinking_tokens += 1 + self._undecided_tokens
            self._undecided_tokens = 0

    def _show(self, spans: Sequence[Span]) -> None:
        for span in spans:
            self._send(span.text if span.thinking else self._stops.feed(span.text), thinking=span.thinking)

    def _send(self, text: str, *, thinking: bool) -> None:
        if text:
            used_tokens = self.prompt_tokens + self.generated_tokens
            self._reply(protocol.Delta(self._request.id, text, thinking, used_tokens))
