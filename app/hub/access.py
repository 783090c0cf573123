"""Network policy: switch, proxy, mirror, token, connection log, and errors of requests."""

from __future__ import annotations

import contextlib
import contextvars
import errno
import math
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from app.core.errors.app_error import AppError
from app.core.errors.hub_errors import (
    AccessGated,
    FileNotOnHub,
    HubBusy,
    HubUnreachable,
    RepositoryMissing,
    TokenRefused,
)
from app.core.lazy_dataclasses import dataclass, field, replace
from app.core.number_format import whole_number
from app.hub.certificates import MOST_AUTHORITIES_BYTES, certificates_in
from app.hub.connection_ledger import SYSTEM, ConnectionLedger
from app.hub.hub_token import HUB_HOST, HubToken

if TYPE_CHECKING:
    import ipaddress

    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    from app.core.settings import Settings


HUB = "https://huggingface.co"
# "You must log in to this network": what hotels' and airports' networks may answer with.
CAPTIVE_PORTAL_STATUS = 511  # RFC 6585
PROXY_ASKS_STATUS = 407
_NOTHING_LEFT = re.compile(r";\s*r\s*=\s*0\s*;\s*t\s*=\s*(\d+)")


@dataclass(frozen=True)
class NetworkAccess:
    """Present network settings. `proxy` "" follows the system and may hold a password; `token` is sent to `endpoint`
    only. `trust` is "system" or "built_in"; `authorities`, in PEM, are trusted beside those.
    """

    allowed: bool = True
    endpoint: str = HUB
    proxy: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    authorities: str = field(default="", repr=False)
    trust: str = SYSTEM

    @property
    def host(self) -> str:
        """The Hub's host as a person sees it in sentences, a port included."""
        return urlsplit(self.endpoint).netloc


def endpoint_of(settings: Settings) -> str:
    """Return the Hub's address: what the settings name goes before HF_ENDPOINT."""
    # HF_ENDPOINT is what people with a mirror have set already, for the Hub's own tools.
    return (settings.network.mirror or os.environ.get("HF_ENDPOINT") or f"https://{HUB_HOST}").rstrip("/")


def hub_host(settings: Settings) -> str:
    """Return the host that Hub requests and the stored token go to."""
    return urlsplit(endpoint_of(settings)).netloc


def access_of(settings: Settings, token: HubToken) -> NetworkAccess:
    """Return how the Hub may be reached now, with the token for just that host. Raises CertificateUnreadable."""
    found = access_to(endpoint_of(settings), settings, token)
    # Not even read without the network: a keyring may ask the person for a password.
    return replace(found, endpoint=endpoint_of(settings), token=token.load(found.host)) if found.allowed else found


def access_to(address: str, settings: Settings, token: HubToken) -> NetworkAccess:
    """Return how a host other than the Hub may be asked: under the same switch, with the same proxy and authorities,
    without the Hub's token. Raises CertificateUnreadable.
    """
    parts, network, file = urlsplit(address), settings.network, settings.network.authorities_file
    # As with the token below; what is in this network is reached without the proxy anyway.
    asks_proxy = network.allowed and not is_own_network(parts.hostname or "")
    return NetworkAccess(
        network.reaches_internet,
        f"{parts.scheme}://{parts.netloc}",
        _proxy_with_password(settings, token) if asks_proxy else network.proxy,
        authorities=certificates_in(Path(file), MOST_AUTHORITIES_BYTES) if file and network.allowed else "",
        trust=network.certificates,
    )


def proxy_secret(settings: Settings) -> str:
    """Return the name under which the keyring holds the password for the proxy; "" if none is used."""
    network = settings.network
    host = urlsplit(network.proxy).netloc.rpartition("@")[2]
    return f"proxy:{network.proxy_user}@{host}" if host and network.proxy_user else ""


def _proxy_with_password(settings: Settings, token: HubToken) -> str:
    network, secret = settings.network, proxy_secret(settings)
    if not secret:
        return network.proxy
    parts = urlsplit(network.proxy)
    # Quoted, as a password may hold what ends a name in an address.
    names = f"{quote(network.proxy_user, safe='')}:{quote(token.load(secret), safe='')}"
    return f"{parts.scheme}://{names}@{parts.netloc.rpartition('@')[2]}"


