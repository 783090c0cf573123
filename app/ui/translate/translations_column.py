"""The left column of the translations: New translation, search, the translations in their groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.translate.translation_list import TranslationListModel
from app.ui.work_column import ColumnWords, WorkColumn

if TYPE_CHECKING:
    from app.features.translations import Translations


class TranslationsColumn(WorkColumn):
    """What is open is the view's business."""

    def __init__(self, theme: Theme, translations: Translations, notify: Notify) -> None:
        words = ColumnWords(
            name="translations",
            icon="plus",
            new=tr("New translation"),
            search=tr("Search translations"),
            all=tr("Translations"),
            nothing_found=tr("No translation has these words."),
            nothing_yet=tr("Your translations will be here."),
        )
        super().__init__(theme, translations, notify, words, TranslationListModel)
