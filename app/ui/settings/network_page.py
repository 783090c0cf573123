"""Settings of the network: on or off, a test, proxy, certificates, access token, web search, log of connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.core.child import cage_reports
from app.core.errors.app_error import expected_error
from app.features.error_messages import sentence_for
from app.features.network_routes import NetworkRoutes, find_routes, route_sentences
from app.features.protection import PROCESSES, protection_sentences
from app.hub.access import hub_host
from app.hub.web_fetcher import DUCKDUCKGO
from app.ui.i18n import size_text, tr, tr_count
from app.ui.locale_formats import format_number
from app.ui.settings import connections
from app.ui.settings.address_field import AddressField
from app.ui.settings.connections import Connections, ConnectionTable
from app.ui.settings.proxy_section import ProxySection
from app.ui.settings.settings_pages import Save, SettingsPage, SettingsSection
from app.ui.shared_labels import SAVE
from app.ui.shell import tasks
from app.ui.shell.settings_index import label_of, page_label
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.input_fields import SegmentedControl, Switch
from app.ui.widgets.labels import announce, tell_problem
from app.ui.widgets.layouts import drop_margins, fill_layout

if TYPE_CHECKING:
    from app.bootstrap import Fireside

HOST_COUNT = "{count} hosts"
PLAIN_TOKEN_ONLY = "A token contains only letters, digits and symbols, no spaces."
TOKEN_KEPT_IN_KEYRING = "The token is saved in the system’s keyring and sent only to {host}."
NO_TOKEN_KEPT = "No token is saved for {host}."
ACCESS_TOKEN = "Access token"
SAVE_TOKEN = "Save the access token"
FORGET_TOKEN = "Forget the access token"
FORGET = "Forget"
MIRROR = "Mirror"
NO_CONNECTIONS_YET = "No connections yet."
REFRESH_THE_CONNECTIONS = "Refresh the connections"
CONNECTIONS_IN_ALL = "All connections so far: {count}, to {hosts}; {size} received."
HUB = "https://huggingface.co"
SCHEMES = ("https://", "http://")
ASKS_ON_CLICK = "Asks the Hub and the update address how they can be reached."
TEST_NETWORK = "Test now"
TESTING_NETWORK = "Asking the hosts…"
WEB_PAGES_HELP = "For chats with tools on. You’re asked for each website."
WEB_PAGES_MORE = "Pages that a model opens become documents of the chat. They load no pictures and run no scripts."
SEARCH_HELP = "You’re asked before anything is sent."
SEARCH_OFF, SEARCH_OWN = "Off", "Another"
SEARCH_ADDRESS_HELP = "The address of a SearXNG server, for example:"
SEARCH_EXAMPLE = "https://searx.example/search?q={query}&format=json"
NEEDS_QUERY = "It must contain {query} where the search words go."
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


class NetworkTest(SettingsSection):
    """Asks the Hub and the update address when the button is pressed, and says how each is reached or what refuses."""

    def __init__(self, app: Fireside, theme: Theme) -> None:
        super().__init__(theme, label_of("network_test"))
        self._app = app
        self.start = text_button(tr(TEST_NETWORK), on_click=self._ask_hosts)
        self.answers = self.muted(tr(ASKS_ON_CLICK))
        self.answers.setObjectName("network_answers")
        self.answers.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        top = Qt.AlignmentFlag.AlignTop
        self.card.add_content(fill_layout(QHBoxLayout(), (self.answers, 1), (self.start, 0, top)))
        self.finish()

    def _add_title(self, title: str, more: str) -> None:
        self.setting_rows["network_test"] = self.add_heading(title, more)

    def _ask_hosts(self) -> None:
        self.start.setEnabled(False)
        self._show_answers(tr(TESTING_NETWORK))
        settings, token, ledger = self._app.settings, self._app.token, self._app.ledger
        # On a thread: a host that doesn't answer takes its time, and the keyring may ask for its password.
        tasks.ask(lambda _: find_routes(settings, token, ledger, asks=True), self, self._on_routes, self._on_failed)

    def _on_routes(self, routes: NetworkRoutes) -> None:
        self._show_answers("\n".join(line.strip() for line in route_sentences(routes)))
        self.start.setEnabled(True)

    def _on_failed(self, error: BaseException) -> None:
        self.start.setEnabled(True)
        error = expected_error(error)
        self._show_answers(str(sentence_for(error)))

    def _show_answers(self, text: str) -> None:
        self.answers.setText(text)
        announce(self.answers, text)


def token_problem(text: str) -> str:
    """Return why a text can't be an access token; "" if it can."""
    if not text.isascii() or any(character.isspace() for character in text):
        return tr(PLAIN_TOKEN_ONLY)
    return ""


