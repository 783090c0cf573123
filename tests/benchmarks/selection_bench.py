"""Selecting in a chat of 10,000 messages: a move of the mouse, beyond what is seen, and all of it copied."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from comparing import percentile, span
from run import Row
from transcript_bench import FRAME_S, MESSAGES, ROUNDS, Opened, long_chat

MOVES, STEP_PX = 400, 9
SCROLLED_PX = 60
"""What one step of following the pointer beyond the edge scrolls at most."""
COPIED_S = 1.0


def rows() -> Iterator[Row]:
    """The mouse is pressed in the middle. The window's processor time, painting included, is held against a frame."""
    with long_chat() as here:
        chat = here.chat
        chat.show_conversation(here.number)
        here.until(lambda: chat.transcript.is_settled)
        bar = chat.transcript.verticalScrollBar()
        bar.setValue(bar.maximum() // 2)
        here.until(lambda: chat.transcript.is_settled)
        yield _moves("a move of the mouse while selecting in", _dragged(here, is_beyond=False))
        yield _moves("a step of selecting beyond what is seen of", _dragged(here, is_beyond=True))
        yield _copied(here)


def _dragged(here: Opened, *, is_beyond: bool) -> list[float]:
    """Seconds of each move of a drag to and fro, or of one that scrolls on."""
    from PySide6.QtCore import QPointF

    transcript = here.chat.transcript
    selection, bar = here.chat.selection, transcript.verticalScrollBar()
    page = transcript.viewport().height()

    def spot_at(y: int) -> object:
        return selection.spot_at(QPointF(transcript.column.width() / 2, bar.value() + y))

    selection.begin(spot_at(page // 2))  # type: ignore[arg-type]
    taken = []
    for number in range(MOVES):

        def move(number: int = number) -> None:
            if is_beyond:
                bar.setValue(bar.value() + SCROLLED_PX)
            y = page - 2 if is_beyond else abs((number * STEP_PX) % (2 * page) - page)
            selection.extend(spot_at(y))  # type: ignore[arg-type]

        began_s = time.thread_time()
        here.taken(move)
        taken.append(time.thread_time() - began_s)
    assert selection.head is not None
    return taken


def _copied(here: Opened) -> Row:
    taken = []
    for _ in range(ROUNDS):
        here.chat.selection.clear()
        began_s = time.perf_counter()
        here.chat.selection.select_all()
        data = here.chat.selection.data()
        taken.append(time.perf_counter() - began_s)
        assert data.text().count("How is file") == MESSAGES // 2
    name = f"all of a chat of {MESSAGES:,} messages selected and copied"
    return Row(name, round(statistics.median(taken), 3), "s", COPIED_S, span(taken), at_most=1.0)


def _moves(what: str, taken: list[float]) -> Row:
    note = f"99th percentile of {len(taken)}; median {statistics.median(taken):.4f}, most {max(taken):.4f}"
    name = f"{what} a chat of {MESSAGES:,} messages"
    return Row(name, round(percentile(taken, 0.99), 4), "s", FRAME_S, note, at_most=1.0)
