"""An answer while it is written, saved so often that a crash or a power cut costs less than a second."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from app.core.errors.app_error import AppError
from app.core.events import AnswerStats, Finished, FinishReason, LoadProgress, ModelLoaded, TextDelta
from app.store.conversations import Conversations, MessageState

if TYPE_CHECKING:
    from app.engine.contract import AnswerEvent as EngineEvent

log = logging.getLogger(__name__)

SAVE_EVERY_S = 0.5
_STATES = {FinishReason.CANCELLED: MessageState.STOPPED}


class AnswerDraft:
    """An answer being written, saved every `SAVE_EVERY_S`.

    `thinking_s` is how long thinking took, None without any. A continued answer keeps its thinking. Another thread may
    read what is there.
    """

    def __init__(
        self,
        conversations: Conversations,
        message_id: int,
        text: str,
        thinking: str = "",
        thinking_s: float | None = None,
        *,
        model: Callable[[], str] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.text, self.thinking = text, thinking
        self.begins_at = len(text)
        """Length of the text that was there before."""
        self._conversations, self.message_id = conversations, message_id
        self._model, self._clock = model, clock
        self._saved_at_s = clock()
        self._thought_before_s = thinking_s
        self._thinking_from_s: float | None = None
        self._thinking_to_s: float | None = None
        self._open = True

    @property
    def thinking_s(self) -> float | None:
        """Seconds from the first of the thinking to the first of the answer, or until now."""
        # The time of thinking ends with the first word of the answer.
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
            self._conversations.save_text(self.message_id, self.text, self.thinking)
            self._saved_at_s = now_s

    def finish(self, state: MessageState, event: Finished | None = None) -> None:
        """Save the whole answer with its end, once the disk works again if it fails now."""
        # Whatever happens in storing, there is no second end.
        self._open = False
        self._thinking_to_s = self._clock() if self._thinking_to_s is None else self._thinking_to_s
        store = partial(
            self._conversations.finish_message,
            self.message_id,
            self.text,
            state,
            event.stats if event else None,
            thinking=self.thinking,
            thinking_s=self.thinking_s,
            model=self._model() if event is not None else "",  # it may have come in only for this answer
        )
        try:
            store()
        except AppError:
            # Otherwise it would be shown as being written until the next start.
            self._conversations.refused_ends.save_later(store)
            raise

    def give_up(self, state: MessageState) -> None:
        """Save what is there after the loop was left early, or later if the disk fails, which is only logged."""
        if not self._open:
            return
        try:
            self.finish(state)
        except AppError as error:
            log.error("the end of answer %d was not saved: %s", self.message_id, type(error).__name__)


def write_to_draft(
    events: Iterator[EngineEvent], draft: AnswerDraft, before: AnswerStats | None
) -> Iterator[EngineEvent]:
    """Write events into the draft and pass them on; the final stats include what was written before."""
    for event in events:
        if isinstance(event, TextDelta):
            draft.append(event)
        if isinstance(event, Finished):
            whole = with_before(event.stats, before) if before else event.stats
            draft.finish(_STATES.get(whole.finish_reason, MessageState.COMPLETE), Finished(whole))
            yield Finished(whole)
        # What loading tells is for whoever loads, not for a chat.
        elif not isinstance(event, LoadProgress | ModelLoaded):
            yield event


def with_before(now: AnswerStats, before: AnswerStats) -> AnswerStats:
    """Return the stats of a whole answer whose last part is `now`; the speed covers all measured parts."""
    if not now.prompt_tokens:  # stopped before anything of it was read
        return replace(before, finish_reason=now.finish_reason)
    # A part that wasn't measured would drag the mean down.
    parts = [answer_stats for answer_stats in (before, now) if answer_stats.tokens_per_s > 0]
    # The first token of a part comes with reading, not with writing.
    written = sum(part.generated_tokens - 1 for part in parts)
    writing_s = sum((stats.generated_tokens - 1) / stats.tokens_per_s for stats in parts)
    return replace(
        now,
        # What was written before was read as a part of this prompt.
        prompt_tokens=max(0, now.prompt_tokens - before.generated_tokens),
        reused_tokens=max(0, min(now.reused_tokens, now.prompt_tokens - before.generated_tokens)),
        generated_tokens=before.generated_tokens + now.generated_tokens,
        thinking_tokens=before.thinking_tokens + now.thinking_tokens,
        time_to_first_token_s=before.time_to_first_token_s or now.time_to_first_token_s,
        tokens_per_s=written / writing_s if writing_s > 0 else 0.0,
        drafted_tokens=before.drafted_tokens + now.drafted_tokens,
        kept_tokens=before.kept_tokens + now.kept_tokens,
    )
