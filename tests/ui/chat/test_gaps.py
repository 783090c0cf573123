"""A report, not a race: how long the window's thread is away while 4 kB stream in, and while they are opened."""

from __future__ import annotations

from tests.helpers.gaps import Gaps
from tests.ui.chat.conftest import Open
from tests.ui.text.test_markdown import SAMPLE

LENGTH = 4_000


def test_a_long_answer_streams_whole_and_the_gaps_are_reported(open_chat: Open) -> None:
    text = (SAMPLE * (LENGTH // len(SAMPLE) + 1))[:LENGTH]
    desk = open_chat({"text": text}, load={"context_tokens": 10_000_000})
    desk.app.change_settings("chat", max_tokens=1_000_000)
    gaps = Gaps().start()
    desk.ask("Go")
    desk.wait(lambda: desk.is_settled)
    gaps.stop()
    print(f"streaming: own time at most {gaps.largest_busy_ms:.0f} ms, gap at most {gaps.largest_ms:.0f} ms")
    assert desk.last_text == text.rstrip("\0")
    shown = sum(view.height() for view in desk.last_views)
    conversation_id = desk.chat.conversation_id
    desk.chat.show_conversation(None)
    gaps.start()
    desk.chat.show_conversation(conversation_id)
    desk.wait(lambda: desk.is_settled)
    gaps.stop()
    print(f"opening: own time at most {gaps.largest_busy_ms:.0f} ms, gap at most {gaps.largest_ms:.0f} ms")
    assert sum(view.height() for view in desk.last_views) == shown
