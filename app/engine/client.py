"""The parent's side of the engine: starts, watches and restarts the child, and turns its replies into events."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.core.errors import (
    AppError,
    EngineCrashesRepeatedly,
    EngineStopped,
    ModelDamaged,
    ModelLoadFailed,
    ProtocolViolation,
)
from app.core.events import (
    AnswerStats,
    CancelToken,
    Finished,
    FinishReason,
    LoadProgress,
    Message,
    ModelLoaded,
    PromptProgress,
    TextDelta,
    Waiting,
)
from app.engine import protocol
from app.engine.process import EngineProcess, first_replies, model_loaded
from app.engine.protocol import Sampling
from app.engine.states import StateFolder

CLOSE_TIMEOUT_S = 5.0
SILENT_TIMEOUT_S = 12.0  # without a sign of life and without another byte of the last session's state on the disk
CRASHES_IN_A_ROW = 3
ENVIRONMENT = {
    "GGML_NO_BACKTRACE": "1",  # an abort would start a debugger
    # OpenMP's default spin collapses when another program wants a core. Of 200 to 10,000, 500 costs least on a quiet
    # machine and beside one or two busy programs taken together (tokens/s of reading 49 tokens, writing, two cores).
    "GOMP_SPINCOUNT": "500",
}
CANCELLED = AnswerStats(0, 0, 0, 0.0, 0.0, FinishReason.CANCELLED)
AnswerEvent = Waiting | PromptProgress | TextDelta | Finished


@dataclass(frozen=True)
class Ask:
    """One answer that is wanted; see `protocol.Generate` for what the options mean."""

    messages: Sequence[Message]
    max_tokens: int = -1
    sampling: Sampling = field(default_factory=Sampling)
    task_sampling: Sampling = field(default_factory=Sampling)
    stop: Sequence[str] = ()
    continue_last: bool = False
    template_variables: Mapping[str, object] = field(default_factory=dict)
    session: str = ""
    background: bool = False
    thinking_budget: int = -1
    grammar: str = ""
    json_schema: str = ""

    def request(self, id_: int) -> protocol.Generate:
        """As it goes over the wire."""
        fields = vars(self) | {"messages": _pairs(self.messages), "stop": tuple(self.stop)}
        return protocol.Generate(id_, **fields | {"template_variables": dict(self.template_variables)})


class EngineClient:
    """The engine as the rest of the program knows it. Any thread may call; nothing is started before it is needed."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        states: StateFolder | None = None,
    ) -> None:
        self._command = list(command)
        self._folder = folder
        self._states = states
        self._environment = ENVIRONMENT | dict(environment or {})
        self._lock = threading.RLock()
        self._process: EngineProcess | None = None
        self._last_load: protocol.LoadModel | None = None
        self._next_id = 1
        self._crashes = 0
        self._crash_detail = ""
        self._closed = False

    @property
    def loaded(self) -> ModelLoaded | None:
        """The model in the child now."""
        process = self._process
        return process.loaded if process is not None and process.ended is None else None

    @property
    def pid(self) -> int | None:
        """The running child's process id."""
        process = self._process
        return process.child.pid if process is not None and process.ended is None else None

    def load(
        self,
        path: Path,
        *,
        context_tokens: int = 0,
        gpu_layers: int = -1,
        threads: int = 0,
        kv_type: str = "",
        devices: Sequence[str] = (),
        tensor_split: Sequence[float] = (),
        experts_on_cpu: bool = False,
        cancel: CancelToken | None = None,
    ) -> Iterator[LoadProgress | ModelLoaded]:
        """Loads a model, replacing the one in the child; a cancelled load ends without `ModelLoaded`.

        A child that ends before it comes to this, by what it was at work on, does not keep the model from being loaded.
        """
        states = self._states
        request = protocol.LoadModel(
            0,
            str(Path(path).absolute()),
            context_tokens,
            gpu_layers,
            threads,
            kv_type,
            tuple(devices),
            tuple(tensor_split),
            experts_on_cpu,
            str(states.folder) if states else "",
            states.budget_bytes() if states else 0,
        )
        with self._lock:
            self._crashes = 0
        if not (yield from self._load(request, cancel, is_last=False)):
            yield from self._load(request, cancel, is_last=True)

    def _load(
        self, request: protocol.LoadModel, cancel: CancelToken | None, *, is_last: bool
    ) -> Generator[LoadProgress | ModelLoaded, None, bool]:
        """False where the child ended before it came to this; with `is_last` that is raised."""
        with self._lock:
            before = self._last_load
            process = self._running_process()
            self._last_load = request = replace(request, id=self._new_id())
            call = process.open_call(request.id)
        loaded = False
        try:
            process.send(request)
            for reply in call.replies(cancel):
                loaded = isinstance(reply, protocol.Loaded)
                if (event := _load_event(reply)) is not None:
                    yield event
            return True
        except AppError:
            if is_last or self._closed or process.ended is None or process.began_loading(request.id):
                raise
            with self._lock:
                if self._last_load is request:
                    self._last_load = before
            return False
        finally:
            call.abandon()
            is_told = process.ended is None or isinstance(process.ended, ModelDamaged | ModelLoadFailed)
            if not loaded and is_told:  # any other crash keeps it: the third in a row will say so
                with self._lock:
                    if self._last_load is request:
                        self._last_load = None if process.began_loading(request.id) else before

    def generate(
        self, messages: Sequence[Message], *, cancel: CancelToken | None = None, **options: Any
    ) -> Iterator[AnswerEvent]:
        """Answers a conversation; ends with `Finished` or an AppError. `options` are the fields of `Ask`."""
        for reply in self._replies(Ask(messages, **options).request, cancel):
            if (event := _answer_event(reply)) is not None:
                yield event

    def generate_many(
        self, asks: Sequence[Ask], *, cancel: CancelToken | None = None
    ) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        """Answers several in the background, as many at once as pays off; yields (index of the ask, event).

        What the asks begin with in common is read once. An ask that fails by itself ends with its error as the
        event; when the engine itself ends, that is raised. The order of the results is that of their completion.
        """
        process = self._process_with_model(cancel)
        if process is None:
            yield from ((index, Finished(CANCELLED)) for index in range(len(asks)))
            return
        with self._lock:
            requests = [replace(ask, background=True).request(self._new_id()) for ask in asks]
            calls = process.open_calls([request.id for request in requests])
        index_of = {request.id: index for index, request in enumerate(requests)}
        try:
            for request in requests:
                process.send(request)
            for id_, reply in first_replies(process, calls, cancel):
                if isinstance(reply, protocol.Answered):
                    self._crashes = 0
                event = reply if isinstance(reply, AppError) else _answer_event(reply)
                if event is not None:
                    yield index_of[id_], event
        finally:
            for call in calls:
                call.abandon()

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """How many tokens this conversation's prompt takes."""
        for reply in self._replies(lambda id_: protocol.CountTokens(id_, _pairs(messages)), None):
            if isinstance(reply, protocol.TokensCounted):
                return reply.prompt_tokens
        raise ProtocolViolation("CountTokens was not answered with TokensCounted")

    def count_texts(self, texts: Sequence[str], *, cancel: CancelToken | None = None) -> tuple[int, ...]:
        """Tokens of each text by itself; zeros when that was cancelled while the model was loading."""
        for reply in self._replies(lambda id_: protocol.CountTexts(id_, tuple(texts)), cancel):
            if isinstance(reply, protocol.TextsCounted):
                return reply.counts
        if cancel is not None and cancel.cancelled:
            return (0,) * len(texts)
        raise ProtocolViolation("CountTexts was not answered with TextsCounted")

    def forget_session(self, session: str) -> None:
        """Deletes what is kept of a session, on disk and in the child."""
        if self.pid is not None:
            for _ in self._replies(lambda id_: protocol.ForgetSession(id_, session), None, needs_model=False):
                pass
        if self._states is not None:
            self._states.delete(session)

    def describe_devices(self) -> protocol.DevicesDescribed:
        """Which devices and backends really exist, asked from the child."""
        for reply in self._replies(protocol.DescribeDevices, None, needs_model=False):
            if isinstance(reply, protocol.DevicesDescribed):
                return reply
        raise ProtocolViolation("DescribeDevices was not answered with DevicesDescribed")

    def unload(self) -> None:
        """Frees the model; without a child there is nothing to free."""
        with self._lock:
            self._last_load = None
            if self.pid is None:
                return
        for _ in self._replies(protocol.UnloadModel, None, needs_model=False):
            pass

    def let_go(self) -> None:
        """Lets the child leave, which first writes what it keeps of the last session; running calls raise
        `EngineStopped` at once, and nothing is started any more."""
        with self._lock:
            self._closed = True
            process = self._process
        if process is not None:
            process.let_go()

    def close(self) -> None:
        """As `let_go`; the child is gone when this returns, which takes as long as it writes."""
        self.let_go()
        states, process = self._states, self._process
        if process is None:
            return
        if states is None:
            process.child.close(CLOSE_TIMEOUT_S)
        else:
            process.child.close(SILENT_TIMEOUT_S, _any_of(process.child.lives(), states.grows()))

    def _replies(
        self, make: Callable[[int], protocol.Request], cancel: CancelToken | None, *, needs_model: bool = True
    ) -> Iterator[protocol.Reply]:
        process = self._process_with_model(cancel) if needs_model else self._running_process()
        if process is None:
            yield protocol.Answered(0, **vars(CANCELLED))
            return
        with self._lock:
            request = make(self._new_id())
            call = process.open_call(request.id)
        try:
            process.send(request)
            for reply in call.replies(cancel):
                if isinstance(reply, protocol.Answered):
                    self._crashes = 0
                yield reply
        finally:
            call.abandon()

    def _process_with_model(self, cancel: CancelToken | None) -> EngineProcess | None:
        """The child, with the last model loaded again where it was lost; None when that was cancelled."""
        with self._lock:
            process = self._running_process()
            last = self._last_load
            if last is None or process.loaded is not None or process.loading:
                return process
            request = protocol.LoadModel(self._new_id(), *list(vars(last).values())[1:])
            call = process.open_call(request.id)
        try:
            process.send(request)
            for reply in call.replies(cancel):
                if isinstance(reply, protocol.Done):
                    return None
        except (ModelDamaged, ModelLoadFailed):
            with self._lock:
                self._last_load = None
            raise
        finally:
            call.abandon()
        return process

    def _running_process(self) -> EngineProcess:
        with self._lock:
            if self._closed:
                raise EngineStopped(None, "the engine was closed")
            if self._process is None or self._process.ended is not None:
                if self._crashes >= CRASHES_IN_A_ROW:
                    raise EngineCrashesRepeatedly(self._crashes, self._crash_detail)
                self._process = EngineProcess(self._command, self._folder, self._environment, self._on_crash)
            return self._process

    def _on_crash(self, detail: str) -> None:
        with self._lock:
            self._crashes += 1
            self._crash_detail = detail

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1


def _any_of(*questions: Callable[[], bool]) -> Callable[[], bool]:
    """Asks each of them every time."""
    return lambda: any([question() for question in questions])  # noqa: C419 - a generator would stop at the first


def _pairs(messages: Sequence[Message]) -> tuple[tuple[str, str], ...]:
    return tuple((str(message.role), message.text) for message in messages)


def _load_event(reply: protocol.Reply) -> LoadProgress | ModelLoaded | None:
    match reply:
        case protocol.Loading():
            return LoadProgress(reply.fraction, reply.step)
        case protocol.Loaded():
            return model_loaded(reply)
    return None


def _answer_event(reply: protocol.Reply) -> AnswerEvent | None:
    match reply:
        case protocol.Delta():
            return TextDelta(reply.text, reply.thinking, reply.used_tokens)
        case protocol.Waiting(reason=reason):
            return Waiting(reason)
        case protocol.Reading():
            return PromptProgress(reply.done_tokens, reply.total_tokens)
        case protocol.Answered():
            fields = {name: value for name, value in vars(reply).items() if name not in ("id", "finish_reason")}
            return Finished(AnswerStats(**fields, finish_reason=FinishReason(reply.finish_reason)))
    return None
