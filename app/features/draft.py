"""An answer while it is written, saved so often that a crash or a power cut costs less than a second."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from app.core.errors import AppError
from app.core.events import Finished, TextDelta
from app.store.conversations import Conversations, MessageState

log = logging.getLogger(__name__)

SAVE_EVERY_S = 0.5


class Draft:
    """The text of an answer and the thinking before it, saved at most `SAVE_EVERY_S` behind.

    `thinking_s` is how long the thinking took; None without any. An answer that goes on keeps its former thinking.
    """

    def __init__(
        self,
        conversations: Conversations,
        message_id: int,
        text: str,
        thinking: str = "",
        thinking_s: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.text = text
        self.thinking = thinking
        self._conversations = conversations
        self._message_id = message_id
        self._clock = clock
        self._saved_at_s = clock()
        self._thought_before_s = thinking_s
        self._thinking_from_s: float | None = None
        self._thinking_to_s: float | None = None
        self._open = True

    @property
    def thinking_s(self) -> float | None:
        """Seconds from the first of the thinking to the first of the answer, or until now."""
        if self._thinking_from_s is None:
            return self._thought_before_s
        until_s = self._thinking_to_s if self._thinking_to_s is not None else self._clock()
        return (self._thought_before_s or 0.0) + until_s - self._thinking_from_s

    def append(self, delta: TextDelta) -> None:
        """New text; saves when the last time is long enough ago."""
        now_s = self._clock()
        if delta.thinking:
            self.thinking += delta.text
            self._thinking_from_s = now_s if self._thinking_from_s is None else self._thinking_from_s
        else:
            self.text += delta.text
            self._thinking_to_s = now_s if self._thinking_to_s is None else self._thinking_to_s
        if now_s - self._saved_at_s >= SAVE_EVERY_S:
            self._conversations.save_text(self._message_id, self.text, self.thinking)
            self._saved_at_s = now_s

    def finish(self, state: MessageState, event: Finished | None = None) -> None:
        """Saves the whole text with how it ended."""
        self._open = False
        self._conversations.finish_message(
            self._message_id,
            self.text,
            state,
            event.stats if event else None,
            thinking=self.thinking,
            thinking_s=self.thinking_s,
        )

    def give_up(self, state: MessageState) -> None:
        """Keeps what is there when the loop was left early; a disk that refuses that too is only logged."""
        if not self._open:
            return
        try:
            self.finish(state)
        except AppError as error:
            log.error("the end of answer %d was not saved: %s", self._message_id, type(error).__name__)
