"""Requests to a server of models, JSON asked and answered or streamed piece by piece, through the network's door.

A request may be cut from any thread, whatever it waits for: its connection is its own.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import HubUnreachable, NetworkOff
from app.core.errors.request_errors import PromptTooLong
from app.core.errors.server_errors import (
    ServerBusy,
    ServerKeyRefused,
    ServerLacksModel,
    ServerRefused,
    ServerUnreachable,
)
from app.core.number_format import whole_number
from app.hub.access import WRONG_CERTIFICATES, NetworkAccess, NetworkVisit, enter_visit, wait_of, why_no_answer
from app.hub.connection_ledger import ConnectionLedger

if TYPE_CHECKING:
    import httpx2

CONNECT_TIMEOUT_S, CALL_TIMEOUT_S = 5.0, 60.0
STREAM_TIMEOUT_S = 900.0
"""Seconds without a byte: a slow machine may read a long prompt for minutes, and the user can press Stop."""
# Bytes of a whole answer, of one line of a stream, and of an error.
MOST_ANSWER_BYTES, MOST_LINE_BYTES, MOST_ERROR_BYTES = 16_000_000, 4_000_000, 64 * 1024
MOST_DETAIL = 240
_OVERFLOW = re.compile(r"context|maximum.{0,20}length|too long|exceed", re.IGNORECASE)
_LARGE = re.compile(r"\d[\d,]{2,}")


class RequestCut:
    """Cut a request from another thread by closing its connection; the reader raises at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.is_made = False

    def cut_request(self) -> None:
        """Cut the request; one without a connection yet is cut when it gets one."""
        with self._lock:
            self.is_made = True
            # Shutting down wakes the thread that reads; closing alone would not.
            _shut_connection(self._socket)

    def trace_event(self, event: str, info: Mapping[str, Any]) -> None:
        """Note each new connection, by its events; httpcore's `trace` extension calls this."""
        if not event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            return
        with self._lock:
            self._socket = info["return_value"].get_extra_info("socket")
            # Cut before it was connected: the connection is closed as soon as there is one.
            if self.is_made:
                _shut_connection(self._socket)


def _shut_connection(connection: socket.socket | None) -> None:
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


