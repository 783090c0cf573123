"""Small models begin an answer with the last line of what they were asked; that is no part of a point."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.features.summary import prompts
from app.features.summary.prompts import cited_runs, read_points
from app.features.summary.result import Form
from app.features.summary.sections import whole
from tests.features.summary.pipeline import document

GIVEN = document("The school at Quay 7 trained 18 apprentices.")
SECTION = replace(whole(0, GIVEN.blocks), number=1, of=2)
LAST_LINES = [
    messages[-1].text.splitlines()[-1]
    for most in (1, 8)
    for messages in (
        prompts.map_messages(GIVEN, SECTION, "en", most, is_small=True),
        prompts.merge_messages("[1] It is old.", "", "en", most, is_small=True),
        prompts.write_messages(Form.BULLETS, [("a", "[1] Old.")], "", "en", most=most, are_points=True, is_small=True),
    )
]


@pytest.mark.parametrize("line", LAST_LINES)
def test_what_was_asked_is_no_part_of_the_answer(line: str) -> None:
    assert line.startswith("The ")
    answer = f"[7] {line} The school trained 18 apprentices.\n[8] {line}1.\n[9] {line}\n[6] {line} 2019-07-31 x.\n"
    assert [(one.text, one.ids) for one in read_points(answer, range(10))] == [
        ("The school trained 18 apprentices.", (7,))
    ]
    assert [text for one in answer.splitlines() for text, _ in cited_runs(one)] == [
        "The school trained 18 apprentices."
    ]


def test_a_text_that_speaks_of_sentences_keeps_its_words() -> None:
    text = "The most important sentence was never written down."
    assert [one.text for one in read_points(f"[1] {text}\n", [1])] == [text]
