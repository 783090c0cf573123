"""The one way to the network: every call and transfer is a visit, which the ledger keeps and a deadline ends.

`huggingface_hub` and everything else in here use one HTTP client, whose transport refuses whatever does not come
through `Network.call` or `Network.visit`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from app.core.errors.hub_errors import HubUnreachable, NetworkOff
from app.core.events import CancelToken
from app.hub.access import HUB, NetworkAccess, NetworkVisit, enter_visit, problem_of
from app.hub.connection_ledger import ConnectionLedger

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub import HfApi

T = TypeVar("T")

DEADLINE_S = 15.0
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 15.0
LOOK_EVERY_S = 0.05


class Network:
    """Network access. `access` is called for each visit on the visit's thread: reading the token may take a moment."""

    def __init__(self, access: Callable[[], NetworkAccess], ledger: ConnectionLedger) -> None:
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
        """Return what `work` returns; it runs on a thread whose answer is dropped after `deadline_s` or a cancel.

        Raises an AppError: NetworkOff, HubUnreachable, HubBusy, RepositoryMissing, FileNotOnHub, AccessGated or
        TokenRefused. A cancelled call raises HubUnreachable too; nobody listens then.
        """
        result: list[T] = []
        failure: list[BaseException] = []
        access: list[NetworkAccess] = []

        def run() -> None:
            try:
                access.append(self.access())
                with self._enter_visit(NetworkVisit(access[0], why, self.ledger, deadline_s=until_s)) as visit:
                    try:
                        result.append(work(_make_api(visit.access)))
                    except Exception as error:  # noqa: BLE001 (each is told as a situation)
                        failure.append(problem_of(error, visit, repo, file))
            except BaseException as error:  # noqa: BLE001 (handed over)
                failure.append(error)

        until_s = time.monotonic() + deadline_s
        thread = threading.Thread(target=run, name=f"network: {why}", daemon=True)
        thread.start()
        # On a thread, as nothing here can be interrupted while it waits for the network.
        while thread.is_alive() and time.monotonic() < until_s and not (cancel and cancel.cancelled):
            thread.join(LOOK_EVERY_S)
        if failure:
            raise failure[0]
        if not result:
            # Whoever cancelled doesn't listen any more.
            raise HubUnreachable(access[0].host if access else urlsplit(HUB).netloc, "timeout")
        return result[0]

    @contextmanager
    def visit(self, why: str) -> Iterator[NetworkVisit]:
        """Open a visit for a long transfer on the caller's thread; errors are raised unchanged."""
        with self._enter_visit(NetworkVisit(self.access(), why, self.ledger, patient=True)) as visit:
            yield visit

    @contextmanager
    def _enter_visit(self, visit: NetworkVisit) -> Iterator[NetworkVisit]:
        # Before the switch is asked: without our transport the library would go its own way.
        _use_our_client()
        if not visit.access.allowed:
            raise NetworkOff
        with enter_visit(visit):
            yield visit


def import_client() -> None:
    """Import what the first call needs, which takes half a second, ahead of it. Opens no connection."""
    from huggingface_hub import HfApi  # noqa: F401

    _use_our_client()


def http_client() -> httpx2.Client:
    """Return the one client, for requests that the library has no function for; works inside a visit only."""
    from huggingface_hub import get_session

    _use_our_client()
    return get_session()


def _make_api(access: NetworkAccess) -> HfApi:
    from huggingface_hub import HfApi

    # False: the library would look for a token of its own otherwise.
    return HfApi(endpoint=access.endpoint, token=access.token or False)


_installing = threading.Lock()
_installed = False


def _use_our_client() -> None:
    """Make the Hub's library send every request through our transport."""
    global _installed  # noqa: PLW0603 - so is the library's client
    with _installing:
        if _installed:
            return
        import httpx2
        from huggingface_hub import set_client_factory

        from app.hub.door import HubDoor

        logging.getLogger("httpx2").setLevel(logging.WARNING)  # it writes every address, with what is searched for
        set_client_factory(
            lambda: httpx2.Client(
                transport=HubDoor(),
                trust_env=False,  # else the environment's proxies would go past the door
                follow_redirects=True,
                timeout=httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            )
        )
        _installed = True
