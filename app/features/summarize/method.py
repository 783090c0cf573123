"""Choose how a summary is made if the user didn't, and stop a model that writes badly.

A model of 1.5 billion weights writes better summaries of half a page than an extract (ROUGE-1 .50 to .60 against .42
to .47), no better ones of abstracts with conclusions (.40 against .44), and worse ones of papers (.34 against .44).
So the document's length decides first, then how much of what the model wrote on this computer was found in its
documents. Letting it reword the extract was tried and is worse than the extract (.40 against .44 over nine texts): it
copies the sentences, or merges three into one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from app.core.lazy_dataclasses import dataclass
from app.features.models.choice import MOST_SHORT_TEXT_WEIGHTS
from app.features.summarize.summary_result import KIND, Form, InputDocument, Method, Statement, SummaryOptions
from app.features.work.queue import DONE

if TYPE_CHECKING:
    from app.features.work.task_engines import TaskEngines
    from app.store.jobs import JobTable

MOST_CHOOSING_WEIGHTS = 5e8
"""Models up to this size write worse than any sentences, however short the text is."""
SENTENCE_FORMS = (Form.PARAGRAPHS, Form.BULLETS, Form.SECTIONS)
"""Forms an extract can take."""
SHORT_TOKENS = 400
"""A text up to this size is short: about a page."""
BYTES_A_TOKEN = 4
"""Of UTF-8, in about every script."""
LEAST_SHARE = 2 / 3
"""Of the claims, and of the numbers in them, that can be found; with less the document's own sentences are better."""
LEAST_CLAIMS, LEAST_NUMBERS = 4, 4
"""Fewer say nothing yet."""
REMEMBERED = 3
"""Recent summaries that count for how well a model writes."""
_NUMBER = re.compile(r"\d+(?:[.,'’\u00a0\u202f]\d+)*")


@dataclass(frozen=True)
class ClaimScore:
    """Number of a model's claims found in its documents. Claims that couldn't be compared don't count."""

    claims: int = 0
    claims_found: int = 0
    numbers: int = 0
    numbers_right: int = 0

    def __add__(self, other: ClaimScore) -> ClaimScore:
        return ClaimScore(
            self.claims + other.claims,
            self.claims_found + other.claims_found,
            self.numbers + other.numbers,
            self.numbers_right + other.numbers_right,
        )

    @property
    def is_known(self) -> bool:
        """True once there are enough claims to decide by."""
        return self.claims >= LEAST_CLAIMS

    @property
    def falls_short(self) -> bool:
        """True if it is known that too few claims or numbers were found."""
        return self.is_known and not self.is_enough

    @property
    def is_enough(self) -> bool:
        """False where less than two thirds of the claims were found, or of several numbers were right."""
        are_numbers_right = self.numbers < LEAST_NUMBERS or self.numbers_right >= LEAST_SHARE * self.numbers
        return self.claims_found >= LEAST_SHARE * self.claims and are_numbers_right


def score_claims(statements: Iterable[Statement], text_of: Callable[[int, int], str]) -> ClaimScore:
    """Count claims and numbers; a number is right if its claim was found, or its digits are in a block cited.
    `text_of` returns a block's text by document and block id.
    """
    claims = found = numbers = right = 0
    for statement in statements:
        if not statement.check.is_compared:
            continue
        claims, found = claims + 1, found + statement.check.found
        if said := numbers_of(statement.text):
            texts = (text_of(anchor.document, anchor.block_id) for anchor in statement.anchors)
            there = {number for text in texts for number in numbers_of(text)}
            # The checks know rounded numbers and number words, which digits don't show; so a found claim is enough.
            numbers += len(said)
            right += sum(statement.check.found or number in there for number in said)
    return ClaimScore(claims, found, numbers, right)


def numbers_of(text: str) -> list[str]:
    """Return a text's numbers by digits alone, so that 1,200 and 1 200 are equal."""
    return [re.sub(r"\D", "", match) for match in _NUMBER.findall(text)]


def is_short(documents: Sequence[InputDocument]) -> bool:
    """True where all texts together have at most about `SHORT_TOKENS` tokens."""
    # Bytes, not tokens: this is asked before any model is loaded.
    sizes = (len(block.text.encode(errors="replace")) for document in documents for block in document.blocks)
    return sum(sizes) <= SHORT_TOKENS * BYTES_A_TOKEN


def method_for(
    wish: SummaryOptions, weights: float, *, is_short: bool = False, earlier: ClaimScore | None = None
) -> Method:
    """Choose a summary's method if the wish leaves it open: an extract where the model would write worse.

    What the starter writes is worse than an extract by every measure, and takes minutes. Models up to
    `MOST_SHORT_TEXT_WEIGHTS` summarize short texts, and others only for what an extract can't give: another language,
    tasks, questions, or a wish. `weights` 0 means unknown, not small. `earlier` is how well the model did here
    before; a bad score rules it out.
    """
    if wish.method is not None:
        return wish.method
    # The starter's sentences are worse than an extract by every measure and take minutes, whatever is wished.
    if wish.form not in SENTENCE_FORMS or wish.language:
        return Method.DIGEST if 0 < weights <= MOST_CHOOSING_WEIGHTS else Method.MODEL
    most = MOST_CHOOSING_WEIGHTS if is_short else MOST_SHORT_TEXT_WEIGHTS
    # 0 means that the header doesn't say, not that the model is small.
    if 0 < weights <= most or (earlier is not None and earlier.falls_short):
        return Method.DIGEST
    return Method.MODEL


class WritingRecord:
    """Scores of the last summaries by model; from any thread."""

    def __init__(self, jobs: JobTable) -> None:
        self._jobs = jobs

    def earlier_score(self, model: str, *, is_short: bool) -> ClaimScore | None:
        """Score the last `REMEMBERED` summaries by a model (file name), of short texts or of others."""
        # Only finished summaries count: one that was stopped says nothing about its end.
        done = [job.progress.get("written") for job in self._jobs.find(KIND, (DONE,))]
        mine = [
            record["score"]
            for record in done
            if isinstance(record, dict) and record.get("model") == model and record.get("is_short") == is_short
        ]
        # The store lists the oldest first.
        scores = [ClaimScore(*map(int, score)) for score in mine[-REMEMBERED:]]
        return sum(scores, ClaimScore()) if scores else None


class MethodChoice:
    """Choose the method for documents; from any thread. Reads the header of the model's file."""

    def __init__(self, engines: TaskEngines, jobs: JobTable) -> None:
        self._engines, self._record = engines, WritingRecord(jobs)

    def earlier_score(self, documents: Sequence[InputDocument]) -> ClaimScore | None:
        """Return how well the model summarized such documents here; None if it never did."""
        model = self._engines.model_path()
        return None if model is None else self._record.earlier_score(model.name, is_short=is_short(documents))

    def choose_method(self, documents: Sequence[InputDocument]) -> Callable[[SummaryOptions], Method]:
        """Return `method_for` of these documents and the model as it is now, for however many options are asked."""
        # Which model it is takes a look into all folders of models, so it is not asked for each of them.
        short, weights = is_short(documents), self._engines.count_weights()
        return partial(method_for, weights=weights, is_short=short, earlier=self.earlier_score(documents))


def written_fields(model: str, score: ClaimScore, *, is_short: bool) -> dict[str, object]:
    """Return the fields a finished summary stores for `WritingRecord`."""
    figures = [score.claims, score.claims_found, score.numbers, score.numbers_right]
    return {"model": model, "is_short": is_short, "score": figures}
