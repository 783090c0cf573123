"""A tool server elsewhere, spoken to over streamable HTTP: each message is posted, and answered there and then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from app.core.cage_report import CageReport
from app.core.errors.app_error import AppError
from app.core.errors.server_errors import ServerKeyRefused, ServerUnreachable
from app.features.error_messages import sentence_for
from app.features.mcp.messages import SESSION_HEADER, VERSION_HEADER
from app.features.mcp.server_session import ENDED, UNSIGNED, Closed, Received
from app.hub.message_server import EVENT_STREAM, MessageServer
from app.hub.model_server import RequestCut

ACCEPTED = f"application/json, {EVENT_STREAM}"
OPENED_AGAIN = "its session ended"
OpenServer = Callable[[Callable[[], Mapping[str, str]]], MessageServer]
"""Makes the client; the headers are asked for with every message."""


class HttpTransport:
    """Posts each message on a thread of its own, since the server answers it when it is done."""

    cage: CageReport | None = None

    def __init__(
        self, headers: Mapping[str, str], open_server: OpenServer, sign_in: Callable[[], Mapping[str, str]] = dict
    ) -> None:
        """`sign_in` gives the header of a person who signed in; it may take a moment."""
        self._own_headers, self._sign_in = dict(headers), sign_in
        self._session: dict[str, str] = {}
        self._server = open_server(self._headers)
        self._lock = threading.Lock()
        self._cuts: dict[object, RequestCut] = {}
        self._received: Received
        self._closed: Closed

    def open(self, received: Received, closed: Closed) -> None:
        self._received, self._closed = received, closed

    def send(self, message: Mapping[str, Any]) -> None:
        number = message.get("id") if "method" in message else None
        cut = RequestCut()
        with self._lock:
            if number is not None:
                self._cuts[number] = cut
            stopped = self._cuts.get((message.get("params") or {}).get("requestId"))
        # Threads of their own: a notification must not wait for a call to end.
        threading.Thread(target=self._post, args=(message, number, cut), name="tool server", daemon=True).start()
        if stopped is not None:
            stopped.cut_request()

    def close(self) -> None:
        with self._lock:
            cuts = list(self._cuts.values())
        for cut in cuts:
            cut.cut_request()
        self._server.close()

    @property
    def _has_own_key(self) -> bool:
        return any(name.lower() == "authorization" for name in self._own_headers)

    def _headers(self) -> dict[str, str]:
        return {"Accept": ACCEPTED} | dict(self._sign_in()) | self._own_headers | self._session

    def _post(self, message: Mapping[str, Any], number: object, cut: RequestCut) -> None:
        try:
            for answer in self._server.post_message(message, cut, self._note_session):
                self._note_version(message, answer)
                self._received(answer)
        except AppError as error:
            if self._is_expired(error):
                self._closed(ENDED, OPENED_AGAIN)
            elif isinstance(error, ServerKeyRefused) and not self._has_own_key:
                self._closed(UNSIGNED, self._server.host)
            elif number is not None:
                told = {"code": 0, "message": sentence_for(error).english}
                self._received({"jsonrpc": "2.0", "id": number, "error": told})
        finally:
            with self._lock:
                self._cuts.pop(number, None)

    def _note_session(self, headers: Mapping[str, str]) -> None:
        if SESSION_HEADER in headers:
            self._session[SESSION_HEADER] = headers[SESSION_HEADER]

    def _note_version(self, message: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        version = (answer.get("result") or {}).get("protocolVersion") if message.get("method") == "initialize" else None
        if isinstance(version, str):
            self._session[VERSION_HEADER] = version

    def _is_expired(self, error: AppError) -> bool:
        """Return whether the server knows the session no more (status 404), and another has to be begun."""
        return (
            SESSION_HEADER in self._session and isinstance(error, ServerUnreachable) and error.reason == "not_a_server"
        )
