"""Post JSON messages to a server and read what comes back, through the network's door."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.core.errors.server_errors import ServerUnreachable
from app.hub.access import NetworkAccess
from app.hub.connection_ledger import ConnectionLedger
from app.hub.model_server import MOST_ANSWER_BYTES, ModelServer, RequestCut, read_body, read_lines

MOST_LINES = 100_000
EVENT_STREAM = "text/event-stream"


class MessageServer:
    """A server that takes messages at one address. Thread-safe; `headers` are sent with each."""

    def __init__(
        self,
        address: str,
        access: Callable[[], NetworkAccess],
        ledger: ConnectionLedger,
        headers: Callable[[], Mapping[str, str]],
        why: str,
    ) -> None:
        self._why = why
        self._server = ModelServer(address, access, ledger, headers=headers)
        self.host = self._server.host

    def post_message(
        self, message: Mapping[str, Any], cut: RequestCut, note_headers: Callable[[Mapping[str, str]], None]
    ) -> Iterator[dict[str, Any]]:
        """Yield the JSON objects that a message is answered with: none, one or a stream.

        Raises what `ModelServer.call` raises, also midway.
        """
        with self._server.open_response(message, why=self._why, cut=cut) as response:
            note_headers(response.headers)
            kind = response.headers.get("content-type", "")
            if kind.startswith("application/json"):
                yield from self._objects_of(read_body(response, MOST_ANSWER_BYTES))
            elif kind.startswith(EVENT_STREAM):
                for number, line in enumerate(read_lines(response)):
                    if number > MOST_LINES:
                        raise ServerUnreachable(self.host, "garbage")
                    if line.startswith(b"data:"):
                        yield from self._objects_of(line[5:])

    def close(self) -> None:
        self._server.close()

    def _objects_of(self, data: bytes) -> Iterator[dict[str, Any]]:
        try:
            found = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ServerUnreachable(self.host, "garbage") from error
        for message in found if isinstance(found, list) else [found]:  # older servers answer several at once
            if isinstance(message, dict):
                yield message
