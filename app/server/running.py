"""Run the server in its own thread, and switch it on and off for the window and the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import secrets
import socket
import sys
import threading
import time
import types
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from app.core.errors.hub_errors import TokenNotKept
from app.core.errors.server_errors import PortTaken
from app.core.lazy_dataclasses import dataclass, field
from app.features.context_growth import GrownContext
from app.features.models.pool_policy import LeasePriority
from app.features.serving.answer_server import AnswerServer
from app.features.serving.request_journal import RequestRecord
from app.features.serving.served_models import ServedModel
from app.hub.hub_token import HubToken
from app.server.access_guard import AccessRules
from app.server.http_application import make_application

if TYPE_CHECKING:
    from app.features.mcp.client_session import ListTools

# WORKAROUND: uvicorn imports its own command line with itself, and with that click and multiprocessing (1.7 MB):
# https://github.com/Kludex/uvicorn/pull/1846
_command_line = types.ModuleType("uvicorn.main")
# The three names that uvicorn imports from it.
vars(_command_line).update(dict.fromkeys(("Server", "main", "run")))
sys.modules.setdefault("uvicorn.main", _command_line)
from uvicorn.config import Config  # noqa: E402
from uvicorn.protocols.http.h11_impl import H11Protocol  # noqa: E402
from uvicorn.server import Server  # noqa: E402

if sys.modules["uvicorn.main"] is _command_line:
    del sys.modules["uvicorn.main"]  # whoever wants it still gets it

PORT = 8765
# Seconds for answers that run to end by themselves when the server is switched off.
CLOSE_S = 2
CUT_SHORT = "Cancel %s running task(s), timeout graceful shutdown exceeded"
"""What uvicorn says as an error of the answers that it ends with itself, which is what switching off is for."""
# The key is in the head: without a limit, who has none could hold every connection open.
HEAD_WITHIN_S = 15.0
"""Time limit for a request's head, from the connection or the previous answer on."""
_STARTED_WITHIN_S = 30.0


def _tell_cut_short(record: logging.LogRecord) -> bool:
    """Log as no error that answers were ended when the server was switched off."""
    if record.msg == CUT_SHORT or (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)):
        record.levelno, record.levelname, record.exc_info = logging.INFO, logging.getLevelName(logging.INFO), None
    return True


logging.getLogger("uvicorn.error").addFilter(_tell_cut_short)


def names_of(host: str) -> frozenset[str]:
    """Return the host names for `AccessRules`: the one listened on, and this computer's own if others can reach it.

    Addresses aren't included.
    """
    names = {host.casefold()}
    if is_open(host):
        own = socket.gethostname().casefold()
        # Other computers use the full name, the short one, or mDNS's.
        names |= {own, own.partition(".")[0], f"{own.partition('.')[0]}.local"}
    return frozenset(names)


def is_open(host: str) -> bool:
    """Return whether other computers can reach what listens there."""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        # A name may resolve to anything: taken as open, so that the reader is warned.
        return host != "localhost"


class ServerConnection(H11Protocol):
    """HTTP connection with a time limit for request heads."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._head_timer is not None:
            self._head_timer.cancel()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # A connection is used again: the next head gets the same time.
        self._wait_for_head()

    def _wait_for_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
        self._head_timer = self.loop.call_later(HEAD_WITHIN_S, self._on_waited)

    def _on_waited(self) -> None:
        # While a request is being answered, waiting is ours, not the client's.
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class RunningServer:
    """Listen from `start` to `stop`. `port` 0 takes a free one."""

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1", port: int = PORT) -> None:
        self._host, self._port = host, port
        config = Config(
            app,
            http=ServerConnection,
            # uvicorn would set up logging for the whole program.
            log_config=None,
            access_log=False,
            # Nothing is started or ended with it; the protocol only adds a task.
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=CLOSE_S,
        )
        self._server = Server(config)
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Base address for clients, `/v1` included."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}/v1"

    @property
    def is_open(self) -> bool:
        """True if other computers can reach it."""
        return is_open(self._host)

    def start(self) -> None:
        """Start listening; returns when ready. Raises PortTaken."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # Only of one that is named as TCP does asyncio turn off that small pieces wait for each other's arrival.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if sys.platform == "win32":  # where the other one lets another program have the same port
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                # Without it the port stays taken for a minute after a restart, by closed connections.
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self._host, self._port))
        except (OSError, OverflowError) as error:
            # A port above 65535 is an OverflowError, no OSError.
            listening.close()
            raise PortTaken(self._host, self._port, str(error)) from error
        # Port 0 lets the system choose: the real number is known only now.
        self._port, self._socket = listening.getsockname()[1], listening
        self._thread = threading.Thread(
            # A daemon: a client that does not let go must not keep the program alive.
            target=self._server.run,
            kwargs={"sockets": [listening]},
            name="server",
            daemon=True,
        )
        self._thread.start()
        ends_s = time.monotonic() + _STARTED_WITHIN_S
        while not self._server.started and self._thread.is_alive() and time.monotonic() < ends_s:
            # uvicorn tells nobody when it listens; it is asked.
            time.sleep(0.01)

    def stop(self) -> None:
        """End running answers and close the port; safe to call twice."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_STARTED_WITHIN_S)
        if self._socket is not None:
            # uvicorn closes it too, if it came so far.
            with contextlib.suppress(OSError):
                self._socket.close()


KEY_OF = "server"
"""Name of the server's key in the keyring."""
KEY_BYTES = 24