@dataclass
class NetworkVisit:
    """A use of the network. `patient`: the caller retries, so errors are raised unchanged."""

    access: NetworkAccess
    why: str
    ledger: ConnectionLedger
    patient: bool = False
    deadline_s: float = float("inf")  # a thread that nobody waits for any more ends itself by it
    """In `time.monotonic()`."""
    is_html: bool = False
    """True if the last answer was a page for people."""


_visit: contextvars.ContextVar[NetworkVisit | None] = contextvars.ContextVar("visit", default=None)


def current_visit() -> NetworkVisit | None:
    """Return the visit of this thread, which the transport asks for; None outside of any."""
    return _visit.get()


@contextlib.contextmanager
def enter_visit(visit: NetworkVisit) -> Iterator[NetworkVisit]:
    """Make `visit` the one that requests of this thread belong to, for this block."""
    before = _visit.set(visit)
    try:
        yield visit
    finally:
        _visit.reset(before)


def refusal_of(response: httpx2.Response, access: NetworkAccess) -> AppError | None:
    """Statuses that the library would retry past any deadline."""
    status = response.status_code
    if status == 429:
        return HubBusy(access.host, wait_of(response))
    if status == PROXY_ASKS_STATUS:
        return HubUnreachable(access.host, _why_proxy_asks(access))
    if status == CAPTIVE_PORTAL_STATUS:
        return HubUnreachable(access.host, "captive_portal")
    return HubUnreachable(access.host, "server") if status >= 500 else None


def _why_proxy_asks(access: NetworkAccess) -> str:
    return "proxy_password" if "@" in proxy_for(access.endpoint, access) else "proxy_sign_in"


def proxy_for(url: str, access: NetworkAccess) -> str:
    """Return the proxy for a request, "" for none; the system's is what Python finds in environment and registry."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    # An own proxy stands between this network and the internet, so that what is inside it is reached without.
    if access.proxy:
        return "" if is_own_network(host) else access.proxy
    import urllib.request  # TLS and mail come with it: 3 MB that a window without a request does without

    known = urllib.request.getproxies()
    proxy = known.get(parts.scheme) or known.get("all") or ""
    # Asked only where there is a proxy: either question walks through the whole environment.
    if not proxy or urllib.request.proxy_bypass(host):
        return ""
    # Environment variables often hold a name and a port only.
    return proxy if "://" in proxy else f"http://{proxy}"


OWN_NAMES = (".localhost", ".local", ".lan", ".internal", ".home.arpa")
"""Endings that no name of the internet has (RFC 6761, 6762 and 8375; `lan` is what routers give)."""
_SHARED = "100.64.0.0/10"  # RFC 6598; private networks over others' lines, such as Tailscale's, take it


def is_this_computer(host: str) -> bool:
    """Return whether data sent to this name or address stays on this computer."""
    host = host.strip("[]").rstrip(".").lower()
    address = _parse_address(host)
    # Every name below localhost is this computer itself (RFC 6761).
    return address.is_loopback if address is not None else host == "localhost" or host.endswith(".localhost")


def is_own_network(host: str) -> bool:
    """Return whether a name or address is in the local network or this computer, without asking anything.

    A name without a dot is resolved in the local network first and can't be an internet name.
    """
    host = host.strip("[]").rstrip(".").lower()
    address = _parse_address(host)
    if address is None:
        return bool(host) and (is_this_computer(host) or "." not in host or host.endswith(OWN_NAMES))
    # Asked before the others: loopback counts as private for Python, and the unspecified address does, too.
    if address.is_loopback:
        return True
    if address.is_unspecified or address.is_multicast:
        return False
    import ipaddress  # as in `_parse_address`

    return address.is_private or address.is_link_local or address in ipaddress.ip_network(_SHARED)


def _parse_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    import ipaddress  # only who names another server needs it

    try:
        # Without the zone of a link-local address, as in fe80::1%eth0.
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    # ::ffff:192.168.0.1 is an IPv4 address in the clothes of the other.
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def wait_of(response: httpx2.Response) -> int:
    """Return how many seconds an answer asks to wait: `Retry-After`, or the draft header `RateLimit` where nothing is
    left.
    """
    text = response.headers.get("retry-after", "").strip()
    # Seconds or a date: HTTP allows both.
    if text.isdecimal():
        return whole_number(text)
    from email.utils import parsedate_to_datetime  # few answers have a date there

    with contextlib.suppress(ValueError, OverflowError):
        return max(0, math.ceil(parsedate_to_datetime(text).timestamp() - time.time()))
    found = _NOTHING_LEFT.search(response.headers.get("ratelimit", ""))  # the header comes with every answer
    return whole_number(found[1]) if found else 0


def problem_of(error: BaseException, visit: NetworkVisit, repo: str = "", file: str = "") -> AppError:
    """Return the AppError for an exception of a request."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    if isinstance(error, AppError):
        return error
    # This one carries a status; it is an OSError as well, so it comes first.
    if isinstance(error, HfHubHTTPError):
        return _problem_of_status(error, visit.access, repo, file)
    if isinstance(error, HFValidationError):
        return RepositoryMissing(repo)
    # A defect of ours is none of the network's situations.
    if not isinstance(error, (httpx2.HTTPError, httpx2.InvalidURL, *_SENSELESS)):
        raise error
    return HubUnreachable(visit.access.host, why_no_answer(error, visit))


