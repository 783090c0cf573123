"""A home of releases over real HTTP on 127.0.0.1, and a key of its own to sign with."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.core.build import ReleaseHome

FILE = "/releases/newest.json"
PIECE = b"[" * 64 * 1024


def facts(version: str = "9.1.0", **others: Any) -> dict[str, Any]:
    """What a release file says."""
    said = {"format": 1, "program": "fireside", "version": version, "issued": "2026-11-27T12:00:00+00:00"}
    return said | {"page": "https://fireside.example/9.1.0", "notes": "Faster.\n<b>Not bold</b>"} | others


class ReleaseHost:
    """`answer` puts bytes at a path; `release` puts a signed file there. `held`: answers wait until it is set."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.sent_bytes = 0
        self.released = threading.Event()
        self.released.set()
        self._answers: dict[str, tuple[int, str, bytes, int]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.host = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="release host")
        self._thread.start()

    @property
    def netloc(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def home(self) -> ReleaseHome:
        """As a build would know it."""
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return ReleaseHome(f"http://{self.netloc}{FILE}", base64.b64encode(public).decode())

    def answer(
        self, path: str, body: bytes, *, kind: str = "application/json", status: int = 200, times: int = 1
    ) -> None:
        """A body that is sent `times` over."""
        self._answers[path] = (status, kind, body, times)

    def release(self, said: dict[str, Any] | bytes, key: Ed25519PrivateKey | None = None) -> None:
        """A release file and its signature."""
        content = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.answer(FILE, content)
        self.answer(f"{FILE}.sig", base64.b64encode((key or self.key).sign(content)) + b"\n", kind="text/plain")

    def answer_of(self, path: str) -> tuple[int, str, bytes, int]:
        return self._answers.get(path, (404, "text/plain", b"not here", 1))

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def release_host() -> Iterator[ReleaseHost]:
    """One that answers meanwhile; the program's connections to it are closed behind it."""
    from huggingface_hub import close_session

    made = ReleaseHost()
    yield made
    made.close()
    close_session()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        host = cast("ReleaseHost", self.server.host)  # type: ignore[attr-defined]
        host.asked.append(self.path)
        host.headers.append({name.lower(): value for name, value in self.headers.items()})
        host.released.wait()
        status, kind, body, times = host.answer_of(self.path)
        with contextlib.suppress(ConnectionError):  # who has heard enough hangs up
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body) * times))
            self.end_headers()
            for _ in range(times):
                self.wfile.write(body)
                host.sent_bytes += len(body)

    log_message: Callable[..., None] = lambda *_: None
