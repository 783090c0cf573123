"""The settings of the network: whether it may be used, how, the access token, and everything it was used for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.features.messages import sentence_for
from app.ui import connections_table
from app.ui.connections_table import Connections, ConnectionTable
from app.ui.settings_page import SettingsPage
from app.ui.shell import tasks
from app.ui.shell.i18n import size_text, tr
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.fields import Switch

if TYPE_CHECKING:
    from app.bootstrap import Fireside

Save = Callable[..., None]
HUB = "https://huggingface.co"
PROXY_SCHEMES = ("http://", "https://", "socks5://")
MIRROR_SCHEMES = ("https://", "http://")


def address_problem(text: str, schemes: tuple[str, ...]) -> str:
    """Why an address cannot be used; empty when it can."""
    if not text:
        return ""
    if not text.startswith(schemes):
        return tr("It has to begin with {one} or {other}.", one=schemes[0], other=schemes[1])
    if any(character.isspace() for character in text):
        return tr("It has a space in it.")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return tr("Its port has to be a number up to 65535.")
    return "" if host else tr("The name of the computer is missing.")


def token_problem(text: str) -> str:
    """Why a text cannot be an access token; empty when it can."""
    if not text.isascii() or any(character.isspace() for character in text):
        return tr("A token has only plain letters, digits and signs, without spaces.")
    return ""


class AddressField(QWidget):
    """A line for an address; it is saved when it is left or Return is pressed, and only when it can be right."""

    def __init__(self, page: SettingsPage, name: str, value: str, schemes: tuple[str, ...], hint: str) -> None:
        super().__init__()
        self._schemes = schemes
        self._saved = value
        self.on_save: Callable[[str], object] = lambda _text: None
        self.line = QLineEdit(value, placeholderText=hint)
        self.line.setAccessibleName(name)
        self.line.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # an address reads so in every language
        self.problem = page.label("", 13)
        self.problem.setProperty("kind", "danger")
        self.problem.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.line)
        column.addWidget(self.problem)
        self.line.textEdited.connect(lambda _: self._say(""))
        self.line.editingFinished.connect(self._on_finished)

    def _on_finished(self) -> None:
        text = self.line.text().strip()
        problem = address_problem(text, self._schemes)
        self._say(tr("Not saved. {why}", why=problem) if problem else "")
        if not problem and text != self._saved:
            self._saved = text
            self.on_save(text)

    def _say(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        self.line.setAccessibleDescription(text)


class NetworkPage(SettingsPage):
    """Keyring and ledger are read on a thread: either may take its time."""

    network_changed = Signal()
    """The switch was moved."""

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        super().__init__(theme, tr("Network"))
        self._app, self._save = app, save
        self._is_first = True
        self._add_switch()
        self._add_addresses()
        self._add_token()
        self._add_connections()
        self.finish()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
        if self._is_first:  # only who opens this page is asked for the keyring's password
            self._is_first = False
            self._look_for_token()

    def refresh(self) -> None:
        """Reads the ledger again."""

        def work() -> Iterator[Connections]:
            yield connections_table.read(self._app.ledger)

        tasks.run(lambda _: work(), self).event.connect(self._show_connections)

    # The switch and the way out.

    def _add_switch(self) -> None:
        intro = tr("The network is used to find and fetch models, and only when you ask. What you write is never sent.")
        self.column.addWidget(self.muted(intro))
        name = tr("Allow the network")
        self.allowed = Switch(self._theme, name, on=self._app.settings.network.allowed)
        self.allowed.toggled.connect(self._on_allowed)
        explanation = tr("Off: no connection is made at all. Models on this computer work without it.")
        self.add_row(name, explanation, self.allowed)

    def _on_allowed(self, wanted: bool) -> None:
        self._save("network", allowed=wanted)
        self.network_changed.emit()

    def _add_addresses(self) -> None:
        network = self._app.settings.network
        proxy = AddressField(self, tr("Proxy"), network.proxy, PROXY_SCHEMES, tr("As the system says"))
        proxy.on_save = lambda text: self._save("network", proxy=text)
        self._add_block(tr("Proxy"), tr("Such as http://proxy.example:3128. Empty: as the system says."), proxy)
        mirror = AddressField(self, tr("Mirror"), network.mirror, MIRROR_SCHEMES, HUB)
        mirror.on_save = self._on_mirror
        explanation = tr("Asked in place of the Hub. It never gets the Hub’s access token, but can have its own.")
        self._add_block(tr("Mirror of the Hub"), explanation, mirror)

    def _on_mirror(self, text: str) -> None:
        self._save("network", mirror=text)
        self._look_for_token()

    def _add_block(self, name: str, explanation: str, field: QWidget) -> None:
        """A name, an explanation, and a field over the whole width."""
        block = QVBoxLayout()
        block.setSpacing(self._theme.px(4))
        block.addWidget(QLabel(name))
        block.addWidget(self.muted(explanation))
        block.addWidget(field)
        self.column.addLayout(block)

    # The token.

    def _add_token(self) -> None:
        self.token = QLineEdit(echoMode=QLineEdit.EchoMode.Password, placeholderText="hf_…")
        self.token.setAccessibleName(tr("Access token"))
        self.token.textEdited.connect(self._on_token_edited)
        self.token.returnPressed.connect(self._on_keep)
        self.keep = text_button(tr("Save"))
        self.keep.setAccessibleName(tr("Save the access token"))
        self.keep.setEnabled(False)
        self.keep.clicked.connect(self._on_keep)
        self.forget = text_button(tr("Forget"))
        self.forget.setAccessibleName(tr("Forget the access token"))
        self.forget.setEnabled(False)
        self.forget.clicked.connect(lambda: self._with_token(lambda: self._keep("")))
        self.token_note = self.muted(tr("Looking…"))
        self.token_note.setObjectName("token_note")
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(self._theme.px(4))
        row = QHBoxLayout()
        row.setSpacing(self._theme.px(8))
        row.addWidget(self.token, 1)
        row.addWidget(self.keep)
        row.addWidget(self.forget)
        column.addLayout(row)
        column.addWidget(self.token_note)
        self._add_block(tr("Access token"), tr("For models whose owner asks who you are."), holder)

    def _look_for_token(self) -> None:
        host = self._app.hub_host
        self._with_token(lambda: self._app.token.load(host))

    def _on_token_edited(self, text: str) -> None:
        problem = token_problem(text.strip())
        self.keep.setEnabled(bool(text.strip()) and not problem)
        if problem:
            self._say_token(problem, is_problem=True)
        elif self.token_note.property("kind") == "danger":
            self._say_token("")

    def _on_keep(self) -> None:
        text = self.token.text().strip()
        if text and not token_problem(text):
            self._with_token(lambda: self._keep(text))

    def _keep(self, text: str) -> str:
        self._app.token.save(text, self._app.hub_host)
        return text

    def _with_token(self, do: Callable[[], str]) -> None:
        """Does something with the keyring on a thread; it may ask the person for its own password meanwhile."""

        def work() -> Iterator[bool]:
            yield bool(do())

        self.keep.setEnabled(False)
        self.forget.setEnabled(False)
        task = tasks.run(lambda _: work(), self)
        task.event.connect(self._show_token)
        task.failed.connect(self._on_not_kept)

    def _show_token(self, is_there: bool) -> None:
        self.token.clear()
        self.forget.setEnabled(is_there)
        host = self._app.hub_host
        kept = tr("A token is kept in the system’s keyring. It is sent to {host} and to nobody else.", host=host)
        self._say_token(kept if is_there else tr("No token is kept for {host}.", host=host))

    def _on_not_kept(self, error: BaseException) -> None:
        if not isinstance(error, AppError):
            raise error
        sentence = sentence_for(error)
        self.token.clear()
        self.forget.setEnabled(True)
        self._say_token(f"{tr(sentence.text)} {tr(sentence.kept)}".strip(), is_problem=True)

    def _say_token(self, text: str, *, is_problem: bool = False) -> None:
        self.token_note.setProperty("kind", "danger" if is_problem else "muted")
        self.token_note.style().polish(self.token_note)
        self.token_note.setText(text)

    # The ledger.

    def _add_connections(self) -> None:
        self.add_heading(tr("Connections"))
        self.connections = ConnectionTable(self._theme)
        self.connections.hide()
        self.totals = self.muted(tr("Looking…"))
        self.totals.setObjectName("totals")
        again = text_button(tr("Refresh"))
        again.setAccessibleName(tr("Refresh the connections"))
        again.clicked.connect(self.refresh)
        row = QHBoxLayout()
        row.addWidget(self.totals, 1)
        row.addWidget(again)
        self.column.addLayout(row)
        self.column.addWidget(self.connections)

    def _show_connections(self, found: Connections) -> None:
        self.connections.rows.show_rows(found.rows)
        self.connections.setVisible(bool(found.rows))
        if not found.rows:
            self.totals.setText(tr("No connection has been made yet."))
            return
        self.totals.setText(
            tr(
                "Every connection that was ever made: {count}, to {hosts}; {size} received.",
                count=f"{len(found.rows):,}",
                hosts=tr("1 host") if found.hosts == 1 else tr("{count} hosts", count=found.hosts),
                size=size_text(found.received_bytes),
            )
        )
