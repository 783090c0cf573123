"""Of the benchmarks of what is said not to be there: their arithmetic, and what the judge is shown."""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from app.core.events import Guess
from app.features.chat.passage_judge import JUDGE_REQUEST, doubt_of
from app.features.retrieval.absence import AnswerSigns
from app.store.database import Database
from app.store.document_store import DocumentStore
from tests.features.retrieval.test_absence import KILNS
from tests.helpers.engine import load, scripted_client
from tests.helpers.grounded import store_document
from tests.helpers.script import requests

HERE = Path(__file__).resolve().parent


@pytest.fixture(autouse=True)
def benchmarks_are_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """They import each other as run.py lets them."""
    for folder in (HERE, HERE.parents[1] / "packaging" / "setup"):
        monkeypatch.syspath_prepend(str(folder))


def test_a_tenth_of_the_answerable_questions_may_be_told_wrongly() -> None:
    from absence import told_at
    from judge_bench import area_under_curve

    answerable, unanswered = [0.1 * number for number in range(10)], [0.85, 0.95, 0.5, 0.2]
    scores = np.array(answerable + unanswered)
    is_open = np.array([False] * 10 + [True] * 4)
    assert told_at(scores, is_open) == 0.5, "all but the nearest of ten are below"
    assert area_under_curve(scores, is_open) == pytest.approx((9 + 10 + 5.5 + 2.5) / 40)


def test_a_faultless_reader_tells_no_question_whose_answer_is_shown() -> None:
    from absence import DEVELOPMENT, JudgedQuestion, absence_rows

    far, near = AnswerSigns(1, 0, 0.3, True), AnswerSigns(0, 1, 0.8, False)
    answerable = [(near, None)] * 6 + [(far, True)] * 3 + [(far, False)]
    judged = [
        JudgedQuestion(split, language, "answerable", signs, is_shown)
        for split in (DEVELOPMENT, "held-out")
        for language in ("en", "de", "es")
        for signs, is_shown in answerable
    ] + [
        JudgedQuestion(split, language, kind, AnswerSigns(0.9, 0.1, 0.4, True))
        for split in (DEVELOPMENT, "held-out")
        for language in ("en", "de", "es")
        for kind in ("far", "near", "plausible")
    ]
    (row,) = [row for row in absence_rows(judged) if row.name.startswith("held-out: told by a faultless reader")]
    assert (row.value, row.baseline) == (1, 0), "three in ten that the signs would tell wrongly are read"
    assert "9 of 12 answers" in row.spread


def test_doubt_is_how_much_likelier_no_is_however_it_is_written() -> None:
    guesses = [Guess(b"No", 0.4), Guess(b" no", 0.2), Guess(b"Yes", 0.1), Guess(b"Note", 0.05)]
    assert doubt_of(guesses) == pytest.approx(math.log(6))
    assert doubt_of(guesses[:2]) == pytest.approx(math.log(3)), "what is not told has less than the least that is"
    assert doubt_of([Guess(b"Paris", 0.9)]) == 0
    assert doubt_of([]) == 0


def test_the_judge_reads_what_an_answer_begins_with(tmp_path: Path) -> None:
    from absence import AskedQuestion
    from judge_bench import judge_question

    script = {"log": "prompts.jsonl", "answers": [{"when": r"yes or no\?", "text": "No"}, {"text": "Two days."}]}
    path = tmp_path / "kilns.txt"
    path.write_text("\n\n".join(KILNS), "utf-8")
    asked = AskedQuestion("kilns.txt", "en", "held-out", "answerable", "How long does the kiln cool?")
    with closing(Database.in_memory()) as database, closing(scripted_client(tmp_path, script)) as engine:
        load(engine, context_tokens=2048)
        store = DocumentStore(database)
        verdict = judge_question(engine, store, store_document(store, path), asked)
    assert verdict.doubt == 0, "a script tells nothing of an answer's first word"
    assert verdict.question.signs is not None
    asks = requests(tmp_path / "script.json")
    assert [(ask["max_tokens"], ask["session"]) for ask in asks] == [(1, "judge")] * 2, "so that what was read stays"
    (_, answered), (_, judged) = (ask["messages"][-1] for ask in asks)
    assert "The kiln cools for two days" in answered
    assert judged == f"{answered}\n\n{JUDGE_REQUEST}"
