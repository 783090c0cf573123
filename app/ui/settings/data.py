"""The settings page of what is kept: chats out and in, backups of everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.ui.exchange.backup import Backups
from app.ui.exchange.exporting import Exporting
from app.ui.exchange.importing import Importing
from app.ui.i18n import tr
from app.ui.settings.pages import SettingsPage
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.buttons import text_button

if TYPE_CHECKING:
    from app.bootstrap import Fireside


class DataPage(SettingsPage):
    """What each button begins goes on in the window; `leave` closes the settings."""

    def __init__(self, app: Fireside, ui: UiContext, leave: Callable[[], object]) -> None:
        super().__init__(ui.theme, tr("Your data"))
        self._leave = leave
        exporting, importing, backups = Exporting(app, ui), Importing(app, ui), Backups(app, ui)
        self.add_heading(tr("Chats"))
        self._add(tr("Export chats"), tr("As PDF, Word, web page, Markdown or JSON."), tr("Export…"), exporting.ask)
        self._add(
            tr("Import chats"),
            tr("Of Fireside, ChatGPT, Claude, LM Studio, Jan or Open WebUI, as these programs export them."),
            tr("Import…"),
            importing.ask,
        )
        self.add_heading(tr("Everything"))
        self._add(
            tr("Back up everything"),
            tr("Chats, projects, memories, summaries, translations, pages, glossaries and settings in one file, without"
               " the models. It is not encrypted: keep it where nobody else reads."),
            tr("Back up…"),
            backups.ask_where,
        )  # fmt: skip
        self._add(
            tr("Restore a backup"),
            tr("It takes the place of what is here, which is kept aside for 30 days."),
            tr("Restore…"),
            backups.ask_which,
        )
        self.finish()

    def _add(self, name: str, explanation: str, label: str, do: Callable[[], object]) -> None:
        button = text_button(label)
        button.setAccessibleName(f"{label.removesuffix('…')}: {name}")
        button.clicked.connect(lambda: (self._leave(), do()))
        self.add_row(name, explanation, button)
