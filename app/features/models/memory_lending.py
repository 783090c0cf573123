"""Lend this computer's memory to a model on another one, from the window: on until it is switched off or the program
ends.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import TYPE_CHECKING

from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import EngineStopped
from app.core.errors.server_errors import PortTaken
from app.core.lazy_dataclasses import dataclass, replace
from app.engine.lending import InUse, Lend, Lending, RpcWorker
from app.engine.rpc_machines import DEFAULT_PORT, is_private

if TYPE_CHECKING:
    from pathlib import Path

    from app.engine.protocol import Device

PROBED_NETWORK = ("192.168.255.255", 9)
"""Somewhere in a private network: connecting a datagram socket to it sends nothing, but chooses the own address."""


@dataclass(frozen=True)
class LendingState:
    """`host` is empty while off, `address` (with the port) until it listens; `error` says why it ended or restarts."""

    host: str = ""
    address: str = ""
    devices: tuple[Device, ...] = ()
    is_used: bool = False
    error: AppError | None = None


class MemoryLending:
    """Lends from a thread of its own. Call its methods from one thread; read `state` from any."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.state = LendingState()

    def start(self, host: str, port: int = DEFAULT_PORT) -> None:
        """Begin to lend at this address; `state` tells what comes of it. A port that is taken becomes a free one.

        Raises ValueError if `host` isn't an IPv4 number of this computer or of a private network.
        """
        if not is_lendable(host):
            raise ValueError(host)
        self.stop()
        self._stopped = threading.Event()
        self.state = LendingState(host)
        # The one before may still be ending its child, which holds the port.
        args = (Lend(host, port), self._stopped, self._thread)
        self._thread = threading.Thread(target=self._lend, args=args, name="lending")
        self._thread.start()

    def stop(self) -> None:
        """Stop lending, without waiting for the child's end; a model that uses the memory loses it."""
        with self._lock:
            self._stopped.set()
            self.state = LendingState()

    def close(self) -> None:
        """Stop lending and wait for the child's end."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def _lend(self, lend: Lend, stopped: threading.Event, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()
        try:
            try:
                self._run_worker(lend, stopped)
            except PortTaken:
                self._run_worker(replace(lend, port=0), stopped)
        except AppError as error:
            self._set_state(LendingState(error=error), stopped)

    def _set_state(self, state: LendingState, stopped: threading.Event) -> None:
        with self._lock:
            if not stopped.is_set():  # afterwards the state is that of the next one, or off
                self.state = state

    def _run_worker(self, lend: Lend, stopped: threading.Event) -> None:
        worker = RpcWorker(lend, self._folder, lambda event: self._take_event(event, worker.lend, stopped))
        try:
            worker.run(stopped.is_set)
        finally:
            worker.close()

    def _take_event(self, event: Lending | InUse | EngineStopped, lend: Lend, stopped: threading.Event) -> None:
        match event:
            case Lending(devices=devices):
                self._set_state(LendingState(lend.host, f"{lend.host}:{lend.port}", devices), stopped)
            case InUse(is_used=is_used):
                self._set_state(replace(self.state, is_used=is_used), stopped)
            case EngineStopped():  # what a client sends may end the child, which is started again
                self._set_state(LendingState(lend.host, error=event), stopped)


def is_lendable(host: str) -> bool:
    """Return whether memory may be lent at this address: an IPv4 number, and not of an open network."""
    try:
        return is_private(str(ipaddress.IPv4Address(host)))
    except ValueError:
        return False


def find_private_address() -> str:
    """Return this computer's IPv4 number in its private network, "" without one. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(PROBED_NETWORK)
            found = str(probe.getsockname()[0])
        except OSError:  # no network at all
            return ""
    return found if is_lendable(found) and not ipaddress.ip_address(found).is_loopback else ""
