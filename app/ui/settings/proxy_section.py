"""Settings of a network that isn't open: its proxy, the password for it, and whose certificates are trusted."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.core.errors.app_error import expected_error
from app.core.errors.hub_errors import TokenNotKept
from app.features.error_messages import sentence_for
from app.hub.access import proxy_secret
from app.hub.certificates import MOST_AUTHORITIES_BYTES, certificates_in, owners_of
from app.hub.connection_ledger import BUILT_IN, SYSTEM
from app.hub.proxy_script import find_proxy_script
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import join_list
from app.ui.settings.address_field import AddressField
from app.ui.settings.settings_pages import Save, SettingsSection
from app.ui.shared_labels import REMOVE, SAVE
from app.ui.shell import tasks
from app.ui.shell.settings_index import label_of
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import certificate_dialog
from app.ui.widgets.input_fields import SegmentedControl
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout

if TYPE_CHECKING:
    from app.bootstrap import Fireside

PROXY_SCHEMES = ("http://", "https://", "socks5://")
PROXY_USER, PROXY_PASSWORD = "User name for the proxy", "Password for the proxy"
SAVE_SIGN_IN, FORGET_SIGN_IN = "Save the proxy’s password", "Forget the proxy’s password"
PASSWORD_KEPT = "The password is saved in the system’s keyring and sent only to {host}."
NO_PASSWORD = "No password is saved."
PASSWORD_UNTIL_QUIT = "This system has no keyring, so the password is forgotten when you quit."
NEEDS_PROXY = "Enter the proxy’s address first."
SCRIPT_NOT_READ = (
    "This system uses a proxy script (PAC), which Fireside doesn’t run. Ask for the proxy’s address and enter it here."
)
SYSTEM_STORE, BUILT_IN_STORE = "System", "Built-in"
NO_OWN_AUTHORITY = "Adds an authority of your network."
OWN_TRUSTED = "Also trusted: {names}."
ONE_MORE_TRUSTED, MANY_TRUSTED = (
    "Also trusted: 1 authority of your own.",
    "Also trusted: {count} authorities of your own.",
)
MOST_NAMES = 3


class ProxySection(SettingsSection):
    """The proxy's address, name and password for it, and authorities beside those of the system."""

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        super().__init__(theme, tr("Proxy and certificates"))
        self._app, self._save, self._is_first = app, save, True
        network = app.settings.network
        self.address = AddressField(self, label_of("proxy"), _bare(network.proxy), PROXY_SCHEMES, tr("System proxy"))
        self.address.on_save = self._on_address
        self.script_note = self.muted("")
        self.script_note.hide()
        holder = QWidget()
        fill_layout(drop_margins(QVBoxLayout(holder), 4), self.address, self.script_note)
        explanation = tr("For example http://proxy.example:3128")
        self.add_block("proxy", explanation, holder, tr("Leave it empty to use the system proxy."))
        self._add_sign_in()
        self._add_trust()
        self.certificates = CertificateField(app, theme, save)
        self.add_setting("certificates", self.certificates.state, self.certificates)
        self.finish()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_first:  # the keyring may ask for a password, so only when the page is opened
            self._is_first = False
            self._take_password_out_of_address()
            # Both on threads: the system may take seconds.
            tasks.ask(lambda _: find_proxy_script(os.environ, Path.home()), self, self._show_script)
            self.certificates.read_file()

    def _add_sign_in(self) -> None:
        self.user = QLineEdit(self._app.settings.network.proxy_user, placeholderText=tr("User name"))
        self.user.setAccessibleName(tr(PROXY_USER))
        self.password = QLineEdit(echoMode=QLineEdit.EchoMode.Password, placeholderText=tr("Password"))
        self.password.setAccessibleName(tr(PROXY_PASSWORD))
        for field in (self.user, self.password):
            field.textEdited.connect(self._update)
            field.returnPressed.connect(self._on_keep)
        self.keep = text_button(tr(SAVE), on_click=self._on_keep)
        self.keep.setAccessibleName(tr(SAVE_SIGN_IN))
        self.forget = text_button(tr("Forget"), on_click=lambda: self._store("", ""))
        self.forget.setAccessibleName(tr(FORGET_SIGN_IN))
        self.note = self.muted("")
        holder = QWidget()
        column = drop_margins(QVBoxLayout(holder))
        row = fill_layout(QBoxLayout(QBoxLayout.Direction.LeftToRight), (self.user, 1), (self.password, 1))
        buttons = fill_layout(QHBoxLayout(), self.keep, self.forget, 1)
        fill_layout(column, row, buttons, self.note)
        self.turn_with_room(row, self.password, 8)
        self._theme.dress(column, buttons, spacing=8)
        self.add_block("proxy_sign_in", tr("For a proxy that asks who you are."), holder)
        self._update()

    def _add_trust(self) -> None:
        choices = ((SYSTEM, tr(SYSTEM_STORE)), (BUILT_IN, tr(BUILT_IN_STORE)))
        name, chosen = label_of("trusted_certificates"), self._app.settings.network.certificates
        self.trust = SegmentedControl(
            self._theme, name, choices, chosen, lambda key: self._save("network", certificates=key)
        )
        more = tr("Built-in leaves out what your system or your administrator added.")
        self.add_setting("trusted_certificates", tr("Which authorities may confirm who a host is."), self.trust, more)

    def _on_address(self, text: str) -> None:
        """Save an address; a name and password in it belong into the fields below and the keyring."""
        self._save("network", proxy=_bare(text))
        parts = urlsplit(text)
        if parts.username:
            self.address.line.setText(_bare(text))
            self._store(unquote(parts.username), unquote(parts.password or ""))
        elif self._app.settings.network.proxy_user:
            self._look_for_password()
        self._update()

    def _take_password_out_of_address(self) -> None:
        """Move a password that an earlier version left in the settings to the keyring."""
        address = self._app.settings.network.proxy
        if "@" in address:
            self._on_address(address)
        else:
            self._look_for_password()

    def _on_keep(self) -> None:
        if self.keep.isEnabled():
            self._store(self.user.text().strip(), self.password.text())

    def _store(self, user: str, password: str) -> None:
        before = proxy_secret(self._app.settings)
        self._save("network", proxy_user=user)
        self.user.setText(user)
        self.password.clear()
        secret = proxy_secret(self._app.settings)

        def keep_password() -> bool:
            if before and before != secret:
                self._app.token.save("", before)
            if secret:
                self._app.token.save(password, secret)
            return bool(password)

        self._ask_keyring(keep_password)

    def _look_for_password(self) -> None:
        if secret := proxy_secret(self._app.settings):
            self._ask_keyring(lambda: bool(self._app.token.load(secret)))
        else:
            self._show_kept(False)

    def _ask_keyring(self, do: Callable[[], bool]) -> None:
        # On a thread, as the keyring may ask for its password meanwhile.
        tasks.ask(lambda _: do(), self, self._show_kept, self._on_not_kept)

    def _show_kept(self, is_kept: bool) -> None:
        host = urlsplit(self._app.settings.network.proxy).netloc
        self._show_note(tr(PASSWORD_KEPT, host=host) if is_kept else tr(NO_PASSWORD))
        self._update()

    def _on_not_kept(self, error: BaseException) -> None:
        if not isinstance(error, TokenNotKept):
            raise error
        self._show_note(tr(PASSWORD_UNTIL_QUIT))
        self._update()

    def _show_note(self, text: str) -> None:
        self.note.setText(text)

    def _update(self) -> None:
        has_proxy = bool(self._app.settings.network.proxy)
        self.keep.setEnabled(has_proxy and bool(self.user.text().strip()) and bool(self.password.text()))
        self.forget.setEnabled(bool(self._app.settings.network.proxy_user))
        if not has_proxy:
            self._show_note(tr(NEEDS_PROXY))

    def _show_script(self, script: str) -> None:
        has_none = not self._app.settings.network.proxy
        self.script_note.setText(tr(SCRIPT_NOT_READ) if script and has_none else "")
        self.script_note.setVisible(bool(self.script_note.text()))


