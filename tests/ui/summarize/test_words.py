"""What the tab says of times and of the work, how its chips are called, and how the work is counted."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from app.features.summarize.summaries import Estimate, StoredSummary
from app.features.summarize.summarize import Merging, Planned, SectionRead, TaskRests, Writing
from app.features.summarize.summary_messages import check_words
from app.features.summarize.summary_result import (
    Check,
    CheckReason,
    ClaimAnchor,
    Coverage,
    Method,
    PromptRead,
    Statement,
    SummarizedDocument,
    Summary,
    SummaryOptions,
)
from app.ui.shared_labels import ABOUT_A_MINUTE, ABOUT_MINUTES, ON_THIS_COMPUTER_LOWER, WRITING
from app.ui.summarize.summary_texts import (
    BEGINNING_TO_READ,
    JOINING_STEP,
    READING_WHOLE_DOCUMENT,
    SECOND_TRY,
    SECTION_STEP,
    ChipBuilder,
    SummaryProgress,
    distinct_names,
    figures_of,
    shown_statements,
    time_words,
    was_read,
    work_words,
)
from app.ui.work.doing import ABOUT_AN_HOUR, ABOUT_HOURS, UNDER_A_MINUTE
from app.ui.work.job_tab import WAITS_FOR_MEMORY
from app.ui.write.continuation_runs import READING
from tests.helpers.texts import start_of

STORED = StoredSummary(1, "Lease", "running", None, 0.0, 0.0, SummaryOptions(), (1,), 0, 0)


class NoDocuments:
    """A store that holds nothing but one heading."""

    def some_blocks(self, document_id: int, numbers: list[int]) -> list[object]:
        from app.documents.blocks import Block, BlockKind

        return [
            Block(number, BlockKind.PARAGRAPH, "Words", None, ("Notice",) if number == 3 else ()) for number in numbers
        ]


def places(*names: str, unit: str = "page") -> ChipBuilder:
    documents = [
        SummarizedDocument(number, name, name, unit, Coverage(1, 1, 1, 1)) for number, name in enumerate(names, 1)
    ]
    return ChipBuilder(documents, NoDocuments())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (5, UNDER_A_MINUTE),
        (70, ABOUT_A_MINUTE),
        (235, ABOUT_MINUTES.format(count=4)),
        (3600, ABOUT_AN_HOUR),
        (9_000, ABOUT_HOURS.format(count="2.5")),
    ],
)
def test_times_are_as_exact_as_an_estimate_is(seconds: float, words: str) -> None:
    assert time_words(seconds) == words


def test_the_work_is_told_from_the_first_section_to_the_writing() -> None:
    progress = SummaryProgress()
    said = [work_words(None, STORED, None)]
    shares = [progress.share]
    for event in (
        Planned(2, 100),
        TaskRests("room"),
        SectionRead(1, 2, (), 0, 1),
        SectionRead(2, 2, (), 0, 2),
        Merging(0, 3),
        Writing("The lease"),
    ):
        progress.take_event(event)
        said.append(work_words(progress, STORED, 200.0 if isinstance(event, SectionRead) else None))
        shares.append(progress.share)
    assert said == [
        BEGINNING_TO_READ,
        SECTION_STEP.format(number=1, sections=2),
        f"{SECTION_STEP.format(number=1, sections=2)} · {WAITS_FOR_MEMORY}",
        "Section 2 of 2 · about 3 minutes left",
        "Writing · about 3 minutes left",
        JOINING_STEP.format(number=1, merges=3),
        WRITING,
    ]
    assert shares == sorted(shares)
    assert shares[-1] < 1


def test_the_bar_moves_while_it_is_read_and_written_and_goes_back_only_with_a_word() -> None:
    progress, said = SummaryProgress(), [(0.0, "")]
    for event in (
        Planned(1, 900),
        PromptRead(0.5),
        PromptRead(1.0),
        Writing("The", 0.05),
        Writing("The lease", 0.4),
        Writing("The", 0.1),  # asked again where the engine ended: nothing to be told
        Writing("The lease begins", 0.9),
        Writing("A", 0.1, attempt=1),
        Writing("A lease", 0.8, attempt=1),
        Planned(2, 900),
        SectionRead(1, 2, (), 0, 1),
    ):
        progress.take_event(event)
        said.append((progress.share, work_words(progress, STORED, None)))
    for (before, words_before), (share, words) in pairwise(said):
        assert share >= before or words.startswith(start_of(SECOND_TRY)), (words_before, words)
    shares = [share for share, _ in said]
    assert 0 < shares[2] < shares[3] < shares[4] < 0.5 < shares[7] < 0.98, "the beginning of the text is no 98 %"
    assert shares[8] < shares[7]
    assert said[-1][1] == SECOND_TRY.format(step=SECTION_STEP.format(number=2, sections=2))
    assert not work_words(progress, STORED, None).startswith(READING)


def test_a_short_document_is_read_in_one_pass() -> None:
    progress = SummaryProgress()
    progress.take_event(Planned(1, 100))
    assert work_words(progress, STORED, None) == READING_WHOLE_DOCUMENT
    assert ("1", "section") in figures_of([], Estimate(100, 1, None, (100,)))


def test_where_no_model_is_asked_it_says_so_and_counts_no_sections() -> None:
    progress = SummaryProgress()
    progress.take_event(Planned(3, 0, Method.DIGEST))
    assert work_words(progress, STORED, 20.0) == "Choosing sentences · less than a minute left"
    assert figures_of([], Estimate(None, 0, 20.0, ())) == [(UNDER_A_MINUTE, ON_THIS_COMPUTER_LOWER)]
    progress.take_event(Planned(2, 900))
    assert work_words(progress, STORED, None) == SECTION_STEP.format(number=1, sections=2), (
        "there were none to choose from"
    )


def test_what_sections_have_read_is_known_by_their_blocks() -> None:
    progress = SummaryProgress()
    for number, blocks in enumerate([(1, 4), (5, 9), (20, 25)]):
        progress.take_event(SectionRead(number + 1, 5, (), 0, 1, blocks=blocks))
    progress.take_event(SectionRead(4, 5, (), 0, 2, has_failed=True, blocks=(10, 19)))
    progress.take_event(SectionRead(5, 5, (), 1, 2, blocks=(1, 2)))
    assert progress.read == [(0, 1, 9), (0, 20, 25), (1, 1, 2)], "neighbours are one stretch"
    places = [(0, 1), (0, 9), (0, 10), (0, 25), (1, 2), (1, 3)]
    assert [progress.has_read(ClaimAnchor(*place, None)) for place in places] == [True, True, False, True, True, False]
    progress.take_event(Planned(2, 100))
    assert not progress.has_read(ClaimAnchor(0, 1, None))


def test_of_a_stopped_summary_is_read_what_its_pages_say_and_without_pages_as_far_as_it_cites() -> None:
    coverage = Coverage(9, 5, 4, 2, unread_pages=(3, 4), partly_read=(2,))
    documents = tuple(SummarizedDocument(number, f"{number}.pdf", "", "page", coverage) for number in (1, 2))
    statements = (Statement("x", (ClaimAnchor(0, 5, 1), ClaimAnchor(1, 3, None))),)
    summary = Summary("", documents, statements, SummaryOptions(), "en", "", 4, 2, is_partial=True)
    places = [
        ClaimAnchor(0, 1, 1),
        ClaimAnchor(0, 6, 2),
        ClaimAnchor(0, 8, 4),
        ClaimAnchor(1, 3, None),
        ClaimAnchor(1, 4, None),
    ]
    assert [was_read(summary, one) for one in places] == [True, False, False, True, False]
    assert not was_read(None, places[0])
    assert not was_read(replace(summary, statements=()), places[0])


def test_chips_name_pages_headings_and_paragraphs_once_each() -> None:
    statement = Statement("x", (ClaimAnchor(0, 1, 6), ClaimAnchor(0, 2, 6), ClaimAnchor(0, 9, 30)))
    assert [chip.text for chip in places("a.pdf").chips(statement)] == ["p. 6", "p. 30"]
    text = Statement("x", (ClaimAnchor(0, 3, None), ClaimAnchor(0, 4, None)))
    plain = places("notes.md", unit="")
    plain.load_headings([text])
    assert [chip.text for chip in plain.chips(text)] == ["§ Notice", "¶ 4"]
    assert [chip.spoken for chip in plain.chips(text)] == ["Notice of notes.md", "paragraph 4 of notes.md"]


def test_the_check_is_said_with_the_statement() -> None:
    found = Statement("It rose.", (ClaimAnchor(0, 1, 6),))
    wrong = Statement("It cost 3.1.", (ClaimAnchor(0, 1, 7),), Check(False, CheckReason.NUMBER, "3.1", "3.7"))
    missing = Statement("Ms Roe left.", (ClaimAnchor(0, 1, 8),), Check(False, CheckReason.NAME, "Ms Roe"))
    first, second, third = shown_statements([found, wrong, missing], places("a.pdf"))
    assert (first.note, first.spoken) == ("", "It rose. Found on p. 6.")
    differs = "This says “3.1”, the page says “3.7”."
    assert (second.note, second.spoken) == (differs, f"It cost 3.1. {differs}")
    (other,) = shown_statements(
        [Statement("Es stieg.", (ClaimAnchor(0, 1, 6),), Check(False, CheckReason.LANGUAGE))], places("a.pdf")
    )
    assert (other.is_flagged, second.is_flagged) == (False, True), "that it couldn’t be compared speaks not against it"
    assert other.note == check_words(Check(False, CheckReason.LANGUAGE), "p. 6", "page")
    assert "Ms Roe" in third.note
    assert "wasn’t found on p. 8" in third.note
    assert [one.is_flagged for one in (first, second, third)] == [False, True, True]


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (("annual-report-2025.pdf", "lease.pdf"), ["report", "lease"]),
        (("report-2024.pdf", "report-2025.pdf"), ["2024", "2025"]),
        (("lease.pdf", "lease copy.pdf"), ["lease", "copy"]),
        (("part a.pdf", "part b.pdf"), ["part a", "part b"]),
        (("notes.txt", "notes.md"), ["notes", "notes"]),
        (("Donaudampfschifffahrtsgesellschaft.pdf", "b.pdf"), ["Donaudampfschifff…", "b"]),
    ],
)
def test_a_chip_names_its_document_by_the_shortest_word_that_tells_it_apart(
    files: tuple[str, ...], names: list[str]
) -> None:
    assert distinct_names(files) == names
