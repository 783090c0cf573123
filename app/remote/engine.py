"""An engine whose model runs on a server: the same asks and events as `app.engine.client`, over HTTP.

What a server lacks is left out or stood in for: tokens are estimated where it does not count them, an answer in JSON
is asked for by `response_format` and mended, and nothing is kept of a session but what the server itself keeps.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import EngineStopped
from app.core.errors.hub_errors import NetworkOff
from app.core.errors.model_errors import NoModel
from app.core.errors.request_errors import PromptTooLong
from app.core.errors.server_errors import NotOffered, ServerBusy, ServerLacksModel, ServerRefused, ServerUnreachable
from app.core.events import (
    CANCELLED,
    CancelToken,
    Finished,
    FinishReason,
    LoadProgress,
    Media,
    Message,
    ModelElsewhere,
    ModelLoaded,
    TextDelta,
    Waiting,
    WaitingAnew,
)
from app.core.paths import AppPaths
from app.core.settings import Settings, load_settings
from app.engine.answer_decoder import ForcedEnd
from app.engine.contract import AnswerEvent, EmbeddingVectors, TokenLabels, WakingEvent
from app.engine.protocol import OPEN, Ask, CallSyntax, DevicesDescribed, Inspected, MediaCount, Wish
from app.hub.access import NetworkAccess, access_to
from app.hub.connection_ledger import ConnectionLedger
from app.hub.hub_token import HubToken
from app.hub.model_server import ModelServer, RequestCut
from app.remote import server_facts
from app.remote.counting import TokenEstimator
from app.remote.request_pictures import count_of
from app.remote.requests import COMPLETIONS, StreamReader, body_of, echo_of, json_in, named_in, path_of
from app.remote.servers import SEES, USUAL_WEIGHTS, RemoteCallers, RemoteModel, RemoteServer, RemoteServers

ANSWER = "answer"
"""Why a connection is made, as the ledger tells it."""
LOOK_EVERY_S = 0.02
"""Interval for noticing Stop, and least time between text events: a server may write 100,000 tokens a second."""
UNKNOWN_CONTEXT = 8192  # for a server that doesn't say, and whose user doesn't either
TRIES, BUSY_TRIES = 3, 8
"""Attempts for a job's prompt before its server counts as failed; more if it is only busy."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
MOST_WAIT_S = 10
"""Longest wait, in seconds, that an interactive request accepts from a busy server; beyond it the user is asked to try
again.
"""
FIRST_AT_ONCE, MOST_LEARNT = 4, 32
"""Requests of a job: to begin with, and at most where no person says more."""
PAYS_OFF = 1.1
"""So many times the tokens a second must come when twice as many are asked for. A server that batches doubles them; of
one that does not, others wait behind what it was asked too early."""
MOST_CHARACTERS_A_TOKEN = 64
"""Limit of text per context token: an answer beyond it is taken for endless."""

T = TypeVar("T")