class CertificateField(QWidget):
    """Buttons that choose a file of authorities or drop it; `state` says whose certificates are trusted."""

    def __init__(self, app: Fireside, theme: Theme, save: Save) -> None:
        super().__init__()
        self._app, self._save = app, save
        self.state: QLabel = theme.dress(plain_label(tr(NO_OWN_AUTHORITY), kind="muted", wraps=True), font="small")
        self.choose = text_button(tr("Choose a file…"), on_click=self._ask_for_file)
        self.choose.setAccessibleName(tr("Choose a certificate authority file"))
        self.drop = text_button(tr(REMOVE), on_click=lambda: self._use(""))
        self.drop.setAccessibleName(tr("Remove your certificate authority"))
        theme.dress(fill_layout(drop_margins(QHBoxLayout(self)), self.choose, self.drop), spacing=8)
        self.drop.setVisible(bool(app.settings.network.authorities_file))

    def read_file(self) -> None:
        """Show who is in the file that is used now, or what is wrong with it."""
        file = self._app.settings.network.authorities_file
        self.drop.setVisible(bool(file))
        if file:
            tasks.ask(lambda _: _owners_in(Path(file)), self, self._show_owners, self._on_unreadable)
        else:
            self.state.setText(tr(NO_OWN_AUTHORITY))

    def _ask_for_file(self) -> None:
        certificate_dialog(self, self._try, "authority_dialog").open()

    def _try(self, path: Path) -> None:
        # Read before it is used: one without certificates would end every connection.
        tasks.ask(lambda _: _owners_in(path), self, lambda _owners: self._use(str(path)), self._on_unreadable)

    def _use(self, path: str) -> None:
        self._save("network", authorities_file=path)
        self.read_file()

    def _show_owners(self, owners: list[str]) -> None:
        if len(owners) > MOST_NAMES:
            self.state.setText(tr_count(ONE_MORE_TRUSTED, MANY_TRUSTED, len(owners)))
        else:
            names = join_list(owners) or Path(self._app.settings.network.authorities_file).name
            self.state.setText(tr(OWN_TRUSTED, names=names))

    def _on_unreadable(self, error: BaseException) -> None:
        error = expected_error(error)
        self.state.setText(str(sentence_for(error)))
        announce(self.state, self.state.text())


def _owners_in(path: Path) -> list[str]:
    return owners_of(certificates_in(path, MOST_AUTHORITIES_BYTES))


def _bare(address: str) -> str:
    """Return a proxy's address without the name and password in it."""
    parts = urlsplit(address)
    return address.replace(parts.netloc, parts.netloc.rpartition("@")[2], 1) if "@" in parts.netloc else address
