"""Settings of lending this computer's memory to a model on another one. Off at every start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.core.errors.hub_errors import NetworkOff
from app.features.models.memory_lending import LendingState, find_private_address
from app.features.models.model_messages import format_gigabytes
from app.ui.i18n import sentence_for, tr
from app.ui.settings.settings_pages import SettingsSection
from app.ui.shared_labels import COPIED
from app.ui.shell.settings_index import label_of
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.input_fields import Switch
from app.ui.widgets.layouts import fill_layout
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside

UPDATE_EVERY_MS = 250
LENDING_OFF = "Lets a model on another computer use memory here."
NO_PRIVATE_NETWORK = "This computer isn’t in a private network."
LENDING_STARTS = "Starting…"
LENDING_IDLE = "{free} GB available at {address}. Add this address on the other computer."
LENDING_IN_USE = "In use by another computer at {address}."
LENDING_RISK = (
    "Use it only in a network you trust: the connection isn’t encrypted, and anyone in the network can connect."
)
COPY_ADDRESS = "Copy address"


class LendingSection(SettingsSection):
    """Section with the switch. The state is read while it can be seen, for it changes on another thread."""

    def __init__(self, app: Fireside, theme: Theme) -> None:
        super().__init__(theme, tr("This computer’s memory"))
        self._app = app
        self._refusal = ""
        self.said = self.muted("")
        self.said.setObjectName("lending_said")
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.copy = IconButton(theme, "copy", tr(COPY_ADDRESS), on_click=lambda _=False: self._on_copy())
        self.switch = Switch(theme, label_of("lending"), on=False, on_change=self._on_switched)
        fields = QWidget()
        theme.dress(fill_layout(QHBoxLayout(fields), self.copy, self.switch), margins=(0, 0, 0, 0), spacing=8)
        self.add_setting("lending", self.said, fields, tr("It turns off when Fireside quits."))
        self.column.addWidget(self.label(tr(LENDING_RISK), "small"))
        self._timer = new_timer(self, UPDATE_EVERY_MS, self.show_state, repeats=True)
        self.finish()
        self.show_state()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()
        self.show_state()

    def hideEvent(self, event: QHideEvent) -> None:
        self._timer.stop()
        super().hideEvent(event)

    def show_state(self) -> None:
        """Show whether memory is lent, where, and whether somebody uses it."""
        state = self._app.lending.state
        if self.switch.isChecked() != bool(state.host):
            self.switch.setChecked(bool(state.host))
        self.copy.setVisible(bool(state.address))
        if state.host:
            self._refusal = ""
        self._show_text(self._refusal or self._state_text(state), is_problem=bool(self._refusal or state.error))

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._app.lending.state.address)
        self.copy.show_done(tr(COPIED))

    def _on_switched(self, wanted: bool) -> None:
        lending = self._app.lending
        if wanted == bool(lending.state.host):
            return
        address, self._refusal = find_private_address(), ""
        if not wanted:
            lending.stop()
        elif not self._app.settings.network.allowed:
            self._refusal = sentence_for(NetworkOff()).text
        elif not address:
            self._refusal = tr(NO_PRIVATE_NETWORK)
        else:
            lending.start(address)
        self.show_state()

    def _state_text(self, state: LendingState) -> str:
        if state.error is not None:
            return sentence_for(state.error).text
        if not state.host:
            return tr(LENDING_OFF)
        if not state.address:
            return tr(LENDING_STARTS)
        if state.is_used:
            return tr(LENDING_IN_USE, address=state.address)
        free = format_gigabytes(sum(device.free_bytes for device in state.devices))
        return tr(LENDING_IDLE, free=free, address=state.address)

    def _show_text(self, text: str, *, is_problem: bool) -> None:
        kind = "danger" if is_problem else "muted"
        if self.said.property("kind") != kind:
            self.said.setProperty("kind", kind)
            self.said.style().polish(self.said)
        self.said.setText(text)
