"""The chat model as judge of whether the shown passages answer a question, beside the five signs, and both joined.

What it reads is what an answer's prompt begins with, so that only the request to judge is read for it; what counts is
how likely "yes" is against "no" as the first token. The weights are fitted on the development sets. Held-out ones only
say what they are worth. A table of what a faultless reader could tell is in `absence.py`.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from absence import (
    ANSWERABLE,
    SHOWN_TOKENS,
    AskedQuestion,
    JudgedQuestion,
    asked_questions,
    numbers_of,
    regress,
    told_at,
)
from comparing import progress
from grounded_data import grounded_folder
from run import Row

from app.core.child import own_command
from app.core.events import Guess, Message, Role, TokenChosen
from app.documents.blocks import block_from_fields
from app.engine.client import EngineClient
from app.engine.protocol import Sampling, Wish
from app.features.chat.passage_judge import ALTERNATIVES, JUDGE_REQUEST, add_doubt, doubt_of
from app.features.document_frames import passages_text, with_question
from app.features.retrieval.absence import absence_logit, signs_of
from app.features.retrieval.choosing import choose_passages
from app.store.database import Database
from app.store.document_store import DocumentStore
from tests.helpers.grounded import DEVELOPMENT, HELD_OUT, store_document
from tests.helpers.qwen_models import NAMES, qwen_path

BY_NAME_ONLY = True
"""A prompt as the program makes it for each question and model: two hours of two cores."""
QUESTIONS = 20
"""Of each split, answerable ones and others."""
SEED = 30
CONTEXT_TOKENS = 4096
SESSION = "judge"


@dataclass(frozen=True)
class Verdict:
    """What a model says of a question. `doubt` is the logarithm of how much likelier "no" is than "yes"."""

    question: JudgedQuestion
    doubt: float
    reading_s: float
    judging_s: float


def rows() -> Iterator[Row]:
    """Both models, the smaller one first; those that are not there are said and left out."""
    folder = grounded_folder()
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch, closing(Database.in_memory()) as database:
        store = DocumentStore(database)
        asked = list(_sample(folder))
        documents = {name: store_document(store, folder / name) for name in sorted({one.document for one in asked})}
        for size in sorted(NAMES):
            if not qwen_path(size).is_file():
                progress(f"{NAMES[size]} is not there: `make test-qwen` fetches it")
                continue
            engine = EngineClient(own_command("--engine-worker"), Path(scratch) / size)
            try:
                list(engine.load(qwen_path(size), Wish(context_tokens=CONTEXT_TOKENS)))
                verdicts = [judge_question(engine, store, documents[one.document], one) for one in asked]
            finally:
                engine.close()
            yield from verdict_rows(size, verdicts)


def _sample(folder: Path) -> Iterator[AskedQuestion]:
    """Draw among the questions whose document is there."""
    chosen = random.Random(SEED)
    known = [asked for asked in asked_questions() if (folder / asked.document).is_file()]
    for split in (DEVELOPMENT, HELD_OUT):
        for is_answerable in (True, False):
            group = [one for one in known if one.split == split and (one.kind == ANSWERABLE) is is_answerable]
            yield from chosen.sample(group, min(QUESTIONS, len(group)))


def judge_question(engine: EngineClient, store: DocumentStore, document_id: int, asked: AskedQuestion) -> Verdict:
    """Read the prompt of an answer, then what is added for the judge."""
    document = store.get(document_id)
    assert document is not None
    numbers = choose_passages(store, document_id, asked.text, SHOWN_TOKENS, engine.count_texts)
    blocks = [block_from_fields(fields) for fields in store.some_blocks(document_id, numbers)]
    shown = passages_text(document, blocks, store.block_count(document_id))
    prompt = with_question([shown], asked.text, is_citing=bool(document.unit))
    began_s = time.monotonic()
    _first_guesses(engine, prompt)
    read_s = time.monotonic()
    doubt = doubt_of(_first_guesses(engine, f"{prompt}\n\n{JUDGE_REQUEST}"))
    judged_s = time.monotonic()
    question = JudgedQuestion(asked.split, asked.language, asked.kind, signs_of(store, document_id, asked.text))
    progress(f"{asked.kind}: {doubt:.2f}, {read_s - began_s:.1f} + {judged_s - read_s:.1f} s")
    return Verdict(question, doubt, read_s - began_s, judged_s - read_s)


def _first_guesses(engine: EngineClient, prompt: str) -> tuple[Guess, ...]:
    events = engine.generate(
        [Message(Role.USER, prompt)],
        max_tokens=1,
        alternatives=ALTERNATIVES,
        sampling=Sampling(temperature=0),
        session=SESSION,
    )
    return next((event.token.alternatives for event in list(events) if isinstance(event, TokenChosen)), ())


def verdict_rows(size: str, verdicts: Sequence[Verdict]) -> Iterator[Row]:
    """The area under the curve, and the share that is told with a tenth told wrongly: signs, judge, both."""
    known = [verdict for verdict in verdicts if verdict.question.signs is not None]
    development, held_out = (
        [verdict for verdict in known if verdict.question.split == split] for split in (DEVELOPMENT, HELD_OUT)
    )
    ways = {"signs": slice(0, -1), "judge": slice(-1, None), "joined": slice(None)}
    for split, group in ((DEVELOPMENT, development), (HELD_OUT, held_out)):
        is_open = np.array([not verdict.question.is_answerable for verdict in group])
        scores = {}
        for way, columns in ways.items():
            weights = regress(_inputs(development)[:, columns], np.array([_is_open(one) for one in development]))
            scores[way] = weights[0] + _inputs(group)[:, columns] @ weights[1:]
        areas = {way: round(area_under_curve(score, is_open), 3) for way, score in scores.items()}
        told = {way: round(told_at(score, is_open), 3) for way, score in scores.items()}
        note = f"the judge alone {areas['judge']}; {len(group)} questions"
        yield Row(f"{size}, {split}: area under the curve, joined", areas["joined"], "share", areas["signs"], note)
        note = f"the judge alone {told['judge']}; a tenth told wrongly"
        yield Row(f"{size}, {split}: told, joined", told["joined"], "share", told["signs"], note)
        yield from _told_rows(f"{size}, {split}", group)
    judging, reading = (
        round(statistics.median(getattr(verdict, name) for verdict in verdicts), 2)
        for name in ("judging_s", "reading_s")
    )
    yield Row(f"{size}: judging after the prompt was read", judging, "s", reading)


def _told_rows(name: str, group: Sequence[Verdict]) -> Iterator[Row]:
    """Shares that are told as the program does, beside the signs alone."""
    for is_answerable, what in ((False, "told by the program"), (True, "told wrongly by the program")):
        chosen = [verdict for verdict in group if verdict.question.is_answerable is is_answerable]
        logits = [absence_logit(one.question.signs) for one in chosen if one.question.signs is not None]
        judged = [add_doubt(logit, verdict.doubt) for logit, verdict in zip(logits, chosen, strict=True)]
        told, by_signs = (round(statistics.fmean(one >= 0 for one in group), 3) for group in (judged, logits))
        yield Row(f"{name}: {what}", told, "share", by_signs, f"{len(chosen)} questions")


def _is_open(verdict: Verdict) -> bool:
    return not verdict.question.is_answerable


def _inputs(verdicts: Sequence[Verdict]) -> np.ndarray:
    return np.array(
        [(*numbers_of(one.question.signs), one.doubt) for one in verdicts if one.question.signs is not None]
    )


def area_under_curve(scores: np.ndarray, is_open: np.ndarray) -> float:
    """Return how often one of the open questions has more than one of the others; equal ones count half."""
    pairs = scores[is_open][:, None] - scores[~is_open][None, :]
    return float((pairs > 0).mean() + (pairs == 0).mean() / 2)
