"""Frames while something fades or slides in, over a chat of 10,000 messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from comparing import progress, span
from run import Row
from transcript_bench import FRAME_S, ROUNDS, Opened, long_chat

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

        yield _row(here, "a notice", lambda: here.chat._notify.mention("Saved."), dismiss)
        yield _row(here, "the palette", press, press)
        yield _row(here, "the menu of models", here.window.picker.show_menu, close_popup)
        yield _row(here, "the find bar", here.chat.finding.begin, here.chat.finding.close_bar)
        yield _row(here, "the panel Inside", here.window.tabs.toggle_inside, here.window.tabs.toggle_inside)
        QApplication.setEffectEnabled(EFFECT, False)


def _row(here: Opened, name: str, show: Callable[[], object], hide: Callable[[], object]) -> Row:
    from PySide6.QtCore import QVariantAnimation

    progress(name)
    frames: list[float] = []
    for _ in range(ROUNDS):
        show()
        here.application.processEvents()
        while any(run.state() == run.State.Running for run in here.window.findChildren(QVariantAnimation)):
            began_s = time.thread_time()
            here.application.processEvents()
            frames.append(time.thread_time() - began_s)
            time.sleep(STEP_S)
        hide()
        here.application.processEvents()
    assert frames, f"{name} did not move"
    return Row(f"a frame while {name} appears", round(max(frames), 4), "s", FRAME_S, span(frames), at_most=1.0)
