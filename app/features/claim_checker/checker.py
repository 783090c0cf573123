"""Mark the parts of a summary's claims that their passages don't support, if the user chose a checker.

The checker is a token classifier (see `conversion`) that reads a claim with its passages and labels every token. It
knows English and makes mistakes: TinyLettuce 68M tells answers with something unsupported from others in three of
four cases (F1 75 on RAGTruth, by its makers). So its result is shown as a doubt, never as a verdict.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from app.core.errors.app_error import AppError
from app.core.errors.request_errors import PromptTooLong
from app.core.events import CancelToken
from app.core.settings import Settings
from app.engine.contract import Engine, TokenLabels
from app.features.claim_checker.conversion import knows_language
from app.features.models.model_pool import CONTEXT_TOKENS, LeaseTerms, ModelPool
from app.features.models.pool_policy import LeasePriority
from app.features.summarize.summary_result import ClaimsChecked, InputDocument, Method, Statement, Summary, SummaryEvent

log = logging.getLogger(__name__)

LEAST_PROBABILITY = 0.5
"""Of a token to be unsupported: what its makers' own program marks."""
MOST_PASSAGE_CHARACTERS = 12_000
"""About 3,000 tokens: it was trained with up to 4,096."""
Span = tuple[int, int]


class ClaimChecker:
    """`path` returns the chosen checker, None without one; `pool` lends an engine with it."""

    def __init__(self, path: Callable[[], Path | None], pool: ModelPool) -> None:
        self._path, self._pool = path, pool

    def check_summary(
        self, summary: Summary, documents: Sequence[InputDocument], cancel: CancelToken
    ) -> Generator[SummaryEvent, None, Summary]:
        """Return a complete summary by a model with its claims checked.

        A failing checker never withholds the summary.
        """
        # A partial summary will be made anew.
        if (path := self._path()) is None or summary.is_partial:
            return summary
        try:
            return (yield from self._check_claims(summary, documents, path, cancel))
        # Without the checker the summary is as good as before.
        except AppError as error:
            log.info("claims were not checked: %r", error)
            return summary

    def _check_claims(
        self, summary: Summary, documents: Sequence[InputDocument], path: Path, cancel: CancelToken
    ) -> Generator[SummaryEvent, None, Summary]:
        # What was set aside was written by a model, too.
        written = summary.set_aside or (summary.statements if summary.method is Method.MODEL else ())
        claims = [statement for statement in written if statement.anchors]
        if not claims or not knows_language(path, summary.language):
            return summary
        texts = {(place, block.id): block.text for place, document in enumerate(documents) for block in document.blocks}
        found: dict[Statement, tuple[Span, ...]] = {}
        with lease_checker(self._pool, path, cancel) as engine:
            for done, claim in enumerate(claims):
                if engine is None or cancel.cancelled:
                    return summary
                yield ClaimsChecked(done, len(claims))
                places = dict.fromkeys((anchor.document, anchor.block_id) for anchor in claim.anchors)
                prompt = summary_prompt([texts[place] for place in places])
                found[claim] = find_unsupported(engine, prompt, claim.text, cancel)
        if cancel.cancelled:
            return summary
        marked = [tuple(replace(statement, unsupported=found.get(statement, ())) for statement in statements)
                  for statements in (summary.statements, summary.set_aside)]  # fmt: skip
        return replace(summary, statements=marked[0], set_aside=marked[1], checker=path.stem)


def lease_checker(pool: ModelPool, path: Path, cancel: CancelToken) -> AbstractContextManager[Engine | None]:
    """Lease an engine with the checker, as a job's second model; None when cancelled. Raises what leases raise."""
    return pool.lease(path, LeasePriority.JOB, cancel, LeaseTerms(context_tokens=CONTEXT_TOKENS))


def find_unsupported(engine: Engine, prompt: str, text: str, cancel: CancelToken | None = None) -> tuple[Span, ...]:
    """Return the ranges of a text, in characters, that the passages in its prompt don't support.

    Empty if both together are too long.
    """
    try:
        return spans_over(text, engine.classify_tokens(prompt, text, cancel=cancel))
    # Too long to be read with its passages: nothing is doubted.
    except PromptTooLong:
        return ()


def summary_prompt(passages: Sequence[str]) -> str:
    """Build the prompt for summaries and their statements.

    LettuceDetect and its relatives were trained with the prompts of RAGTruth (Niu et al., 2024).
    """
    return f"\nSummarize the following text:\n{_number_passages(passages)}\noutput:\n"


def question_prompt(question: str, passages: Sequence[str]) -> str:
    """Build the prompt for answers."""
    return (
        f"\nBriefly answer the following question:\n{question}\n"
        f"Bear in mind that your response should be strictly based on the following {len(passages)} passages:\n"
        f"{_number_passages(passages)}\n"
        "In case the passages do not contain the necessary information to answer the question, please reply with: "
        '"Unable to answer based on given passages."\noutput:\n'
    )


def _number_passages(passages: Sequence[str]) -> str:
    numbered = "\n".join(f"passage {number}: {text}" for number, text in enumerate(passages, 1))
    return numbered[:MOST_PASSAGE_CHARACTERS]


def spans_over(text: str, labels: TokenLabels) -> tuple[Span, ...]:
    """Return the ranges of whole words with a token of the last label, joined across spaces."""
    found: list[Span] = []
    for number, (start, end) in enumerate(zip(labels.starts, labels.ends, strict=True)):
        row = labels.logits[number * labels.labels : (number + 1) * labels.labels]
        # Spaces get labels as well.
        if not text[start:end].strip() or _label_probability(row) <= LEAST_PROBABILITY:
            continue
        first, last = _widen_to_words(text, start, end)
        # Two doubted words with only space between are one doubt.
        is_joined = bool(found) and not text[found[-1][1] : first].strip()
        found.append((found.pop()[0] if is_joined else first, last))
    return tuple(found)


def _widen_to_words(text: str, start: int, end: int) -> Span:
    """Widen a range to whole words, without surrounding space."""
    first = end - len(text[start:end].lstrip())
    last = start + len(text[start:end].rstrip())
    while first and text[first].isalnum() and text[first - 1].isalnum():
        first -= 1
    while last < len(text) and text[last - 1].isalnum() and text[last].isalnum():
        last += 1
    return first, last


def _label_probability(row: Sequence[float]) -> float:
    """Return the softmax probability of the last label."""
    # Shifted by the largest, or exp overflows.
    largest = max(row)
    shares = [math.exp(value - largest) for value in row]
    return shares[-1] / sum(shares)


def chosen_checker(settings: Settings) -> Path | None:
    """Return the chosen claim checker if its file is there."""
    path = settings.models.checker_path
    return Path(path) if path and Path(path).is_file() else None
