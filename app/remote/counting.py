"""Token counts for a server's model: by its own tokenizer if the server offers that, else estimated."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from app.core.errors.server_errors import ServerRefused, ServerUnreachable
from app.core.events import Message
from app.engine.protocol import Ask
from app.hub.model_server import ModelServer, RequestCut
from app.remote.request_pictures import count_of

COUNT = "count"
"""Why a connection is made, as the ledger tells it."""
AROUND_A_MESSAGE = 8
"""Tokens that a template puts around one, by estimate; templates take 3 to 8."""
BYTES_A_TOKEN, BYTES_A_WIDE_TOKEN = 3.6, 2.4
"""English has 4.2 to 4.6 bytes of UTF-8 a token with today's vocabularies, German 3.6, code 3.2; other scripts have
from 2.4 (two signs of Chinese) on. Estimates are to be rather too many."""
CLOSE, FAR = 0.6, 2.5
"""Limits of the correction factor learnt from a server's own counts."""
LEARNING = 0.3
LEAST_LEARNT_TOKENS = 50
SAMPLE = (
    "The committee met on 14 March 2026 in Lisbon to discuss the report. Of 1,250 households that had been asked, "
    "nearly two thirds answered; most of them, 61.4 percent, would rather wait than move. “Nobody is forced to decide "
    "today,” said the chairwoman, Dr. Elisabeth Wagner, “but by autumn we should know what it costs.”\n\nAfterwards, a "
    "short list of tasks was agreed upon:\n- ask the engineers for a second estimate;\n- compare it with last year's "
    "figures (see table 3);\n- write to everybody who has not answered yet."
)
PART_BYTES = 200_000
"""So much text is sent at once to be counted."""


class TokenEstimator:
    """Estimate one model's token counts, corrected by the server's counts of prompts. Thread-safe.

    `is_exact`: have the server count each text. That sends text nobody agreed to send, so it is only for servers on
    this computer.
    """

    def __init__(self, server: ModelServer, model: str, *, is_exact: bool, sees: bool = False) -> None:
        self._server, self._model, self._is_exact, self._sees = server, model, is_exact, sees
        self._factor = 1.0
        self._lock = threading.Lock()

    def calibrate(self, cut: RequestCut) -> None:
        """Learn the correction from a sample text, if the server counts tokens."""
        # Without an answer, estimates stay uncorrected.
        with suppress(ServerRefused, ServerUnreachable):
            (counted,) = self._count_exactly([SAMPLE], cut)
            self._factor = min(FAR, max(CLOSE, counted / self._estimate_tokens(SAMPLE)))

    def count_texts(self, texts: Sequence[str], cut: RequestCut) -> tuple[int, ...]:
        """Count the tokens of each text by itself, exactly or by estimate."""
        if self._is_exact:
            try:
                return tuple(count for part in _split_parts(texts) for count in self._count_exactly(part, cut))
            except (ServerRefused, ServerUnreachable) as error:
                # A server that stopped counting is estimated from now on; one that is gone is an error.
                if isinstance(error, ServerUnreachable) and error.reason != "garbage":
                    raise
                self._is_exact = False
        return tuple(self._estimate_tokens(text) for text in texts)

    def count_messages(self, messages: Sequence[Message], cut: RequestCut) -> int:
        """Tokens of a prompt; what its template adds is estimated."""
        texts = sum(self.count_texts([message.text for message in messages], cut))
        return texts + AROUND_A_MESSAGE * (len(messages) + 1) + self._count_pictures(messages)

    def estimate_of(self, ask: Ask) -> int:
        """Estimate a prompt's tokens without a request, its template included."""
        texts = [message.text for message in ask.messages] or [ask.text, ask.suffix]
        around = AROUND_A_MESSAGE * (len(ask.messages) + bool(ask.messages))
        return sum(map(self._estimate_tokens, texts)) + around + self._count_pictures(ask.messages)

    def learn_ratio(self, ask: Ask, prompt_tokens: int) -> None:
        """Learn from the server's count of a prompt it read. Prompts with images are skipped: they say nothing about
        text.
        """
        if self._count_pictures(ask.messages):
            return
        with self._lock:
            # Compared with the uncorrected estimate, or the correction would correct itself.
            expected = self.estimate_of(ask) / self._factor
            if prompt_tokens >= LEAST_LEARNT_TOKENS and expected > 0:
                seen = min(FAR, max(CLOSE, prompt_tokens / expected))
                self._factor += LEARNING * (seen - self._factor)

    def _count_pictures(self, messages: Sequence[Message]) -> int:
        pictures = (
            [medium for message in messages for medium in message.media if medium.kind == "picture"]
            if self._sees
            else []
        )
        return sum(count_of(picture).tokens for picture in pictures)

    def _estimate_tokens(self, text: str) -> int:
        if not text:
            return 0
        size = len(text.encode("utf-8", "replace"))
        # Little more than a byte per character means Latin letters.
        per_token = BYTES_A_TOKEN if size < 1.3 * len(text) else BYTES_A_WIDE_TOKEN
        return max(1, round(size / per_token * self._factor))

    def _count_exactly(self, texts: Sequence[str], cut: RequestCut) -> list[int]:
        """Count tokens by llama-server's /tokenize in one request.

        Texts are joined by line ends, and each token counts for the text in which it begins: a text may get one token
        too many for its line end, never too few.
        """
        joined = "\n".join(texts)
        body: dict[str, Any] = {"content": joined, "model": self._model, "add_special": False, "with_pieces": True}
        answer = self._server.call(f"{self._server.root}/tokenize", body, why=COUNT, cut=cut)
        tokens = answer.get("tokens") if isinstance(answer, dict) else None
        if not isinstance(tokens, list):
            raise ServerUnreachable(self._server.host, "garbage")
        sizes = [len(_token_bytes(token)) for token in tokens]
        ends = _text_ends(texts)
        begins = -max(0, sum(sizes) - len(joined.encode()))  # a tokenizer may begin with a space of its own
        counts = [0] * len(texts)
        place = 0
        for size in sizes:
            while place < len(ends) - 1 and begins >= ends[place]:
                place += 1
            counts[place] += 1
            begins += size
        return [max(count, 1) if text else 0 for count, text in zip(counts, texts, strict=True)]


def _token_bytes(token: Any) -> bytes:
    """Return a token's bytes; where they are no whole character, they come as numbers."""
    piece = token.get("piece") if isinstance(token, dict) else ""
    if isinstance(piece, list):
        return bytes(byte & 255 for byte in piece if isinstance(byte, int))
    return piece.encode() if isinstance(piece, str) else b""


def _text_ends(texts: Sequence[str]) -> list[int]:
    """Return the byte offset behind each text in the joined text, line end included."""
    ends, at = [], 0
    for text in texts:
        at += len(text.encode()) + 1
        ends.append(at)
    return ends


def _split_parts(texts: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for text in texts:
        if part and size + len(text) > PART_BYTES:
            yield part
            part, size = [], 0
        # JSON on the wire can't hold lone surrogates.
        part.append(text.encode("utf-8", "replace").decode())
        size += len(text)
    if part:
        yield part
