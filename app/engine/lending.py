"""Lend this computer's memory to a model on another one, by a child that runs llama.cpp's RPC server."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from app.core.child import Child, own_command
from app.core.errors.engine_errors import EngineStopped
from app.core.errors.server_errors import PortTaken
from app.core.lazy_dataclasses import dataclass, field
from app.core.wire import Caged, Ended, Wire, WireClient, WireInbox
from app.engine.client import ENVIRONMENT
from app.engine.protocol import Device

LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Lend:
    """Request to listen. `memory_bytes` limits what each device reports; 0 reports what is free."""

    host: str
    port: int
    memory_bytes: int = 0
    threads: int = 0


@dataclass(frozen=True)
class Lending:
    """Event: the worker listens and lends these devices, with what each may give."""

    devices: tuple[Device, ...]


@dataclass(frozen=True)
class InUse:
    """Event: another program has connected, or the last one has gone."""

    is_used: bool


@dataclass(frozen=True)
class NotLending:
    """It cannot listen there, or has no RPC server (""), and ends."""

    detail: str = field(default="")


WIRE = Wire(2, (Lend,), (Caged, Lending, InUse, NotLending))


class RpcWorker:
    """Runs until `close`. What a client sends may end the child; it is started again if it has ever listened."""

    def __init__(self, lend: Lend, folder: Path, tell: Callable[[Lending | InUse | EngineStopped], object]) -> None:
        # Chosen here, not by the system: ggml's server does not say on which port it listens.
        self.lend = Lend(lend.host, lend.port or free_port(lend.host), lend.memory_bytes, lend.threads)
        self._folder, self._tell = folder, tell
        self._start_child()

    def run(self, stopped: Callable[[], bool]) -> None:
        """Report events until `stopped`. Raises PortTaken, or EngineStopped if it ended before listening."""
        has_listened = False
        while not stopped():
            said = self._said.next_item(LOOK_EVERY_S)
            match said:
                case Lending():
                    has_listened = True
                    self._tell(said)
                case InUse():
                    self._tell(said)
                case NotLending(detail=detail):
                    raise PortTaken(self.lend.host, self.lend.port, detail)
                case Ended(code=code, tail=tail):
                    problem = EngineStopped(code, tail)
                    if not has_listened:
                        raise problem
                    # A client may end the child with a broken message; twice in a row without listening is a fault of
                    # ours.
                    has_listened = False
                    self._tell(problem)
                    self._start_child()

    def close(self) -> None:
        """Kill the worker; data that others put into its memory is lost."""
        self._child.kill_tree()
        self._child.close()

    def _start_child(self) -> None:
        self._said = WireInbox()
        self._child = Child(own_command("--lend-worker"), self._folder, ENVIRONMENT, work="lend")
        WireClient(WIRE, self._child, self._said.add_item).send(self.lend)


def free_port(host: str) -> int:
    # IPv4, as ggml's server knows nothing else.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as found:
        try:
            found.bind((host, 0))
        except OSError as error:
            raise PortTaken(host, 0, error.strerror or str(error)) from error
        return int(found.getsockname()[1])
