"""One life of the engine child: the calls that wait for it, and when to give it up."""

from __future__ import annotations

import logging
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from app.core.child import Child
from app.core.errors import AppError, EngineStopped, ModelDamaged, ModelLoadFailed, ProtocolViolation, from_fields
from app.core.events import CancelToken, ModelLoaded
from app.engine import protocol

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.02  # how soon Stop is heard while a prompt is read
CANCEL_TIMEOUT_S = 5.0
GREETING_TIMEOUT_S = 60.0
ABORTED = (
    # abort, access violation, division by zero, fail fast
    frozenset((3, 0xC0000005, 0xC0000094, 0xC0000409))
    if sys.platform == "win32"
    else frozenset(-number for number in (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE))
)
OUT_OF_MEMORY_WORDS = ("bad_alloc", "failed to allocate", "out of memory", "Out of memory")
GPU_WORDS = ("CUDA error", "ROCm error", "ggml_cuda", "ggml_vulkan", "vk::", "ggml_metal", "ggml_sycl")


class EngineProcess:
    """One life of the child: the calls waiting for it, and what is known about it."""

    def __init__(
        self, command: list[str], folder: Path, environment: dict[str, str], on_crash: Callable[[str], None]
    ) -> None:
        self.loaded: ModelLoaded | None = None
        self.ended: AppError | None = None
        self.closing = False
        self.loading: dict[int, str] = {}
        self._began: set[int] = set()
        self._unloading: set[int] = set()
        self._lock = threading.Lock()
        self._calls: dict[int, Call] = {}
        self._unanswered: set[int] = set()
        self._cancelled: dict[int, float] = {}
        self._problem: AppError | None = None
        self._hung = False
        self._greeted = False
        self._on_crash = on_crash
        self._started_s = time.monotonic()
        self.child = Child(command, folder, environment, work="engine")
        self.child.listen(self._on_line, self._on_exit)

    def open_calls(self, ids: Sequence[int]) -> list[Call]:
        """Places for the replies to several requests, all in one queue; see `first_replies`."""
        replies: Replies = queue.SimpleQueue()
        return [self.open_call(id_, replies) for id_ in ids]

    def open_call(self, id_: int, replies: Replies | None = None) -> Call:
        """A place for the replies to request `id_`; made before the request is sent."""
        call = Call(self, id_, replies)
        with self._lock:
            if self.ended is not None:
                call.put(self.ended)
            self._calls[id_] = call
            self._unanswered.add(id_)
        return call

    def close_call(self, id_: int) -> None:
        """Nobody waits for `id_` any more; a request that still runs is cancelled."""
        with self._lock:
            waiting = self._calls.pop(id_, None)
        if waiting is not None and not waiting.answered:
            self.cancel(id_)

    def send(self, request: protocol.Request) -> None:
        """Sends a request. A child that cannot take it ends, which every waiting call then hears."""
        if isinstance(request, protocol.LoadModel):
            self.loading[request.id] = request.path
        if isinstance(request, protocol.UnloadModel):
            self._unloading.add(request.id)
        try:
            self.child.send(protocol.to_line(request))
        except TimeoutError:
            self._end_hung()
        except OSError as error:
            log.debug("engine child %s takes nothing more: %s", self.child.pid, error)

    def cancel(self, id_: int) -> None:
        """Asks once; the child then has `CANCEL_TIMEOUT_S` to answer. What was answered meanwhile needs no asking."""
        with self._lock:
            if id_ not in self._unanswered or id_ in self._cancelled or self.ended is not None:
                return
            self._cancelled[id_] = time.monotonic()
        self.send(protocol.Cancel(0, id_))

    def look(self) -> None:
        """Ends a child that does not answer a cancel, or never greeted."""
        now_s = time.monotonic()
        with self._lock:
            overdue = any(now_s - asked_s > CANCEL_TIMEOUT_S for asked_s in self._cancelled.values())
        if overdue or (not self._greeted and now_s - self._started_s > GREETING_TIMEOUT_S):
            self._end_hung()

    def let_go(self) -> None:
        """The child leaves once it has saved what it keeps; whoever waits for a reply hears at once that none comes."""
        self.closing = True
        self.child.let_go()
        self._end_calls(EngineStopped(None, "the engine was closed"))

    def began_loading(self, id_: int) -> bool:
        """Whether the former model was given up for load `id_`."""
        return id_ in self._began

    def _end_hung(self) -> None:
        if not self._hung:
            log.info("engine child %s hangs and is ended", self.child.pid)
            self._hung = True
            self.child.kill_tree()

    def _on_line(self, line: bytes) -> None:
        try:
            reply = self._checked(protocol.from_line(line))
        except ProtocolViolation as error:
            self._problem = self._problem or error
            self.child.kill_tree()
            return
        if isinstance(reply, protocol.Loading) and reply.id not in self._began:
            self._began.add(reply.id)
            self.loaded = None
        if isinstance(reply, protocol.Done) and reply.id in self._unloading:
            self.loaded = None
        if isinstance(reply, protocol.Loaded):
            self.loaded = model_loaded(reply)
        with self._lock:
            call = self._calls.get(reply.id) if hasattr(reply, "id") else None
            if isinstance(reply, protocol.LAST_REPLIES):
                self._cancelled.pop(reply.id, None)
                self._unanswered.discard(reply.id)
                self.loading.pop(reply.id, None)
        if call is not None:
            call.put(reply)

    def _checked(self, reply: protocol.Request | protocol.Reply) -> protocol.Reply:
        if isinstance(reply, protocol.Request):
            raise ProtocolViolation(f"the child sent a request, {type(reply).__name__}")
        if isinstance(reply, protocol.Greeting):
            if reply.protocol != protocol.PROTOCOL_VERSION:
                raise ProtocolViolation(f"the child speaks version {reply.protocol}, not {protocol.PROTOCOL_VERSION}")
            self._greeted = True
        elif not self._greeted:
            raise ProtocolViolation(f"{type(reply).__name__} before the greeting")
        return reply

    def _on_exit(self, code: int, tail: str) -> None:
        is_hung = self._hung or self.child.was_given_up
        problem = self._problem or EngineStopped(None if is_hung else code, tail)
        path = next((path for id_, path in self.loading.items() if id_ in self._began), None)
        if path is not None and not is_hung and code in ABORTED:
            problem = self._problem or loading_problem(path, tail) or problem
        if not self.closing:
            log.info("engine child %s ended with %s", self.child.pid, "a hang" if is_hung else code)
            self._on_crash(tail)
        self._end_calls(problem)

    def _end_calls(self, problem: AppError) -> None:
        with self._lock:
            self.ended = self.ended or problem
            self.loaded = None
            calls = list(self._calls.values())
        for call in calls:
            call.put(self.ended)