class RemoteEngine:
    """Engine for models on servers; thread-safe. `connect` makes a server's client; nothing is sent before a request.

    There is no child process, nothing sleeps, and no sessions are kept.
    """

    pid: int | None = None
    asleep_path: Path | None = None
    is_outdated = False

    def __init__(self, servers: RemoteServers, connect: Callable[[RemoteServer], ModelServer]) -> None:
        self._servers, self._connect = servers, connect
        self._lock = threading.Lock()
        self._used: _UsedModel | None = None
        self._requests: set[_RemoteRequest] = set()
        self._is_closed = False
        self.is_away = False
        """True if the server was not reached, or broke off, when it was asked last."""
        self.on_waking: Callable[[WakingEvent], object] = lambda event: None

    @property
    def loaded(self) -> ModelElsewhere | None:
        """The server's model in use; None before the first load."""
        used = self._used
        return used.loaded if used is not None else None

    def load(
        self,
        path: Path,
        wish: Wish = OPEN,  # noqa: ARG002 - how a server runs its models is its own business
        *,
        cancel: CancelToken | None = None,
    ) -> Iterator[LoadProgress | ModelLoaded]:
        """Ask the server for the model's facts, which hold until the next load.

        Raises ModelMissing, ModelUnreadable, ServerLacksModel, NetworkOff and the errors of requests.
        """
        yield LoadProgress(0.0)
        used = self._open_model(self._servers.read_model(path), cancel)
        if used is None:
            return
        with self._lock:
            before, self._used, self.is_away = self._used, used, False
        # Only now: until here, asks of other threads use the model before.
        if before is not None:
            before.server.close()
        yield used.loaded

    def _open_model(self, model: RemoteModel, cancel: CancelToken | None) -> _UsedModel | None:
        server = self._connect(model.server)

        def open_model(cut: RequestCut) -> _UsedModel:
            found = server_facts.find_out(server, cut, only=model.name)
            listed = found.find_model(model.name)
            if listed is None:
                raise ServerLacksModel(server.host, model.name)
            counts = server_facts.counts_tokens(server, found.kind, model.name, cut)
            # Text is sent to be counted only where it doesn't leave this computer.
            loaded = _loaded_model(model, listed, counts_exactly=counts and model.server.is_this_computer)
            # Shared with the other engines at this server, as interactive answers go first there.
            callers = self._servers.callers(model.server)
            callers.begin()
            used = _UsedModel(replace(model, server=replace(model.server, kind=found.kind)), loaded, server, callers)
            # By a sample of our own, so that nothing of the user's is sent.
            if counts and not loaded.counts_exactly:
                used.counting.calibrate(cut)
            return used

        used = self._run_aside(open_model, server, cancel)
        if used is None:
            server.close()
        return used

    @property
    def awaited(self) -> Path | None:
        """Path of the server's model in use; nothing is loaded for it."""
        loaded = self.loaded
        return Path(loaded.path) if loaded is not None else None

    def generate(
        self, messages: Sequence[Message], *, cancel: CancelToken | None = None, **options: Any
    ) -> Iterator[AnswerEvent]:
        """Like `EngineClient.generate`, with the server's model in use."""
        return self.answer(Ask(messages, **options), cancel)

    def answer(self, ask: Ask, cancel: CancelToken | None = None) -> Iterator[AnswerEvent]:
        """Like `EngineClient.answer`. Raises NotOffered, NetworkOff, PromptTooLong and the errors of requests."""
        for _, event in self._answer_batch([ask], cancel, background=ask.background):
            if isinstance(event, AppError):
                raise event
            yield event

    def generate_many(
        self, asks: Sequence[Ask], *, cancel: CancelToken | None = None, background: bool = True
    ) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        """Like `EngineClient.generate_many`, with as many requests at once as the server's settings allow.

        A server error is raised after some retries; a request that the server refuses ends with its error.
        """
        return self._answer_batch(asks, cancel, background=background)

    def _answer_batch(
        self, asks: Sequence[Ask], cancel: CancelToken | None, *, background: bool
    ) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        used = self._in_use()
        for ask in asks:
            used.refuse_what_is_not_offered(ask)
        batch = _RemoteBatch(self, used, asks, background=background)
        try:
            for event in batch.events(cancel):
                self.is_away = False
                yield event
        except ServerUnreachable:
            self.is_away = True
            raise
        finally:
            # Also when the caller stops reading events.
            batch.give_up()

    def call_syntax(self) -> CallSyntax | None:
        """Return None: servers apply their own function-call syntax, which isn't known here."""
        return None

    def count_tokens(
        self,
        messages: Sequence[Message],
        template_variables: Mapping[str, object] | None = None,  # noqa: ARG002 - a server's template is its own
    ) -> int:
        """Tokens of a conversation's prompt, estimated where the server does not count."""
        used = self._in_use()
        return self._run_aside(lambda cut: used.counting.count_messages(messages, cut), used.server, None) or 0

    def count_texts(self, texts: Sequence[str], *, cancel: CancelToken | None = None) -> tuple[int, ...]:
        """Tokens of each text, estimated where the server does not count."""
        used = self._in_use()
        return self._run_aside(lambda cut: used.counting.count_texts(texts, cut), used.server, cancel) or (0,) * len(
            texts
        )

    def count_media(
        self,
        media: Sequence[Media],
        *,
        cancel: CancelToken | None = None,  # noqa: ARG002 - nobody is asked
    ) -> tuple[MediaCount, ...]:
        """Return what pictures take by estimate. Raises NotOffered where the model does not see."""
        used = self._in_use()
        if not used.loaded.sees:
            raise NotOffered(used.server.host, "pictures")
        return tuple(count_of(medium) if medium.kind == "picture" else MediaCount(0, 0, 0) for medium in media)

    def embed(self, *_args: Any, **_options: Any) -> EmbeddingVectors:
        """Models that answer are asked, none that make vectors."""
        raise NotOffered(self._in_use().server.host, "vectors")

    def classify_tokens(self, *_args: Any, **_options: Any) -> TokenLabels:
        """Raise NotOffered: claim checkers run on this computer only."""
        raise NotOffered(self._in_use().server.host, "vectors")

    def inspect(self, *_args: Any, **_options: Any) -> Inspected:
        """Raise NotOffered, as no server exposes layers or attention."""
        raise NotOffered(self._in_use().server.host, "inside")

    def describe_devices(self) -> DevicesDescribed:
        """Return what a server runs on it does not say."""
        return DevicesDescribed(0, "", (), (), 0)

    def forget_session(self, session: str) -> None:
        """Do nothing: no session is kept here, and the server's are its own."""

    def sleep(self) -> None:
        """Do nothing: a server's model takes no memory here."""

    def unload(self) -> None:
        """Close the connection to the server; running answers continue."""
        with self._lock:
            used, self._used = self._used, None
        if used is not None:
            used.server.close()

    def let_go(self) -> None:
        """End running answers with `EngineStopped` and refuse new requests."""
        with self._lock:
            self._is_closed = True
            requests = list(self._requests)
        for request in requests:
            request.stop()

    def close(self) -> None:
        """Like `let_go`, and wait until every request has ended."""
        self.let_go()
        self.unload()
        # A copy, as requests that end leave the set on their own threads.
        for request in list(self._requests):
            request.thread.join()

    def _in_use(self) -> _UsedModel:
        used = self._used
        if self._is_closed:
            raise EngineStopped(None, "the engine was closed")
        if used is None:
            raise NoModel
        return used

    def _run_aside(self, do: Callable[[RequestCut], T], server: ModelServer, cancel: CancelToken | None) -> T | None:
        """Run `do` in its own thread and return its result; None if `cancel` was set meanwhile."""
        events: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()

        def run(request: _RemoteRequest) -> Iterator[Any]:
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

    def begin_request(
        self, index: int, run: Callable[[_RemoteRequest], Iterator[Any]], events: queue.SimpleQueue[tuple[int, Any]]
    ) -> _RemoteRequest:
        """Start a request. Its events, then None or its error, are queued with its index."""
        request = _RemoteRequest(index, run, events, self._end_request)
        with self._lock:
            # Under the lock, so that `let_go` misses no request that starts at the same time.
            if self._is_closed:
                raise EngineStopped(None, "the engine was closed")
            self._requests.add(request)
        request.thread.start()
        return request

    def _end_request(self, request: _RemoteRequest) -> None:
        with self._lock:
            self._requests.discard(request)


