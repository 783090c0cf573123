"""How often it is told that no passage answers: for questions that a document leaves open, and wrongly for others.

Two sources of questions: those in other words of `tests/data/grounded`, and `tests/data/absence`, as people ask. Both
were written before any score was seen. `near` is a question that the document answers for another year, version or
person, `plausible` one about its topic, `far` one about something else. `fit` finds the weights of
`app.features.retrieval.absence` on the development sets; the held-out ones only say what they are worth.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from run import Row

from app.features.retrieval.absence import MOST_ABSENCE, USUAL_CLOSENESS, AnswerSigns, absence_of, signs_of
from app.store.documents import DocumentStore
from tests.helpers.grounded import DEVELOPMENT, HELD_OUT, load_question_sets

QUESTIONS = Path(__file__).resolve().parents[1] / "data" / "absence" / "questions.json"
LEAST_TOLD, MOST_FALSE = 0.8, 0.1
FITTED_FALSE = 0.05
"""Of the development sets: other documents are told of more often."""
RIDGE = 0.3
"""Of the regression, on signs of unit variance."""


@dataclass(frozen=True)
class JudgedQuestion:
    """`kind` is answerable, near, plausible or far; `signs` None: nothing is told."""

    split: str
    language: str
    kind: str
    signs: AnswerSigns | None

    @property
    def is_answerable(self) -> bool:
        return self.kind == "answerable"


def named_documents() -> list[str]:
    """Return the names of the documents that the questions are about."""
    return sorted({str(fields["document"]) for fields in json.loads(QUESTIONS.read_text("utf-8"))})


def judge_questions(store: DocumentStore, documents: dict[str, int]) -> list[JudgedQuestion]:
    """Look every question up in its document, where that is there; `documents` are ids by names."""
    return [
        JudgedQuestion(split, language, kind, signs_of(store, documents[document], question))
        for document, language, split, kind, question in _questions()
        if document in documents
    ]


def _questions() -> Iterator[tuple[str, str, str, str, str]]:
    for question_set in load_question_sets():
        place = question_set.document, question_set.language, question_set.split
        yield from ((*place, "answerable", question.text) for question in question_set.answerable)
        for unanswerable in question_set.unanswerable:
            yield *place, "far" if unanswerable.is_off_topic else "plausible", unanswerable.text
    for fields in json.loads(QUESTIONS.read_text("utf-8")):
        place = fields["document"], fields["language"], fields["split"]
        yield from ((*place, "answerable", question) for question in fields["answerable"])
        for kind, questions in fields["unanswerable"].items():
            yield from ((*place, kind, question) for question in questions)


def absence_rows(judged: Sequence[JudgedQuestion]) -> Iterator[Row]:
    """Shares that are told, beside the simplest rule: no telling word occurs."""
    nearest = _closeness_limit([question for question in judged if question.split == DEVELOPMENT])
    ways: dict[str, Callable[[AnswerSigns], bool]] = {
        "four signs": lambda signs: absence_of(signs) >= MOST_ABSENCE,
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
    return Row(name, told["four signs"], "share", told["no word"], note)


def _closeness_limit(questions: Sequence[JudgedQuestion]) -> float:
    """The cosine below which a tenth of the answerable questions are."""
    known = [one.signs.closeness for one in questions if one.is_answerable and one.signs is not None]
    return float(np.quantile([closeness for closeness in known if closeness is not None], MOST_FALSE))


def fit(judged: Sequence[JudgedQuestion]) -> dict[str, float]:
    """Return the weights that a logistic regression gives, both kinds of questions weighing the same.

    The bias is moved so that at most a twentieth of the answerable questions is told that nothing answers.
    """
    development = [question for question in judged if question.split == DEVELOPMENT]
    known = [question for question in development if question.signs is not None]
    signs = np.array([_numbers(question.signs) for question in known if question.signs is not None])
    is_open = np.array([not question.is_answerable for question in known])
    weights = _regress(signs, is_open)
    logits = weights[0] + signs @ weights[1:]
    answerable = sum(question.is_answerable for question in development)
    limit = np.sort(logits[~is_open])[::-1][int(answerable * FITTED_FALSE)]
    names = ("MISSING", "TOGETHER", "CLOSENESS", "LACKS_NAME")
    return {"BIAS": float(weights[0] - limit)} | dict(zip(names, map(float, weights[1:]), strict=True))


def _numbers(signs: AnswerSigns) -> tuple[float, float, float, float]:
    closeness = USUAL_CLOSENESS if signs.closeness is None else signs.closeness
    return signs.missing, signs.together, closeness, float(signs.lacks_name)


def _regress(signs: np.ndarray, is_open: np.ndarray) -> np.ndarray:
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
