"""Statements out of a write-up, in every form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from app.core.events import CancelToken, FinishReason, ModelLoaded
from app.documents.blocks import Block, BlockKind
from app.engine.client import EngineClient
from app.features.summarize.checks import CitedBlock
from app.features.summarize.sections import budgets_for, runs_under_headings
from app.features.summarize.summary_attempt import MemorySteps
from app.features.summarize.summary_result import ClaimAnchor, Form, Statement, SummaryOptions
from app.features.summarize.summary_work import SummaryWork
from app.features.summarize.write_up import SummaryDraft, parse_statements, plain_text
from app.features.summarize.write_up_sources import WriteUpSources, evidence_of
from tests.features.summarize.pipeline import (
    LARGE_BYTES,
    NARROW_TOKENS,
    document,
    events_of,
    heading,
    long_document,
    said,
    scripted,
    summary_of,
)
from tests.helpers.script import requests

BLOCKS = {number: (CitedBlock(0, Block(number, BlockKind.PARAGRAPH, f"Text {number}.")),) for number in range(1, 9)}
DRAFT = SummaryDraft(WriteUpSources((("a.pdf", ""),), BLOCKS), group="Costs")


def found(answer: str, form: Form, finish: str = "stop") -> list[tuple[str, tuple[int, ...], str, int]]:
    statements = parse_statements(answer, form, DRAFT, FinishReason(finish))
    return [(one.text, one.ids, one.group, one.paragraph) for one in statements]


def test_paragraphs_are_divided_by_empty_lines() -> None:
    answer = "It is old [1]. It is warm [2, 3].\n\nIt was sold [4]."
    assert found(answer, Form.PARAGRAPHS) == [
        ("It is old.", (1,), "Costs", 0),
        ("It is warm.", (2, 3), "Costs", 0),
        ("It was sold.", (4,), "Costs", 1),
    ]


def test_each_line_of_a_list_is_by_itself() -> None:
    assert found("- It is old. [1]\n- It is warm. [2]\n", Form.BULLETS) == [
        ("It is old.", (1,), "Costs", 0),
        ("It is warm.", (2,), "Costs", 1),
    ]


def test_a_number_alone_on_its_line_stands_for_its_point() -> None:
    points = tuple(Statement(f"Point {number} is here.", ()) for number in range(1, 9))
    draft = replace(DRAFT, sources=replace(DRAFT.sources, points=points))
    statements = parse_statements("[2]\n[3] It was sold.\n\n[8]\n[99]\n", Form.PARAGRAPHS, draft)
    assert [(one.text, one.ids, one.paragraph) for one in statements] == [
        ("Point 2 is here.", (2,), 0),
        ("It was sold.", (3,), 0),
        ("Point 8 is here.", (8,), 1),
    ]


def test_the_smallest_models_say_which_points_and_larger_ones_write(tmp_path: Path) -> None:
    rules = [said(number) for number in range(1, 5)] + [{"when": "^Text to summarize", "text": "[1]\n[3]\n"}]
    grammars: dict[int, str] = {}
    for size in (100_000_000, 800_000_000):
        folder = tmp_path / str(size)
        with scripted(folder, *rules, context_tokens=NARROW_TOKENS, size_bytes=size) as model:
            summary = summary_of(events_of(model, long_document()))
            grammars[size] = str(requests(model.script)[-1]["grammar"])
        assert [one.text for one in summary.statements] == ["Kiln 1 was fired in 1901.", "Kiln 3 was fired in 1903."]
    assert "text" not in grammars[100_000_000]
    assert "text" in grammars[800_000_000]


def test_answers_stand_under_their_questions() -> None:
    answer = "Q: How old is it?\nIt is old [1]. Very old [2].\n\n**Question 2: Was it sold?**\nA: It was sold [4].\n"
    assert [(text, group) for text, _, group, _ in found(answer, Form.QUESTIONS)] == [
        ("It is old.", "How old is it?"),
        ("Very old.", "How old is it?"),
        ("It was sold.", "Was it sold?"),
    ]


@pytest.mark.parametrize("answer", ["None.", "none", " - None. "])
def test_where_nothing_is_to_be_done_there_are_no_tasks(answer: str) -> None:
    assert found(answer, Form.ACTIONS) == []


def test_numbers_that_were_not_shown_are_left_out_and_the_statement_stays() -> None:
    assert found("- It is old. [1, 77]\n- It is warm. [99]\n- It is new.", Form.BULLETS) == [
        ("It is old.", (1,), "Costs", 0),
        ("It is warm.", (), "Costs", 1),
        ("It is new.", (), "Costs", 2),
    ]


def test_of_an_answer_that_was_cut_off_the_last_half_sentence_is_left_out() -> None:
    assert len(found("- It is old. [1]\n- It is wa", Form.BULLETS, "length")) == 1
    assert len(found("- It is old. [1]\n- It is warm. [2]", Form.BULLETS, "length")) == 2


def test_while_it_grows_it_is_shown_without_numbers() -> None:
    assert plain_text("[1] It is old.\n[2] It is warm [3, 4") == "It is old.\nIt is warm"
    assert plain_text("- It is old. [1]\n- It is") == "- It is old.\n- It is"


# Through the whole pipeline.


@pytest.mark.parametrize(
    ("form", "answer", "groups"),
    [
        (Form.ACTIONS, "- Anna repairs the roof until May. [2]", [""]),
        (Form.ACTIONS, "None.", []),
        (Form.QUESTIONS, "Q: When was it built?\nIt was built in 1871. [2]", ["When was it built?"]),
        (Form.OWN, "The kiln was built in 1871. [2]", [""]),
        (Form.PARAGRAPHS, "The kiln was built in 1871. [2]", [""]),
    ],
)
@pytest.mark.parametrize("size_bytes", [0, LARGE_BYTES])
def test_every_form_is_asked_for_and_read(
    tmp_path: Path, form: Form, answer: str, groups: list[str], size_bytes: int
) -> None:
    given = document(heading("The kiln"), "The kiln was built in 1871. Anna repairs the roof until May.")
    with scripted(tmp_path, {"text": answer}, size_bytes=size_bytes) as model:
        summary = summary_of(events_of(model, given, wish=SummaryOptions(form=form, instruction="Only the dates")))
        assert len(model.asked) == 1, "an answer of no tasks is an answer"
    assert [one.group for one in summary.statements] == groups
    assert all(one.check.found for one in summary.statements)
    assert summary.documents[0].coverage.blocks_read == 2


def test_what_is_written_twice_stands_once_where_it_was_said_first(tmp_path: Path) -> None:
    answer = "- The kiln was built. [1]\n- The roof leaks. [1]\n- The kiln was built by Anna. [1]\n"
    with scripted(tmp_path, {"text": answer}) as model:
        summary = summary_of(events_of(model, document("The kiln was built by Anna. The roof leaks.")))
    assert [(one.text, one.paragraph) for one in summary.statements] == [
        ("The kiln was built by Anna.", 0),
        ("The roof leaks.", 1),
    ]


def test_by_section_each_heading_has_its_own_write_up_over_its_own_text(tmp_path: Path) -> None:
    given = document(
        heading("Report"),
        "What this is about.",
        heading("Kilns", 2),
        "Kilns are hot.",
        heading("Roofs", 2),
        "Roofs leak.",
    )
    answers = [
        {"when": "Kilns are hot", "text": "[4] Kilns are hot."},
        {"when": "Roofs leak", "text": "[6] Roofs leak."},
        {"text": "[2] What this is about."},
    ]
    with scripted(tmp_path, *answers) as model:
        summary = summary_of(events_of(model, given, wish=SummaryOptions(form=Form.SECTIONS)))
        assert len(model.asked) == 3
        assert not any("Kilns are hot" in text and "Roofs leak" in text for text in model.asked)
    assert [(one.group, one.text) for one in summary.statements] == [
        ("", "What this is about."),
        ("Kilns", "Kilns are hot."),
        ("Roofs", "Roofs leak."),
    ]
    assert summary.documents[0].coverage.blocks_read == 6


def test_by_section_a_long_document_has_its_points_under_its_headings(tmp_path: Path) -> None:
    points = [
        {"when": rf"Part {number} of", "text": f"[{2 * number}] Kiln {number} was fired in {1900 + number}."}
        for number in range(1, 5)
    ]
    with scripted(tmp_path, *points, context_tokens=NARROW_TOKENS) as model:
        summary = summary_of(events_of(model, long_document(4), wish=SummaryOptions(form=Form.SECTIONS)))
        assert model.write_ups_asked == [], "one point needs no write-up"
    assert [one.group for one in summary.statements] == [f"Chapter {number}" for number in range(1, 5)]


def names(*pieces: object) -> list[str]:
    return [name for name, _ in runs_under_headings(document(*pieces).blocks)]  # type: ignore[arg-type]


def test_headings_are_those_of_the_highest_level_that_has_several() -> None:
    assert names(heading("T"), "x", heading("A", 2), "x", heading("a", 3), "x", heading("B", 2), "x") == ["", "A", "B"]
    assert names(heading("A"), "x", heading("a", 2), "x", heading("B"), "x") == ["A", "B"]
    assert names("x", "x") == [""]
    assert names(heading("A"), heading("B"), "x") == ["B"]
    assert names(heading("A"), "x", heading("B")) == ["A", "B"]


def test_evidence_is_the_first_sentence_of_each_point_before_any_second() -> None:
    points = [
        Statement(f"P{n}.", (ClaimAnchor(0, n, 1, 0, 5, f"First {n}."), ClaimAnchor(0, n, 1, 6, 9, f"Second\n{n}.")))
        for n in range(1, 13)
    ]
    lines = evidence_of(points).split("\n")
    assert len(lines) == 20
    assert lines[:3] == ["[1] First 1.", "[1] Second 1.", "[2] First 2."]
    assert lines[-1] == "[12] First 12."


def test_thinning_out_keeps_beginning_and_end_in_sight_and_of_each_stretch_what_tells_most() -> None:
    aside = ["Lunch is at noon.", "A dog barked twice.", "Two chairs are green.", "Milk costs more.", "It snowed late."]
    about = "In summary, the kiln of the valley was fired with reed from the marsh."
    given = document(heading("The kiln of the valley"), aside[0], about, *aside[1:3], about, *aside[3:])
    model = ModelLoaded("m.gguf", "m", 0, 4096, 4096, True, 1, 0, "", 1)
    engine = cast(EngineClient, None)
    work = SummaryWork([given], SummaryOptions(), engine, MemorySteps(), CancelToken(), model, budgets_for(model), "en")
    points = [Statement(str(block.id), (ClaimAnchor(0, block.id, 1),)) for block in given.blocks[1:]]
    assert [one.text for one in work.most_telling(points, 3)] == ["3", "4", "6"]
    assert work.most_telling(points, 20) == points
    nowhere = [Statement(str(number)) for number in range(10)]
    assert [one.text for one in work.most_telling(nowhere, 4)] == ["0", "2", "5", "7"]
