"""What is kept of texts, so that checks are quick, is bounded in number and can be forgotten together."""

from __future__ import annotations

from app.language.changed_facts import fact_tokens
from app.language.text_cache import count_kept_texts, forget_texts, text_cache
from app.language.words import word_stems

TEXT = "The harbour was dredged in 1932, and Ada Holm paid 37 crowns for it."


def test_answers_are_kept_up_to_a_number_and_the_latest_stay() -> None:
    asked: list[str] = []

    @text_cache(2)
    def length(text: str) -> int:
        asked.append(text)
        return len(text)

    assert [length(text) for text in ("a", "ab", "a", "abc", "a", "ab")] == [1, 2, 1, 3, 1, 2]
    assert asked == ["a", "ab", "abc", "ab"]


def test_forgotten_texts_are_answered_again_as_before() -> None:
    before = word_stems(TEXT), fact_tokens(TEXT)
    assert count_kept_texts() >= 2
    forget_texts()
    assert count_kept_texts() == 0
    assert (word_stems(TEXT), fact_tokens(TEXT)) == before
