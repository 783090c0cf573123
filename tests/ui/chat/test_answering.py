"""How measured numbers are said."""

from __future__ import annotations

from app.core.events import AnswerStats, FinishReason
from app.ui.chat.answer_view import stats_text


def test_numbers_under_an_answer() -> None:
    stats = AnswerStats(10, 0, 1212, 0.31, 41.2, FinishReason.STOP)
    assert stats_text(stats) == "1,212 tokens · 41 tokens/s · first token 0.3 s"
    slow = AnswerStats(10, 0, 2, 1.0, 4.26, FinishReason.STOP)
    assert stats_text(slow) == "2 tokens · 4.3 tokens/s · first token 1.0 s"
