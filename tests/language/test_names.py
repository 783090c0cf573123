"""Languages: their names and codes, what sets them apart, their scripts, and which way a text runs."""

from __future__ import annotations

import re

import pytest

from app.language.language_names import (
    LANGUAGES,
    are_alike,
    english_name,
    find_language,
    has_formality,
    has_word_spaces,
    other_than,
)
from app.language.scripts import LATIN, is_right_to_left, script_in, script_of

CODES = [one.code for one in LANGUAGES]


def test_every_language_has_names_and_a_code_of_its_own() -> None:
    assert len(set(CODES)) == len(CODES) >= 60
    assert all(one.english and one.own for one in LANGUAGES)
    assert {one.code for one in LANGUAGES if one.is_rtl} == {"ar", "fa", "he", "ug", "ur"}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("pt-BR", "pt-BR"), ("pt_br", "pt-BR"), ("PT", "pt"), ("zh-TW", "zh-Hant"), ("zh-CN", "zh"), ("no", "nb"),
        ("fil", "tl"), ("de-AT", "de"), ("iw", "he"),
    ],
)  # fmt: skip
def test_a_code_is_known_in_every_spelling(code: str, found: str) -> None:
    one = find_language(code)
    assert one is not None
    assert one.code == found


@pytest.mark.parametrize(
    ("code", "name"),
    [("de", "German"), ("pt-BR", "Portuguese (Brazil)"), ("no", "Norwegian"), ("lo", "Lao"), ("xx", "xx"), ("", "")],
)
def test_languages_have_english_names(code: str, name: str) -> None:
    assert english_name(code) == name


def test_languages_without_spaces_between_words() -> None:
    assert not any(map(has_word_spaces, ("zh", "zh-TW", "ja", "lo", "th")))
    assert all(map(has_word_spaces, ("de", "ko", "pt_PT", "xx", "")))


def test_an_unknown_code_is_none() -> None:
    assert find_language("xx") is None
    assert find_language("") is None


def test_formality_is_offered_where_the_language_has_it() -> None:
    assert all(
        has_formality(code)
        for code in ("de", "fr", "es", "it", "pt-BR", "nl", "pl", "ru", "uk", "cs", "tr", "ja", "ko", "hi")
    )
    assert not any(has_formality(code) for code in ("en", "da", "nb", "sv", "he"))


def test_languages_that_are_taken_for_each_other() -> None:
    assert are_alike("hr", "sr")
    assert are_alike("pt-BR", "pt-PT")
    assert not are_alike("en", "de")


def test_another_language_than_the_sources_is_what_was_wanted_else_one_that_many_read() -> None:
    assert other_than("en", ["en", "de"], CODES) == "de"
    assert other_than("fr", ["en", "de"], CODES) == "en"
    assert other_than("en", ["en", ""], ["en", "es"]) == "es"
    assert other_than("pt", ["pt-BR", "pt"], ["pt-BR", "fr"]) == "fr"
    assert other_than("zh", ["zh-Hant"], CODES) == "zh-Hant", "its two scripts are two languages to translate between"
    assert other_than("en", ["sv"], ["en", "es"]) == "sv", "what a person chose holds, whatever the model knows"


TEXTS = {
    "latin": "Ngày mai trời mưa.", "greek": "Καλημέρα", "cyrillic": "Доброе утро", "hebrew": "בוקר טוב",
    "arabic": "صباح الخير", "indic": "शुभ प्रभात",
    "thai": "สวัสดีตอนเช้า", "east asian": "おはよう早上好", "hangul": "안녕하세요",
}  # fmt: skip


def test_the_first_letter_says_which_way_a_text_runs() -> None:
    assert is_right_to_left("1. مرحبا")
    assert is_right_to_left("«שלום»")
    assert not is_right_to_left("Hello مرحبا")
    assert not is_right_to_left("123 …")


def test_the_script_of_a_text_is_that_of_most_of_its_letters() -> None:
    assert {name: script_in(text) for name, text in TEXTS.items()} == {name: name for name in TEXTS}
    assert script_in("12 %") == "latin"
    assert script_in("GPU и процессор") == "cyrillic"


def test_a_language_calls_itself_in_its_own_script() -> None:
    wrong = [one.code for one in LANGUAGES if not re.search(f"[{script_of(one.code)}]", one.own)]
    assert not wrong
    assert script_of("xx") == script_of("de") == LATIN
