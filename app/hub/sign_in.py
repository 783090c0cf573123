"""Sign in to a server by OAuth 2.1 as the Model Context Protocol has it: in the person's browser, with PKCE.

Written after the specification, modelcontextprotocol.io, version 2025-06-18, and RFC 9728, 8414, 7591, 8252 and 8707.
Every request goes through the network's door; the browser comes back to a port of this computer.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from app import APP_NAME
from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import TokenNotKept
from app.core.errors.server_errors import ServerKeyRefused
from app.core.errors.tool_errors import SignInFailed
from app.core.lazy_dataclasses import dataclass, field, replace
from app.hub.access import NetworkAccess, is_own_network, is_this_computer
from app.hub.connection_ledger import ConnectionLedger
from app.hub.hub_token import HubToken
from app.hub.model_server import ModelServer

log = logging.getLogger(__name__)

WHY = "tools"
"""As the list of connections has it."""
KEYRING_PREFIX, SECRET_PREFIX = "tools:", "tools-client:"
LEFT_S = 60.0
"""A token is renewed that long before it ends."""
STEP_S = 0.2
SIGNED_IN = "You are signed in. You can close this page."
NOT_SIGNED_IN = "That didn’t work. You can close this page."
_RESOURCE = re.compile(r'resource_metadata="([^"]+)"')
_SCOPE = re.compile(r'\bscope="([^"]*)"')
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
NO_HEADERS: Mapping[str, str] = {}
AccessTo = Callable[[str], NetworkAccess]


@dataclass(frozen=True)
class SignedIn:
    """Tokens of a server, and where new ones are asked for. `ends_s` is in seconds since 1970; 0: not said."""

    resource: str
    token_endpoint: str
    client_id: str
    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    ends_s: float = 0.0
    sends_basic: bool = False
    """A secret of the client goes into a header, not into the form (RFC 6749, 2.3.1)."""


class ServerSignIn:
    """Signs in to servers by their addresses and keeps their tokens in the system's keyring. From any thread."""

    def __init__(
        self,
        access_to: AccessTo,
        ledger: ConnectionLedger,
        kept: HubToken,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._access_to, self._ledger, self._kept, self._clock = access_to, ledger, kept, clock
        self._lock = threading.Lock()

    def headers_for(self, address: str) -> dict[str, str]:
        """Return the header with a server's token, a new one where it ends; none without a sign-in."""
        with self._lock:
            known = self._load(address)
            if known is not None and known.refresh_token and 0 < known.ends_s < self._clock() + LEFT_S:
                known = self._renew(address, known)
        return {} if known is None else {"Authorization": f"Bearer {known.access_token}"}

    def sign_in(
        self,
        address: str,
        open_browser: Callable[[str], object],
        is_stopped: Callable[[], bool],
        client_id: str = "",
    ) -> None:
        """Let the person sign in with their browser, and keep the tokens; returns once they did or `is_stopped`.

        `client_id` is for servers that register no programs by themselves; its secret is the one that was kept. Raises
        SignInFailed, and what a request raises.
        """
        resource, issuer, scope = self._find_issuer(address)
        endpoints = self._describe_issuer(address, issuer)
        token_endpoint = self._checked(address, str(endpoints.get("token_endpoint", "")))
        with _BrowserReturn() as back:
            client_id = client_id or self._register(address, endpoints, back.address)
            verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
            asked = {
                "response_type": "code",
                "client_id": client_id,
                "redirect_uri": back.address,
                "code_challenge": _challenge_of(verifier),
                "code_challenge_method": "S256",
                "state": state,
                "resource": resource,
            }
            page = self._checked(address, str(endpoints.get("authorization_endpoint", "")))
            joint = "&" if urlsplit(page).query else "?"
            open_browser(page + joint + urlencode(asked | ({"scope": scope} if scope else {})))
            answer = back.wait_for_answer(state, is_stopped)
        if answer is None:
            return
        if "code" not in answer or answer.get("iss", endpoints["issuer"]) != endpoints["issuer"]:
            raise self._failure(address, "refused", answer.get("error_description") or answer.get("error", ""))
        methods = endpoints.get("token_endpoint_auth_methods_supported")
        sends_basic = "client_secret_post" not in (methods if isinstance(methods, list) else ())
        begun = SignedIn(resource, token_endpoint, client_id, "", sends_basic=sends_basic)
        code = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": back.address}
        tokens = self._ask_tokens(address, begun, code | {"code_verifier": verifier})
        with self._lock:
            self._save(address, tokens)

    def sign_out(self, address: str) -> None:
        """Forget a server's tokens, and the secret of the client that was registered there."""
        self._kept.save("", KEYRING_PREFIX + address)
        self._kept.save("", SECRET_PREFIX + address)

    def keep_secret(self, address: str, secret: str) -> None:
        """Keep the secret of a client that was registered with a server; "" forgets it."""
        try:
            self._kept.save(secret, SECRET_PREFIX + address)
        except TokenNotKept:
            log.info("a client's secret lasts until the program ends")

    def _find_issuer(self, address: str) -> tuple[str, str, str]:
        """Return the resource, its authorization server and the scope to ask for."""
        challenge = self._challenge(address)
        parts = urlsplit(address)
        origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
        told = _RESOURCE.search(challenge)
        well_known = f"{origin}/.well-known/oauth-protected-resource"
        found = self._first_answer(address, [told[1]] if told else [f"{well_known}{path}", well_known])
        resource = str(found.get("resource") or address)
        # A token for another server is none of this one's business.
        if urlsplit(resource)[:2] != parts[:2] or not f"{parts.path}/".startswith(urlsplit(resource).path.rstrip("/")):
            raise self._failure(address, "unsupported", resource)
        issuers, scopes = found.get("authorization_servers"), found.get("scopes_supported")
        scope = _SCOPE.search(challenge)
        supported = " ".join(map(str, scopes)) if isinstance(scopes, list) else ""
        issuer = str(issuers[0]) if isinstance(issuers, list) and issuers else origin
        return resource, issuer, scope[1] if scope else supported

    def _describe_issuer(self, address: str, issuer: str) -> dict[str, Any]:
        parts = urlsplit(issuer)
        origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
        found = self._first_answer(
            address,
            [
                f"{origin}/.well-known/oauth-authorization-server{path}",
                f"{origin}/.well-known/openid-configuration{path}",
                f"{origin}{path}/.well-known/openid-configuration",
            ],
        )
        methods = found.get("code_challenge_methods_supported")
        # One that speaks for another would get what was meant for that one.
        is_itself = str(found.get("issuer", "")).rstrip("/") == issuer.rstrip("/")
        if not is_itself or not isinstance(methods, list) or "S256" not in methods:
            raise self._failure(address, "unsupported", issuer)
        return found

    def _register(self, address: str, endpoints: Mapping[str, Any], back: str) -> str:
        told = {
            "client_name": APP_NAME,
            "redirect_uris": [back],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
        where = str(endpoints.get("registration_endpoint", ""))
        found = self._ask(self._checked(address, where), told)
        if not isinstance(found, dict) or not found.get("client_id"):
            raise self._failure(address, "unsupported", where)
        return str(found["client_id"])

    def _challenge(self, address: str) -> str:
        """Return what the server asks for, as it refuses a message without a token."""
        accepted = {"Accept": "application/json, text/event-stream"}
        server = ModelServer(address, lambda: self._access_to(address), self._ledger, headers=lambda: accepted)
        try:
            server.call("", {"jsonrpc": "2.0", "id": 1, "method": "ping"}, why=WHY)
        except ServerKeyRefused:
            return server.challenge
        finally:
            server.close()
        return ""

    def _first_answer(self, address: str, places: list[str]) -> dict[str, Any]:
        """Return the first description that one of the places has; an empty one if none has."""
        for place in places:
            try:
                found = self._ask(self._checked(address, place))
            except SignInFailed:
                raise
            except AppError as error:
                log.info("no description of a sign-in: %s", type(error).__name__)
                continue
            if isinstance(found, dict):
                return found
        return {}

    def _renew(self, address: str, known: SignedIn) -> SignedIn | None:
        try:
            new = self._ask_tokens(
                address, known, {"grant_type": "refresh_token", "refresh_token": known.refresh_token}
            )
        except AppError as error:
            log.info("a sign-in was not renewed: %s", type(error).__name__)
            return known
        self._save(address, new)
        return new

    def _ask_tokens(self, address: str, known: SignedIn, grant: Mapping[str, str]) -> SignedIn:
        form, headers = dict(grant) | {"resource": known.resource}, dict[str, str]()
        secret = self._kept.load(SECRET_PREFIX + address)
        if secret and known.sends_basic:
            pair = f"{quote(known.client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": known.client_id} | ({"client_secret": secret} if secret else {})
        found = self._ask(known.token_endpoint, urlencode(form).encode(), headers)
        fields = found if isinstance(found, dict) else {}
        if not fields.get("access_token"):
            raise self._failure(known.resource, "refused", str(fields.get("error", "")))
        lasts_s = fields.get("expires_in")
        return replace(
            known,
            access_token=str(fields["access_token"]),
            refresh_token=str(fields.get("refresh_token") or known.refresh_token),
            ends_s=self._clock() + lasts_s if isinstance(lasts_s, int | float) else 0.0,
        )

    def _ask(
        self, url: str, body: Mapping[str, Any] | bytes | None = None, more: Mapping[str, str] = NO_HEADERS
    ) -> Any:
        headers = _FORM | dict(more) if isinstance(body, bytes) else {}
        server = ModelServer(url, lambda: self._access_to(url), self._ledger, headers=lambda: headers)
        try:
            return server.call(url, body, why=WHY)
        finally:
            server.close()

    def _checked(self, address: str, url: str) -> str:
        """Return an address that a server named, if a token may go there: no server leads into the own network."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_secret = parts.scheme == "https" or (parts.scheme == "http" and is_this_computer(host))
        if not is_secret or (is_own_network(host) and not is_own_network(urlsplit(address).hostname or "")):
            raise self._failure(address, "unsupported", url)
        return url

    def _failure(self, address: str, reason: str, detail: str) -> SignInFailed:
        return SignInFailed(urlsplit(address).netloc.rpartition("@")[2], reason, detail[:200])

    def _load(self, address: str) -> SignedIn | None:
        try:
            return SignedIn(**json.loads(self._kept.load(KEYRING_PREFIX + address)))
        except (ValueError, TypeError):
            return None

    def _save(self, address: str, tokens: SignedIn) -> None:
        try:
            self._kept.save(json.dumps(vars(tokens)), KEYRING_PREFIX + address)
        except TokenNotKept:
            log.info("a sign-in lasts until the program ends")


class _BrowserReturn:
    """A port of this computer that the browser is sent back to; anything else that comes there is turned away."""

    def __init__(self) -> None:
        waiting = self

        class ReturnPage(BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                answer = {key: values[0] for key, values in parse_qs(parts.query).items()}
                is_it = parts.path == "/" and secrets.compare_digest(
                    answer.get("state", "").encode(), waiting.state.encode()
                )
                if is_it:
                    waiting.answer = answer
                body = (SIGNED_IN if is_it and "code" in answer else NOT_SIGNED_IN).encode()
                self.send_response(200 if is_it else 404)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_parts: object) -> None:
                """Nothing on standard error: the address holds a code."""

        self.state = ""
        self.answer: dict[str, str] | None = None
        self._server = TCPServer(("127.0.0.1", 0), ReturnPage)  # HTTPServer would ask for this computer's name
        self._server.timeout = STEP_S
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> _BrowserReturn:
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.server_close()

    def wait_for_answer(self, state: str, is_stopped: Callable[[], bool]) -> dict[str, str] | None:
        """Return what the browser brings; None once stopped."""
        self.state = state
        while self.answer is None and not is_stopped():
            self._server.handle_request()
        return self.answer


def _challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
