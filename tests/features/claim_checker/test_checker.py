"""Claims of a summary are read by a checker when they are there: what it doubts is marked, and it may fail."""

from __future__ import annotations

import array
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from app.core.events import CancelToken
from app.engine.contract import TokenLabels
from app.features.claim_checker.checker import ClaimChecker, spans_over
from app.features.claim_checker.conversion import convert_checker
from app.features.summarize.summarize import summarize_documents
from app.features.summarize.summary_attempt import MemorySteps
from app.features.summarize.summary_messages import doubt_words
from app.features.summarize.summary_result import (
    ClaimsChecked,
    InputDocument,
    Method,
    Summarized,
    Summary,
    SummaryEvent,
    SummaryOptions,
)
from tests.features.summarize.pipeline import document, scripted
from tests.helpers.engine import pool_of, scripted_client
from tests.helpers.tiny_checker import make_checker

KILN = "The kiln was built in 1871 by the potter Anna Lind."
CLAIM = "The kiln was painted blue by Anna Lind."


def labels_of(words: str, doubted: set[str]) -> TokenLabels:
    """A token a word, with the space before it."""
    starts, ends, logits, at = list[int](), list[int](), list[float](), 0
    for word in words.split(" "):
        end = at + len(word) + (at > 0)
        starts.append(at)
        ends.append(end)
        logits += [-1.0, 1.0] if word in doubted else [1.0, -1.0]
        at = end
    return TokenLabels(tuple(starts), tuple(ends), array.array("f", logits), 2)


@pytest.mark.parametrize(
    ("doubted", "expected"),
    [
        (set(), []),
        ({"painted", "blue"}, ["painted blue"]),
        ({"kiln", "blue"}, ["kiln", "blue"]),
        ({"Lind."}, ["Lind."]),
    ],
)
def test_tokens_beside_each_other_are_one_stretch_without_the_space_around(
    doubted: set[str], expected: list[str]
) -> None:
    assert [CLAIM[start:end] for start, end in spans_over(CLAIM, labels_of(CLAIM, doubted))] == expected


def test_a_part_of_a_word_that_is_doubted_marks_the_word() -> None:
    pieces = TokenLabels((0, 3, 6, 8), (3, 6, 8, 13), array.array("f", [1, -1, 1, -1, -1, 1, -1, 1]), 2)
    assert spans_over("the kilns blue", pieces) == ((4, 14),)


def checked(
    tmp_path: Path, *, can_check: bool = True, cancel: CancelToken | None = None, languages: Sequence[str] = ()
) -> list[SummaryEvent]:
    """A summary of one claim, and the checker reading it: the scripted one doubts words that its source lacks."""
    cancel = cancel or CancelToken()
    path = convert_checker(make_checker(tmp_path / "files"), tmp_path / "checker.gguf", languages)

    load = {"can_chat": not can_check}
    checker = ClaimChecker(lambda: path, pool_of(lambda: scripted_client(tmp_path / "checker", {"load": load})))

    def check(
        summary: Summary, documents: Sequence[InputDocument], _: CancelToken
    ) -> Generator[SummaryEvent, None, Summary]:
        return checker.check_summary(summary, documents, cancel)

    given, wish = [document(KILN)], SummaryOptions(method=Method.MODEL)
    with scripted(tmp_path / "model", {"text": f"- {CLAIM} [1]\n"}) as model:
        return list(summarize_documents(given, wish, model.engine, MemorySteps(), CancelToken(), check=check))


def test_what_no_passage_supports_is_marked_and_said(tmp_path: Path) -> None:
    *_, before, last = checked(tmp_path)
    assert before == ClaimsChecked(0, 1)
    assert isinstance(last, Summarized)
    (claim,) = last.summary.statements
    assert [claim.text[start:end] for start, end in claim.unsupported] == ["painted blue"]
    assert doubt_words(claim) == "The checker found no support for “painted blue”."
    assert last.summary.checker == "checker"


@pytest.mark.parametrize(("languages", "is_read"), [(("en",), True), (("de", "fr"), False)])
def test_a_checker_reads_the_languages_that_it_was_trained_on(
    tmp_path: Path, languages: tuple[str, ...], is_read: bool
) -> None:
    *_, last = checked(tmp_path, languages=languages)
    assert isinstance(last, Summarized)
    assert bool(last.summary.checker) is is_read


@pytest.mark.parametrize("is_cancelled", [True, False], ids=["cancelled", "no checker"])
def test_a_checker_that_fails_or_is_stopped_keeps_nobody_from_the_summary(tmp_path: Path, is_cancelled: bool) -> None:
    cancel = CancelToken()
    if is_cancelled:
        cancel.cancel()
    *_, last = checked(tmp_path, can_check=is_cancelled, cancel=cancel)
    assert isinstance(last, Summarized)
    assert (last.summary.statements[0].text, last.summary.checker) == (CLAIM, "")
