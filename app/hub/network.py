"""The one door to the network: the switch, the ledger, proxy and mirror, the token's border, deadlines, sentences.

`huggingface_hub` and everything else in here use one HTTP client, whose transport refuses whatever does not come
through `Network.call` or `Network.visit`.
"""

from __future__ import annotations

import contextlib
import contextvars
import errno
import logging
import math
import re
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from app.core.errors import (
    AccessGated,
    AppError,
    FileNotOnHub,
    HubBusy,
    HubUnreachable,
    NetworkOff,
    RepositoryMissing,
    TokenRefused,
)
from app.core.events import CancelToken
from app.hub.ledger import Ledger

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

T = TypeVar("T")

HUB = "https://huggingface.co"
DEADLINE_S = 15.0
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 15.0
LOOK_EVERY_S = 0.05
CAPTIVE_PORTAL_STATUS = 511  # RFC 6585
_NOTHING_LEFT = re.compile(r";\s*r\s*=\s*0\s*;\s*t\s*=\s*(\d+)")


@dataclass(frozen=True)
class Access:
    """How the network may be used now. `proxy` "" follows the system; `token` goes to `endpoint` only."""

    allowed: bool = True
    endpoint: str = HUB
    proxy: str = ""
    token: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """The Hub's name, for sentences."""
        return urlsplit(self.endpoint).netloc


@dataclass
class Visit:
    """One use of the network. `patient`: failures are the caller's to retry, so they are passed on as they are."""

    access: Access
    why: str
    ledger: Ledger
    patient: bool = False
    deadline_s: float = float("inf")
    """In `time.monotonic()`."""
    is_html: bool = False
    """Whether the last answer was a page for people."""


_visit: contextvars.ContextVar[Visit | None] = contextvars.ContextVar("visit", default=None)


def current_visit() -> Visit | None:
    """The visit that this thread, or task, is on."""
    return _visit.get()


class Network:
    """`access` is asked anew for each visit, on the visit's own thread: reading the token may take a moment."""

    def __init__(self, access: Callable[[], Access], ledger: Ledger) -> None:
        self.access = access
        self.ledger = ledger

    def call(
        self,
        why: str,
        work: Callable[[HfApi], T],
        *,
        repo: str = "",
        file: str = "",
        deadline_s: float = DEADLINE_S,
        cancel: CancelToken | None = None,
    ) -> T:
        """What `work` returns; it runs on a thread whose answer is dropped after `deadline_s` or a cancel.

        Raises an AppError: NetworkOff, HubUnreachable, HubBusy, RepositoryMissing, FileNotOnHub, AccessGated or
        TokenRefused. A cancelled call raises HubUnreachable too; nobody listens then.
        """
        result: list[T] = []
        failure: list[BaseException] = []
        access: list[Access] = []

        def run() -> None:
            try:
                access.append(self.access())
                with self._entered(Visit(access[0], why, self.ledger, deadline_s=until_s)) as visit:
                    try:
                        result.append(work(_api(visit.access)))
                    except Exception as error:  # noqa: BLE001 (each is told as a situation)
                        failure.append(problem_of(error, visit, repo, file))
            except BaseException as error:  # noqa: BLE001 (handed over)
                failure.append(error)

        until_s = time.monotonic() + deadline_s
        thread = threading.Thread(target=run, name=f"network: {why}", daemon=True)
        thread.start()
        while thread.is_alive() and time.monotonic() < until_s and not (cancel and cancel.cancelled):
            thread.join(LOOK_EVERY_S)
        if failure:
            raise failure[0]
        if not result:
            raise HubUnreachable(access[0].host if access else urlsplit(HUB).netloc, "timeout")
        return result[0]

    @contextmanager
    def visit(self, why: str) -> Iterator[Visit]:
        """For long transfers on the caller's own thread, whose failures come as they are."""
        with self._entered(Visit(self.access(), why, self.ledger, patient=True)) as visit:
            yield visit

    @contextmanager
    def _entered(self, visit: Visit) -> Iterator[Visit]:
        _use_our_client()
        if not visit.access.allowed:
            raise NetworkOff
        before = _visit.set(visit)
        try:
            yield visit
        finally:
            _visit.reset(before)


def prepare() -> None:
    """Imports what the first call needs, half a second's work, while a person still reads. Opens no connection."""
    from huggingface_hub import HfApi  # noqa: F401

    _use_our_client()


def http() -> httpx2.Client:
    """The one client, for requests that the library has no function for; works inside a visit only."""
    from huggingface_hub import get_session

    _use_our_client()
    return get_session()


def _api(access: Access) -> HfApi:
    from huggingface_hub import HfApi

    return HfApi(endpoint=access.endpoint, token=access.token or False)


_installing = threading.Lock()
_installed = False


