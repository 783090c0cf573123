"""Whole words, and how measured numbers are said."""

from __future__ import annotations

import pytest

from app.core.events import AnswerStats, FinishReason
from app.ui.chat.answer_view import stats_text
from app.ui.chat.answering import LONGEST_HELD, whole_words


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
    assert whole_words(text) == end


def test_numbers_under_an_answer() -> None:
    stats = AnswerStats(10, 0, 1212, 0.31, 41.2, FinishReason.STOP)
    assert stats_text(stats) == "1,212 tokens · 41 tokens/s · first token 0.3 s"
    slow = AnswerStats(10, 0, 2, 1.0, 4.26, FinishReason.STOP)
    assert stats_text(slow) == "2 tokens · 4.3 tokens/s · first token 1.0 s"
