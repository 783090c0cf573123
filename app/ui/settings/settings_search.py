"""Search of the settings by names and synonyms of pages and rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject

from app.features.finding import title_marks
from app.ui.i18n import tr
from app.ui.shell.entry_search import EntrySearch
from app.ui.shell.palette import PaletteEntry
from app.ui.shell.settings_index import search_settings
from app.ui.theme import Theme


class SettingsSearch(EntrySearch):
    """Search field of the settings; `show_page` gets the name of the `SettingHit` that was chosen."""

    def __init__(
        self,
        theme: Theme,
        parent: QObject,
        *,
        show_results: Callable[[bool], object],
        show_page: Callable[[str], object],
    ) -> None:
        self.show_page = show_page
        name = tr("Search settings")
        super().__init__(theme, parent, name, find_entries=self._find_settings, show_results=show_results)

    def _find_settings(self, words: str) -> list[PaletteEntry]:
        return [
            PaletteEntry(
                hit.name,
                "gear-six",
                hit.title,
                hit.page,
                partial(self.show_page, hit.name),
                title_marks=title_marks(hit.title, words),
            )
            for hit in search_settings(words)
        ]
