"""An answer on its way to the client: from a blocking generator to one body or to events as they come."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from app.core.errors.app_error import AppError
from app.core.events import CancelToken, Finished, PromptProgress
from app.features.serving.answer_server import AnswerServer
from app.features.serving.generation_request import AnswerEvent
from app.features.serving.request_journal import RequestRecord
from app.server.api_answers import HEARTBEAT, ApiContract
from app.server.error_responses import failure_response, with_field

Found = TypeVar("Found")
HEARTBEAT_S = 10.0
LOOK_EVERY_S = 0.25
"""Interval at which a client's disconnection is noticed."""


class EventFlow:
    """Run a blocking generator in its own thread and hand its events to the event loop, gathered."""

    def __init__(self, work: Callable[[CancelToken], Iterator[tuple[int, AnswerEvent]]]) -> None:
        self._cancel, self._loop = CancelToken(), asyncio.get_running_loop()
        self._waiting: deque[tuple[int, AnswerEvent] | BaseException | None] = deque()
        self._has_come = asyncio.Event()
        self._thread = threading.Thread(target=self._run_work, args=(work,), name="served answer", daemon=True)
        self._thread.start()

    async def wait_for_first(self) -> bool:
        """Wait for the first event, at most until a heartbeat is due; False on timeout.

        Raises the work's error if it failed first.
        """
        await self._wait_for_event(HEARTBEAT_S)
        if not self._waiting:
            return False
        if isinstance(first := self._waiting[0], BaseException):
            raise first
        # Set again for `events`, which waits before it takes: the first event is still in the deque.
        self._has_come.set()
        return True

    async def events(self) -> AsyncIterator[list[tuple[int, AnswerEvent]]]:
        """Yield events in batches, and an empty batch whenever none came for a while.

        Raises the work's error.
        """
        while True:
            # An empty batch gives the streaming response a turn, in which a client that left is noticed.
            await self._wait_for_event(LOOK_EVERY_S)
            # Appended by the thread meanwhile, so only as many as there are now.
            waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
            yield [event for event in waiting if isinstance(event, tuple)]
            for last in waiting[-1:]:
                if isinstance(last, BaseException):
                    raise last
                if last is None:
                    return

    async def _wait_for_event(self, within_s: float) -> None:
        """Wait until there is an event, or for `within_s` seconds."""
        timer = self._loop.call_later(within_s, self._has_come.set)
        await self._has_come.wait()
        timer.cancel()
        self._has_come.clear()

    def stop(self) -> None:
        """Cancel the work; the rest isn't wanted."""
        self._cancel.cancel()

    def _run_work(self, work: Callable[[CancelToken], Iterator[tuple[int, AnswerEvent]]]) -> None:
        try:
            for event in work(self._cancel):
                self._add_event(event)
            self._add_event(None)
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits for events has to hear of it
            self._add_event(error)

    def _add_event(self, event: tuple[int, AnswerEvent] | BaseException | None) -> None:
        self._waiting.append(event)
        try:
            self._loop.call_soon_threadsafe(self._has_come.set)
        except RuntimeError:  # the server has been closed meanwhile
            self._cancel.cancel()


def program_of(request: Request) -> str:
    """Return what a client calls itself, or its address, for the list of requests."""
    agent = request.headers.get("user-agent", "")
    host = request.client.host if request.client is not None else ""
    # The agent's name without its long list of versions; the list of requests has one short line for each.
    return agent.split(" ")[0][:80] or host


class NotedRequest:
    """Notes one request for the person, once, without a word of it."""

    def __init__(self, serving: AnswerServer, request: Request, model: str) -> None:
        self._request_facts = (program_of(request), request.url.path, model)
        self._serving, self._began_s, self._is_closed = serving, time.time(), False
        self._running = serving.journal.begin_request(self._request_facts[0], model)
        self._prompt = self._written = 0

    def count_event(self, event: AnswerEvent) -> None:
        """Add an answer's tokens to the request's totals."""
        if isinstance(event, Finished):
            self._prompt += event.stats.prompt_tokens
            self._written += event.stats.generated_tokens

    def read(self, tokens: int) -> None:
        """Add tokens that were read without writing any."""
        self._prompt += tokens

    def close(self, status: int) -> None:
        """Log the request as answered with `status`; only the first call counts."""
        if self._is_closed:
            return
        self._is_closed = True
        seconds = time.time() - self._began_s
        asked = RequestRecord(self._began_s, *self._request_facts, status, self._prompt, self._written, seconds)
        self._serving.journal.end_request(self._running, asked)


async def whole_response(request: Request, contract: ApiContract, flow: EventFlow, note: NotedRequest) -> Response:
    gone = asyncio.ensure_future(_client_gone(request))
    try:
        async for events in flow.events():
            if gone.done():
                raise ClientDisconnect
            for number, event in events:
                note.count_event(event)
                # Progress arrives here too; `gone` is asked between batches because the answer is sent only at its end.
                contract.answers[number].add_event(event)
    finally:
        gone.cancel()
    note.close(200)
    return JSONResponse(contract.complete_body())


async def wait_unless_gone(request: Request, work: asyncio.Future[Found]) -> Found:
    """Return the result of `work`; cancel it and raise ClientDisconnect if the client leaves first."""
    gone = asyncio.ensure_future(_client_gone(request))
    try:
        # Whichever comes first: `asyncio.wait` leaves both running, so the work's own cancellation stays ours.
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientDisconnect
        return work.result()
    finally:
        gone.cancel()
        work.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may wait for it any more


async def _client_gone(request: Request) -> None:
    # Starlette can only be asked, not told.
    while not await request.is_disconnected():
        await asyncio.sleep(0.5)


async def stream_answer(
    path: str, contract: ApiContract, flow: EventFlow, note: NotedRequest, *, has_begun: bool
) -> AsyncIterator[bytes]:
    status = 499  # the client went away
    try:
        lines, sent_s = [*contract.begin_stream()], time.monotonic()
        if not has_begun:
            # With the first heartbeat leave the begin lines: the client then knows that its request was taken.
            yield b"".join((*lines, HEARTBEAT))
            lines = []
        async for events in flow.events():
            for number, event in events:
                note.count_event(event)
                lines += contract.write_event(number, event)
            if time.monotonic() - sent_s >= HEARTBEAT_S:
                lines.append(HEARTBEAT)
            elif all(isinstance(event, PromptProgress) for _, event in events):
                continue  # what a stream begins with leaves with its first words: each sending wakes the client
            if lines:
                yield b"".join(lines)
                lines, sent_s = [], time.monotonic()
        # The end leaves with the last words: it must not wait for anything.
        yield b"".join((*lines, *contract.end_stream()))
        status = 200
    except (AppError, ValueError) as error:  # the status has been sent: it is told as an event
        named = with_field(error, contract)
        if named is None:
            status, body = failure_response(path, error)
        else:
            status, body = named.status, named.body_for(path)
        yield contract.error_event(body)
    finally:
        flow.stop()
        note.close(status)
