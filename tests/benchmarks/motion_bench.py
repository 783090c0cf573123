"""Frames while something fades or slides in, over a chat of 10,000 messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import cycle

from comparing import progress, span
from run import Row
from transcript_bench import ANSWER, FRAME_S, PIECE, ROUNDS, Opened, long_chat

STEP_S = 0.004
"""Pause between looks at the event queue: an animation has a frame every 16 ms."""


def rows() -> Iterator[Row]:
    """Processor time of the window's thread for each frame after the first, which builds and lays out what appears."""
    from PySide6.QtWidgets import QApplication

    from app.ui.widgets.motion import EFFECT

    with long_chat() as here:
        here.chat.show_conversation(here.number)
        here.application.processEvents()
        QApplication.setEffectEnabled(EFFECT, True)
        bar, press = here.chat._notify.bar, here.window.commands.actions["palette"].trigger

        def close_popup() -> None:
            popup = QApplication.activePopupWidget()
            if popup is not None:
                popup.close()

        def dismiss() -> None:
            bar.notices[-1].dismiss()

        inside = here.window.tabs.toggle_inside
        moves = (
            ("a notice", lambda: here.chat._notify.mention("Saved."), dismiss),
            ("the palette", press, press),
            ("the menu of models", here.window.picker.show_menu, close_popup),
            ("the find bar", here.chat.finding.begin, here.chat.finding.close_bar),
            ("the panel Inside", inside, inside),
        )
        for name, show, hide in moves:
            yield _row(here, name, show, hide)
        answer = _Answer(here)
        for name, show, hide in moves:
            yield _row(here, f"{name}, beside an answer being written,", show, hide, answer.grow)
        QApplication.setEffectEnabled(EFFECT, False)


class _Answer:
    """An answer at the end of the chat, which grows by a piece with every frame."""

    def __init__(self, here: Opened) -> None:
        self._view = here.chat.transcript.add_answer()
        here.chat.transcript.jump_to_latest()
        here.until(lambda: here.chat.transcript.is_settled)  # its coming is no part of what is measured
        self._pieces = cycle([ANSWER[at : at + PIECE] for at in range(0, len(ANSWER), PIECE)])

    def grow(self) -> None:
        self._view.append(next(self._pieces))


def _row(
    here: Opened,
    name: str,
    show: Callable[[], object],
    hide: Callable[[], object],
    meanwhile: Callable[[], object] = lambda: None,
) -> Row:
    from PySide6.QtCore import QVariantAnimation

    progress(name)
    frames: list[float] = []
    for _ in range(ROUNDS):
        show()
        here.application.processEvents()
        while any(run.state() == run.State.Running for run in here.window.findChildren(QVariantAnimation)):
            began_s = time.thread_time()
            meanwhile()
            here.application.processEvents()
            frames.append(time.thread_time() - began_s)
            time.sleep(STEP_S)
        hide()
        # Nobody opens one thing after the other without a pause; text that waited comes meanwhile.
        here.until(lambda: here.chat.transcript.is_settled)
    assert frames, f"{name} did not move"
    return Row(f"a frame while {name} appears", round(max(frames), 4), "s", FRAME_S, span(frames), at_most=1.0)
