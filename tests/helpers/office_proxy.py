"""A company's proxy over real HTTP on 127.0.0.1: it asks for a password, and opens TLS with an authority of its own."""

from __future__ import annotations

import base64
import http.client
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.helpers.authority import Authority


class OfficeProxy:
    """Use as a context manager. Whatever host is asked for, `target` answers; `sign_in` is a name and a password.

    A tunnel is opened with a certificate of `authority` for the host, and refused without one.
    """

    def __init__(
        self, target: str, *, sign_in: tuple[str, str] | None = None, authority: Authority | None = None
    ) -> None:
        self.target, self.authority = urlsplit(target).netloc, authority
        self.expected = f"Basic {base64.b64encode(':'.join(sign_in).encode()).decode()}" if sign_in else ""
        self.hosts: list[str] = []
        """Hosts that were asked for and let through, in their order."""
        self.sign_ins: list[str] = []
        """What came as proof of who asks, "" for nothing."""
        self._http = _Server(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), name="office proxy")

    def __enter__(self) -> OfficeProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._http.server_port}"


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, proxy: OfficeProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away, or doesn't trust the certificate, is nothing to print."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    is_tunnel = False

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""

    def do_CONNECT(self) -> None:
        proxy, host = self.server.proxy, self.path.rpartition(":")[0]
        if not self._is_let_through(host):
            return
        if proxy.authority is None:
            self._refuse(403)
            return
        self.send_response_only(200)
        self.end_headers()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*proxy.authority.certificate(host))
        with context.wrap_socket(self.connection, server_side=True) as secure:
            self.is_tunnel = True
            self.rfile, self.wfile = secure.makefile("rb"), secure.makefile("wb")  # type: ignore[assignment]
            self.handle_one_request()
            self.wfile.flush()
        self.close_connection = True

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if not self.is_tunnel and not self._is_let_through(parts.hostname or ""):
            return
        there = http.client.HTTPConnection(self.server.proxy.target, timeout=20)
        try:
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
            there.request(self.command, path, headers=headers)
            answer = there.getresponse()
            body = answer.read()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)
        finally:
            there.close()
        self.close_connection = True

    def do_HEAD(self) -> None:
        self.do_GET()

    def _is_let_through(self, host: str) -> bool:
        proxy, given = self.server.proxy, self.headers.get("Proxy-Authorization", "")
        proxy.sign_ins.append(given)
        if proxy.expected not in ("", given):
            self._refuse(407)
            return False
        proxy.hosts.append(host)
        return True

    def _refuse(self, status: int) -> None:
        self.send_response_only(status, "Proxy Authentication Required" if status == 407 else None)
        if status == 407:
            self.send_header("Proxy-Authenticate", 'Basic realm="office"')
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