def _loaded_model(model: RemoteModel, listed: server_facts.ListedModel, *, counts_exactly: bool) -> ModelElsewhere:
    server = model.server
    said = listed.context_tokens or model.context_tokens or UNKNOWN_CONTEXT
    return ModelElsewhere(
        path=str(model.path),
        name=model.label,
        size_bytes=0,
        context_tokens=server.context_tokens or said,
        trained_context_tokens=said,
        can_chat=True,
        layers=0,
        gpu_layers=0,
        device="",
        threads=0,
        sequences=server.at_once or FIRST_AT_ONCE,
        most_at_once=server.at_once or MOST_LEARNT,
        choice="other_program" if server.is_this_computer else "elsewhere",
        thinking=listed.thinking,
        sees=(listed.sees or model.sees) == SEES,
        weights=listed.weights or USUAL_WEIGHTS,
        host=server.host,
        stays_here=server.is_this_computer,
        counts_exactly=counts_exactly,
    )


@dataclass
class _UsedModel:
    """The model in use and what was learnt about its server."""

    model: RemoteModel
    loaded: ModelElsewhere
    server: ModelServer
    callers: RemoteCallers
    refused: set[str] = field(default_factory=set)
    """Fields of a request that the server does not take."""

    def __post_init__(self) -> None:
        self.at_once = _AtOnce(self.model.server.at_once)
        self.counting = TokenEstimator(
            self.server, self.model.name, is_exact=self.loaded.counts_exactly, sees=self.loaded.sees
        )

    def refuse_where_switched_off(self) -> None:
        """Raise NetworkOff: the switch ends what is on its way, too."""
        if not self.server.is_allowed:
            raise NetworkOff

    def refuse_what_is_not_offered(self, ask: Ask) -> None:
        """Raise NotOffered for options of a request that servers don't support."""
        if ask.forced or ask.tells_last:
            raise NotOffered(self.server.host, "probabilities")
        if ask.suffix and self.model.server.kind not in (
            "",
            server_facts.FIRESIDE,
            server_facts.OLLAMA,
            server_facts.LM_STUDIO,
        ):
            raise NotOffered(self.server.host, "infill")


