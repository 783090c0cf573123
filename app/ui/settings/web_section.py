"""Settings of what models may ask of the web: pages, and a search engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.hub.web_fetcher import DUCKDUCKGO
from app.ui.i18n import tr
from app.ui.settings.address_field import AddressField
from app.ui.settings.settings_pages import Save, SettingsSection
from app.ui.shell.settings_index import label_of
from app.ui.theme import Theme
from app.ui.widgets.input_fields import SegmentedControl

if TYPE_CHECKING:
    from app.bootstrap import Fireside

WEB_PAGES_HELP = "For chats with tools on. You’re asked for each website."
WEB_PAGES_MORE = "Pages that a model opens become documents of the chat. They load no pictures and run no scripts."
SEARCH_HELP = "You’re asked before anything is sent."
SEARCH_OFF, SEARCH_OWN = "Off", "Another"
SEARCH_ADDRESS_HELP = "The address of a SearXNG server, for example:"
SEARCH_EXAMPLE = "https://searx.example/search?q={query}&format=json"
NEEDS_QUERY = "It must contain {query} where the search words go."
SCHEMES = ("https://", "http://")
OFF, OWN = "off", "own"


class WebSection(SettingsSection):
    """The switch, the choice of a search engine, and the address of one of the person's own."""

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        super().__init__(theme, tr("Web"))
        self._save, tools = save, app.settings.tools
        self._own_address = "" if tools.search_address == DUCKDUCKGO else tools.search_address
        self.switch = self.add_switch(
            "web_pages", tr(WEB_PAGES_HELP), self._on_switched, is_on=tools.web, more=tr(WEB_PAGES_MORE)
        )
        chosen = OWN if self._own_address else tools.search_address or OFF
        choices = ((OFF, tr(SEARCH_OFF)), (DUCKDUCKGO, "DuckDuckGo"), (OWN, tr(SEARCH_OWN)))
        self.engine = SegmentedControl(theme, label_of("search_engine"), choices, chosen, self._on_engine)
        self.add_setting("search_engine", tr(SEARCH_HELP), self.engine)
        self.address = AddressField(
            self, label_of("search_address"), self._own_address, SCHEMES, SEARCH_EXAMPLE, problem_of=_find_problem
        )
        self.address.on_save = self._on_address
        self.add_block("search_address", tr(SEARCH_ADDRESS_HELP), self.address)
        self._show_address(chosen)
        self.finish()

    def _on_switched(self, wanted: bool) -> None:
        self._save("tools", web=wanted)

    def _on_engine(self, chosen: str) -> None:
        addresses = {OFF: "", OWN: self._own_address}
        self._save("tools", search_address=addresses.get(chosen, chosen))
        self._show_address(chosen)

    def _on_address(self, text: str) -> None:
        self._own_address = text
        self._save("tools", search_address=text)

    def _show_address(self, chosen: str) -> None:
        self.setting_rows["search_address"].setVisible(chosen == OWN)


def _find_problem(text: str) -> str:
    return tr(NEEDS_QUERY) if text and "{query}" not in text else ""
