"""Requests to servers in threads of their own, so that waiting for one can end at any moment."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from app.core.errors.engine_errors import EngineStopped
from app.core.errors.hub_errors import NetworkOff
from app.core.events import CancelToken
from app.hub.model_server import ModelServer, RequestCut

LOOK_EVERY_S = 0.02
"""Interval for noticing Stop, and least time between text events: a server may write 100,000 tokens a second."""

T = TypeVar("T")


class RemoteRequest:
    """A request in its own thread; its events go into a queue."""

    def __init__(
        self,
        index: int,
        run: Callable[[RemoteRequest], Iterator[Any]],
        events: queue.SimpleQueue[tuple[int, Any]],
        on_end: Callable[[RemoteRequest], object],
    ) -> None:
        self.index, self.cut = index, RequestCut()
        self._run, self._events, self._on_end = run, events, on_end
        # A daemon, as a server may hold a connection open when the program ends.
        self.thread = threading.Thread(target=self._run_request, name="remote request", daemon=True)

    def stop(self) -> None:
        """Cut the connection; its events are no longer read."""
        self.cut.cut_request()

    def _run_request(self) -> None:
        last: BaseException | None = None
        try:
            for event in self._run(self):
                self._events.put((self.index, event))
        except BaseException as error:  # noqa: BLE001 - handed over
            last = EngineStopped(None, "the request was cut") if self.cut.is_made else error
        finally:
            self._on_end(self)
            self._events.put((self.index, last))


class RequestThreads:
    """Starts requests and knows which run; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[RemoteRequest] = set()
        self._is_closed = False

    def refuse_when_closed(self) -> None:
        if self._is_closed:
            raise EngineStopped(None, "the engine was closed")

    def begin_request(
        self, index: int, run: Callable[[RemoteRequest], Iterator[Any]], events: queue.SimpleQueue[tuple[int, Any]]
    ) -> RemoteRequest:
        """Start a request. Its events, then None or its error, are queued with its index."""
        request = RemoteRequest(index, run, events, self._on_end)
        with self._lock:
            # Under the lock, so that `let_go` misses no request that starts at the same time.
            self.refuse_when_closed()
            self._running.add(request)
        request.thread.start()
        return request

    def _on_end(self, request: RemoteRequest) -> None:
        with self._lock:
            self._running.discard(request)

    def run_aside(self, do: Callable[[RequestCut], T], server: ModelServer, cancel: CancelToken | None) -> T | None:
        """Run `do` in its own thread and return its result; None if `cancel` was set meanwhile."""
        events: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()

        def run(request: RemoteRequest) -> Iterator[Any]:
            yield do(request.cut)

        request = self.begin_request(0, run, events)
        while not (cancel is not None and cancel.cancelled):
            # The network switch also ends what is on its way.
            if not server.is_allowed:
                request.stop()
                raise NetworkOff
            try:
                _, found = events.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                continue
            if isinstance(found, BaseException):
                raise found
            result: T = found
            return result
        request.stop()
        return None

    def let_go(self) -> None:
        with self._lock:
            self._is_closed = True
            requests = list(self._running)
        for request in requests:
            request.stop()

    def wait_until_ended(self) -> None:
        # A copy, as requests that end leave the set on their own threads.
        for request in list(self._running):
            request.thread.join()
