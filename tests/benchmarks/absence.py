"""How often it is told that no passage answers: for questions that a document leaves open, and wrongly for others.

Two sources of questions: those in other words of `tests/data/grounded`, and `tests/data/absence`, as people ask. Both
were written before any score was seen. `near` is a question that the document answers for another year, version or
person, `plausible` one about its topic, `far` one about something else. `fit` finds the weights of
`app.features.retrieval.absence` on the development sets; the held-out ones only say what they are worth.

A short document is an excerpt of a long one around the passage that answers, or anywhere for a question that none
does: in a long document something is always near, so both sizes are fitted and measured.

No judge that reads the passages which a prompt shows can tell more than the ceiling: one without a fault, which never
tells where the answer is among them and leaves the rest to the signs. It needs the answer to be found first.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from run import Row

from app.features.retrieval.absence import MOST_ABSENCE, USUAL_CLOSENESS, AnswerSigns, absence_of, signs_of
from app.features.retrieval.choosing import choose_passages
from app.store.document_store import DocumentStore, Fields
from tests.helpers.grounded import DEVELOPMENT, HELD_OUT, find_passage, load_question_sets

QUESTIONS = Path(__file__).resolve().parents[1] / "data" / "absence" / "questions.json"
LEAST_TOLD, MOST_FALSE = 0.8, 0.1
FITTED_FALSE = 0.09
"""Of the development sets: other documents are told of more often."""
RIDGE = 0.3
"""Of the regression, on signs of unit variance."""
SHOWN_TOKENS = 3_000
"""What a context of 8,192 tokens has for passages."""
LETTERS_A_TOKEN = 3.6
EXCERPT_BLOCKS = (60, 120, 300)
"""Some 5, 10 and 25 pages."""
SEED = 7
ANSWERABLE = "answerable"


@dataclass(frozen=True)
class AskedQuestion:
    """`kind` is answerable, near, plausible or far; `passage` a phrase of what answers, "" where nobody marked it."""

    document: str
    language: str
    split: str
    kind: str
    text: str
    passage: str = ""


@dataclass(frozen=True)
class JudgedQuestion:
    """`signs` None: nothing is told.

    `is_shown`: whether the passage that answers is among those that a prompt shows; None where nobody marked it.
    """

    split: str
    language: str
    kind: str
    signs: AnswerSigns | None
    is_shown: bool | None = None
    blocks: int = 0
    """Size of the excerpt it was asked of; 0 for the whole document."""

    @property
    def absence(self) -> float:
        return 0.0 if self.signs is None else absence_of(self.signs)

    @property
    def is_answerable(self) -> bool:
        return self.kind == ANSWERABLE


def named_documents() -> list[str]:
    """Return the names of the documents that the questions are about."""
    return sorted({str(fields["document"]) for fields in json.loads(QUESTIONS.read_text("utf-8"))})


def judge_questions(store: DocumentStore, documents: dict[str, int]) -> list[JudgedQuestion]:
    """Look every question up in its document, where that is there; `documents` are ids by names."""
    judged = []
    for asked in asked_questions():
        if asked.document in documents:
            number = documents[asked.document]
            is_shown = _is_shown(store, number, asked) if asked.passage else None
            signs = signs_of(store, number, asked.text)
            judged.append(JudgedQuestion(asked.split, asked.language, asked.kind, signs, is_shown))
    return judged


def judge_excerpts(store: DocumentStore, documents: dict[str, int]) -> list[JudgedQuestion]:
    """Look the questions up in short documents, of which each begins at a round place."""
    chosen, judged = random.Random(SEED), []
    blocks = {name: store.read_blocks(number) for name, number in documents.items()}
    for asked in asked_questions():
        there = blocks.get(asked.document, [])
        found = find_passage(there, asked.passage) if asked.passage else set()
        for size in EXCERPT_BLOCKS:
            if len(there) < size * 1.5 or (asked.kind == ANSWERABLE and not found):
                continue
            last = len(there) - size
            first = min(last, max(0, min(found) - 1 - chosen.randrange(size))) if found else chosen.randrange(last + 1)
            signs = signs_of(store, _store_excerpt(store, there[first : first + size]), asked.text)
            judged.append(JudgedQuestion(asked.split, asked.language, asked.kind, signs, blocks=size))
    return judged


def _store_excerpt(store: DocumentStore, blocks: Sequence[Fields]) -> int:
    id_ = store.begin_document(Path("/excerpt.txt"), 1, 1)
    store.add_blocks(id_, [{**block, "id": number} for number, block in enumerate(blocks, 1)])
    return store.finish_document(id_, format_="text", unit="", pages=0, sha256="", info={}).id


def _is_shown(store: DocumentStore, document_id: int, asked: AskedQuestion) -> bool:
    chosen = choose_passages(store, document_id, asked.text, SHOWN_TOKENS, _estimate_tokens)
    return bool(find_passage(store.read_blocks(document_id), asked.passage) & set(chosen))


def _estimate_tokens(texts: Sequence[str]) -> list[int]:
    return [int(len(text) / LETTERS_A_TOKEN) + 1 for text in texts]


def asked_questions() -> Iterator[AskedQuestion]:
    """Yield all questions of both sources."""
    for question_set in load_question_sets():
        place = question_set.document, question_set.language, question_set.split
        yield from (AskedQuestion(*place, ANSWERABLE, one.text, one.passage) for one in question_set.answerable)
        for unanswerable in question_set.unanswerable:
            yield AskedQuestion(*place, "far" if unanswerable.is_off_topic else "plausible", unanswerable.text)
    for fields in json.loads(QUESTIONS.read_text("utf-8")):
        place = fields["document"], fields["language"], fields["split"]
        yield from (AskedQuestion(*place, ANSWERABLE, question) for question in fields["answerable"])
        for kind, questions in fields["unanswerable"].items():
            yield from (AskedQuestion(*place, kind, question) for question in questions)


def excerpt_rows(judged: Sequence[JudgedQuestion]) -> Iterator[Row]:
    """Shares that are told of short documents; the baseline is of those told wrongly."""
    for split in (DEVELOPMENT, HELD_OUT):
        for size in EXCERPT_BLOCKS:
            group = [question for question in judged if (question.split, question.blocks) == (split, size)]
            told, wrongly = (
                round(float(np.mean([one.absence >= MOST_ABSENCE for one in group if one.is_answerable is known])), 3)
                for known in (False, True)
            )
            yield Row(f"{split}, {size} blocks: told that nothing answers", told, "share", wrongly, "told wrongly")


def absence_rows(judged: Sequence[JudgedQuestion]) -> Iterator[Row]:
    """Shares that are told, beside the simplest rule: no telling word occurs."""
    nearest = _closeness_limit([question for question in judged if question.split == DEVELOPMENT])
    ways: dict[str, Callable[[AnswerSigns], bool]] = {
        "five signs": lambda signs: absence_of(signs) >= MOST_ABSENCE,
        "no word": lambda signs: signs.missing == 1,
        "closeness": lambda signs: signs.closeness is not None and signs.closeness < nearest,
    }
    for split in (DEVELOPMENT, HELD_OUT):
        of_split = [question for question in judged if question.split == split]
        groups: dict[str, Callable[[JudgedQuestion], bool]] = {"all": lambda _: True}
        groups |= {code: lambda one, code=code: one.language == code for code in ("en", "de", "es")}
        kinds = {kind: lambda one, kind=kind: one.kind == kind for kind in ("far", "plausible", "near")}
        for name, belongs in (groups | kinds).items():
            open_ones = [question for question in of_split if belongs(question) and not question.is_answerable]
            yield _told_row(f"{split}, {name}: told that nothing answers", open_ones, ways, at_least=LEAST_TOLD)
        for name, belongs in groups.items():
            answered = [question for question in of_split if belongs(question) and question.is_answerable]
            yield _told_row(f"{split}, {name}: told so wrongly", answered, ways, at_most=MOST_FALSE)
        yield _ceiling_row(split, of_split)


def _ceiling_row(split: str, questions: Sequence[JudgedQuestion]) -> Row:
    """What a faultless reader of the shown passages could tell, beside the signs alone, with as many told wrongly.

    An answer whose passage nobody marked counts as shown.
    """
    is_open = np.array([not one.is_answerable for one in questions])
    blind = np.array([one.absence for one in questions])
    reading = np.where([one.is_answerable and one.is_shown is not False for one in questions], 0.0, blind)
    marked = [one.is_shown for one in questions if one.is_shown is not None]
    note = f"wanted at least {LEAST_TOLD}; {sum(marked)} of {len(marked)} answers are among {SHOWN_TOKENS} tokens"
    told, told_blind = (round(told_at(absences, is_open), 3) for absences in (reading, blind))
    return Row(f"{split}: told by a faultless reader of what is shown", told, "share", told_blind, note)


def told_at(absences: np.ndarray, is_open: np.ndarray) -> float:
    """Return the share of open questions above the limit that the allowed share of the others reaches."""
    answerable = np.sort(absences[~is_open])[::-1]
    return float((absences[is_open] > answerable[int(len(answerable) * MOST_FALSE)]).mean())


def _told_row(
    name: str,
    questions: Sequence[JudgedQuestion],
    ways: dict[str, Callable[[AnswerSigns], bool]],
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Row:
    told = {
        way: round(sum(one.signs is not None and is_told(one.signs) for one in questions) / len(questions), 3)
        for way, is_told in ways.items()
    }
    limit = f"at least {at_least}" if at_least is not None else f"at most {at_most}"
    note = f"wanted {limit}; closeness alone {told['closeness']}; {len(questions)} questions"
    return Row(name, told["five signs"], "share", told["no word"], note)


def _closeness_limit(questions: Sequence[JudgedQuestion]) -> float:
    """The cosine below which a tenth of the answerable questions are."""
    known = [one.signs.closeness for one in questions if one.is_answerable and one.signs is not None]
    return float(np.quantile([closeness for closeness in known if closeness is not None], MOST_FALSE))


def fit(judged: Sequence[JudgedQuestion]) -> dict[str, float]:
    """Return the weights that a logistic regression gives, both kinds of questions weighing the same.

    The bias is moved so that at most `FITTED_FALSE` of the answerable questions are told that nothing answers.
    """
    development = [question for question in judged if question.split == DEVELOPMENT]
    known = [question for question in development if question.signs is not None]
    signs = np.array([numbers_of(question.signs) for question in known if question.signs is not None])
    is_open = np.array([not question.is_answerable for question in known])
    weights = regress(signs, is_open)
    logits = weights[0] + signs @ weights[1:]
    answerable = sum(question.is_answerable for question in development)
    limit = np.sort(logits[~is_open])[::-1][int(answerable * FITTED_FALSE)]
    names = ("MISSING", "TOGETHER", "CLOSENESS", "LACKS_NAME", "SIZE")
    return {"BIAS": float(weights[0] - limit)} | dict(zip(names, map(float, weights[1:]), strict=True))


def numbers_of(signs: AnswerSigns) -> tuple[float, float, float, float, float]:
    closeness = USUAL_CLOSENESS if signs.closeness is None else signs.closeness
    return signs.missing, signs.together, closeness, float(signs.lacks_name), math.log(max(1, signs.blocks))


def regress(signs: np.ndarray, is_open: np.ndarray) -> np.ndarray:
    """Logistic regression by Newton's method, with a ridge."""
    means, deviations = signs.mean(0), signs.std(0) + 1e-9
    inputs = np.c_[np.ones(len(signs)), (signs - means) / deviations]
    share = len(is_open) / 2
    balance = np.where(is_open, share / is_open.sum(), share / (~is_open).sum())
    ridge = RIDGE * np.diag([0.0, *[1.0] * signs.shape[1]])
    weights = np.zeros(inputs.shape[1])
    for _ in range(50):
        told = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (balance * (told - is_open)) + ridge @ weights
        curve = (inputs * (balance * told * (1 - told))[:, None]).T @ inputs + ridge
        weights = weights - np.linalg.solve(curve + 1e-9 * np.eye(len(weights)), slope)
    scaled = weights[1:] / deviations
    return np.r_[weights[0] - scaled @ means, scaled]
