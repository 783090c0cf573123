"""Websites of our own over real HTTP on 127.0.0.1, of any name, with whatever may go wrong."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass(frozen=True)
class SitePage:
    """An answer. `pieces` are sent one after the other, over and over where it is `endless`; `is_held`: none comes."""

    body: bytes = b""
    media_type: str = "text/html"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    is_endless: bool = False
    is_held: bool = False


class FakeSite:
    """Use as a context manager. `pages` by host and path, such as "site.test/a"; all others are missing."""

    def __init__(self, pages: Mapping[str, SitePage] | None = None) -> None:
        self.pages = dict(pages or {})
        self.requests: list[str] = []
        """Hosts with paths, in their order."""
        self.headers: list[dict[str, str]] = []
        self.released = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = False
        self._http.handle_error = lambda *_: None  # type: ignore[method-assign,assignment] # readers that went away
        self.port = int(self._http.server_address[1])
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), name="fake site")

    def be_secure(self, certificate: Path, key: Path) -> None:
        """Speaks TLS from now on; before it is started."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)

    def address(self, page: str) -> str:
        """The address of a page such as "site.test/a"."""
        host, _, path = page.partition("/")
        return f"http://{host}:{self.port}/{path}"

    def host(self, name: str) -> str:
        return f"{name}:{self.port}"

    def redirect(self, page: str, to: str, status: int = 302) -> None:
        self.pages[page] = SitePage(status=status, headers={"Location": to})

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a request; from the server's thread."""
        asked = request.headers.get("Host", "").partition(":")[0] + request.path
        self.requests.append(asked)
        self.headers.append(dict(request.headers))
        page = self.pages.get(asked) or self.pages.get(asked.partition("?")[0]) or SitePage(b"gone", status=404)
        if page.is_held:
            self.released.wait()
            return
        request.send_response(page.status)
        for name, value in {"Content-Type": page.media_type, **page.headers}.items():
            request.send_header(name, value)
        if not page.is_endless:
            request.send_header("Content-Length", str(len(page.body)))
        request.end_headers()
        request.wfile.write(page.body)
        while page.is_endless and not self.released.is_set():
            request.wfile.write(page.body)

    def __enter__(self) -> FakeSite:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


Resolve = Callable[[str, int], list[str]]


def resolve_here(host: str, _port: int) -> list[str]:
    """Look up names: all below .test are here, and `inside.example` is in a network of its own."""
    if host.endswith(".test"):
        return ["127.0.0.1"]
    if host == "inside.example":
        return ["192.168.0.7"]
    raise OSError(f"no such name: {host}")
