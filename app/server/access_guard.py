"""Who may send requests: the key, and host names that are this computer's."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Mapping

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.lazy_dataclasses import dataclass, field
from app.server.json_body import BadRequest, error_body

# Each request that waits holds its body and a thread.
MOST_AT_ONCE = 64
# Monitors ask these without a key; they tell nothing but that the server is up.
OPEN_PATHS = frozenset(("/health", "/"))


@dataclass(frozen=True)
class AccessRules:
    """Who may send requests. `names` are host names of this computer in addition to its addresses and localhost.

    `origins` are the web pages that a browser may send requests from; none by default.
    """

    key: str = field(repr=False)
    names: frozenset[str] = frozenset()
    origins: tuple[str, ...] = ()


class AccessGuard:
    """Middleware that requires the key and a Host header naming this computer."""

    def __init__(self, app: ASGIApp, rules: AccessRules) -> None:
        self._app, self._rules, self._running_requests = app, rules, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Bases with a slash at the end make addresses with two ("//v1/models"); the key's check sees what the router
        # sees.
        path = scope["path"] = re.sub("/{2,}", "/", scope["path"])
        problem = self._find_problem(path, {name.decode("latin-1"): value for name, value in scope["headers"]})
        if problem is not None:
            body = error_body(path, problem.message, status=problem.status, code=problem.code)
            await JSONResponse(body, problem.status)(scope, receive, send)
            return
        self._running_requests += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running_requests -= 1

    def _find_problem(self, path: str, headers: Mapping[str, bytes]) -> BadRequest | None:
        # Against DNS rebinding: a web page whose own name resolves to this computer would send that name as the host.
        if not self._is_here(headers.get("host", b"").decode("latin-1")):
            return BadRequest("this server does not answer to that host name", status=403, code="wrong_host")
        if path not in OPEN_PATHS and not self._has_key(headers):
            return BadRequest("the key is missing or wrong", status=401, code="invalid_api_key")
        if path not in OPEN_PATHS and self._running_requests >= MOST_AT_ONCE:
            return BadRequest(f"{MOST_AT_ONCE} requests are already running: try again", status=429, code="too_many")
        return None

    def _is_here(self, host: str) -> bool:
        # The last colon is only a port if digits follow it: IPv6 addresses have colons, too.
        name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
        if name.casefold() in self._rules.names | {"localhost"}:
            return True
        try:
            # Who sends an address was not led here by a foreign name.
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    def _has_key(self, headers: Mapping[str, bytes]) -> bool:
        given = re.sub(rb"^bearer ", b"", headers.get("authorization", b""), flags=re.IGNORECASE).strip()
        # Anthropic's SDKs send the key in x-api-key, OpenAI's as a bearer.
        given = given or headers.get("x-api-key", b"")
        # Compared in constant time: otherwise the answer's delay would tell how much of a guess is right.
        return hmac.compare_digest(given, self._rules.key.encode())
