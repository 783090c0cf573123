"""Lines of a plain text: their width, joining them, breaking them anew."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.formats.plain.paragraphs import balanced, joined, one_line, width_of, wrapped

WORDS = st.lists(st.text("abcdefg漢字", min_size=1, max_size=9), min_size=1, max_size=20).map(" ".join)


def test_wide_letters_take_two_columns_and_accents_none() -> None:
    assert (width_of("abc"), width_of("日本"), width_of("e\u0301"), width_of("äö")) == (3, 4, 1, 2)


def test_lines_are_joined_by_a_space_where_the_script_has_them() -> None:
    assert joined(["one", "two"]) == "one two"
    assert joined(["日本", "語"]) == "日本語"
    assert joined(["日本", "word"]) == "日本 word"


def test_a_no_break_space_stays() -> None:
    assert one_line(" a\n b\xa0c\t ") == "a b\xa0c"


@given(WORDS, st.integers(20, 60))
def test_wrapped_lines_have_all_letters_and_fit(text: str, most: int) -> None:
    lines = wrapped(text, "* ", "  ", most)
    assert all(line.startswith("* " if number == 0 else "  ") for number, line in enumerate(lines))
    assert "".join(line[2:] for line in lines).replace(" ", "") == text.replace(" ", "")
    assert max(width_of(line) for line in lines) <= max(most, 22)


@given(WORDS, st.integers(1, 4))
def test_balanced_lines_have_all_letters_and_are_no_more(text: str, most: int) -> None:
    lines = balanced(text, most)
    assert len(lines) <= most
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_nothing_is_one_empty_line(text: str) -> None:
    assert balanced(text, 2) == [""]
    assert wrapped(text, "- ", "  ", 30) == ["- "]


def test_a_line_does_not_begin_with_a_full_stop() -> None:
    assert wrapped("漢" * 10 + "。" + "字" * 10, "", "", 20) == ["漢" * 9, "漢。" + "字" * 8, "字" * 2]