class NetworkPage(SettingsPage):
    """Network settings: what may be reached, addresses, access token, connections made."""

    def __init__(self, app: Fireside, theme: Theme, save: Save, *, on_network: Callable[[], object]) -> None:
        super().__init__(theme, page_label("network"))
        self.on_network = on_network
        """The offline switch was toggled."""
        self._app, self._save = app, save
        self._is_first = True
        self._add_switch()
        self.add_section(WebSection(app, theme, save))
        self._add_protection()
        self.add_section(ProxySection(app, theme, save))
        self._add_addresses()
        self._add_token()
        self.add_section(NetworkTest(app, theme))
        self._add_connections()
        self.finish()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
        if self._is_first:  # the keyring may ask for a password, so only when the page is opened
            self._is_first = False
            self._look_for_token()

    def refresh(self) -> None:
        for label, sentence in zip(self.protection, protection_sentences(cage_reports()), strict=True):
            label.setText(sentence)
        # On a thread, as the ledger may be long.
        tasks.ask(lambda _: connections.read(self._app.ledger), self, self._show_connections)

    def _add_switch(self) -> None:
        intro = tr(
            "Fireside uses the network only when you ask: to find and download models, and to open web pages you "
            "allow. What you write is only sent to servers you choose."
        )
        self.column.addWidget(self.muted(intro))
        self.allowed = Switch(
            self._theme, label_of("allow_network"), on=self._app.settings.network.allowed, on_change=self._on_allowed
        )
        explanation = tr("When off, Fireside makes no connections.")
        self.add_setting("allow_network", explanation, self.allowed, tr("Models on this computer still work."))
        self.internet = Switch(
            self._theme, label_of("allow_internet"), on=self._app.settings.network.internet, on_change=self._on_internet
        )
        explanation = tr("When off, only your own network can be reached.")
        self.add_setting("allow_internet", explanation, self.internet)

    def _add_protection(self) -> None:
        self.setting_rows["protection"] = self.add_heading(
            label_of("protection"),
            tr("Before a process opens a file, it gives up all access that it doesn’t need, and tests that."),
        )
        self.protection = [self.muted("") for _ in PROCESSES]
        for sentence in self.protection:
            sentence.setObjectName("protection")
        self.card.add_content(fill_layout(QVBoxLayout(), *self.protection))

    def _on_internet(self, wanted: bool) -> None:
        self._save("network", internet=wanted)
        self.on_network()

    def _on_allowed(self, wanted: bool) -> None:
        self._save("network", allowed=wanted)
        self.on_network()

    def _add_addresses(self) -> None:
        network = self._app.settings.network
        self.add_heading(tr("Addresses"))
        mirror = AddressField(self, tr(MIRROR), network.mirror, SCHEMES, HUB)
        mirror.on_save = self._on_mirror
        more = tr("It never gets the Hub’s access token, but can have its own.")
        self.add_block("mirror", tr("Used instead of the Hub."), mirror, more)

    def _on_mirror(self, text: str) -> None:
        self._save("network", mirror=text)
        # Each host has a token of its own.
        self._look_for_token()

    def _add_token(self) -> None:
        self.token = QLineEdit(echoMode=QLineEdit.EchoMode.Password, placeholderText="hf_…")
        self.token.setAccessibleName(tr(ACCESS_TOKEN))
        self.token.textEdited.connect(self._on_token_edited)
        self.token.returnPressed.connect(self._on_keep)
        self.keep = text_button(tr(SAVE), on_click=self._on_keep)
        self.keep.setAccessibleName(tr(SAVE_TOKEN))
        self.keep.setEnabled(False)
        self.forget = text_button(tr(FORGET), on_click=self._ask_to_forget)
        self.forget.setAccessibleName(tr(FORGET_TOKEN))
        self.forget.setEnabled(False)
        self.token_note = self.muted(tr("Checking…"))
        self.token_note.setObjectName("token_note")
        holder = QWidget()
        column = drop_margins(QVBoxLayout(holder))
        column.setSpacing(self._theme.px(4))
        row = fill_layout(QBoxLayout(QBoxLayout.Direction.LeftToRight), (self.token, 1))
        fill_layout(row, (self.keep, 0, Qt.AlignmentFlag.AlignLeading), (self.forget, 0, Qt.AlignmentFlag.AlignLeading))
        column.addLayout(row)
        self.turn_with_room(row, self.token, 8)
        column.addWidget(self.token_note)
        self.add_block("access_token", tr("For models that require you to sign in."), holder)

    def _ask_to_forget(self) -> None:
        words = tr("This removes it from the system’s keyring. You can create a new one on the Hub.")
        self.ask(
            tr("Forget the access token?"), words, tr(FORGET), lambda: self._with_token(lambda: self._save_token(""))
        )

    def _look_for_token(self) -> None:
        host = hub_host(self._app.settings)
        self._with_token(lambda: self._app.token.load(host))

    def _on_token_edited(self, text: str) -> None:
        problem = token_problem(text.strip())
        self.keep.setEnabled(bool(text.strip()) and not problem)
        if problem:
            self._say_token(problem, is_problem=True)
        elif self.token_note.property("kind") == "danger":
            self._say_token("")

    def _on_keep(self) -> None:
        if (text := self.token.text().strip()) and not token_problem(text):
            self._with_token(lambda: self._save_token(text))

    def _save_token(self, text: str) -> str:
        self._app.token.save(text, hub_host(self._app.settings))
        return text

    def _with_token(self, do: Callable[[], str]) -> None:
        """Run a keyring call that returns the token, and show whether there is one."""
        self.keep.setEnabled(False)
        self.forget.setEnabled(False)
        # On a thread, as the keyring may ask for its password meanwhile.
        tasks.ask(lambda _: bool(do()), self, self._show_token, self._on_not_kept)

    def _show_token(self, is_there: bool) -> None:
        self.token.clear()
        self.forget.setEnabled(is_there)
        host = hub_host(self._app.settings)
        kept = tr(TOKEN_KEPT_IN_KEYRING, host=host)
        self._say_token(kept if is_there else tr(NO_TOKEN_KEPT, host=host))

    def _on_not_kept(self, error: BaseException) -> None:
        error = expected_error(error)
        sentence = sentence_for(error)
        self.token.clear()
        # Whether one is kept is not known, so forgetting it is offered.
        self.forget.setEnabled(True)
        self._say_token(str(sentence), is_problem=True)

    def _say_token(self, text: str, *, is_problem: bool = False) -> None:
        self.token_note.setProperty("kind", "danger" if is_problem else "muted")
        self.token_note.style().polish(self.token_note)
        self.token_note.setText(text)
        tell_problem(self.token, text if is_problem else "")

    def _add_connections(self) -> None:
        self.setting_rows["connections_made"] = self.add_heading(label_of("connections_made"))
        self.connections = ConnectionTable(self._theme)
        self.connections.hide()
        self.totals = self.muted(tr("Checking…"))
        self.totals.setObjectName("totals")
        again = text_button(tr("Refresh"), on_click=self.refresh)
        again.setAccessibleName(tr(REFRESH_THE_CONNECTIONS))
        row = fill_layout(QHBoxLayout(), (self.totals, 1), again)
        self.card.add_content(row)
        self.column.addWidget(self.connections)

    def _show_connections(self, found: Connections) -> None:
        self.connections.show_rows(found.rows)
        self.connections.setVisible(bool(found.rows))
        if not found.rows:
            self.totals.setText(tr(NO_CONNECTIONS_YET))
            return
        self.totals.setText(
            tr(
                CONNECTIONS_IN_ALL,
                count=format_number(len(found.rows)),
                hosts=tr_count("1 host", HOST_COUNT, found.hosts),
                size=size_text(found.received_bytes),
            )
        )
