"""The Summarize tab: what of the frame of a tab is its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from app.features.summary.result import Planned, SectionRead
from app.ui.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.shell.tab_spec import CHAT, TRANSLATE, UiContext
from app.ui.summarize.texts import Progress, note_of
from app.ui.work.column import ColumnWords
from app.ui.work.tab import Runner, RunnerWords, WorkTab

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.summarize.summarize_view import SummarizeView

RUNNER_WORDS = RunnerWords(
    "Summarizing",
    "Summarizing {number} of {count}",
    "Summary paused while you chat",
    "Summary waits for memory",
    "Your summary is ready.",
    "A summary stopped with a problem.",
    "{count} summaries are ready.",
    "{problems} of {count} summaries stopped with a problem.",
)


class SummarizeTab(WorkTab):
    """The work can go on without the view, which is built when it is wanted."""

    begins, moves = Planned, (Planned, SectionRead)

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__(ui, app.summaries, new_runner(app, ui.notify), summary_words())
        self._app = app

    @cached_property
    def view(self) -> SummarizeView:
        """What stands in the middle of the window."""
        from app.ui.summarize.summarize_view import SummarizeView  # work that goes on needs no view

        go, view = (
            self._ui.go,
            SummarizeView(self._app, self._ui.theme, self._ui.notify, self.runner, self._ui.pictures),
        )
        view.ask_wanted.connect(lambda ids, title: go.tab(CHAT).take_documents(ids, title))
        view.model_wanted.connect(go.open_models)
        view.translate_wanted.connect(lambda text: go.show_tab(TRANSLATE).take_text(text))
        return view

    def take_documents(self, ids: Sequence[int], title: str = "") -> None:  # noqa: ARG002 - they get one by themselves
        self.view.add_documents(ids)

    def on_model_chosen(self) -> None:
        if self.open_id is None:
            self.view.show_new()  # what it would take is estimated anew


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
