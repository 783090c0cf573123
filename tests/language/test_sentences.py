"""Where sentences end, and where they do not."""

from __future__ import annotations

import pytest

from app.language.sentences import (
    LONGEST_HELD,
    is_whole,
    sentence_ends,
    split_sentences,
    whole_sentences_length,
    written_words,
)


@pytest.mark.parametrize(
    "text",
    [
        "One here.|Two there!|Three?",
        "Dr. Ito met Prof. Bahr.|They spoke.",
        "Am 12. März und am 3. April kam er.|Er ging.",
        "See fig. 3 and Smith et al. 2010.|It holds.",
        "What the U.S. Supreme Court held, e.g. in 1990.|Later it did not.",
        "It rose to 12.|That was more than 3.5 percent.",
        "It fell by 0.5.|Then it rose to 3.|See Table 4.|That is all.",
        "1. Der Mieter zahlt im 2. Jahr mehr.|Er zahlt am 3. Werktag.",
        "“He said so.”|She left.",
        "Really?! Yes…|No.",
        "今日は晴れです。|明日は雨です！|本当？",
        "आज मौसम अच्छा है।|कल बारिश होगी।",
        "هل هذا صحيح؟|نعم.",
        "He waited... and left.|Then he came.",
        "Nothing here ends",
    ],
)
def test_a_text_is_cut_into_its_sentences(text: str) -> None:
    whole = text.replace("|", "" if "。" in text else " ")
    assert [whole[start:end] for start, end in split_sentences(whole)] == text.replace("Really?! ", "Really?!|").split(
        "|"
    )


def test_the_end_of_a_line_ends_a_sentence_where_that_is_wanted() -> None:
    text = "A title\n\nThe first line\nof a sentence."
    assert [text[start:end] for start, end in split_sentences(text)] == ["A title", "The first line", "of a sentence."]
    assert [text[start:end] for start, end in split_sentences(text, by_line=False)] == [text]


def test_the_places_lie_behind_the_white_space() -> None:
    assert list(sentence_ends("One.  Two. three 3. Mai")) == [6]


def test_of_a_growing_text_whole_sentences_are_told() -> None:
    assert whole_sentences_length("One. Tw") == 5
    assert whole_sentences_length("One.") == 0, "it may be 1.5"
    assert whole_sentences_length("Line\nTw") == 5
    assert whole_sentences_length("Dr. ") == 0


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("", 0),
        ("hel", 0),
        ("hello wor", 6),
        ("hello ", 6),
        ("日本語", 3),
        ("a\nb", 2),
        ("x" * (LONGEST_HELD + 1), LONGEST_HELD + 1),
    ],
)
def test_words_are_shown_whole(text: str, end: int) -> None:
    assert written_words(text) == end


@pytest.mark.parametrize(
    "text", ["Done.", "“Really?”", "**So it is!**", "完了。", "See:\n```py\nx = 1\n```\n", "| a | b |"]
)
def test_after_a_whole_sentence_a_block_of_code_or_a_table_nothing_has_to_come(text: str) -> None:
    assert is_whole(text)


@pytest.mark.parametrize("text", ["and then", "such as:", "```py\nx = 1", "one, two,", "", "Mine\n*two lines*"])
def test_what_ends_in_the_middle_goes_on(text: str) -> None:
    assert not is_whole(text)
