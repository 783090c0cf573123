"""The parent's side of the engine: starts, watches and restarts the child, and turns its replies into events."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from app.core.cancel import CancelToken
from app.core.errors import (
    EngineCrashesRepeatedly,
    EngineStopped,
    ModelLoadFailed,
    ProtocolViolation,
)
from app.core.events import (
    AnswerStats,
    Finished,
    FinishReason,
    LoadProgress,
    ModelLoaded,
    PromptProgress,
    TextDelta,
)
from app.core.messages import Message
from app.engine import protocol
from app.engine.process import EngineProcess, model_loaded
from app.engine.protocol import Sampling

CLOSE_TIMEOUT_S = 2.0
CRASHES_IN_A_ROW = 3
ENVIRONMENT = {
    "GGML_NO_BACKTRACE": "1",  # an abort would start a debugger
    "GOMP_SPINCOUNT": "200",  # OpenMP's default spin collapses when another program wants a core
}
CANCELLED = AnswerStats(0, 0, 0, 0.0, 0.0, FinishReason.CANCELLED)


class EngineClient:
    """The engine as the rest of the program knows it. Any thread may call; nothing is started before it is needed."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self._command = list(command)
        self._folder = folder
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
        cancel: CancelToken | None = None,
    ) -> Iterator[LoadProgress | ModelLoaded]:
        """Loads a model, replacing the one in the child; a cancelled load ends without `ModelLoaded`."""
        with self._lock:
            self._crashes = 0
            before = self._last_load
            process = self._running_process()
            request = protocol.LoadModel(
                self._new_id(), str(Path(path).absolute()), context_tokens, gpu_layers, threads
            )
            self._last_load = request
            call = process.open_call(request.id)
        loaded = False
        try:
            process.send(request)
            for reply in call.replies(cancel):
                loaded = isinstance(reply, protocol.Loaded)
                event = _event(reply)
                if isinstance(event, LoadProgress | ModelLoaded):
                    yield event
        finally:
            call.abandon()
            if not loaded and process.ended is None:  # a crash keeps it: the third in a row will say so
                with self._lock:
                    if self._last_load is request:
                        self._last_load = None if process.began_loading(request.id) else before

    def generate(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 2048,
        sampling: Sampling = Sampling(),  # noqa: B008 - frozen
        stop: Sequence[str] = (),
        continue_last: bool = False,
        template_variables: Mapping[str, object] | None = None,
        cancel: CancelToken | None = None,
    ) -> Iterator[PromptProgress | TextDelta | Finished]:
        """Answers a conversation; ends with `Finished` or an AppError."""

        def request(id_: int) -> protocol.Generate:
            return protocol.Generate(
                id_, _pairs(messages), max_tokens, sampling, tuple(stop), continue_last, dict(template_variables or {})
            )

        for reply in self._replies(request, cancel):
            event = _event(reply)
            if isinstance(event, PromptProgress | TextDelta | Finished):
                yield event

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """How many tokens this conversation's prompt takes."""
        for reply in self._replies(lambda id_: protocol.CountTokens(id_, _pairs(messages)), None):
            if isinstance(reply, protocol.TokensCounted):
                return reply.prompt_tokens
        raise ProtocolViolation("CountTokens was not answered with TokensCounted")

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

    def close(self) -> None:
        """Ends the child; it is gone when this returns. Running calls raise `EngineStopped`."""
        with self._lock:
            self._closed = True
            process = self._process
        if process is not None:
            process.closing = True
            process.child.close(CLOSE_TIMEOUT_S)

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
        except ModelLoadFailed:
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


def _pairs(messages: Sequence[Message]) -> tuple[tuple[str, str], ...]:
    return tuple((str(message.role), message.text) for message in messages)


def _event(reply: protocol.Reply) -> LoadProgress | ModelLoaded | PromptProgress | TextDelta | Finished | None:
    match reply:
        case protocol.Delta(text=text):
            return TextDelta(text)
        case protocol.Reading():
            return PromptProgress(reply.done_tokens, reply.total_tokens)
        case protocol.Loading():
            return LoadProgress(reply.fraction)
        case protocol.Loaded():
            return model_loaded(reply)
        case protocol.Answered():
            fields = {name: value for name, value in vars(reply).items() if name not in ("id", "finish_reason")}
            return Finished(AnswerStats(**fields, finish_reason=FinishReason(reply.finish_reason)))
    return None
