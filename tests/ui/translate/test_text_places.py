"""Places in texts: sentences and units of UTF-16."""

from __future__ import annotations

import pytest

from app.documents.segments import Segment
from app.ui.translate.segment_text import from_units
from app.ui.translate.text_page import gaps_of
from app.ui.translate.text_panes import sentence_like, sentences_around

TEXT = "One here. Two there! Three?"


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [(0, 3, "One here. "), (11, 13, "Two there! "), (4, 12, "One here. Two there! "), (26, 27, "Three?")],
)
def test_a_selection_is_widened_to_whole_sentences(start: int, end: int, said: str) -> None:
    first, last = sentences_around(TEXT, start, end)
    assert TEXT[first:last] == said


def test_the_sentence_of_the_source_is_the_one_at_the_same_place() -> None:
    source = "Uma aqui. Duas lá! Três?"
    assert sentence_like(source, TEXT, 11, 13) == ("Duas lá!", 10, 20)
    assert sentence_like(source, TEXT, 0, 15) == ("Uma aqui. Duas lá!", 0, 20)


def test_where_the_sentences_do_not_match_everything_is_meant() -> None:
    source = "Uma aqui e duas lá."
    assert sentence_like(source, TEXT, 11, 13) == (source, 0, len(TEXT))


def test_qt_counts_an_emoji_twice() -> None:
    assert from_units("a😀b", 3) == 2
    assert from_units("a😀b", 99) == 3
    assert from_units("abc", -1) == 0


def test_empty_lines_between_paragraphs_are_counted() -> None:
    text = "\nOne\n\n\n  Two\nTwo"
    segments = [Segment(number, (words,)) for number, words in enumerate(("One", "Two", "Two"), 1)]
    assert gaps_of(text, segments) == (1, 3, 1)
