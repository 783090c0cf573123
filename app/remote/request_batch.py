"""Several requests to one server: how many run, which gives way or is tried again, and the events of an answer."""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

from app.core.errors.app_error import AppError
from app.core.errors.request_errors import PromptTooLong
from app.core.errors.server_errors import ServerBusy, ServerLacksModel, ServerRefused, ServerUnreachable
from app.core.events import (
    CANCELLED,
    CancelToken,
    Finished,
    FinishReason,
    TextDelta,
    Waiting,
    WaitingAnew,
)
from app.core.lazy_dataclasses import dataclass, replace
from app.engine.answer_decoder import ForcedEnd
from app.engine.contract import AnswerEvent
from app.engine.protocol import Ask
from app.hub.model_server import RequestCut
from app.remote.request_threads import LOOK_EVERY_S, RemoteRequest, RequestThreads
from app.remote.requests import COMPLETIONS, StreamReader, body_of, echo_of, json_in, named_in, path_of
from app.remote.used_model import UsedModel

ANSWER = "answer"
"""Why a connection is made, as the ledger tells it."""
TRIES, BUSY_TRIES = 3, 8
"""Attempts for a job's prompt before its server counts as failed; more if it is only busy."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
MOST_WAIT_S = 10
"""Longest wait, in seconds, that an interactive request accepts from a busy server; beyond it the user is asked to try
again.
"""
MOST_CHARACTERS_A_TOKEN = 64
"""Limit of text per context token: an answer beyond it is taken for endless."""


@dataclass
class _RemoteAnswer:
    """An ask on its way: what came of it, and how often it was tried."""

    ask: Ask
    tries: int = 0
    not_before_s: float = 0.0
    has_text: bool = False
    gave_way: bool = False
    """True once the answer was cut for an interactive one. It is written to its end the next time, or it might never
    finish.
    """


class RemoteBatch:
    """Several requests at one server, as many at once as it takes. Those of jobs leave room for interactive ones."""

    def __init__(self, threads: RequestThreads, used: UsedModel, asks: Sequence[Ask], *, background: bool) -> None:
        self._threads, self._used, self._background = threads, used, background
        self._asks = [_RemoteAnswer(ask) for ask in asks]
        self._waiting = deque(range(len(asks)))
        self._running: dict[int, tuple[int, RemoteRequest]] = {}
        """(index, request) by a running number that is never reused."""
        self._numbers = count()
        self._events: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        self._polled_s = 0.0
        self._room: int | None = None
        if background:
            used.at_once.begin()

    def events(self, cancel: CancelToken | None) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        """Yield events until all requests have ended. Raises errors of the server itself."""
        if self._background:
            yield from self._until_ended(cancel)
            return
        with self._used.callers.awaited(len(self._asks)):
            yield from self._until_ended(cancel)

    def _until_ended(self, cancel: CancelToken | None) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        while self._waiting or self._running:
            self._used.refuse_where_switched_off()
            if cancel is not None and cancel.cancelled:
                self.give_up()
                unfinished = [*(index for index, _ in self._running.values()), *self._waiting]
                self._running, self._waiting = {}, deque()
                yield from ((index, Finished(CANCELLED)) for index in sorted(unfinished))
                return
            if self._background:
                yield from self._give_way()
            self._start_some()
            for number, event in self._take_events():
                yield from self._take_event(number, event)

    def give_up(self) -> None:
        """Cut all running requests; what they still send isn't read."""
        for _, request in self._running.values():
            request.stop()

    def _give_way(self) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        """Cut requests beyond the room left while an interactive answer is awaited; they are repeated later."""
        before, self._room = self._room, self._used.callers.places
        if self._room is None:
            if before is not None:
                self._used.at_once.begin()
            return
        reason = "room" if self._room else "interactive"
        for number in self._too_many(self._room):
            index, request = self._running.pop(number)
            answer = self._asks[index]
            answer.gave_way = answer.gave_way or self._used.callers.is_writing(request.cut)
            request.stop()
            # Giving way is not a failed attempt.
            answer.tries -= 1
            self._waiting.appendleft(index)
            yield index, WaitingAnew(reason) if answer.has_text else Waiting(reason)
            answer.has_text = False
        if before is None and self._waiting and not self._running:
            yield self._waiting[0], Waiting(reason)

    def _too_many(self, room: int) -> list[int]:
        """Return the requests to cut: first those queued at the server, newest first, then a running one if the server
        writes one at a time.
        """
        waiting, writing = list[int](), list[int]()
        for number, (index, request) in reversed(self._running.items()):
            if not self._used.callers.is_writing(request.cut):
                waiting.append(number)
            elif self._used.callers.writes_one and not self._asks[index].gave_way:
                writing.append(number)
        return [*waiting, *writing][: max(0, len(self._running) - room)]

    def _start_some(self) -> None:
        now_s = time.monotonic()
        most = self._used.at_once.number if self._room is None else min(self._room, self._used.at_once.number)
        for index in list(self._waiting):
            if self._background and len(self._running) >= most:
                return
            if self._asks[index].not_before_s <= now_s:
                self._waiting.remove(index)
                answer = self._asks[index]
                answer.tries += 1
                number = next(self._numbers)
                self._running[number] = (
                    index,
                    self._threads.begin_request(number, partial(self._ask_server, answer), self._events),
                )

    def _take_events(self) -> list[tuple[int, Any]]:
        """Return what has come since the last look, text that follows text of the same answer as one."""
        time.sleep(max(0.0, self._polled_s + LOOK_EVERY_S - time.monotonic()))
        found: list[tuple[int, Any]] = []
        with suppress(queue.Empty):
            found.append(self._events.get(timeout=LOOK_EVERY_S))
            places = {found[0][0]: 0}
            # What is there now and no more: a fast server would keep this going forever.
            for _ in range(self._events.qsize()):
                number, event = self._events.get_nowait()
                place = places.get(number, -1)
                joined = _join_deltas(found[place][1], event) if place >= 0 else None
                if joined is None:
                    places[number] = len(found)
                    found.append((number, event))
                else:
                    found[place] = (number, joined)
        self._polled_s = time.monotonic()
        return found

    def _take_event(self, number: int, event: Any) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        if number not in self._running:  # it gave way, and its ask goes on with another one
            return
        index, _ = self._running[number]
        answer = self._asks[index]
        if event is None:
            del self._running[number]
        elif isinstance(event, BaseException):
            del self._running[number]
            yield from self._handle_failure(index, event)
        else:
            answer.has_text = answer.has_text or isinstance(event, TextDelta)
            # Only while all places are taken: otherwise the rate says nothing about their number.
            if isinstance(event, Finished) and self._background and self._waiting and self._room is None:
                self._used.at_once.record_end(event.stats.prompt_tokens + event.stats.generated_tokens)
            yield index, event

    def _handle_failure(self, index: int, error: BaseException) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        """Yield an ask that may come through later waits; what is its own fault ends it; all else is raised."""
        answer = self._asks[index]
        if isinstance(error, PromptTooLong | ServerRefused):
            yield index, error
            return
        pause_s = self._pause_before_next(answer, error)
        if pause_s is None:
            raise error
        answer.not_before_s = time.monotonic() + pause_s
        self._waiting.appendleft(index)
        # What it refused is one more than are running.
        if isinstance(error, ServerBusy):
            self._used.at_once.settle_on(len(self._running))
        yield index, Waiting("room")

    def _pause_before_next(self, answer: _RemoteAnswer, error: BaseException) -> float | None:
        """Return the seconds before the next attempt; None to give up."""
        # Text that is shown can't be taken back.
        if answer.has_text and not self._background:
            return None
        again_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (answer.tries - 1))
        if isinstance(error, ServerBusy):
            wait_s = min(LONGEST_PAUSE_S, float(error.wait_s or again_s))
            may_wait = answer.tries < BUSY_TRIES if self._background else answer.tries < TRIES and wait_s <= MOST_WAIT_S
            return wait_s if may_wait and not answer.has_text else None
        is_passing = isinstance(error, ServerUnreachable) and error.reason in ("server", "broken", "refused")
        return again_s if is_passing and self._background and answer.tries < TRIES and not answer.has_text else None

    def _ask_server(self, answer: _RemoteAnswer, request: RemoteRequest) -> Iterator[AnswerEvent]:
        """Yield the events of one answer, on the request's thread; asked again without what the server does not
        take.
        """
        used, has_begun = self._used, False
        while True:
            body, doubtful = body_of(answer.ask, used.model, used.loaded, used.refused)
            try:
                for event in _read_answer(used, answer.ask, body, request.cut):
                    has_begun = True
                    yield event
                return
            except (ServerUnreachable, ServerLacksModel) as error:
                is_missing = isinstance(error, ServerLacksModel) or error.reason == "not_a_server"
                # Servers that only chat have no completions: the text is sent as a message instead.
                if has_begun or path_of(body) != COMPLETIONS or not is_missing or answer.ask.suffix:
                    raise
                used.refused.add(COMPLETIONS)
            except ServerRefused as error:
                named = named_in(error.detail, body) or next(iter(doubtful), "")  # else one after another is left out
                if path_of(body) == COMPLETIONS and not answer.ask.suffix and "chat" in error.detail:
                    named = COMPLETIONS
                if has_begun or not named or named in used.refused:
                    raise
                used.refused.add(named)