class ModelServer:
    """Client for one server; its address is the prefix of all paths, such as http://gpu-box.local:8000/v1. Thread-safe.

    `access`, `key` and `headers` are called for each request and may take a moment; "" sends no key. `authorities` are
    PEM certificates trusted in addition to the system's.
    """

    def __init__(
        self,
        address: str,
        access: Callable[[], NetworkAccess],
        ledger: ConnectionLedger,
        key: Callable[[], str] = str,
        *,
        authorities: str = "",
        headers: Callable[[], Mapping[str, str]] = dict,
        stream_timeout_s: float = STREAM_TIMEOUT_S,
    ) -> None:
        self.address = address.rstrip("/")
        # Names and passwords in an address are nothing for a sentence.
        self.host = urlsplit(address).netloc.rpartition("@")[2]
        self._access, self._ledger, self._key, self._headers = access, ledger, key, headers
        self._stream_timeout_s, self._authorities = stream_timeout_s, authorities
        self.challenge = ""
        """What the server asked for when it refused a key."""
        self._lock = threading.Lock()
        self._client: httpx2.Client | None = None

    @property
    def is_allowed(self) -> bool:
        """True if the person lets anything be sent there now."""
        return self._access().allowed

    @property
    def root(self) -> str:
        """The address without `/v1`, for a server's own endpoints."""
        return self.address.removesuffix("/v1")

    def call(self, url: str, body: Any = None, *, why: str, cut: RequestCut | None = None) -> Any:
        """Return the JSON that a request is answered with, GET without a body; `url` "/models" is below the address.

        A body of bytes is sent as it is.

        Raises NetworkOff, ServerUnreachable, ServerBusy, ServerKeyRefused, ServerLacksModel, ServerRefused or
        PromptTooLong.
        """
        with self._send_request(url, body, why, cut or RequestCut(), CALL_TIMEOUT_S) as response:
            try:
                return json.loads(read_body(response, MOST_ANSWER_BYTES))
            except (ValueError, RecursionError) as error:
                raise ServerUnreachable(self.host, _what_came(response)) from error

    def stream(self, url: str, body: Any, *, why: str, cut: RequestCut) -> Iterator[dict[str, Any]]:
        """Yield the JSON objects of a streamed answer; an answer that isn't streamed is one object.

        Ends at `[DONE]` or with the connection: whether the answer is complete is told by its last objects. Raises what
        `call` raises, also midway.
        """
        with self._send_request(url, body, why, cut, self._stream_timeout_s) as response:
            if response.headers.get("content-type", "").startswith("application/json"):
                yield self._parse_object(read_body(response, MOST_ANSWER_BYTES), response)
                return
            came = False
            for line in read_lines(response):
                if not line.startswith(b"data:"):
                    # The first line shows whether this is a stream at all; many servers answer with a page for people.
                    if not came and line.lstrip()[:1] not in (b"", b":", b"e", b"i", b"r"):  # event, id and retry
                        raise ServerUnreachable(self.host, _what_came(response))
                    continue
                data = line[5:].strip()
                if data == b"[DONE]":
                    return
                came = True
                yield self._parse_object(data, response)
            if not came:  # an empty answer would look like one that says nothing
                raise ServerUnreachable(self.host, "broken")

    def open_response(
        self, body: Any, *, why: str, cut: RequestCut
    ) -> contextlib.AbstractContextManager[httpx2.Response]:
        """Post to the address itself; return the answer in whatever form. Raises what `call` raises, also midway."""
        return self._send_request("", body, why, cut, self._stream_timeout_s)

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _parse_object(self, data: bytes, response: httpx2.Response) -> dict[str, Any]:
        try:
            found = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ServerUnreachable(self.host, _what_came(response)) from error
        if not isinstance(found, dict):
            raise ServerUnreachable(self.host, "garbage")
        # Errors come in the stream, too, after status 200.
        if found.get("error"):
            raise self._problem_of_error(found)
        return found

    @contextlib.contextmanager
    def _send_request(
        self, url: str, body: Any, why: str, cut: RequestCut, timeout_s: float
    ) -> Iterator[httpx2.Response]:
        access = self._access()
        if not access.allowed:
            raise NetworkOff
        visit = NetworkVisit(access, why, self._ledger, patient=True)
        with enter_visit(visit):
            try:
                response = self._open_client().send(self._make_request(url, body, cut, timeout_s), stream=True)
                try:
                    if not response.is_success:
                        raise self._problem_of_status(response)
                    yield response
                finally:
                    response.close()
            except AppError as error:
                if isinstance(error, HubUnreachable):  # the door's own words for a proxy
                    raise ServerUnreachable(self.host, error.reason) from error
                raise
            except Exception as error:
                import httpx2

                if not isinstance(error, httpx2.HTTPError | httpx2.InvalidURL | httpx2.StreamError):
                    raise
                reason = why_no_answer(error, visit)
                told = {"captive_portal": "html", "tls": _why_not_secure(error)}.get(reason, reason)
                raise ServerUnreachable(self.host, told) from error

    def _make_request(self, url: str, body: Any, cut: RequestCut, timeout_s: float) -> httpx2.Request:
        import httpx2

        # A connection that is cut serves nobody else.
        headers = {"Accept-Encoding": "identity", "Connection": "close"} | dict(self._headers())
        key = self._key()
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return self._open_client().build_request(
            "GET" if body is None else "POST",
            url if "://" in url else self.address + url,
            content=body if isinstance(body, bytes) else None,
            json=None if isinstance(body, bytes) else body,
            headers=headers,
            timeout=httpx2.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            extensions={"trace": cut.trace_event},
        )

    def _open_client(self) -> httpx2.Client:
        with self._lock:
            if self._client is None:
                import httpx2

                from app.hub.door import HubDoor

                logging.getLogger("httpx2").setLevel(logging.WARNING)  # it writes every address
                # A redirect would take what is sent to where nobody was asked about.
                self._client = httpx2.Client(
                    transport=HubDoor(self._authorities), trust_env=False, follow_redirects=False
                )
            return self._client

    def _problem_of_status(self, response: httpx2.Response) -> AppError:
        """Return the situation behind a status other than 200."""
        status = response.status_code
        body = read_body(response, MOST_ERROR_BYTES)
        # 403 is used for a wrong key, too.
        if status in (401, 403):
            self.challenge = response.headers.get("www-authenticate", "")
            return ServerKeyRefused(self.host, "authorization" in response.request.headers)
        if status == 429 or (status == 503 and "retry-after" in response.headers):
            return ServerBusy(self.host, wait_of(response))
        if 300 <= status < 400:
            return ServerUnreachable(self.host, "moved")
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            return self._problem_of_error(found, response)
        if status >= 500:
            return ServerUnreachable(self.host, "server")
        # 404 without JSON: something answers, but it isn't a server of models.
        is_page = response.headers.get("content-type", "").startswith("text/html")
        return ServerUnreachable(self.host, "html" if is_page else "not_a_server" if status == 404 else "garbage")

    def _problem_of_error(self, found: dict[str, Any], response: httpx2.Response | None = None) -> AppError:
        """Return the situation behind the words of an error."""
        status = response.status_code if response is not None else 400
        told = found.get("error", found)
        fields = told if isinstance(told, dict) else {}
        # Servers name it differently: OpenAI's "message", FastAPI's "detail", or a text alone.
        words = fields.get("message") or fields.get("detail") or (told if isinstance(told, str) else "")
        words = " ".join(str(words).split())
        code = f"{fields.get('code', '')} {fields.get('type', '')}"
        if "exceed_context" in code or "context_length" in code or (status in (400, 413) and _OVERFLOW.search(words)):
            # Numbers in the sentence are the only way to learn the sizes from most servers.
            sizes = list(filter(None, map(whole_number, _LARGE.findall(words))))
            needed, room = whole_number(fields.get("n_prompt_tokens")), whole_number(fields.get("n_ctx"))
            if needed and room:
                return PromptTooLong(needed, room)
            if len(sizes) >= 2:
                return PromptTooLong(max(sizes), min(sizes))
        asked = _model_in(response)
        if asked and ("model_not_found" in code or (status == 404 and "model" in words.lower())):
            return ServerLacksModel(self.host, asked)
        if status == 404 and not words:
            return ServerUnreachable(self.host, "not_a_server")
        return ServerRefused(self.host, words[:MOST_DETAIL])


