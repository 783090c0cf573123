"""Contents, an index and a list of sources are told apart from text, are not condensed, and are told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.documents.blocks import Block, BlockKind, BlockPiece
from app.features.document_parts import find_apart_blocks
from app.features.summarize.point_answers import repeats_what_was_asked, says_something
from app.features.summarize.summary_messages import coverage_words
from tests.features.summarize.pipeline import NARROW_TOKENS, document, events_of, heading, scripted, summary_of

TEXT = "The valley has three kilns, of which the oldest was built in 1871 by the potter Anna Lind."
CONTENTS = (
    heading("Contents"),
    "1 The kilns . . . . . . . . . . . . . . . . 4",
    "1.1 A chapter with a long title that goes on in the line below and ends",
    "there . . . . . . . . . . . . . . . . . . . 5",
    "Appendix A  12",
)
INDEX = (heading("Index"), "A", "ash, 4, 7-9", "barn, 12", "B", "clay, 3, 5, 8 door, 11", "see also kiln, 9")
SOURCES = (
    heading("References"),
    "[1] Lind, A. 1871. On kilns. Journal of Clay 3, pp. 4-9.",
    "James Clark, Steven DeRose and Henry Thompson.",
    "Omer Levy and Yoav Goldberg. 2014. Dependency-based words. In Proceedings of ACL.",
)


def found(*texts: str | BlockPiece) -> dict[str, str]:
    given = document(*texts)
    by_id = {block.id: block for block in given.blocks}
    return {by_id[number].text: what.value for number, what in find_apart_blocks(given.blocks).items()}


@pytest.mark.parametrize(("pieces", "what"), [(CONTENTS, "contents"), (INDEX, "index"), (SOURCES, "sources")])
def test_each_is_known_by_its_heading_and_its_lines(pieces: tuple[str | BlockPiece, ...], what: str) -> None:
    texts = [one if isinstance(one, str) else one.text for one in pieces]
    assert found(heading("Kilns"), TEXT, *pieces) == dict.fromkeys(texts, what)
    assert found(*pieces, heading("Chapter 1"), TEXT) == dict.fromkeys(texts, what)
    assert found(*pieces, heading("The kilns of the valley"), TEXT, TEXT) == dict.fromkeys(texts, what)


@pytest.mark.parametrize(
    "title", ["Inhaltsverzeichnis", "TABLE OF CONTENTS", "1. Contents", "Содержание", "目次", "Table des matières"]
)
def test_contents_are_known_in_other_languages(title: str) -> None:
    assert len(found(heading("Kilns"), TEXT, heading(title), *CONTENTS[1:])) == 5


def test_dotted_lines_need_no_heading() -> None:
    assert set(found(*CONTENTS[1:], heading("Chapter 1"), TEXT)) == {str(one) for one in CONTENTS[1:]}
    joined = "1 Kilns . . . . . 4 2 Roofs . . . . . 9\n3 Doors . . . . . 12"
    assert found(joined, "3 Ends . . . . . 15", heading("Kilns"), TEXT) == dict.fromkeys(
        [joined, "3 Ends . . . . . 15"], "contents"
    )


def test_a_list_of_the_document_s_own_headings_is_its_contents() -> None:
    titles = ["Kilns", "Roofs", "Doors"]
    body = [each for title in titles for each in (heading(title), TEXT)]
    items = [BlockPiece(BlockKind.LIST_ITEM, title, level=1) for title in titles]
    assert found(heading("Contents"), *items, *body) == {"Contents": "contents"} | dict.fromkeys(titles, "contents")


@pytest.mark.parametrize("title", ["Contents", "Index", "References", "Sources"])
def test_text_under_such_a_heading_stays_text(title: str) -> None:
    box = "The box holds three tiles, a jug and a letter of the potter, all of them wrapped in straw for the journey."
    assert found(heading(title), box, "It was opened by the council.", "Nothing was broken.") == {}


def test_an_appendix_behind_the_sources_is_text() -> None:
    left = found(heading("Kilns"), TEXT, *SOURCES, heading("Appendix: how it was measured"), TEXT)
    assert TEXT not in left
    assert len(left) == 4


def test_a_document_of_nothing_else_is_read() -> None:
    assert found(*INDEX) == {}


def test_what_is_apart_is_in_no_prompt_and_the_summary_says_so(tmp_path: Path) -> None:
    given = document(heading("Report"), TEXT, *CONTENTS, "", heading("Kilns"), TEXT, *SOURCES)
    answer = {"text": "[2] The valley has three kilns, and Anna Lind built the oldest."}
    with scripted(tmp_path, answer, context_tokens=NARROW_TOKENS) as model:
        summary = summary_of(events_of(model, given))
        assert not any("Journal of Clay" in text or "Appendix A" in text for text in model.asked)
    coverage = summary.documents[0].coverage
    assert coverage.blocks_read == coverage.blocks - 9
    assert coverage_words(summary) == ("2 of 7 pages read; 2 to 4 are the contents; 6 and 7 are the references")


@pytest.mark.parametrize(
    "text",
    [
        "Omer Levy and Yoav Goldberger.",
        "James Clark and Steven DeRose, 1999.",
        "Kilns of the Valley.",
        "Report > 2 Kilns of the Valley.",
        "2 Kilns of the valley",
        "A QUARTERLY REPORT.",
        "2019-07-31.",
        "EQUATION 24:",
    ],
)
def test_titles_running_heads_and_names_are_no_statements(text: str) -> None:
    assert not says_something(text, {"kilns of the valley", "report", "quarterly report"})


@pytest.mark.parametrize(
    "text",
    [
        "The kilns of the valley were built in 1871.",
        "Omer Levy wrote it.",
        "Die Öfen wurden 1871 gebaut.",
        "Height: 4 m.",
        "GDP 2023: 5 %.",
        "ALL KILNS WERE CLOSED IN THE YEAR 1871.",
        "谷には三つの窯がある。",
    ],
)
def test_statements_are(text: str) -> None:
    assert says_something(text, {"kilns of the valley", "report"})


@pytest.mark.parametrize(
    "text",
    [
        "~~The most important sentences in this part: The solution is controlled by a sampling size.",
        "EQUATION 1.2: The most important sentence of this part: HQ = Hq + Dq.",
        "Your last answer was not in the form that was asked for.",
        "The 3 most important sentences are these.",
        "Keep numbers, dates and names exactly as they are written.",
    ],
)
def test_what_was_asked_is_known_again(text: str) -> None:
    assert repeats_what_was_asked(text)
    assert not repeats_what_was_asked(text, f"A book about models says: {text} It is odd.")


def test_an_answer_that_repeats_the_prompt_is_nothing_that_was_condensed(tmp_path: Path) -> None:
    given = document(heading("One"), f"Kiln 1 is old. {'word ' * 60}.", heading("Two"), "Kiln 2 is old. " * 9)
    echo = "[2] Your last answer was not in the form that was asked for."
    with scripted(tmp_path, {"when": "Part", "text": echo}, context_tokens=NARROW_TOKENS) as model:
        summary = summary_of(events_of(model, given))
        assert {model.asked.count(text) for text in model.asked} == {2}, "each is asked for again, without a word more"
    assert (summary.statements, summary.sections_failed) == ((), summary.sections)
    assert coverage_words(summary) == "0 of 2 pages read; pages 1 and 2: their sections couldn’t be summarized"


def test_a_part_with_nothing_but_titles_and_names_is_read(tmp_path: Path) -> None:
    given = document(heading("Kilns"), "Anna Lind, Bo Ek and Cy Fors", "Department of Clay, Lund " * 9)
    blocks: list[Block] = list(given.blocks)
    with scripted(tmp_path, {"text": "[2] Anna Lind, Bo Ek and Cy Fors."}, context_tokens=NARROW_TOKENS) as model:
        summary = summary_of(events_of(model, given))
    assert summary.statements == ()
    assert (summary.sections_failed, summary.documents[0].coverage.blocks_read) == (0, len(blocks))
