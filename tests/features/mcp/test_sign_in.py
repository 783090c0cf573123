"""Signing in to a tool server elsewhere: both servers and the browser are on this computer, the requests are real."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.core.errors.app_error import AppError
from app.core.errors.tool_errors import SignInFailed
from app.core.settings import NetworkSettings
from app.features.mcp.server_config import ServerConfig
from app.features.mcp.tool_servers import ToolServers, build_tool_servers
from app.hub.connection_ledger import ConnectionLedger
from tests.features.mcp.test_http_servers import ToolHost
from tests.helpers.remote import Keys
from tests.helpers.tool_configs import StoredSettings

NAME = "far"


class SigningHost(ToolHost):
    """A tool server and its authorization server at one address; `changes` are made to what it says of itself."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SigningPage)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.changes: dict[str, Any] = {}
        self.tokens: list[str] = []
        self.lasts_s = 3600
        self.asked: list[dict[str, str]] = []
        self.challenge = self.clients = ""
        self.denies = False


class SigningPage(BaseHTTPRequestHandler):
    server: SigningHost

    def do_GET(self) -> None:
        parts, host = urlsplit(self.path), self.server
        if parts.path == "/about":
            self._say(200, {"resource": f"{host.address}/mcp", "authorization_servers": [host.address]} | host.changes)
        elif parts.path == "/.well-known/oauth-authorization-server":
            ends = ("authorization", "token", "registration")
            told = {f"{end}_endpoint": f"{host.address}/{end}" for end in ends}
            told |= {"issuer": host.address, "code_challenge_methods_supported": ["S256"]}
            self._say(200, told | host.changes)
        elif parts.path == "/authorization":
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            host.challenge = asked["code_challenge"]
            host.asked.append(asked)
            given = "error=access_denied" if host.denies else "code=the-code"
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}?{given}&state={asked['state']}")
            self.end_headers()
        else:
            self._say(404, {})

    def do_POST(self) -> None:
        body, host = self.rfile.read(int(self.headers["Content-Length"])), self.server
        if self.path == "/registration":
            host.clients = json.loads(body)["redirect_uris"][0]
            self._say(201, {"client_id": "client-7"})
        elif self.path == "/token":
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            self._give_token(form | {"header": self.headers.get("Authorization", "")})
        elif self.headers.get("Authorization", "").removeprefix("Bearer ") not in host.tokens[-1:]:
            self.send_response(401)
            self.send_header("WWW-Authenticate", f'Bearer resource_metadata="{host.address}/about", scope="tools"')
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            message = json.loads(body)
            result = {"protocolVersion": "2025-06-18", "capabilities": {}, "tools": [{"name": "do", "inputSchema": {}}]}
            self._say(200, {"jsonrpc": "2.0", "id": message.get("id"), "result": result})

    def _give_token(self, form: dict[str, str]) -> None:
        host = self.server
        host.asked.append(form)
        verified = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        is_right = form.get("code") == "the-code" and verified.decode().rstrip("=") == host.challenge
        if not is_right and form.get("refresh_token") != f"refresh-{len(host.tokens)}":
            self._say(400, {"error": "invalid_grant"})
            return
        host.tokens.append(f"token-{len(host.tokens) + 1}")
        refresh = f"refresh-{len(host.tokens)}"
        self._say(200, {"access_token": host.tokens[-1], "refresh_token": refresh, "expires_in": host.lasts_s})

    def _say(self, status: int, told: object) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_parts: object) -> None:
        """Nothing on standard error."""


@contextmanager
def serve_host() -> Iterator[SigningHost]:
    """A server that signs people in, as long as the block lasts."""
    with SigningHost() as host:
        thread = threading.Thread(target=host.serve_forever)
        thread.start()
        yield host
        host.shutdown()
        thread.join()


@pytest.fixture
def host() -> Iterator[SigningHost]:
    with serve_host() as host:
        yield host


@pytest.fixture
def stored() -> StoredSettings:
    return StoredSettings()


@pytest.fixture
def kept() -> Keys:
    return Keys()


@pytest.fixture
def servers(host: SigningHost, stored: StoredSettings, kept: Keys, tmp_path: Path) -> Iterator[ToolServers]:
    ledger = ConnectionLedger(tmp_path / "connections.jsonl")
    servers = build_tool_servers(tmp_path, lambda: stored.settings, stored.change, ledger, kept=kept)  # type: ignore[arg-type]
    servers.add_servers([ServerConfig(NAME, url=f"{host.address}/mcp", is_on=True)])
    yield servers
    servers.close()


class Browser:
    """A browser that follows where it is sent, on a thread of its own, and brings something else first."""

    def __init__(self, query: str = "") -> None:
        self.pages: list[str] = []
        self._query = query
        self.thread = threading.Thread()

    def open(self, page: str) -> None:
        self.pages.append(page)
        self.thread = threading.Thread(target=self._visit, args=(page,))
        self.thread.start()

    def _visit(self, page: str) -> None:
        back = parse_qs(urlsplit(page).query)["redirect_uri"][0]
        with pytest.raises(urllib.error.HTTPError):  # another page of this computer guesses
            urllib.request.urlopen(f"{back}?code=evil&state=guessed")
        urllib.request.urlopen(page).close()


