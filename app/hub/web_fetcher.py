"""Fetch pages of the web for tools: one host at a time, public addresses only, through the network's door.

What a name leads to is looked up once and held to, so that it can't lead elsewhere between the check and the request.
Nothing that a page names is fetched with it; there are no cookies and no redirects to other hosts.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from app.core.errors.tool_errors import WebPageRefused
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, replace
from app.hub.access import NetworkAccess, access_to, is_own_network
from app.hub.connection_ledger import ConnectionLedger
from app.hub.hub_token import HubToken
from app.hub.network import Network

if TYPE_CHECKING:
    import httpx2

    from app.core.settings import Settings

WHY = "tools"
"""As the list of connections has it."""
DUCKDUCKGO = "https://html.duckduckgo.com/html/?q={query}"
"""Search address that is built in."""
DEADLINE_S = 30.0
MOST_BYTES = 20_000_000
MOST_REDIRECTS = 5
"""On one host."""
MOST_ADDRESS = 2_000
"""Characters; longer addresses are refused by many servers, too."""
_USUAL_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052; its last 32 bits are an IPv4 address
_LITERAL = "/%:@!$&'()*+,;=~?[]"
"""What stays as it is in an address (RFC 3986); brackets, too, as browsers leave them."""
_REDIRECTS = (301, 302, 303, 307, 308)

Resolve = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a host; raises OSError."""


@dataclass(frozen=True)
class WebAddress:
    """An address of the web in its plain form. `host` is its server, with its port unless that is the usual one."""

    text: str
    host: str


@dataclass(frozen=True)
class WebPage:
    """What an address gave: its content, or with `moved_to` where it sends to on another host.

    `media_type` is in small letters and without parameters; `charset` is what the server says of the text, or "".
    """

    address: WebAddress
    content: bytes = b""
    media_type: str = ""
    charset: str = ""
    moved_to: WebAddress | None = None


class WebFetcher:
    """Fetches pages while the person's switches allow it. From any thread; blocks until the page is there."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        ledger: ConnectionLedger,
        token: HubToken | None = None,
        *,
        resolve: Resolve | None = None,
        is_allowed: Callable[[str], bool] | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        """`resolve` looks names up, and `is_allowed` says of an IP address whether it may be asked: public ones."""
        self._settings, self._ledger, self._token = settings, ledger, token or HubToken()
        self._resolve, self._is_allowed = resolve or resolve_host, is_allowed or is_public
        self._deadline_s = deadline_s

    @property
    def is_on(self) -> bool:
        """Whether the web is switched on, and the internet may be reached."""
        settings = self._settings()
        return settings.tools.web and settings.network.reaches_internet

    @property
    def search_address(self) -> str:
        """Address of the person's search engine with `{query}` in it; "" for none."""
        return self._settings().tools.search_address

    def fetch_page(
        self,
        address: WebAddress,
        cancel: CancelToken,
        *,
        accepts: Callable[[str, str], bool] = lambda media_type, path: True,
        is_own: bool = False,
    ) -> WebPage:
        """Fetch an address; redirects on its host are followed.

        `accepts` is asked with the media type and the path before the content is read. `is_own`: the person named this
        host, which may be in their own network. Raises WebPageRefused, NetworkOff, HubUnreachable or HubBusy.
        """
        is_allowed = (lambda _address: True) if is_own else self._is_allowed
        for _ in range(MOST_REDIRECTS):
            page = self._fetch_once(address, cancel, accepts, is_allowed)
            if page.moved_to is None or page.moved_to.host != address.host:
                return page
            address = page.moved_to
        raise WebPageRefused(address.host, "circles")

    def _fetch_once(
        self,
        address: WebAddress,
        cancel: CancelToken,
        accepts: Callable[[str, str], bool],
        is_allowed: Callable[[str], bool],
    ) -> WebPage:
        def access() -> NetworkAccess:
            settings = self._settings()
            found = access_to(address.text, settings, self._token)
            return replace(found, allowed=found.allowed and settings.tools.web)

        network = Network(access, self._ledger)
        return network.call(
            WHY,
            lambda _: self._read_answer(address, accepts, is_allowed),
            deadline_s=self._deadline_s,
            cancel=cancel,
        )

    def _read_answer(
        self, address: WebAddress, accepts: Callable[[str, str], bool], is_allowed: Callable[[str], bool]
    ) -> WebPage:
        parts = urlsplit(address.text)
        with self._open_answer(address, is_allowed) as answer:
            if answer.status_code in _REDIRECTS and (location := answer.headers.get("location")):
                moved_to = _join_address(address, location)
                if moved_to is None:
                    raise WebPageRefused(address.host, "moved")
                return WebPage(address, moved_to=moved_to)
            if not answer.is_success:
                raise WebPageRefused(address.host, "missing" if answer.status_code in (404, 410) else "status")
            media_type, charset = _read_type(answer.headers.get("content-type", ""))
            if not accepts(media_type, parts.path):
                raise WebPageRefused(address.host, "type")
            content = bytearray()
            for piece in answer.iter_raw():  # the door has unpacked it
                content += piece
                if len(content) > MOST_BYTES:
                    raise WebPageRefused(address.host, "too_long")
        return WebPage(address, bytes(content), media_type, charset)

    @contextlib.contextmanager
    def _open_answer(self, address: WebAddress, is_allowed: Callable[[str], bool]) -> Iterator[httpx2.Response]:
        import httpx2

        from app.hub.pinned_door import PinnedDoor

        logging.getLogger("httpx2").setLevel(logging.WARNING)  # it writes every address
        door = PinnedDoor(lambda host, port: self._find_addresses(address, host, port, is_allowed))
        # A client for each: no cookie and no open connection is left for the next.
        with (
            httpx2.Client(transport=door, trust_env=False, follow_redirects=False) as client,
            client.stream("GET", address.text, headers={"Connection": "close"}) as answer,
        ):
            yield answer

    def _find_addresses(
        self, address: WebAddress, host: str, port: int, is_allowed: Callable[[str], bool]
    ) -> Sequence[str]:
        """Return where a host may be asked. Raises WebPageRefused, and OSError where it isn't known."""
        found = self._resolve(host, port)
        # One that isn't allowed among many would be found by trying often enough.
        if not all(map(is_allowed, found)):
            raise WebPageRefused(address.host, "not_public")
        return found


