"""Translations as rows of their left column: documents, and texts that were typed."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.features.translation.stored import ADDING, DRAFT, TYPED, StoredTranslation
from app.features.work.queue import FAILED, PAUSED, QUEUED, RUNNING
from app.ui.shell.i18n import tr
from app.ui.translate.texts import title_of
from app.ui.work_list import WorkListModel, is_working


def note_of(translation: StoredTranslation) -> str:
    """What is said behind the title of one that is not done."""
    if translation.format == TYPED:
        return ""
    if translation.state == RUNNING and translation.segments:
        return tr("{done} of {all}", done=translation.done, all=translation.segments)
    words = {
        ADDING: tr("is read"), DRAFT: tr("not begun"), RUNNING: tr("begins"), QUEUED: tr("waits"),
        PAUSED: tr("stopped"), FAILED: tr("failed"),
    }  # fmt: skip
    return words.get(translation.state, "")


def is_at_work(translation: StoredTranslation) -> bool:
    """Whether a document waits for something; a text that was typed is what it is."""
    return translation.format != TYPED and (is_working(translation) or translation.state in (ADDING, DRAFT))


class TranslationListModel(WorkListModel):
    """Translations under their headings."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(note_of, parent, is_at_work=is_at_work, title_of=title_of)
