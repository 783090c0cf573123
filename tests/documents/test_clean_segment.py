"""Segments as they go over the wire, and translations fitted to them."""

from __future__ import annotations

import pytest

from app.documents.clean_segment import MOST_CONTEXT_CHARACTERS, clean_segment, fit, length_of
from app.documents.segments import Content, Mark, Segment

BOLD, END, CODE = Mark("open", 1, "bold"), Mark("close", 1), Mark("single", 2, "code", "x = 1")
SOURCE: Content = ("Some ", BOLD, "words", END, CODE)


def test_hidden_characters_are_taken_out_wherever_they_are() -> None:
    segment = Segment(
        1, ("a\u200b", Mark("single", 1, "code", "x\u202e"), "\u200b"), context="c\u2060", translated=("t\0",)
    )
    assert clean_segment(segment) == Segment(1, ("a", Mark("single", 1, "code", "x")), context="c", translated=("t",))


def test_a_long_context_is_cut() -> None:
    assert len(clean_segment(Segment(1, ("a",), context="x" * 9999)).context) == MOST_CONTEXT_CHARACTERS


def test_what_a_mark_shows_counts_for_the_length() -> None:
    assert length_of(Segment(1, SOURCE)) == 10 + 3 + 5


def test_a_translation_gets_the_sources_own_marks() -> None:
    assert fit((Mark("single", 2), "Einige ", Mark("open", 1, "odd"), "Wörter", Mark("close", 1)), SOURCE) == (
        CODE, "Einige ", BOLD, "Wörter", END,
    )  # fmt: skip


@pytest.mark.parametrize(
    "translation",
    [(), ("words",), (BOLD, END), (END, BOLD, CODE), (BOLD, END, CODE, CODE), (BOLD, END, CODE, Mark("single", 3)),
     (BOLD, END, Mark("open", 2)), (BOLD, END, Mark("close", 2))],
)  # fmt: skip
def test_other_marks_do_not_fit(translation: Content) -> None:
    assert fit(translation, SOURCE) is None


def test_characters_that_no_text_has_are_taken_out() -> None:
    assert fit(("a\0\x1b\ufffeb\ud800\tc\n", BOLD, END, CODE), SOURCE) == ("ab\ufffd\tc\n", BOLD, END, CODE)