def parse_address(text: str) -> WebAddress | None:
    """Return an address of the web as it will be asked; None for what is none, or can't be public."""
    text = text.strip()
    # Models leave the scheme out, as people do.
    if "://" not in text and ":" not in text.partition("/")[0]:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        # As the name is looked up: letters that look like others are seen by that.
        host = (parts.hostname or "").rstrip(".").encode("idna").decode("ascii").lower()
        port = parts.port or _USUAL_PORTS[parts.scheme]
    except (ValueError, KeyError):  # UnicodeError is a ValueError
        return None
    # A name and password in an address are there to deceive, or to be kept.
    if not host or "@" in parts.netloc or len(text) > MOST_ADDRESS or not text.isprintable():
        return None
    shown = f"[{host}]" if ":" in host else host
    shown += "" if port == _USUAL_PORTS[parts.scheme] else f":{port}"
    path, query = quote(parts.path or "/", safe=_LITERAL), quote(parts.query, safe=_LITERAL)
    # The fragment isn't sent.
    return WebAddress(urlunsplit((parts.scheme, shown, path, query, "")), shown)


def _join_address(address: WebAddress, location: str) -> WebAddress | None:
    try:
        return parse_address(urljoin(address.text, location))
    except ValueError:  # such as brackets that are never closed
        return None


def names_own_network(address: WebAddress) -> bool:
    """Return whether an address names this computer or its network, without asking anything."""
    return is_own_network(urlsplit(address.text).hostname or "")


def resolve_host(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host in the system's order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the internet, also where it is wrapped into another."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if found.teredo is not None or found.is_site_local:
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def _read_type(header: str) -> tuple[str, str]:
    """Return media type and charset of a Content-Type header."""
    media_type, _, parameters = header.partition(";")
    charset = parameters.lower().partition("charset=")[2].partition(";")[0].strip("\"' ")
    return media_type.strip().lower(), charset
