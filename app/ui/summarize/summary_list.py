"""Summaries as rows of their left column."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.features.summaries import StoredSummary
from app.ui.shell.i18n import tr
from app.ui.work_list import WorkListModel, group_of

__all__ = ["SummaryListModel", "group_of", "note_of"]


def note_of(summary: StoredSummary) -> str:
    """What is said behind the title of one that is not done."""
    if summary.state == "running" and summary.sections:
        return tr("{done} of {all}", done=summary.sections_read, all=summary.sections)
    words = {"running": tr("begins"), "queued": tr("waits"), "paused": tr("stopped"), "failed": tr("failed")}
    return words.get(summary.state, "")


class SummaryListModel(WorkListModel):
    """Summaries under their headings."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(note_of, parent)
