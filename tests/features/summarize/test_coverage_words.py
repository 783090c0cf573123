"""What is said of how much was read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.features.summarize.summary_messages import NOTHING_WRITTEN, coverage_words, language_words, nothing_words
from app.features.summarize.summary_result import (
    Coverage,
    Form,
    LeftApart,
    Statement,
    SummarizedDocument,
    Summary,
    SummaryOptions,
)


def pages(pages: int, read: int, without: tuple[int, ...] = (), unread: tuple[int, ...] = (), **more: Any) -> Any:
    coverage = Coverage(
        9, 9 if not unread else 7, pages, read, without, unread, more.get("pictures", ()), more.get("partly", ()),
        more.get("apart", ()),
    )  # fmt: skip
    return SummarizedDocument(1, more.get("name", "a.pdf"), "A", more.get("unit", "page"), coverage)


def paragraphs(blocks: int, read: int, name: str = "a.txt") -> SummarizedDocument:
    return SummarizedDocument(1, name, "A", "", Coverage(blocks, read, 0, 0))


def summary(*documents: SummarizedDocument, **more: Any) -> Summary:
    return Summary("A", documents, (), more.pop("wish", SummaryOptions()), "en", "m", 3, 3, **more)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (summary(pages(48, 46, (7, 31), pictures=(7, 31))), "46 of 48 pages read; 7 and 31 are pictures"),
        (summary(pages(5, 3, (2, 4), pictures=(4,))), "3 of 5 pages read; 4 is a picture; 2 is empty"),
        (summary(pages(48, 46, (7, 31))), "46 of 48 pages read; 7 and 31 are empty"),
        (summary(pages(1, 1)), "1 of 1 page read"),
        (summary(pages(9, 9, unit="slide")), "9 of 9 slides read"),
        (
            summary(pages(9, 6, (), (3, 4, 5))),
            "6 of 9 pages read; pages 3 to 5: their sections couldn’t be summarized",
        ),
        (
            summary(pages(14, 14, partly=(2,)), sections_failed=1),
            "14 of 14 pages read; page 2 only in part: one of its sections couldn’t be summarized",
        ),
        (summary(pages(8, 5, (), (6, 7, 8), partly=(4, 5)), is_partial=True), "5 of 8 pages read, 2 of them in part"),
        (
            summary(pages(50, 46, apart=(LeftApart("contents", 40, (2, 3)), LeftApart("sources", 9)))),
            "46 of 50 pages read; 2 and 3 are the contents; without the references",
        ),
        (
            summary(replace(paragraphs(300, 288), coverage=Coverage(300, 288, 0, 0, apart=(LeftApart("index", 12),)))),
            "288 of 300 paragraphs read; without the index",
        ),
        (summary(pages(9, 2, (), (3, 4, 5, 6, 7, 8, 9)), is_partial=True), "2 of 9 pages read"),
        (summary(paragraphs(312, 312)), "312 of 312 paragraphs read"),
        (summary(paragraphs(1, 0)), "0 of 1 paragraph read"),
        (
            summary(pages(9, 8, (), (3,)), sections_failed=1),
            "8 of 9 pages read; page 3: its section couldn’t be summarized",
        ),
        (
            summary(paragraphs(9, 5), sections_failed=2),
            "5 of 9 paragraphs read; 2 sections couldn’t be summarized",
        ),
        (summary(pages(9, 9), pages(1200, 1200)), "2 documents read, 1,209 pages"),
        (summary(pages(9, 9), pages(3, 3, unit="slide")), "2 documents read, 18 paragraphs"),
        (
            summary(pages(9, 9), pages(3, 2, (2,), name="b.pdf")),
            "a.pdf: 9 of 9 pages read; b.pdf: 2 of 3 pages read; 2 is empty",
        ),
    ],
)  # fmt: skip
def test_it_says_what_was_read_and_what_was_not(given: Summary, words: str) -> None:
    assert coverage_words(given) == words


def test_where_there_are_no_statements_it_is_said_of_the_form() -> None:
    tasks = summary(pages(9, 9), wish=SummaryOptions(form=Form.ACTIONS))
    assert nothing_words(tasks) == "No action items found in it."
    assert nothing_words(summary(pages(9, 9))) == "Nothing was written about it."
    assert nothing_words(replace(tasks, documents=tasks.documents * 2)) == "No action items found in them."
    assert nothing_words(replace(tasks, statements=(Statement("The roof is to be repaired."),))) == ""


def test_what_was_not_read_is_not_said_to_have_nothing_to_be_done() -> None:
    failed = summary(pages(9, 0, (), (3,)), wish=SummaryOptions(form=Form.ACTIONS), sections_failed=1)
    assert nothing_words(failed) == NOTHING_WRITTEN[0]
    assert nothing_words(replace(failed, is_partial=True)) == "", "that it was stopped is said elsewhere"


ENGLISH = "The kiln was built in 1871 and it is the oldest of the town."
GERMAN = "Der Ofen wurde im Jahr 1871 gebaut und ist der älteste in der Stadt."
RUSSIAN = "Печь построена в 1871 году и является старейшей в городе."


@pytest.mark.parametrize(
    ("wished", "text", "words"),
    [
        ("de", ENGLISH, "written in English, not in German"),
        ("ja", ENGLISH, "written in English, not in Japanese"),
        ("fi", ENGLISH, "written in English, not in Finnish"),
        ("de", RUSSIAN, "written in Cyrillic letters, not in German"),
        ("de", GERMAN, ""),
        ("de-AT", GERMAN, ""),
        ("", ENGLISH, ""),
        ("ru", RUSSIAN, ""),
        ("lb", GERMAN, ""),
        ("de", "1871", ""),
    ],
)
def test_a_model_that_ignores_the_language_is_told(wished: str, text: str, words: str) -> None:
    given = replace(summary(paragraphs(1, 1), wish=SummaryOptions(language=wished)), statements=(Statement(text),))
    assert language_words(given) == words
