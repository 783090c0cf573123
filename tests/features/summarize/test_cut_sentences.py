"""Sentences that the rules of an answer ended at their most characters end with their last whole word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.core.events import FinishReason
from app.documents.blocks import Block, BlockKind
from app.features.summarize import answer_sentences, summary_prompts
from app.features.summarize.checks import CitedBlock
from app.features.summarize.point_answers import MOST_CHARACTERS, read_points
from app.features.summarize.summary_result import Form
from app.features.summarize.write_up import SummaryDraft, parse_statements
from app.features.summarize.write_up_sources import WriteUpSources
from tests.features.summarize.pipeline import document, events_of, scripted, summary_of

BLOCKS = {number: (CitedBlock(0, Block(number, BlockKind.PARAGRAPH, f"Text {number}.")),) for number in range(1, 9)}
DRAFT = SummaryDraft(WriteUpSources((("a.pdf", ""),), BLOCKS))
LONG = "The kiln in the valley was heated with wood " * 20
"""180 words."""


def sentence(words: int = answer_sentences.MOST_SENTENCE_WORDS + 1) -> str:
    """What a small model's rules make of a sentence that would be longer: the line ends after so many words."""
    return " ".join(LONG.split()[:words])


def texts(answer: str) -> list[str]:
    return [one.text for one in read_points(answer, range(1, 9))]


def statements(answer: str, form: Form = Form.BULLETS) -> list[str]:
    return [one.text for one in parse_statements(answer, form, DRAFT, FinishReason.STOP)]


@pytest.mark.parametrize("read", [texts, statements])
def test_a_sentence_that_the_rules_ended_says_that_it_went_on(read: object) -> None:
    cut = sentence()
    (found,) = read(f"[2] {cut}\n")  # type: ignore[operator]
    assert found == f"{cut}…"
    assert LONG.startswith(f"{found[:-1]} ")


@pytest.mark.parametrize("words", [8, answer_sentences.MOST_SENTENCE_WORDS])
def test_shorter_ones_end_as_they_were_written(words: int) -> None:
    text = f"{sentence(words)}."
    assert texts(f"[2] {text}\n") == [text]
    assert statements(f"[2] {text}\n") == [text]


def test_a_larger_models_sentence_is_cut_at_its_own_length() -> None:
    free = LONG[: answer_sentences.MOST_FREE_CHARACTERS + 1]
    assert not free.endswith(" ")
    (found,) = statements(f"- {free} [2]\n")
    assert found == f"{free.rsplit(' ', 1)[0]}…"
    ended = f"{free[:-5]}mat."
    assert statements(f"- {ended} [2]\n") == [ended]
    long_one = f"{LONG[:400].strip()}."
    assert statements(f"- {long_one} [2]\n") == [long_one]


def test_so_is_a_point_in_json() -> None:
    full = f"In {LONG}"[: answer_sentences.MOST_FREE_CHARACTERS]
    assert full.endswith("in t"), "in the middle of the"
    (found,) = texts(json.dumps({"points": [{"t": full, "ids": [2]}]}))
    assert found == f"{full.rsplit(' ', 1)[0]}…"
    (whole,) = texts(json.dumps({"points": [{"t": "The kiln is old.", "ids": [2]}]}))
    assert whole == "The kiln is old."


def test_a_question_that_was_ended_in_a_word_is_cut_too() -> None:
    asked = f"{('Which kiln of the valley was heated ' * 9)[: summary_prompts.MOST_QUESTION_CHARACTERS + 1]}?"
    (found,) = parse_statements(f"Q: {asked}\n[2] The kiln is old.\n", Form.QUESTIONS, DRAFT, FinishReason.STOP)
    assert found.group == f"{asked.rsplit(' ', 1)[0]}…?"


def test_no_text_is_longer_than_the_most_and_ends_in_a_word() -> None:
    (found,) = texts(f"[2] {LONG}.\n")
    assert len(found) <= MOST_CHARACTERS
    assert LONG.startswith(f"{found.removesuffix('…')} ")


def test_a_text_without_spaces_only_says_that_it_goes_on() -> None:
    text = "窯" * (answer_sentences.MOST_UNSPACED_CHARACTERS + 1)
    assert texts(f"[2] {text}\n") == [f"{text}…"] or text


def test_a_sentence_that_was_copied_and_cut_is_found_on_its_page(tmp_path: Path) -> None:
    copied = (
        "The oldest kiln stands by the river and was built from local clay in the spring of 1871 by two brothers, "
        "whose workshop sold tiles, jugs and drain pipes to every farm between the mill and the market town, until a "
        "flood carried away their drying sheds together with most of that winter's firewood, moulds and order books, "
        "so that the younger of the two went to sea for seven years and came back with a recipe for a blue glaze, "
    )
    cut = " ".join(copied.split()[: answer_sentences.MOST_SENTENCE_WORDS + 1])
    with scripted(tmp_path, {"text": f"[1] {cut}\n"}) as model:
        (one,) = summary_of(events_of(model, document(f"{copied}and stood there."))).statements
    assert one.text.endswith("…")
    assert copied.startswith(one.text[:-1])
    assert one.check.found
    assert [anchor.block_id for anchor in one.anchors] == [1]
