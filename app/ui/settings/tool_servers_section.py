"""Tool servers in the settings: what each is and how it is, on or off, with its details, and how others are added."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.features.mcp.server_config import ServerConfig
from app.features.mcp.server_session import UNSIGNED, ServerState
from app.ui.i18n import tr
from app.ui.settings.settings_pages import SettingsSection
from app.ui.settings.tool_server_actions import ToolServerActions
from app.ui.settings.tool_server_adding import AddServerDialog
from app.ui.settings.tool_server_dialog import ToolServerDialog
from app.ui.settings.tool_server_import import ImportServersDialog
from app.ui.settings.tool_server_texts import place_of, state_words
from app.ui.shell.settings_index import label_of
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, set_mark, text_button
from app.ui.widgets.input_fields import Switch
from app.ui.widgets.labels import ElidedLabel, plain_label
from app.ui.widgets.layouts import fill_layout
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside

NO_SERVERS = (
    "Tool servers are programs that let a model do more in your chats, such as work with files or look things up."
)
SERVERS_CAGED = "Each is kept from your files and the network, except for what you allow it."
ADD_SERVER = "Add…"
IMPORT_SERVERS = "Import…"
SIGN_IN = "Sign in…"
SIGN_IN_TO = "Sign in to {name}"
DETAILS_OF = "Details of {name}"
LOOK_EVERY_MS = 2000


class ToolServerRow(QWidget):
    """Row of a server: name, place, state, its switch and the button for its details."""

    def __init__(
        self,
        theme: Theme,
        config: ServerConfig,
        on_switch: Callable[[bool], object],
        on_open: Callable[[], object],
        on_sign_in: Callable[[], object],
    ) -> None:
        super().__init__()
        self.name = config.name
        name = theme.dress(ElidedLabel(config.name), font="row")
        self.place = theme.dress(plain_label(kind="muted", wraps=True), font="small")
        self.said = theme.dress(plain_label(kind="muted", wraps=True), font="small")
        self.switch = Switch(theme, config.name, on=config.is_on, on_change=on_switch)
        words = tr(DETAILS_OF, name=config.name)
        self.details = IconButton(theme, "pencil-simple", words, size_px=16, on_click=lambda _=False: on_open())
        self.sign_in = text_button(tr(SIGN_IN), "plain", on_click=lambda _=False: on_sign_in())
        self.sign_in.setAccessibleName(tr(SIGN_IN_TO, name=config.name))
        texts = theme.dress(fill_layout(QVBoxLayout(), name, self.place, self.said), spacing=2)
        row = fill_layout(QHBoxLayout(self), (texts, 1))
        for widget in (self.sign_in, self.details, self.switch):
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        theme.dress(row, margins=(0, 0, 0, 0), spacing=8)

    def show_server(self, config: ServerConfig, state: ServerState, *, is_busy: bool) -> None:
        """Show where a server runs and how it is."""
        words, is_problem = state_words(config, state, is_busy=is_busy)
        self.place.setText(place_of(config))
        wants_person = state.problem is not None and state.problem.reason == UNSIGNED
        self.sign_in.setVisible(wants_person and not is_busy)
        if self.said.text() != words:
            self.said.setText(words)
        set_mark(self.said, "kind", "danger" if is_problem else "muted")
        self.switch.setAccessibleDescription(words)


class ToolServersSection(SettingsSection):
    """Section of servers. Their states change as chats use them, so they are looked at while the page is visible."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__(ui.theme, label_of("tool_servers"), tr(SERVERS_CAGED))
        self._ui = ui
        self.server_actions = ToolServerActions(app.tool_servers, ui.notify.error, self)
        self.rows: dict[str, ToolServerRow] = {}
        self.empty = self.muted(tr(NO_SERVERS))
        self._list = ui.theme.dress(QVBoxLayout(), spacing=12)
        self.add = text_button(tr(ADD_SERVER), "primary", on_click=lambda _=False: self.open_adding())
        self.add.setAccessibleName(tr("Add a tool server"))
        self.bring = text_button(tr(IMPORT_SERVERS), "plain", on_click=lambda _=False: self.open_import())
        self.bring.setAccessibleName(tr("Import tool servers"))
        buttons = ui.theme.dress(fill_layout(QHBoxLayout(), self.add, self.bring, 1), spacing=8)
        self.add_content(self.empty, self._list, buttons)
        self.finish()
        self.server_actions.changed.connect(self.refresh)
        self._look = new_timer(self, LOOK_EVERY_MS, self.refresh, repeats=True)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look.start()
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        self._look.stop()
        super().hideEvent(event)

    def open_adding(self) -> AddServerDialog:
        """Open the dialog for a command or an address."""
        dialog = AddServerDialog(self._theme, self.server_actions.add, self)
        dialog.open()
        return dialog

    def open_import(self) -> ImportServersDialog:
        """Open the dialog that imports servers of other programs."""
        dialog = ImportServersDialog(self._theme, self.server_actions.add_all, self)
        dialog.open()
        return dialog

    def open_details(self, name: str) -> ToolServerDialog:
        """Open the details of the server with this name."""
        dialog = ToolServerDialog(self._theme, self.server_actions, name, self)
        dialog.open()
        return dialog

    def refresh(self) -> None:
        """Show the servers as they are now; rows that stay keep the focus."""
        servers = self.server_actions.servers
        configs = {config.name: config for config in servers.configs}
        for name in self.rows.keys() - configs.keys():
            row = self.rows.pop(name)
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        for name, config in configs.items():
            if name not in self.rows:
                self.rows[name] = self._make_row(config)
                self._list.addWidget(self.rows[name])
            self.rows[name].show_server(config, servers.state_of(name), is_busy=self.server_actions.is_busy(name))
        self.empty.setVisible(not configs)

    def _make_row(self, config: ServerConfig) -> ToolServerRow:
        name = config.name
        return ToolServerRow(
            self._theme,
            config,
            lambda is_on: self.server_actions.change(name, is_on=is_on),
            lambda: self.open_details(name),
            lambda: self.server_actions.sign_in(name),
        )
