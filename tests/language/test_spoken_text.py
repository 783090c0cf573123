"""What a voice says of a written text."""

import pytest

from app.language.spoken_text import MOST_CHARACTERS, spoken_formula, spoken_sentences, spoken_words


def sentences_of(text: str) -> list[str]:
    return [text[start:end] for start, end in spoken_sentences(text)]


def test_sentences_are_read_one_by_one_and_signs_alone_not_at_all() -> None:
    assert sentences_of("Dr. Ito came. Then 3.5 km were left! — …") == ["Dr. Ito came.", "Then 3.5 km were left!"]
    assert sentences_of("今日は晴れです。散歩に行きます。") == ["今日は晴れです。", "散歩に行きます。"]
    assert sentences_of("---\n* * *\n") == []


def test_a_long_sentence_is_cut_at_its_last_comma() -> None:
    text = ("A " + "very " * 60 + "long way, " + "so " * 40 + "they said.").strip()
    first, second = sentences_of(text)
    assert first.endswith("long way, ")
    assert first + second == text


def test_text_without_a_space_is_cut_all_the_same() -> None:
    assert [len(part) for part in sentences_of("a" * (2 * MOST_CHARACTERS + 1))] == [MOST_CHARACTERS] * 2 + [1]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("## The **second** _part_", "The second part"),
        ("- see [the manual](https://example.com/a?b=c), please", "see the manual, please"),
        ("At https://www.example.com/a/b?c=d#e it is shown.", "At example.com it is shown."),
        ("> Quoted with `code` and ~~much~~ little[^2].", "Quoted with code and much little."),
        ("snake_case stays, 2 * 3 too", "snake_case stays, 2 3 too"),
        ("| Name | Age |", "Name Age"),
        ("- [x] Done: ![a cat](cat.png)", "Done: a cat"),
        ("•\tA point", "A point"),
    ],
)
def test_markup_is_never_spoken(written: str, said: str) -> None:
    assert spoken_words(written) == said


def test_only_simple_formulas_are_read_as_they_are_written() -> None:
    assert spoken_formula("$n = 5$") == "n = 5"
    assert spoken_formula(r"\frac{a}{b}") == ""
