"""The server, in a thread of its own until it is stopped; and its switch, for the window and for the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets
import socket
import sys
import threading
import time
import types
from dataclasses import dataclass, field

from starlette.types import ASGIApp

from app.core.errors import PortTaken, TokenNotKept
from app.features.context_growth import GrownContext
from app.features.serving import AnswerServer, RequestRecord, ServedModel
from app.hub.access import HubToken
from app.server.http_application import AccessRules, make_application

# WORKAROUND: uvicorn imports its own command line with itself, and with that click and multiprocessing (1.7 MB):
# https://github.com/Kludex/uvicorn/pull/1846
_command_line = types.ModuleType("uvicorn.main")
vars(_command_line).update(dict.fromkeys(("Server", "main", "run")))
sys.modules.setdefault("uvicorn.main", _command_line)
from uvicorn.config import Config  # noqa: E402
from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: E402
from uvicorn.server import Server  # noqa: E402

if sys.modules["uvicorn.main"] is _command_line:
    del sys.modules["uvicorn.main"]  # whoever wants it still gets it

PORT = 8765
CLOSE_S = 2
HEAD_WITHIN_S = 15.0
"""Of a request, from the connection or from the answer before it on; the key stands in it."""
_STARTED_WITHIN_S = 30.0


def names_of(host: str) -> frozenset[str]:
    """By what it is called that a server listens there; by which names other computers know this one, too, if they may.

    Addresses are none of them.
    """
    names = {host.casefold()}
    if is_open(host):
        own = socket.gethostname().casefold()
        names |= {own, own.partition(".")[0], f"{own.partition('.')[0]}.local"}
    return frozenset(names)


def is_open(host: str) -> bool:
    """Return whether other computers can reach what listens there."""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


class ServerConnection(H11Protocol):
    """Ends where no request comes: who has no key could else hold as many open as this process may have."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._patience is not None:
            self._patience.cancel()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait_for_head()

    def _wait_for_head(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._patience = self.loop.call_later(HEAD_WITHIN_S, self._on_waited)

    def _on_waited(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class RunningServer:
    """Listens from `start` to `stop`. `port` 0 takes a free one."""

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", port: int = PORT) -> None:
        self._host, self._port = host, port
        config = Config(
            app,
            http=ServerConnection,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=CLOSE_S,
        )
        self._server = Server(config)
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Where clients find it, with the path that all of them want."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/v1"

    @property
    def is_open(self) -> bool:
        """True if other computers can reach it."""
        return is_open(self._host)

    def start(self) -> None:
        """Raise PortTaken; returns when it listens."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # Only of one that is named as TCP does asyncio turn off that small pieces wait for each other's arrival.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if sys.platform == "win32":  # where the other one lets another program have the same port
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self._host, self._port))
        except (OSError, OverflowError) as error:
            listening.close()
            raise PortTaken(self._host, self._port, str(error)) from error
        self._port, self._socket = listening.getsockname()[1], listening
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, name="server", daemon=True
        )
        self._thread.start()
        ends_s = time.monotonic() + _STARTED_WITHIN_S
        while not self._server.started and self._thread.is_alive() and time.monotonic() < ends_s:
            time.sleep(0.01)

    def stop(self) -> None:
        """End what is being answered and give the port back; safe to call twice."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_STARTED_WITHIN_S)
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()


KEY_OF = "server"
"""Under which name the key stands in the keyring."""
KEY_BYTES = 24


@dataclass(frozen=True)
class ServerAddress:
    """Where a running server is found, and what opens it. `is_kept`: the key is the same the next time."""

    address: str
    key: str = field(repr=False)
    is_kept: bool = True


class ServerSwitch:
    """Owns the server. Turning it takes a moment, and may ask for the keyring's password: not for a window's thread."""

    def __init__(self, serving: AnswerServer, token: HubToken) -> None:
        self._serving, self._token = serving, token
        self._turning = threading.Lock()
        self._running: RunningServer | None = None
        self._door: ServerAddress | None = None
        self._is_over = False

    @property
    def door(self) -> ServerAddress | None:
        """None while it is off."""
        return self._door

    def turn_on(self, port: int, origins: tuple[str, ...] = ()) -> ServerAddress | None:
        """Raise PortTaken. `origins` as in `AccessRules`. On already: as it is. None where the program ends."""
        with self._turning:
            if self._door is not None or self._is_over:
                return self._door
            key, is_kept = self.read_key()
            server = RunningServer(make_application(self._serving, AccessRules(key, origins=origins)), port=port)
            server.start()
            self._running, self._door = server, ServerAddress(server.address, key, is_kept)
            return self._door

    def turn_off(self) -> None:
        """What is being answered ends."""
        with self._turning:
            running, self._running, self._door = self._running, None, None
            if running is not None:
                running.stop()
                self._serving.engines.close()

    def renew_key(self) -> None:
        """Who has the old one is not answered any more, from the next time it is turned on."""
        self._store_key(secrets.token_urlsafe(KEY_BYTES))

    def close(self) -> None:
        """Off for good."""
        self._is_over = True
        self.turn_off()

    def read_key(self) -> tuple[str, bool]:
        """Return the key from before, else a new one; and whether a keyring keeps it."""
        known = self._token.load(KEY_OF)
        if known:
            return known, True
        key = secrets.token_urlsafe(KEY_BYTES)
        return key, self._store_key(key)

    def list_models(self) -> list[ServedModel]:
        """Return what programs can ask for."""
        return self._serving.list_models()

    def largest_context(self) -> int:
        """As `ServedEngines` has it."""
        return self._serving.engines.largest_context()

    @property
    def grown(self) -> GrownContext | None:
        """The last time that a model was loaded again with a larger context for a program."""
        return self._serving.engines.grown

    def list_api_models(self) -> list[str]:
        """Return what is in memory for programs only."""
        return [model.name for model in self._serving.engines.beside]

    def list_requests(self) -> list[RequestRecord]:
        """Return what was asked within the last hour, the newest first."""
        return self._serving.list_requests()

    def _store_key(self, key: str) -> bool:
        try:
            self._token.save(key, KEY_OF)
        except TokenNotKept:
            return False
        return True
