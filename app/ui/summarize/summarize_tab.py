"""The Summarize tab: what of the frame of a tab is its own."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.features.summarize import Planned, SectionRead
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.summarize.texts import Progress, note_of
from app.ui.theme import Theme
from app.ui.work.column import ColumnWords
from app.ui.work.runner import Runner, RunnerWords
from app.ui.work.tab import WorkTab

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.summarize.summarize_view import SummarizeView

RUNNER_WORDS = RunnerWords(
    "Summarizing", "Summarizing {number} of {count}", "Summary paused while you chat", "Summary waits for memory"
)


class SummarizeTab(WorkTab):
    """The work can go on without the view, which is built when it is wanted."""

    ask_wanted = Signal(list, str)
    """Ids of documents and a title: a chat about them is wanted."""
    model_wanted = Signal()
    translate_wanted = Signal(str)
    """The text of a summary is to be translated."""

    begins, moves = Planned, (Planned, SectionRead)

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, window: QWidget) -> None:
        super().__init__(
            app.summaries, new_runner(app, notify), summary_words(), theme=theme, notify=notify, window=window
        )
        self._app = app

    @cached_property
    def view(self) -> SummarizeView:
        """What stands in the middle of the window."""
        from app.ui.summarize.summarize_view import SummarizeView  # work that goes on needs no view

        view = SummarizeView(self._app, self._theme, self._notify, self.runner)
        view.ask_wanted.connect(self.ask_wanted)
        view.model_wanted.connect(self.model_wanted)
        view.translate_wanted.connect(self.translate_wanted)
        return view


def new_runner(app: Fireside, notify: Notify) -> Runner[Progress]:
    """Works off the summaries."""
    return Runner(app.summaries, Progress, RUNNER_WORDS, notify)


def summary_words() -> ColumnWords:
    """Of the left column."""
    return ColumnWords(
        name="summaries",
        icon="file-plus",
        new=tr("New summary"),
        search=tr("Search summaries"),
        all=tr("Summaries"),
        nothing_found=tr("No summary has these words."),
        nothing_yet=tr("Your summaries will be here."),
        note_of=note_of,
    )
