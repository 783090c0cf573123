"""The server's switch: on, off, at which address and with which key; for the window and for the terminal."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field

from app.core.errors import TokenNotKept
from app.features.serving import Asked, ServedModel, Serving
from app.hub.access import Token
from app.server.application import Rules, application
from app.server.running import RunningServer

KEY_OF = "server"
"""Under which name the key stands in the keyring."""
KEY_BYTES = 24


@dataclass(frozen=True)
class Door:
    """Where a running server is found, and what opens it. `is_kept`: the key is the same the next time."""

    address: str
    key: str = field(repr=False)
    is_kept: bool = True


class ServerSwitch:
    """Owns the server. Turning it takes a moment, and may ask for the keyring's password: not for a window's thread."""

    def __init__(self, serving: Serving, token: Token) -> None:
        self._serving, self._token = serving, token
        self._turning = threading.Lock()
        self._running: RunningServer | None = None
        self._door: Door | None = None
        self._is_over = False

    @property
    def door(self) -> Door | None:
        """None while it is off."""
        return self._door

    def turn_on(self, port: int, origins: tuple[str, ...] = ()) -> Door | None:
        """Raises PortTaken. `origins` as in `Rules`. On already: as it is. None where the program is about to end."""
        with self._turning:
            if self._door is not None or self._is_over:
                return self._door
            key, is_kept = self.key()
            server = RunningServer(application(self._serving, Rules(key, origins=origins)), port=port)
            server.start()
            self._running, self._door = server, Door(server.address, key, is_kept)
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
        self._keep(secrets.token_urlsafe(KEY_BYTES))

    def close(self) -> None:
        """Off for good."""
        self._is_over = True
        self.turn_off()

    def key(self) -> tuple[str, bool]:
        """The key from before, else a new one; and whether a keyring keeps it."""
        known = self._token.load(KEY_OF)
        if known:
            return known, True
        key = secrets.token_urlsafe(KEY_BYTES)
        return key, self._keep(key)

    def models(self) -> list[ServedModel]:
        """What programs can ask for."""
        return self._serving.models()

    def beside(self) -> list[str]:
        """What is in memory for programs only."""
        return [model.name for model in self._serving.engines.beside]

    def journal(self) -> list[Asked]:
        """What was asked within the last hour, the newest first."""
        return self._serving.journal()

    def _keep(self, key: str) -> bool:
        try:
            self._token.save(key, KEY_OF)
        except TokenNotKept:
            return False
        return True
