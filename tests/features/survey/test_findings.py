"""What the program finds in whole documents by itself stands there word for word, and all of it is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.catalogue import TextCatalogue, use_catalogue
from app.core.installed_languages import load_texts
from app.documents.blocks import Block, BlockKind
from app.features.retrieval.question_scope import QuestionScope, WantedScope
from app.features.summarize.summary_result import InputDocument
from app.features.survey.program_finds import find_all, mentions_of
from app.features.survey.written_answer import write_answer

TEXTS = (
    (BlockKind.HEADING, "The lease", 1),
    (BlockKind.PARAGRAPH, "It began on 1 May 2024 and ends in March 2027. Write to office@kiln.example, not to me.", 1),
    (
        BlockKind.PARAGRAPH,
        "On 12/03/2024 the rent of €2,400 was paid (see https://kiln.example/a_(b)). It rises by 3 %.",
        2,
    ),
    (BlockKind.HEADING, "Kilns", 2),
    (
        BlockKind.PARAGRAPH,
        "The kiln cools for two days; a kiln\nof 45 kg is light. Kilns are hot from 1 May 2024 on.",
        3,
    ),
    (BlockKind.TABLE, "Month\tRent\nMay\t2,400 euros", 3),
    (BlockKind.CAPTION, "Figure 1: the kiln", 3),
    (BlockKind.CAPTION, "Table 1: the rent", 3),
)


def document(*texts: tuple[BlockKind, str, int], number: int = 7) -> InputDocument:
    blocks = [
        Block(n, kind, text, page, level=1 if kind is BlockKind.HEADING else 0)
        for n, (kind, text, page) in enumerate(texts or TEXTS, 1)
    ]
    return InputDocument(number, "lease.pdf", "", "page", 4, (4,), "en", blocks, (4,))


def found(wanted: QuestionScope, words: str = "") -> list[str]:
    return [one.text for one in find_all([document()], WantedScope(wanted, words)).statements]


@pytest.mark.parametrize(
    ("wanted", "texts"),
    [
        (QuestionScope.DATES, ["1 May 2024", "March 2027", "12/03/2024"]),
        (QuestionScope.MONEY, ["€2,400"]),
        (QuestionScope.PERCENTAGES, ["3 %"]),
        (QuestionScope.EMAILS, ["office@kiln.example"]),
        (QuestionScope.LINKS, ["https://kiln.example/a_(b)"]),
        (QuestionScope.HEADINGS, ["The lease", "Kilns"]),
        (QuestionScope.TABLES, ["Month · Rent"]),
        (QuestionScope.FIGURES, ["Figure 1: the kiln"]),
        (QuestionScope.PAGES, []),
    ],
)
def test_each_kind_is_found_once_in_the_order_of_the_document(wanted: QuestionScope, texts: list[str]) -> None:
    assert found(wanted) == texts


def test_numbers_have_units_and_are_no_dates() -> None:
    assert found(QuestionScope.NUMBERS) == ["€2,400", "3 %", "45 kg"]


def test_what_is_written_twice_has_two_places() -> None:
    (date, *_) = find_all([document()], WantedScope(QuestionScope.DATES)).statements
    assert [(one.page, one.start, one.end) for one in date.anchors] == [(1, 12, 22), (3, 74, 84)]
    (rent,) = find_all([document()], WantedScope(QuestionScope.MONEY)).statements
    assert [one.page for one in rent.anchors] == [2, 3], "€2,400 and 2,400 euros are the same"


def test_words_are_counted_with_their_endings_and_across_lines() -> None:
    answer = write_answer(
        find_all([document()], WantedScope(QuestionScope.MENTIONS, "kiln")), WantedScope(QuestionScope.MENTIONS, "kiln")
    )
    assert answer.text.startswith("**“kiln” 5 times; “Kilns” 2 times**")
    assert mentions_of("a kiln of").search("It is a kiln\nof clay")
    assert not mentions_of("kiln").search("a kilnhouse of rekiln")
    assert mentions_of("押金").search("这是押金的金额")


def test_the_answer_says_how_many_on_which_pages_and_what_was_read() -> None:
    answer = write_answer(find_all([document()], WantedScope(QuestionScope.DATES)), WantedScope(QuestionScope.DATES))
    assert answer.text == (
        "**3 dates, in 4 places**\n\n"
        "- **1 May 2024** [p. 1] [p. 3] It began on 1 May 2024 and ends in March 2027.\n"
        "- **March 2027** [p. 1] It began on 1 May 2024 and ends in March 2027.\n"
        "- **12/03/2024** [p. 2] On 12/03/2024 the rent of €2,400 was paid (see https://kiln.example/a\\_(b)).\n\n"
        "*3 of 4 pages read; 4 is a picture; found on 3 pages. Found and counted by Fireside, without a model.*"
    )
    labels = [answer.text[one.answer_start : one.answer_end] for one in answer.sources]
    assert labels == ["**1 May 2024**", "**1 May 2024**", "**March 2027**", "**12/03/2024**"]
    assert [(one.document_id, one.page, one.block_id) for one in answer.sources][:2] == [(7, 1, 2), (7, 3, 5)]


def test_an_answer_in_japanese_is_joined_without_half_width_marks() -> None:
    scope = WantedScope(QuestionScope.MENTIONS, "kiln")
    use_catalogue(load_texts("ja"))
    try:
        first, *_, last = write_answer(find_all([document()], scope), scope).text.split("\n\n")
    finally:
        use_catalogue(TextCatalogue())
    assert first.startswith("**「kiln」")
    assert "；「Kilns」" in first
    assert "。" in last.removesuffix("。*"), "two sentences"
    assert not set(";.") & set(first + last)
    assert "。 " not in last


def test_nothing_found_is_said_with_what_was_read() -> None:
    empty = document((BlockKind.PARAGRAPH, "Nothing at all.", 1))
    assert write_answer(
        find_all([empty], WantedScope(QuestionScope.DATES)), WantedScope(QuestionScope.DATES)
    ).text.startswith("**No dates found.**")
    words = WantedScope(QuestionScope.MENTIONS, "kiln")
    assert write_answer(find_all([empty], words), words).text.startswith("**“kiln” doesn’t appear.**")


def test_two_documents_stand_under_their_names_and_one_without_pages_has_paragraphs() -> None:
    other = InputDocument(9, "notes.txt", "", "", 0, (), "en", [Block(1, BlockKind.PARAGRAPH, "Due on 3 June 2025.")])
    answer = write_answer(
        find_all([document(), other], WantedScope(QuestionScope.DATES)), WantedScope(QuestionScope.DATES)
    )
    assert "**lease.pdf**\n\n- **1 May 2024**" in answer.text
    assert "**notes.txt**\n\n- **3 June 2025** [¶ 1] Due on 3 June 2025." in answer.text


def test_stopped_it_says_so() -> None:
    summary = find_all([document()], WantedScope(QuestionScope.DATES), lambda: True)
    assert summary.is_partial
    assert "Stopped before the end." in write_answer(summary, WantedScope(QuestionScope.DATES)).text


@given(st.lists(st.sampled_from([text for _, text, _ in TEXTS]), min_size=1), st.sampled_from(list(QuestionScope)))
def test_what_is_found_stands_at_its_place(texts: list[str], wanted: QuestionScope) -> None:
    given_document = document(*((BlockKind.PARAGRAPH, text, 1) for text in texts))
    for statement in find_all([given_document], WantedScope(wanted, "kiln")).statements:
        for anchor in statement.anchors:
            there = given_document.blocks[anchor.block_id - 1].text[anchor.start : anchor.end]
            assert there.strip()
            if wanted in (QuestionScope.EMAILS, QuestionScope.MENTIONS, QuestionScope.PERCENTAGES):
                assert " ".join(there.split()).casefold() == statement.text.casefold()
