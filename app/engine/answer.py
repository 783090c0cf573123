"""An answer while it is written: whole characters, stop strings, limits, and its measures. Pure; no model here."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Sequence

from app.core.events import FinishReason
from app.engine import protocol


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
        keep = max(_overlap(text, stop) for stop in self._stops)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> str:
        """What was held back, when the answer ends without a stop string."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that begins `stop`."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)


class Answer:
    """Turns token bytes into deltas and says when to stop. `begun_s` is when the request's turn came."""

    def __init__(self, request: protocol.Generate, reply: Callable[[protocol.Reply], None], begun_s: float) -> None:
        self.prompt_tokens = 0
        self.reused_tokens = 0
        self.generated_tokens = 0
        self._request = request
        self._reply = reply
        self._stops = StopStrings(request.stop)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
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
        """One more token; returns why the answer ends with it, or None."""
        self._last_s = time.perf_counter()
        if self.generated_tokens == 0:
            self._first_s = self._last_s
        self.generated_tokens += 1
        self._show(self._stops.feed(self._decoder.decode(piece)))
        if self._stops.met:
            return FinishReason.STOP
        return FinishReason.LENGTH if self.generated_tokens >= self._request.max_tokens else None

    def finish(self, reason: FinishReason) -> protocol.Answered:
        """Shows what was held back (half a character as U+FFFD) and gives the last reply."""
        text = self._stops.feed(self._decoder.decode(b"", final=True))
        self._show(text + self._stops.rest())
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
        )

    def _show(self, text: str) -> None:
        if text:
            self._reply(protocol.Delta(self._request.id, text))