def _why_not_secure(error: BaseException) -> str:
    """Return a reason of ServerUnreachable, for the words of OpenSSL, or of the system's own check."""
    import ssl

    step: BaseException | None = error
    # The reason lies behind the library's own errors.
    while step is not None and not isinstance(step, ssl.SSLCertVerificationError):
        step = step.__cause__ or step.__context__
    return "tls" if step is None else WRONG_CERTIFICATES.get(step.verify_code, "certificate")


def _model_in(response: httpx2.Response | None) -> str:
    """Return the model that a refused request asked for."""
    with contextlib.suppress(Exception):
        body = json.loads(response.request.content) if response is not None else {}
        return str(body.get("model", ""))
    return ""


def _what_came(response: httpx2.Response) -> str:
    return "html" if response.headers.get("content-type", "").startswith("text/html") else "garbage"


def read_body(response: httpx2.Response, most_bytes: int) -> bytes:
    """Return the body up to `most_bytes`; JSON that is cut there doesn't parse any more."""
    found = bytearray()
    for piece in response.iter_raw():
        found += piece
        if len(found) > most_bytes:
            break
    return bytes(found[:most_bytes])


def read_lines(response: httpx2.Response) -> Iterator[bytes]:
    """Yield lines without their ends. A line that never ends is cut, so that it isn't JSON, and ends the stream."""
    rest = b""
    for piece in response.iter_raw():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.rstrip(b"\r")
        if len(rest) > MOST_LINE_BYTES:
            rest = b"data:" + rest[:1]  # no JSON: whoever reads it says so
            break
    if rest.strip():
        yield rest.rstrip(b"\r")