def sign_in(servers: ToolServers) -> Browser:
    browser = Browser()
    try:
        servers.sign_in(NAME, browser.open, lambda: False)
    finally:
        if browser.pages:
            browser.thread.join()
    return browser


def problems(servers: ToolServers) -> list[str]:
    return [problem.reason for problem in servers.offer_tools().problems]


def test_a_person_signs_in_and_the_token_is_kept_and_renewed(
    servers: ToolServers, host: SigningHost, kept: Keys
) -> None:
    assert problems(servers) == ["unsigned"]
    host.lasts_s = 1  # which is too short to be used again
    browser = sign_in(servers)
    asked, token = host.asked
    assert len(browser.pages) == 1
    assert asked["redirect_uri"] == host.clients == token["redirect_uri"]
    assert asked["redirect_uri"].startswith("http://127.0.0.1:")
    assert (asked["code_challenge_method"], asked["scope"], asked["client_id"]) == ("S256", "tools", "client-7")
    assert {asked["resource"], token["resource"]} == {f"{host.address}/mcp"}
    assert [tool.name for tool in servers.offer_tools().tools] == ["do"]
    assert len(host.tokens) > 1, "it was renewed before it ended"
    assert host.tokens[-1] in kept.load(f"tools:{host.address}/mcp")
    servers.remove_server(NAME)
    assert kept.load(f"tools:{host.address}/mcp") == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"resource": "http://127.0.0.1:1/mcp"},
        {"issuer": "http://127.0.0.1:1"},
        {"code_challenge_methods_supported": ["plain"]},
        {"authorization_endpoint": "file:///etc/passwd"},
        {"authorization_endpoint": "http://example.org/authorization"},
        {"token_endpoint": "http://example.org/token"},
        {"registration_endpoint": "http://example.org/registration"},
    ],
)
def test_a_sign_in_that_is_not_safe_is_not_begun(
    servers: ToolServers, host: SigningHost, changes: dict[str, Any]
) -> None:
    host.changes = changes
    with pytest.raises(SignInFailed) as failed:
        sign_in(servers)
    assert failed.value.reason == "unsupported"
    assert host.tokens == []


def test_a_person_who_says_no_is_not_signed_in(servers: ToolServers, host: SigningHost) -> None:
    host.denies = True
    with pytest.raises(SignInFailed) as failed:
        sign_in(servers)
    assert (failed.value.reason, failed.value.detail) == ("refused", "access_denied")
    assert problems(servers) == ["unsigned"]


@pytest.mark.parametrize("methods", [None, ["client_secret_basic"], ["client_secret_post"], ["none"]])
def test_a_client_that_was_registered_beforehand_signs_in_with_its_secret(
    servers: ToolServers, host: SigningHost, kept: Keys, stored: StoredSettings, methods: list[str] | None
) -> None:
    host.changes = {"registration_endpoint": None, "token_endpoint_auth_methods_supported": methods}
    host.lasts_s = 1
    with pytest.raises(SignInFailed):
        sign_in(servers)
    servers.change_server(NAME, client_id="app:1")
    servers.keep_client_secret(NAME, "se cret")
    assert "se cret" not in str(stored.settings), "the keyring has it, no file"
    sign_in(servers)
    asked, token = host.asked
    assert asked["client_id"] == "app:1"
    assert host.clients == "", "nothing was registered"
    assert [tool.name for tool in servers.offer_tools().tools] == ["do"]
    basic = f"Basic {base64.b64encode(b'app%3A1:se%20cret').decode()}"
    for told in (token, host.asked[-1]):  # a renewal, too
        if methods == ["client_secret_post"]:
            assert (told["client_id"], told["client_secret"], told["header"]) == ("app:1", "se cret", "")
        else:
            assert (told.get("client_secret"), told["header"]) == (None, basic)
    assert "refresh_token" in host.asked[-1]
    servers.change_server(NAME, client_id="app-2")
    assert set(kept.kept.values()) == {""}, "another client has another secret, and signs in anew"
    assert problems(servers) == ["unsigned"]


def test_a_client_without_a_secret_is_named_in_the_form(servers: ToolServers, host: SigningHost) -> None:
    host.changes = {"registration_endpoint": None}
    servers.change_server(NAME, client_id="public")
    sign_in(servers)
    assert (host.asked[-1]["client_id"], host.asked[-1]["header"]) == ("public", "")


def test_waiting_for_the_browser_ends_with_stop(servers: ToolServers, host: SigningHost) -> None:
    pages: list[str] = []
    servers.sign_in(NAME, pages.append, lambda: bool(pages))
    assert len(pages) == 1
    assert host.tokens == []


def test_with_the_network_off_nothing_is_asked(servers: ToolServers, host: SigningHost, stored: StoredSettings) -> None:
    stored.settings = stored.settings.changed("network", **vars(NetworkSettings(allowed=False)))
    with pytest.raises(AppError):
        sign_in(servers)
    assert host.asked == []
