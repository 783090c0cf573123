"""Computers that lend their memory to models here: tested before they are stored, used where the network is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.core.errors.hub_errors import NetworkOff
from app.core.settings import load_settings

if TYPE_CHECKING:
    from app.core.paths import AppPaths
    from app.core.settings import Settings
    from app.engine.fit import GpuRoom
    from app.engine.rpc_machines import RemoteMachine
    from app.hub.connection_ledger import ConnectionLedger

WHY = "lent memory"
"""As the ledger of connections has it."""


class RemoteMachines:
    """Each connection that is about to be opened has its line in the ledger."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        ledger: Callable[[], ConnectionLedger],
        change: Callable[..., Any] | None = None,
    ) -> None:
        self._settings, self._ledger, self._change_settings = settings, ledger, change

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses stored in the settings."""
        return self._settings().engine.machines

    def usable_addresses(self) -> tuple[str, ...]:
        """Return the addresses an engine may connect to now, which it then does; none while the network is off."""
        settings = self._settings()
        addresses = settings.engine.machines if settings.network.allowed else ()
        # Noted before connecting, since the engine connects by itself and tells nobody.
        for address in addresses:
            self._note_connection(address)
        return addresses

    def lent_rooms(self) -> tuple[GpuRoom, ...]:
        """Ask the computers for their free memory, as GPU rooms; takes up to 8 s."""
        from app.engine.fit import GpuRoom
        from app.engine.rpc_machines import ask_all

        found, _ = ask_all(self.usable_addresses())
        return tuple(
            GpuRoom(device.name, machine.address, device.free_bytes, device.total_bytes, shared=machine.is_here)
            for machine in found
            for device in machine.devices
        )

    def add(self, address: str) -> RemoteMachine:
        """Query a computer, which takes seconds, and store it. Raises NetworkOff or MachineUnusable."""
        from app.engine.rpc_machines import parse_address, query_machine

        host, port = parse_address(address)
        whole = f"{host}:{port}"
        if not self._settings().network.allowed:
            raise NetworkOff
        self._note_connection(whole)
        machine = query_machine(whole)
        # Once in the list, the newest last.
        self._save_addresses((*(text for text in self.addresses if text != whole), whole))
        return machine

    def remove(self, address: str) -> None:
        """Stop using a computer from the next load on."""
        self._save_addresses(tuple(text for text in self.addresses if text != address))

    def _save_addresses(self, addresses: tuple[str, ...]) -> None:
        assert self._change_settings is not None
        chosen = self._settings().engine.devices
        gone = set(self.addresses) - set(addresses)
        # Devices of a computer that is gone can't stay chosen.
        left = tuple(name for name in chosen if name.partition(" #")[0] not in gone)
        self._change_settings("engine", machines=addresses, devices=left)

    def _note_connection(self, address: str) -> None:
        self._ledger().begin(address.rpartition(":")[0], WHY)


def build_machines(paths: AppPaths, change: Callable[..., Any] | None = None) -> RemoteMachines:
    """Build the computers that lend memory, reading the settings from disk on each use."""

    def ledger() -> ConnectionLedger:
        from app.hub.connection_ledger import ConnectionLedger

        return ConnectionLedger(paths.connections)

    return RemoteMachines(lambda: load_settings(paths.settings)[0], ledger, change)
