"""A test of the network: a button that asks the hosts which the program uses, and what each of them answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout

from app.core.errors.app_error import expected_error
from app.features.error_messages import sentence_for
from app.features.network_routes import NetworkRoutes, find_routes, route_sentences
from app.ui.i18n import tr
from app.ui.settings.settings_pages import SettingsSection
from app.ui.shell import tasks
from app.ui.shell.settings_index import label_of
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import announce
from app.ui.widgets.layouts import fill_layout

if TYPE_CHECKING:
    from app.bootstrap import Fireside

ASKS_ON_CLICK = "Asks the Hub and the update address how they can be reached."
TEST_NETWORK = "Test now"
TESTING_NETWORK = "Asking the hosts…"


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