def _use_our_client() -> None:
    """The library's client becomes one whose every request passes the door."""
    global _installed  # noqa: PLW0603 - so is the library's client
    with _installing:
        if _installed:
            return
        import httpx2
        from huggingface_hub import set_client_factory

        from app.hub.door import Door

        logging.getLogger("httpx2").setLevel(logging.WARNING)  # it writes every address, with what is searched for
        set_client_factory(
            lambda: httpx2.Client(
                transport=Door(),
                trust_env=False,  # else the environment's proxies would go past the door
                follow_redirects=True,
                timeout=httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            )
        )
        _installed = True


def refusal_of(response: httpx2.Response, access: Access) -> AppError | None:
    """Statuses that the library would retry past any deadline."""
    status = response.status_code
    if status == 429:
        return HubBusy(access.host, wait_of(response))
    if status == CAPTIVE_PORTAL_STATUS:
        return HubUnreachable(access.host, "captive_portal")
    return HubUnreachable(access.host, "server") if status >= 500 else None


def proxy_for(url: str, access: Access) -> str:
    """The proxy a request takes, "" for none; the system's is what Python finds in environment and registry."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if access.proxy:
        return "" if host in ("localhost", "127.0.0.1", "::1") else access.proxy
    if urllib.request.proxy_bypass(host):
        return ""
    known = urllib.request.getproxies()
    proxy = known.get(parts.scheme) or known.get("all") or ""
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def wait_of(response: httpx2.Response) -> int:
    """How many seconds an answer asks to wait: `Retry-After`, or the draft header `RateLimit` where nothing is left."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return int(text)
    with contextlib.suppress(ValueError):
        return max(0, math.ceil(parsedate_to_datetime(text).timestamp() - time.time()))
    found = _NOTHING_LEFT.search(response.headers.get("ratelimit", ""))  # the header comes with every answer
    return int(found[1]) if found else 0


def problem_of(error: BaseException, visit: Visit, repo: str = "", file: str = "") -> AppError:
    """The situation behind whatever a request raised."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    if isinstance(error, AppError):
        return error
    if isinstance(error, HfHubHTTPError):
        return _answered(error, visit.access, repo, file)
    if isinstance(error, HFValidationError):
        return RepositoryMissing(repo)
    if not isinstance(error, (httpx2.HTTPError, httpx2.InvalidURL, *_SENSELESS)):
        raise error
    return HubUnreachable(visit.access.host, _why_no_answer(error, visit))


_SENSELESS = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What the library raises over an answer of another form."""


def _answered(error: HfHubHTTPError, access: Access, repo: str, file: str) -> AppError:
    """The situation behind a status. Missing and private repositories look alike, with status 401 without a token."""
    from huggingface_hub import errors

    status = error.response.status_code
    refusal = refusal_of(error.response, access)
    if refusal is not None:
        return refusal
    if access.token and status == 401 and not isinstance(error, errors.GatedRepoError):
        return TokenRefused()
    if isinstance(error, errors.EntryNotFoundError):
        return FileNotOnHub(repo, file)
    is_gated = isinstance(error, errors.GatedRepoError)  # a kind of RepositoryNotFoundError
    if not is_gated and isinstance(error, errors.RepositoryNotFoundError | errors.RevisionNotFoundError):
        return RepositoryMissing(repo)
    return AccessGated(repo, bool(access.token)) if status in (401, 403) else HubUnreachable(access.host, "garbage")


def _why_no_answer(error: BaseException, visit: Visit) -> str:
    """A reason of HubUnreachable."""
    import httpx2

    reasons: list[tuple[type[Exception], str]] = [
        (httpx2.TimeoutException, "timeout"),
        (httpx2.ProxyError, "proxy"),
        (httpx2.RemoteProtocolError, "server"),
    ]
    for kind, reason in reasons:
        if isinstance(error, kind):
            return reason
    if isinstance(error, httpx2.NetworkError):
        return _why_no_connection(error, bool(proxy_for(visit.access.endpoint, visit.access)))
    return "captive_portal" if visit.is_html else "garbage"


_REASONS: tuple[tuple[type[OSError], str], ...] = (
    (ssl.SSLError, "tls"),
    (socket.gaierror, "offline"),
    (ConnectionRefusedError, "refused"),
    (ConnectionResetError, "server"),
)
_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)


def _why_no_connection(error: BaseException, has_proxy: bool) -> str:
    """What the system said, which is behind the error."""
    step: BaseException | None = error
    while step is not None:
        reason = next((reason for kind, reason in _REASONS if isinstance(step, kind)), "")
        if isinstance(step, OSError) and step.errno in _NO_WAY:
            reason = "offline"
        if reason:
            return "proxy" if has_proxy and reason != "tls" else reason  # a proxy is who was called
        step = step.__cause__ or step.__context__
    return "server" if "Read" in type(error).__name__ else "offline"