_SENSELESS = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


"""Errors that the library raises for a response of unexpected form."""


def _problem_of_status(error: HfHubHTTPError, access: NetworkAccess, repo: str, file: str) -> AppError:
    """Return the situation behind a status. Missing and private repositories look alike, with status 401 without a
    token.
    """
    from huggingface_hub import errors

    # 401 without a token says only that there may be such a repository, so it is told as missing.
    status = error.response.status_code
    refusal = refusal_of(error.response, access)
    if refusal is not None:
        return refusal
    # With a token that the Hub refuses even public repositories answer so.
    if access.token and status == 401 and not isinstance(error, errors.GatedRepoError):
        return TokenRefused()
    if isinstance(error, errors.EntryNotFoundError):
        return FileNotOnHub(repo, file)
    is_gated = isinstance(error, errors.GatedRepoError)  # a kind of RepositoryNotFoundError
    if not is_gated and isinstance(error, errors.RepositoryNotFoundError | errors.RevisionNotFoundError):
        return RepositoryMissing(repo)
    return AccessGated(repo, bool(access.token)) if status in (401, 403) else HubUnreachable(access.host, "garbage")


def why_no_answer(error: BaseException, visit: NetworkVisit) -> str:
    """Return the reason of HubUnreachable behind an exception of a request."""
    import httpx2

    # The library has the status of a proxy that opens no tunnel in words only.
    if isinstance(error, httpx2.ProxyError) and str(error).startswith(str(PROXY_ASKS_STATUS)):
        return _why_proxy_asks(visit.access)

    reasons: list[tuple[type[Exception], str]] = [
        (httpx2.TimeoutException, "timeout"),
        (httpx2.ProxyError, "proxy"),
        (httpx2.RemoteProtocolError, "server"),
    ]
    for kind, reason in reasons:
        if isinstance(error, kind):
            return reason
    # Only the system's error says whether a name was unknown, a port closed or a certificate wrong.
    if isinstance(error, httpx2.NetworkError):
        return _why_no_connection(error, bool(proxy_for(visit.access.endpoint, visit.access)))
    return "captive_portal" if visit.is_html else "garbage"


def _failure_reasons() -> tuple[tuple[type[OSError], str], ...]:
    import ssl  # as in `proxy_for`

    return (
        (ssl.SSLCertVerificationError, "certificate"),
        (ssl.SSLError, "tls"),
        (socket.gaierror, "offline"),
        (ConnectionRefusedError, "refused"),
        (ConnectionResetError, "server"),
    )


WRONG_CERTIFICATES = {9: "certificate_date", 10: "certificate_date", 62: "certificate_name", 64: "certificate_name"}
"""OpenSSL's numbers for what no authority mends: not yet valid, expired, another name, another address."""
_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)


# The library wraps errors several times; the innermost is the system's.
def _why_no_connection(error: BaseException, has_proxy: bool) -> str:
    """Return what the system said, which is behind the error."""
    step: BaseException | None = error
    while step is not None:
        reason = next((reason for kind, reason in _failure_reasons() if isinstance(step, kind)), "")
        if isinstance(step, OSError) and step.errno in _NO_WAY:
            reason = "offline"
        if reason == "certificate" and getattr(step, "verify_code", 0) in WRONG_CERTIFICATES:
            reason = "tls"
        if reason:
            # A proxy is who was called, but a certificate is still the server's own.
            return "proxy" if has_proxy and reason not in ("tls", "certificate") else reason
        step = step.__cause__ or step.__context__
    return "server" if "Read" in type(error).__name__ else "offline"
