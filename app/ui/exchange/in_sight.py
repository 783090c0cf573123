"""Work that takes long, in sight: a notice that says how far it is, with Cancel; what failed is told there, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject

from app.features.exchange.exporting import ExportProgress
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.notice_bar import ProgressNotice


@dataclass(frozen=True)
class Far:
    """How far it is: a sentence, and how much of how much."""

    words: str
    done: int
    total: int


def run_in_sight(
    work: tasks.Work,
    words: str,
    how_far: Callable[[Any], Far | None],
    then: Callable[[Any], object],
    *,
    theme: Theme,
    notify: Notify,
    parent: QObject,
) -> tasks.Task:
    """Runs a generator on a thread; what `how_far` has no words for goes to `then`. The notice leaves at its end."""
    task = tasks.run(work, parent)
    bar, notice = notify.bar, ProgressNotice(theme, words, task.cancel)
    bar.add(notice)

    def on_event(event: object) -> None:
        far = how_far(event)
        if far is None:
            then(event)
        elif notice in bar.notices:  # a person may dismiss it
            notice.show_progress(far.words, far.done, far.total)

    def leave() -> None:
        if notice in bar.notices:
            notice.dismiss()

    def on_failed(error: BaseException) -> None:
        leave()
        notify.error(error)

    task.event.connect(on_event)
    task.finished.connect(leave)
    task.failed.connect(on_failed)
    return task


def how_far(words: str, event: object) -> Far | None:
    """Of an export or a print."""
    if not isinstance(event, ExportProgress):
        return None
    done, total = f"{event.done:,}", f"{event.total:,}"
    text = tr("{words}: {done} of {total} messages", words=words, done=done, total=total)
    return Far(text, event.done, event.total)