Replies = queue.SimpleQueue[tuple["Call", protocol.Reply | AppError]]


class Call:
    """One request waiting for its replies."""

    def __init__(self, process: EngineProcess, id_: int, replies: Replies | None = None) -> None:
        self.answered = False
        self.id = id_
        self._process = process
        self.queue: Replies = replies or queue.SimpleQueue()

    def put(self, reply: protocol.Reply | AppError) -> None:
        """A reply, or why there will be none; called by the reader thread."""
        self.queue.put((self, reply))

    def replies(self, cancel: CancelToken | None) -> Iterator[protocol.Reply]:
        """Replies up to and with the last; raises what the child failed with. Looks at `cancel` meanwhile."""
        while not self.answered:
            if cancel is not None and cancel.cancelled:
                self._process.cancel(self.id)
            try:
                _, reply = self.queue.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                self._process.look()
                continue
            self.answered = isinstance(reply, protocol.LAST_REPLIES + (AppError,))
            if isinstance(reply, protocol.Failed):
                raise from_fields(reply.error, reply.fields)
            if isinstance(reply, AppError):
                raise reply
            yield reply

    def abandon(self) -> None:
        """The consumer left; what still runs is cancelled."""
        self._process.close_call(self.id)


def first_replies(
    process: EngineProcess, calls: Sequence[Call], cancel: CancelToken | None
) -> Iterator[tuple[int, protocol.Reply | AppError]]:
    """Replies of several calls in the order they come, until all are answered; what a request failed with is one.

    Raises when the child itself ends.
    """
    replies, open_ids = calls[0].queue if calls else queue.SimpleQueue(), {call.id for call in calls}
    while open_ids:
        if cancel is not None and cancel.cancelled:
            for id_ in open_ids:
                process.cancel(id_)
        try:
            call, reply = replies.get(timeout=LOOK_EVERY_S)
        except queue.Empty:
            process.look()
            continue
        if isinstance(reply, AppError):
            raise reply
        if isinstance(reply, protocol.LAST_REPLIES):
            call.answered = True
            open_ids.discard(call.id)
        yield call.id, from_fields(reply.error, reply.fields) if isinstance(reply, protocol.Failed) else reply


def loading_problem(path: str, tail: str) -> ModelDamaged | ModelLoadFailed | None:
    """What it means that native code broke off while it loaded a file; None where the file has nothing to do with it.

    The libraries check a file by assertions, so only the circumstances tell damage from the rest.
    """
    if any(words in tail for words in OUT_OF_MEMORY_WORDS):
        return ModelLoadFailed(path, tail)
    return None if any(words in tail for words in GPU_WORDS) else ModelDamaged(path, tail)


def model_loaded(reply: protocol.Loaded) -> ModelLoaded:
    """The reply as the rest of the program knows it."""
    return ModelLoaded(**{name: value for name, value in vars(reply).items() if name != "id"})