class _AtOnce:
    """Number of a job's requests at once: as set by the user, else doubled as long as that raises tokens per second."""

    def __init__(self, wanted: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self._wanted, self._now_s = wanted, now_s
        self.number, self._is_settled, self._rate_before = FIRST_AT_ONCE, False, 0.0
        self.begin()

    def begin(self) -> None:
        """Restart measuring the rate, because no requests ran meanwhile."""
        self.number = self._wanted or self.number
        self._ends, self._tokens, self._since_s = 0, 0, self._now_s()

    def record_end(self, tokens: int) -> None:
        """Record an answer's end, when another took its place at once. `tokens` counts prompt and answer."""
        self._ends += 1
        self._tokens += tokens
        if self._wanted or self._is_settled or self._ends < self.number:
            return
        rate = self._tokens / max(1e-6, self._now_s() - self._since_s)
        if rate < PAYS_OFF * self._rate_before:
            # Back to what it was, as twice as many brought nothing.
            self.settle_on(self.number // 2)
        elif self.number >= MOST_LEARNT:
            self.settle_on(self.number)
        else:
            self._rate_before, self.number = rate, 2 * self.number
            self.begin()

    def settle_on(self, number: int) -> None:
        """Fix the number of requests at once for as long as this model is in use."""
        self.number, self._is_settled = max(1, number), True


class _RemoteRequest:
    """A request in its own thread; its events go into a queue."""

    def __init__(
        self,
        index: int,
        run: Callable[[_RemoteRequest], Iterator[Any]],
        events: queue.SimpleQueue[tuple[int, Any]],
        on_end: Callable[[_RemoteRequest], object],
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


class _RemoteBatch:
    """Several requests at one server, as many at once as it takes. Those of jobs leave room for interactive ones."""

    def __init__(self, engine: RemoteEngine, used: _UsedModel, asks: Sequence[Ask], *, background: bool) -> None:
        self._engine, self._used, self._background = engine, used, background
        self._asks = [_RemoteAnswer(ask) for ask in asks]
        self._waiting = deque(range(len(asks)))
        self._running: dict[int, tuple[int, _RemoteRequest]] = {}
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
                    self._engine.begin_request(number, partial(self._ask_server, answer), self._events),
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

    def _ask_server(self, answer: _RemoteAnswer, request: _RemoteRequest) -> Iterator[AnswerEvent]:
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


def _read_answer(used: _UsedModel, ask: Ask, body: dict[str, Any], cut: RequestCut) -> Iterator[AnswerEvent]:
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
    used: _UsedModel, body: dict[str, Any], reader: StreamReader, *, cut: RequestCut, most_characters: int
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


def build_remote_engine(
    servers: RemoteServers, settings: Callable[[], Settings], ledger: ConnectionLedger
) -> RemoteEngine:
    """Build the engine that runs models of other servers."""
    return RemoteEngine(servers, lambda server: build_model_server(server, servers, settings, ledger))


def open_remote_engine(paths: AppPaths) -> RemoteEngine:
    """Build the engine of other servers with the settings on disk, for the terminal."""
    settings, _ = load_settings(paths.settings)
    return build_remote_engine(
        RemoteServers(paths.servers, HubToken()), lambda: settings, ConnectionLedger(paths.connections)
    )


def build_model_server(
    server: RemoteServer,
    servers: RemoteServers,
    settings: Callable[[], Settings],
    ledger: ConnectionLedger,
    key: str | None = None,
) -> ModelServer:
    """Build the client of a server. A server in the user's own network works without internet access being allowed."""

    def access() -> NetworkAccess:
        network = settings().network
        found = access_to(server.address, settings())
        return replace(found, allowed=network.allowed if server.is_own_network else network.reaches_internet)

    def own_key() -> str:
        return servers.read_key(server.name) if key is None else key

    return ModelServer(server.address, access, ledger, own_key, authorities=server.authorities)
