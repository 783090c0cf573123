"""A few words get the place where they stand with what was asked."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from app.features.retrieval.short_answers import sources_of_short_answer
from app.features.retrieval.support import AnswerSupport, support_of
from app.store.database import Database
from app.store.document_store import DocumentStore
from tests.benchmarks.quality_texts import TEXTS
from tests.helpers.places import store_texts

LABELLED = Path(__file__).resolve().parents[2] / "data" / "places" / "short_answers.json"
REPORT = (
    "The mill was built in 1911 by two brothers.",
    "In May 2021 the mill had 1,250 workers, one in five of them women.",
    "All workers get thirty-one days of paid leave a year. The lease ends in March.",
    "The chairman, Elke Brandt, thanked the town for the footbridge.",
)
LEAVE = "How many days of paid leave do the workers get?"


@pytest.mark.parametrize(
    ("question", "answer", "page"),
    [
        (LEAVE, "Thirty-one days.", 3),
        (LEAVE, "31 days", 3),
        (LEAVE, "301 days.", None),
        (LEAVE, "Yes.", None),
        (LEAVE, "I don't know.", None),
        ("Who is the chairman?", "Elke Brandt.", 4),
        ("What is the name of the chairman's dog?", "Elke Brandt.", None),
        ("When was the mill built?", "In 1911.", 1),
        ("When was the mill built?", "In 2021.", None),
        ("How high is the bell tower?", "1,250", None),
    ],
)
def test_a_short_answer_stands_where_most_of_the_question_stands(question: str, answer: str, page: int | None) -> None:
    with closing(Database.in_memory()) as database:
        store = DocumentStore(database)
        id_ = store.begin_document(Path("/report.pdf"), 1, 1)
        blocks = [{"id": n, "kind": "paragraph", "page": n, "text": text} for n, text in enumerate(REPORT, 1)]
        store.add_blocks(id_, blocks)
        store.finish_document(id_, format_="pdf", unit="page", pages=4, sha256="", info={})
        sources = sources_of_short_answer(answer, question, [id_], store)
    assert [source.page for source in sources] == ([] if page is None else [page])
    assert support_of(answer, sources) is (AnswerSupport.NOT_FOUND if page is None else AnswerSupport.SUPPORTED)


def test_places_under_short_answers_that_were_labelled_by_hand_are_right() -> None:
    rows = json.loads(LABELLED.read_text("utf-8"))
    texts = {text.name: text.text for text in TEXTS}
    wrong, found = [], 0
    with closing(Database.in_memory()) as database:
        store = DocumentStore(database)
        ids = store_texts(store)
        for name, question, answer, phrase in rows:
            assert phrase in " ".join(texts[name].split())
            sources = sources_of_short_answer(answer, question, [ids[name]], store)
            cited = [
                str(store.some_blocks(one.document_id, [one.block_id])[0]["text"])[one.start : one.end]
                for one in sources
            ]
            if phrase and any(phrase in " ".join(text.split()) for text in cited):
                found += 1
            elif cited:
                wrong.append((question, answer, cited))
    assert wrong == []
    assert found >= 0.5 * sum(bool(phrase) for *_, phrase in rows)