@dataclass(frozen=True)
class ServerAddress:
    """Address and key of the running server. `is_kept`: the key stays the same next time."""

    address: str
    key: str = field(repr=False)
    is_kept: bool = True


class ServerSwitch:
    """Own the server and switch it. Switching takes a moment and may ask for the keyring's password: not for the
    window's thread.
    """

    def __init__(self, serving: AnswerServer, token: HubToken, list_tools: ListTools = lambda: ()) -> None:
        self._serving, self._token, self._list_tools = serving, token, list_tools
        # Two clicks in a row must not start two servers on one port.
        self._switch_lock = threading.Lock()
        self._running: RunningServer | None = None
        self._door: ServerAddress | None = None
        self._is_over = False

    @property
    def door(self) -> ServerAddress | None:
        """Address and key; None while the server is off."""
        return self._door

    def turn_on(self, port: int, origins: tuple[str, ...] = ()) -> ServerAddress | None:
        """Raise PortTaken. `origins` as in `AccessRules`. On already: as it is. None where the program ends."""
        with self._switch_lock:
            if self._door is not None or self._is_over:
                return self._door
            key, is_kept = self.read_key()
            rules = AccessRules(key, origins=origins)
            server = RunningServer(make_application(self._serving, rules, self._list_tools), port=port)
            server.start()
            self._running, self._door = server, ServerAddress(server.address, key, is_kept)
            return self._door

    def turn_off(self) -> None:
        """Stop the server and end running answers."""
        with self._switch_lock:
            running, self._running, self._door = self._running, None, None
            if running is not None:
                running.stop()
                # Models loaded for clients alone are freed; the window's own model stays.
                self._serving.pool.close(LeasePriority.CLIENT)

    def renew_key(self) -> None:
        """Replace the key. The old one is refused from the next start on."""
        self._store_key(secrets.token_urlsafe(KEY_BYTES))

    def close(self) -> None:
        # Before the lock: a switch that waits for the keyring then starts nothing any more.
        self._is_over = True
        self.turn_off()

    def read_key(self) -> tuple[str, bool]:
        """Return the key from before, else a new one; and whether a keyring keeps it."""
        known = self._token.load(KEY_OF)
        if known:
            return known, True
        # Without a keyring there is a new key at each start, so programs have to be told again.
        key = secrets.token_urlsafe(KEY_BYTES)
        return key, self._store_key(key)

    def list_models(self) -> list[ServedModel]:
        return self._serving.list_models()

    def largest_context(self) -> int:
        """See `AnswerServer.largest_context`."""
        return self._serving.largest_context()

    @property
    def grown(self) -> GrownContext | None:
        """The last reload of a model with a larger context for a client."""
        return self._serving.grown

    def list_api_models(self) -> list[str]:
        """Return the names of models loaded for API clients and idle work only."""
        return [model.name for model in self._serving.pool.list_beside(LeasePriority.CLIENT)]

    def list_requests(self) -> list[RequestRecord]:
        """Return what was asked within the last hour, the newest first."""
        return self._serving.journal.list_requests()

    def _store_key(self, key: str) -> bool:
        try:
            self._token.save(key, KEY_OF)
        except TokenNotKept:
            return False
        return True
