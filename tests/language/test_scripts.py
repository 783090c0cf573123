"""Scripts: of languages and of texts, and which way a text runs."""

from __future__ import annotations

import re

from app.language.names import LANGUAGES, LATIN, is_right_to_left, script_in, script_of

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
