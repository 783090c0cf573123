"""Ask the chat model, by the probability of one token, whether the passages it is shown answer a question.

The request stands behind the prompt that the answer will begin with, in the same session: only the request is read in
addition, and the answer then re-uses the prompt. What the model says is weighed with the signs of
`app.features.retrieval.absence`, and may turn their verdict either way. `tests/benchmarks/judge_bench.py` measures it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.events import (
    AnswerStats,
    CancelToken,
    Finished,
    Guess,
    Message,
    ModelElsewhere,
    ModelLoaded,
    Role,
    TextDelta,
    TokenChosen,
)
from app.core.lazy_dataclasses import dataclass, replace
from app.features.chat.attached_documents import AttachedDocuments, absence_note, is_unanswered

if TYPE_CHECKING:
    from app.engine.contract import AnswerEvent, Engine
    from app.store.attachments import Attachment
    from app.store.conversations import StoredMessage

JUDGE_REQUEST = "Is the answer in the passages above? yes or no?"
"""Twice as long a request was no better: with signs it told .91 of pairs apart on development sets, this one .93."""
YES, NO = "yes", "no"
ALTERNATIVES = 50
LEAST_WEIGHTS = 1_200_000_000
"""Smaller models are not asked: the smallest for which it was measured to help has 1.5 billion."""
LEAST_SHARE = 0.5
"""Probability of yes and no together below which a model did not understand the request."""
DOUBT_WEIGHT, USUAL_DOUBT = 2.0, -0.5
"""Weight beside the signs, and the doubt that says nothing, by the development sets."""
MOST_DOUBT = 1.75
"""Farthest that a doubt counts from the usual one; signs surer than that are not questioned."""
HEADER_BYTES = 64 * 1024


@dataclass(frozen=True)
class JudgedPrompt:
    """A prompt with the note that the verdict wants; `stats` are those of the request, if the model was asked."""

    messages: list[Message]
    is_changed: bool = False
    stats: AnswerStats | None = None

    def with_reading(self, events: Iterator[AnswerEvent]) -> Iterator[AnswerEvent]:
        """Count what was read for the verdict as read for the answer, since that is what a person waited for."""
        for event in events:
            yield Finished(self._with_reading_of(event.stats)) if isinstance(event, Finished) else event

    def _with_reading_of(self, stats: AnswerStats) -> AnswerStats:
        if self.stats is None:
            return stats
        return replace(
            stats,
            reused_tokens=min(stats.reused_tokens, self.stats.reused_tokens),
            time_to_first_token_s=stats.time_to_first_token_s + self.stats.time_to_first_token_s,
        )


class PassageJudge:
    """Corrects the verdict on a question's passages before it is answered."""

    def __init__(self, attached: AttachedDocuments, engine: Callable[[], Engine]) -> None:
        self._attached, self._get_engine = attached, engine

    def judge(
        self, branch: Sequence[StoredMessage], messages: list[Message], fields: dict[str, Any], cancel: CancelToken
    ) -> Generator[AnswerEvent, None, JudgedPrompt]:
        """Yield the events of reading the prompt; store the verdict and return the prompt that goes with it.

        `messages` end with the last question of `branch`, `fields` are those of `Ask` for the answer. Without a verdict
        of signs, or with a model that can't judge, the prompt is returned as it is.
        """
        unchanged = JudgedPrompt(messages)
        question = next(message for message in reversed(branch) if message.role is Role.USER)
        attachments = self._attached.documents.attachments.of_messages([question.id]).get(question.id, [])
        searched = [attachment for attachment in attachments if attachment.passages]
        if cancel.cancelled or not can_judge(self._get_engine().loaded) or not searched:
            return unchanged
        logits = [self._absence_of(attachment, question.text) for attachment in searched]
        known = [logit for logit in logits if logit is not None]
        if len(known) < len(logits) or abs(min(known)) > DOUBT_WEIGHT * MOST_DOUBT:
            return unchanged
        note = absence_note(self._attached.documents, attachments)
        bare = replace(messages[-1], text=messages[-1].text.removesuffix(note))
        asked = [*messages[:-1], replace(bare, text=f"{bare.text}\n\n{JUDGE_REQUEST}")]
        doubt, stats = yield from _ask_model(self._get_engine(), asked, fields, cancel)
        if doubt is None or cancel.cancelled:
            return replace(unchanged, stats=stats)
        is_absent = add_doubt(min(known), doubt) >= 0
        is_changed = is_absent is not is_unanswered(attachments)
        if is_changed:
            nearest = searched[known.index(min(known))]
            self._store_verdict(searched if is_absent else [nearest], has_answer=not is_absent)
        last = replace(bare, text=bare.text + note) if is_absent else bare
        return JudgedPrompt([*messages[:-1], last], is_changed, stats)

    def _absence_of(self, attachment: Attachment, question: str) -> float | None:
        """Return the signs' logit for a document; None where they gave no verdict."""
        if attachment.has_answer is None:
            return None
        from app.features.retrieval.absence import absence_logit, signs_of  # takes a moment to import

        signs = signs_of(self._attached.documents.store, attachment.document_id, question)
        return absence_logit(signs) if signs is not None else None

    def _store_verdict(self, searched: Sequence[Attachment], *, has_answer: bool) -> None:
        for attachment in searched:
            self._attached.documents.attachments.set_passages(attachment.id, attachment.passages, has_answer=has_answer)