def _join_deltas(before: Any, event: Any) -> TextDelta | None:
    """Join two text events; None if they are of different kinds."""
    if not isinstance(before, TextDelta) or not isinstance(event, TextDelta) or before.thinking != event.thinking:
        return None
    return TextDelta(before.text + event.text, event.thinking, event.used_tokens)


def _read_answer(used: UsedModel, ask: Ask, body: dict[str, Any], cut: RequestCut) -> Iterator[AnswerEvent]:
    """Yield the events of one answer. JSON is yielded when complete, without the words a model puts around it."""
    expected = used.counting.estimate_of(ask)
    reader = StreamReader(
        splits_thinking=bool(ask.messages) and not ask.continue_last,
        always_thinks=used.loaded.thinking == "always",
        echo=echo_of(ask, used.model.server.kind),
    )
    end = ForcedEnd(ask)
    most, held = MOST_CHARACTERS_A_TOKEN * max(used.loaded.context_tokens, 1024), ""
    holds = bool(ask.json_schema) and not ask.grammar
    for delta in _read_deltas(used, body, reader, cut=cut, most_characters=most):
        text = end.feed(delta.text, thinking=delta.thinking)
        if holds and not delta.thinking:
            held += text
        elif text:
            yield replace(delta, text=text, used_tokens=expected + reader.pieces)
        if end.reason is not None:
            reader.reason = end.reason
            break
    if rest := end.release_rest():
        yield TextDelta(rest)
    if held:
        yield TextDelta(json_in(held))
    stats = reader.answer_stats(expected)
    used.counting.learn_ratio(ask, reader.prompt_tokens)
    # Where no limit was asked for, "length" means that the context is full.
    is_full = reader.characters > most or (stats.finish_reason is FinishReason.LENGTH and ask.max_tokens < 0)
    yield Finished(replace(stats, finish_reason=FinishReason.CONTEXT) if is_full else stats)


def _read_deltas(
    used: UsedModel, body: dict[str, Any], reader: StreamReader, *, cut: RequestCut, most_characters: int
) -> Iterator[TextDelta]:
    """Yield the text of an answer. Raises ServerUnreachable where it does not come to its end."""
    try:
        for piece in used.server.stream(path_of(body), body, why=ANSWER, cut=cut):
            for delta in reader.read(piece):
                used.callers.record_words(cut)
                yield delta
            if reader.characters > most_characters:
                return
    except ServerUnreachable as error:
        # Once text has come, this is a broken answer and not a missing server.
        if reader.characters and error.reason in ("server", "garbage"):
            raise ServerUnreachable(error.host, "broken") from error
        raise
    finally:
        used.callers.record_end(cut)
    # For HTTP this is a proper end, but the stream's own mark didn't come: it is half an answer.
    if not reader.is_over:
        raise ServerUnreachable(used.server.host, "broken")
    yield from reader.close()
