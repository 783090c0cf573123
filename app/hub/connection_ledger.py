"""Every connection that was ever made: when, to which host, why, how many bytes came; one JSON object a line.

A connection has a line when it begins and another each time its bytes are told; the last line with its id counts.
Several processes write to the file at once: each line goes out in one appending write.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
import uuid
from pathlib import Path

from app.core.lazy_dataclasses import asdict, dataclass, replace

log = logging.getLogger(__name__)


# What a view can show; the file itself has no end.
MOST_SHOWN = 1000
SYSTEM, BUILT_IN, OWN = "system", "built_in", "own"
"""Whose certificates were trusted: the system's or those that come with the program, and an own authority's as well."""
SYSTEM_AND_OWN = f"{SYSTEM}+{OWN}"


@dataclass(frozen=True)
class HubConnection:
    """`at` is in seconds since 1970. `status` is HTTP's, 0 while there is no answer. `bytes` counts what came.

    `proxy` is its host and port, "" without one or from before it was noted; `trusted` is "" without TLS.
    """

    id: str
    at: float
    host: str
    why: str
    bytes: int = 0
    status: int = 0
    proxy: str = ""
    trusted: str = ""


class ConnectionLedger:
    """The file; it is made with the first connection."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, host: str, why: str, *, proxy: str = "", trusted: str = "") -> HubConnection:
        """Log a connection that is about to be opened."""
        # Written before the connection opens: what the program tried is in the ledger even if it ends now.
        connection = HubConnection(uuid.uuid4().hex[:12], time.time(), host, why, proxy=proxy, trusted=trusted)
        self._append_line(connection)
        return connection

    def update_connection(self, connection: HubConnection, *, received_bytes: int, status: int) -> None:
        """Log what was received through a connection so far."""
        self._append_line(replace(connection, bytes=received_bytes, status=status))

    def connections(self, most: int = MOST_SHOWN) -> list[HubConnection]:
        """Return the newest first; lines that are no connection are passed over."""
        found: dict[str, HubConnection] = {}
        try:
            with self.path.open("r", encoding="utf-8", errors="replace") as file:
                for line in file:  # all of them: a long download has a thousand lines of its own
                    with contextlib.suppress(ValueError, TypeError, RecursionError):
                        # Files of earlier or later programs: a line that doesn't fit is passed over.
                        connection = HubConnection(**json.loads(line))
                        found[connection.id] = connection
        except OSError:
            return []
        return sorted(found.values(), key=lambda connection: connection.at, reverse=True)[:most]

    def _append_line(self, connection: HubConnection) -> None:
        line = json.dumps(asdict(connection), ensure_ascii=False).encode("utf-8") + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # O_APPEND makes each write one piece at the end, whoever else writes.
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as error:  # a ledger that can't be written must not stop a download
            log.info("the connection to %s could not be noted: %s", connection.host, error)
