"""The left column of the summaries: New summary, search, the summaries in their groups."""

from __future__ import annotations

from app.features.summaries import Summaries
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.summarize.texts import SummaryListModel
from app.ui.theme import Theme
from app.ui.work_column import ColumnWords, WorkColumn


class SummariesColumn(WorkColumn):
    """What is open is the view's business."""

    def __init__(self, theme: Theme, summaries: Summaries, notify: Notify) -> None:
        words = ColumnWords(
            name="summaries",
            icon="file-plus",
            new=tr("New summary"),
            search=tr("Search summaries"),
            all=tr("Summaries"),
            nothing_found=tr("No summary has these words."),
            nothing_yet=tr("Your summaries will be here."),
        )
        super().__init__(theme, summaries, notify, words, SummaryListModel)
