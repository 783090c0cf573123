"""Which questions are about a whole document: two hundred of them, half of them only tried and never tuned on."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.features.retrieval.question_scope import QuestionScope, WantedScope
from app.features.retrieval.scope import LONGEST_QUESTION, scope_of

QUESTIONS = Path(__file__).parents[2] / "data" / "surveys" / "questions.tsv"
LEAST = 0.9
"""Of precision and recall."""


def questions(half: str) -> list[tuple[str, str]]:
    rows = [line.split("\t") for line in QUESTIONS.read_text("utf-8").splitlines()]
    return [(label, question) for part, _language, label, question in rows if part == half]


@pytest.mark.parametrize("half", ["dev", "held"])
def test_questions_about_all_of_a_document_are_told_from_those_about_a_place(half: str) -> None:
    asked = questions(half)
    offered = {question for _, question in asked if scope_of(question) is not None}
    whole = {question for label, question in asked if label != "place"}
    assert len(whole) >= 45
    assert len(asked) - len(whole) >= 45
    assert len(offered & whole) / len(offered) >= LEAST, sorted(offered - whole)
    assert len(offered & whole) / len(whole) >= LEAST, sorted(whole - offered)


@pytest.mark.parametrize(
    ("question", "scope"),
    [
        ("List all dates", WantedScope(QuestionScope.DATES)),
        ("List all dates of hearings about the roof", WantedScope(QuestionScope.DATES, is_narrowed=True)),
        ("What are the dates of the two inspections?", None),
        ("Wie oft wird der Ofen erwähnt?", WantedScope(QuestionScope.MENTIONS, "ofen", is_counted=True)),
        ('Where is "copper paste" mentioned?', WantedScope(QuestionScope.MENTIONS, "copper paste")),
        ("How many pages does it have?", WantedScope(QuestionScope.PAGES, is_counted=True)),
        ("How many companies are mentioned?", WantedScope(QuestionScope.LIST, is_counted=True)),
        ("How many days are there between the two?", None),
        ("Summarize the discussion about the roof", None),
        ("Please summarize the whole report in three sentences.", WantedScope(QuestionScope.ABOUT)),
        ("List all amounts in chapter 3", None),
        ("", None),
        ("   ", None),
        ("List all dates. " + "x" * LONGEST_QUESTION, None),
    ],
)
def test_what_a_question_wants_is_told(question: str, scope: WantedScope | None) -> None:
    assert scope_of(question) == scope