def can_judge(loaded: ModelLoaded | None) -> bool:
    """Return whether a model runs here, is large enough, answers at once, and can go back to the question's end."""
    if loaded is None or isinstance(loaded, ModelElsewhere):
        return False
    return loaded.weights >= LEAST_WEIGHTS and loaded.thinking == "none" and not _is_recurrent(Path(loaded.path))


def add_doubt(logit: float, doubt: float) -> float:
    """Return the logit of absence by signs and model together."""
    return logit + DOUBT_WEIGHT * min(MOST_DOUBT, max(-MOST_DOUBT, doubt - USUAL_DOUBT))


def doubt_of(guesses: Sequence[Guess]) -> float:
    """Return the logarithm of "no" over "yes", however they are written; 0 where neither is among the guesses."""
    shares = _shares_of(guesses)
    least = min((guess.probability for guess in guesses), default=1.0)
    return math.log(max(shares[NO], least) / max(shares[YES], least))


def _shares_of(guesses: Sequence[Guess]) -> dict[str, float]:
    shares = {YES: 0.0, NO: 0.0}
    for guess in guesses:
        if (word := guess.data.decode("utf-8", "replace").strip().casefold()) in shares:
            shares[word] += guess.probability
    return shares


def _ask_model(
    engine: Engine, messages: list[Message], fields: dict[str, Any], cancel: CancelToken
) -> Generator[AnswerEvent, None, tuple[float | None, AnswerStats | None]]:
    """Pass on what is told while the prompt is read; return the doubt, None if there was no clear word."""
    from app.engine.protocol import Sampling  # the wire to the engine is not needed before the window is seen

    wanted = {"max_tokens": 1, "alternatives": ALTERNATIVES, "sampling": Sampling(temperature=0)}
    guesses: tuple[Guess, ...] = ()
    stats = None
    for event in engine.generate(messages, cancel=cancel, **fields | wanted):
        if isinstance(event, TokenChosen):
            guesses = guesses or event.token.alternatives
        elif isinstance(event, Finished):
            stats = event.stats
        elif not isinstance(event, TextDelta):
            yield event
    is_clear = sum(_shares_of(guesses).values()) >= LEAST_SHARE
    return (doubt_of(guesses) if is_clear else None), stats


@lru_cache(maxsize=8)
def _is_recurrent(path: Path) -> bool:
    """Return whether a model would have to read the whole question again, since its state can't be rolled back."""
    from app.core.gguf import GgufProblem, read_beginning
    from app.engine.model_shape import shape_of

    try:
        with path.open("rb") as file:
            return any(shape_of(read_beginning(file.read(HEADER_BYTES))).state_bytes)
    except (OSError, GgufProblem):
        return False
