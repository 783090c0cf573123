"""What the status line says of the network, the model and other programs, and what its buttons do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.ui.shell.status_line import StatusLine
from app.ui.shell.tab_spec import UiContext

if TYPE_CHECKING:
    from app.bootstrap import Fireside


class StatusFacts(QObject):
    """Keeps the status line in step with the settings, the loader and the programs that ask this one."""

    network_changed = Signal()
    """The network was switched on or off by its button."""

    def __init__(self, app: Fireside, ui: UiContext, status: StatusLine) -> None:
        super().__init__(status)
        self._app, self._ui, self._status = app, ui, status
        status.network.clicked.connect(self._toggle_network)
        status.programs.clicked.connect(lambda: ui.go.open_settings("connections/programs"))
        if (programs := ui.programs) is not None:
            for signal in (programs.changed, programs.used):
                signal.connect(self._show_programs)
        # A method is disconnected with the window; the loader outlives it.
        ui.loader.changed.connect(self._show_model)
        self.show_network()
        self._show_model()

    def show_network(self) -> None:
        """Show whether the network is on, after its setting changed."""
        network = self._app.settings.network
        self._status.show_network(is_on=network.allowed, has_internet=network.internet)

    def _toggle_network(self) -> None:
        with self._ui.notify.guard():
            self._app.change_settings("network", allowed=not self._app.settings.network.allowed)
        self.show_network()
        self.network_changed.emit()

    def _show_model(self) -> None:
        self._status.show_model(self._ui.loader.model)

    def _show_programs(self) -> None:
        if (programs := self._ui.programs) is not None:
            self._status.show_programs(is_open=programs.door is not None, users=programs.users)
