"""One life of the engine's child: the requests that wait for it, when it is given up, and what its end means."""

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
from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import EngineStopped, MachineLost, ProtocolViolation
from app.core.errors.hub_errors import NetworkOff
from app.core.errors.model_errors import ModelDamaged, ModelLoadFailed, ProjectorRefused
from app.core.events import CANCELLED, CancelToken, Finished, LoadProgress, ModelLoaded
from app.core.wire import Ended, EventReply, WireClient
from app.engine import protocol
from app.engine.model_cage import EngineGrant

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.02  # how soon Stop is heard while a prompt is read
CANCEL_GRACE_S = 0.5  # an answer ends with the child's own figures if they come that soon, else without them
CANCEL_TIMEOUT_S = 5.0  # without a sign of life: a slow computer may take half a minute for one batch
LATE_LOOK_S = 0.25
GREETING_TIMEOUT_S = 60.0
# Signals of ggml's assertions and of native crashes; on Windows the exit codes that stand for them.
ABORTED = (
    # abort, access violation, division by zero, fail fast
    frozenset((3, 0xC0000005, 0xC0000094, 0xC0000409))
    if sys.platform == "win32"
    else frozenset(-number for number in (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE))
)
BROKEN_OFF = ABORTED | {0xC000001D if sys.platform == "win32" else -signal.SIGILL}
"""These, and instructions that the processor lacks: libraries can be built for another one."""
FILE_PROBLEMS = (ModelDamaged, ModelLoadFailed, ProjectorRefused)
PROJECTOR_STEP = "projector"
# What llama.cpp, ggml and C++ print when they run out of memory.
OUT_OF_MEMORY_WORDS = ("bad_alloc", "failed to allocate", "out of memory", "Out of memory")
MACHINE_WORDS = ("Remote RPC server crashed", "ggml-rpc.cpp")
GPU_WORDS = ("CUDA error", "ROCm error", "ggml_cuda", "ggml_vulkan", "vk::", "ggml_metal", "ggml_sycl")


class EngineProcess:
    """A run of the child process: its state and the calls waiting for replies."""

    def __init__(
        self,
        command: list[str],
        folder: Path,
        environment: dict[str, str],
        on_crash: Callable[[str], None],
        *,
        library: str,
        refuse_library: Callable[[str, str], AppError],
    ) -> None:
        """`refuse_library` is told of a `library` that crashed, and why, and returns what a person is told."""
        self.loaded: ModelLoaded | None = None
        self.ended: AppError | None = None
        self.closing = False
        self.library, self._refuse_library = library, refuse_library
        """Folder of the llama.cpp that it runs; "" for the program's own."""
        self._grant: EngineGrant | None = None
        # What tests have scripted has none, and its report comes too late for a second load.
        self._has_cage = "--scripted" not in command
        self.loading: dict[int, str] = {}
        self.machines: tuple[str, ...] = ()
        self._projectors: dict[int, str] = {}
        # A crash from the first report of the projector on is the projector's fault.
        self._at_projector: set[int] = set()
        self._began: set[int] = set()
        self._has_replied = False
        self._answering: set[int] = set()
        self._unloading: set[int] = set()
        self._lock = threading.Lock()
        self._calls: dict[int, PendingRequest] = {}
        self._unanswered: set[int] = set()
        # By request: when its cancel was sent.
        self._cancelled: dict[int, float] = {}
        self._awaits_late = False
        self._sign: tuple[object, float] = (None, time.monotonic())
        self._problem: AppError | None = None
        self._hung = False
        self._has_ended = threading.Event()
        self._on_crash = on_crash
        self.child = Child(command, folder, environment, work="engine")
        # Last: its thread may call `_take_reply` at once.
        self._conversation = WireClient(protocol.WIRE, self.child, self._take_reply)

    def open_calls(self, ids: Sequence[int]) -> list[PendingRequest]:
        """Places for the replies to several requests, all in one queue; see `FirstReplies`."""
        replies: Replies = queue.SimpleQueue()
        return [self.open_call(id_, replies) for id_ in ids]

    def open_call(self, id_: int, replies: Replies | None = None) -> PendingRequest:
        """Return a place for the replies to request `id_`; made before the request is sent."""
        call = PendingRequest(self, id_, replies)
        with self._lock:
            if self.ended is not None:
                # The child ended before anybody waited; the reply is the end itself.
                call.add_reply(self.ended)
            self._calls[id_] = call
            self._unanswered.add(id_)
        return call

    def close_call(self, id_: int) -> None:
        """Stop waiting for replies to `id_` and cancel the request if it still runs."""
        with self._lock:
            waiting = self._calls.pop(id_, None)
        # Outside of the lock: sending may have to wait for the pipe, and the reader needs the lock.
        if waiting is not None and not waiting.answered:
            self.cancel(id_)

    def send(self, request: protocol.Request) -> None:
        """Send a request. A child that can't take it is ended, and every waiting call raises."""
        if isinstance(request, protocol.LoadModel):
            # Noted before it is sent: the child may crash over it before `send` returns.
            self.loading[request.id], self.machines = request.path, request.machines
            self._projectors[request.id] = request.wish.projector
            if self._has_cage and self._grant is None:
                self._grant = EngineGrant(request)
        if isinstance(request, protocol.UnloadModel):
            self._unloading.add(request.id)
        if isinstance(request, protocol.Generate) and not request.ask.background:
            # Jobs don't count: closing the program asks only about answers that somebody waits for.
            self._answering.add(request.id)
        if not self._conversation.send(request):
            # A full pipe: the child reads requests on a thread of its own, so it hangs as a whole.
            self._end_hung()

    def covers(self, request: protocol.LoadModel) -> bool:
        """Return whether the child may open what a load needs; a cage can't be widened."""
        return self._grant is None or self._grant.covers(request, self.child.cage)

    def reaches(self, machine: str) -> bool:
        """Return whether the child may connect to this other computer from its cage."""
        return self.ended is not None or self._grant is None or self._grant.reaches(machine, self.child.cage)

    @property
    def is_answering(self) -> bool:
        """True if the child is writing an answer that somebody waits for."""
        return self.ended is None and bool(self._answering)

    def cancel(self, id_: int) -> None:
        """Send `Cancel` once, unless the request was already answered."""
        with self._lock:
            if id_ not in self._unanswered or id_ in self._cancelled or self.ended is not None:
                return
            self._cancelled[id_] = time.monotonic()
        self.send(protocol.Cancel(0, id_))

    def is_late(self, id_: int) -> bool:
        """Return whether a cancelled request takes longer than someone who pressed Stop should wait."""
        with self._lock:
            asked_s = self._cancelled.get(id_)
        return asked_s is not None and time.monotonic() - asked_s > CANCEL_GRACE_S

    def end_if_silent(self) -> None:
        """Kill a child that owes a greeting or the reply to a cancel and shows no sign of life."""
        with self._lock:
            # The oldest cancel counts: later ones can't be answered before it.
            asked_s = min(self._cancelled.values(), default=None)
        if asked_s is None and self._conversation.has_greeted:
            return
        # The time of the cancel counts as a sign of life, for silence before it means nothing.
        silent_s = time.monotonic() - max(self._last_life_s(), asked_s or 0.0)
        if silent_s > (GREETING_TIMEOUT_S if asked_s is None else CANCEL_TIMEOUT_S):
            self._end_hung()

    def await_late(self) -> None:
        """Watch in a thread for the reply to a cancelled request that has no caller waiting."""
        with self._lock:
            if self._awaits_late or self.ended is not None:
                return
            self._awaits_late = True
        # Nobody waits for replies of this request any more, and still a hang has to be noticed.
        threading.Thread(target=self._look_on, name="late cancel", daemon=True).start()

    def _look_on(self) -> None:
        while True:
            with self._lock:
                if not self._cancelled or self.ended is not None:
                    self._awaits_late = False
                    return
            self.end_if_silent()
            self._has_ended.wait(LATE_LOOK_S)

    def _last_life_s(self) -> float:
        """Return the time of the child's last sign of life: processor time used, output, or a heartbeat."""
        sign, since_s = self.child.sign_of_life(), self._sign[1]
        if sign != self._sign[0]:
            since_s = time.monotonic()
            self._sign = sign, since_s
        return since_s

    def let_go(self) -> None:
        """Ask the child to save its sessions and exit. Waiting calls raise `EngineStopped` at once."""
        self.closing = True
        self.child.let_go()
        self._end_calls(EngineStopped(None, "the engine was closed"))

    def leave_machines(self) -> None:
        """Kill a child whose model is partly on other computers; its calls raise `NetworkOff`."""
        # Only a model that really has layers there is lost; a machine that was merely offered is not.
        held = {placed.device.partition(" #")[0] for placed in self.loaded.placement} if self.loaded is not None else ()
        if set(self.machines) & set(held):
            self._problem, self.closing = NetworkOff(), True
            self.child.kill_tree()

    def began_loading(self, id_: int) -> bool:
        """Return whether the former model was given up for load `id_`."""
        return id_ in self._began

    def _end_hung(self) -> None:
        # Killing twice would log the second time what the first has done.
        if not self._hung:
            log.info("engine child %s hangs and is ended", self.child.pid)
            self._hung = True
            self.child.kill_tree()

    def _take_reply(self, reply: protocol.Reply | ProtocolViolation | Ended) -> None:
        if isinstance(reply, Ended):
            self._on_exit(reply.code, reply.tail)
        elif isinstance(reply, ProtocolViolation):
            self._problem = self._problem or reply
        else:
            self._on_reply(reply)

    def _on_reply(self, reply: protocol.Reply) -> None:
        self._has_replied = True
        if isinstance(reply, EventReply) and isinstance(reply.event, LoadProgress):
            if reply.id not in self._began:
                self._began.add(reply.id)
                # The former model is given up with the first progress of another one.
                self.loaded = None
            if reply.event.step == PROJECTOR_STEP:
                self._at_projector.add(reply.id)
        # `Done` answers other requests, too; only an unload means that the model is gone.
        if isinstance(reply, protocol.Done) and reply.id in self._unloading:
            self.loaded = None
        if isinstance(reply, protocol.Loaded):
            self.loaded = reply.model
        with self._lock:
            call = self._calls.get(reply.id)
            # Also for requests without a caller: a late reply is what `await_late` looks for.
            if protocol.is_last(reply):
                self._cancelled.pop(reply.id, None)
                self._unanswered.discard(reply.id)
                self._answering.discard(reply.id)
                self.loading.pop(reply.id, None)
        if call is not None:
            call.add_reply(reply)

    def _on_exit(self, code: int, tail: str) -> None:
        is_hung = self._hung or self.child.was_given_up
        problem = self._problem or EngineStopped(None if is_hung else code, tail)
        # Only a load that had begun can be the cause; those that wait had no part in it.
        id_, path = next(((id_, path) for id_, path in self.loading.items() if id_ in self._began), (0, None))
        # A child that was killed for its silence says nothing about the file.
        if path is not None and not is_hung and code in ABORTED:
            projector = self._projectors[id_] if id_ in self._at_projector else ""
            problem = self._problem or loading_problem(path, tail, projector) or problem
        # A person's llama.cpp is tried with a model for the first time here, and built for this processor or not.
        is_about_library = self.library and code in BROKEN_OFF and (path is not None or not self._has_replied)
        if is_about_library and not is_hung and isinstance(problem, ModelDamaged | EngineStopped):
            problem = self._refuse_library(self.library, tail)
        # ggml ends the process when a worker goes away in the middle of a computation.
        if not is_hung and code in ABORTED and any(words in tail for words in MACHINE_WORDS):
            problem = self._problem or MachineLost(self._worker_addresses(), tail)
        if not self.closing:
            log.info("engine child %s ended with %s", self.child.pid, "a hang" if is_hung else code)
            self._on_crash(tail)
        self._end_calls(problem)

    def _worker_addresses(self) -> tuple[str, ...]:
        """Return the addresses of the RPC workers that hold parts of the model, or were to while it loads."""
        holding = {placed.device for placed in self.loaded.placement} if self.loaded is not None else set()
        return tuple(machine for machine in self.machines if not holding or machine in holding)

    def _end_calls(self, problem: AppError) -> None:
        with self._lock:
            self.ended = self.ended or problem
            self.loaded = None
            calls = list(self._calls.values())
        self._has_ended.set()
        for call in calls:
            call.add_reply(self.ended)


Replies = queue.SimpleQueue[tuple["PendingRequest", protocol.Reply | AppError]]


class PendingRequest:
    """A request and the queue of its replies, which several requests may share."""

    def __init__(self, process: EngineProcess, id_: int, replies: Replies | None = None) -> None:
        self.answered = False
        self.id = id_
        self._process = process
        self.queue: Replies = replies or queue.SimpleQueue()

    def add_reply(self, reply: protocol.Reply | AppError) -> None:
        """Add a reply, or the error that ends the request. Called by the reader thread."""
        # A pair, so that whoever shares the queue knows whose reply it is.
        self.queue.put((self, reply))

    def replies(self, cancel: CancelToken | None, *, leaves: bool = False) -> Iterator[protocol.Reply]:
        """Replies up to and with the last; raises what the child failed with. Looks at `cancel` meanwhile.

        One that `leaves` does not wait for a child that is slow to hear it: the last reply is then made up.
        """
        while not self.answered:
            if cancel is not None and cancel.cancelled:
                self._process.cancel(self.id)
            try:
                _, reply = self.queue.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                self._process.end_if_silent()
                # The child goes on with the batch it is in; the caller has figures of zero and can go.
                if leaves and self._process.is_late(self.id):
                    self._process.await_late()
                    yield EventReply(self.id, Finished(CANCELLED))
                    return
                continue
            self.answered = isinstance(reply, AppError) or protocol.is_last(reply)
            if isinstance(reply, protocol.Failed):
                raise reply.error
            if isinstance(reply, AppError):
                raise reply
            yield reply

    def abandon(self) -> None:
        """Close the call early; a request that still runs is cancelled."""
        self._process.close_call(self.id)


class FirstReplies:
    """Replies of several calls in the order they come."""

    def __init__(self, process: EngineProcess, calls: Sequence[PendingRequest]) -> None:
        self._process = process
        self._queue = calls[0].queue if calls else queue.SimpleQueue()
        self._open_ids = {call.id for call in calls}
        self._late_ids: list[int] = []

    def next_reply(self, cancel: CancelToken | None) -> tuple[int, protocol.Reply | AppError] | None:
        """Wait for a reply; what a request failed with is one. None once all are answered.

        Raises when the child itself ends.
        """
        while self._open_ids:
            if self._late_ids:
                late_id = self._late_ids.pop(0)
                self._process.await_late()
                self._open_ids.discard(late_id)
                return late_id, EventReply(late_id, Finished(CANCELLED))
            if cancel is not None and cancel.cancelled:
                for id_ in self._open_ids:
                    self._process.cancel(id_)
            try:
                call, reply = self._queue.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                self._process.end_if_silent()
                self._late_ids = [id_ for id_ in self._open_ids if self._process.is_late(id_)]
                continue
            # Late replies of a request that was let go.
            if call.id not in self._open_ids:
                continue
            if isinstance(reply, AppError):
                raise reply
            if protocol.is_last(reply):
                call.answered = True
                self._open_ids.discard(call.id)
            return call.id, reply.error if isinstance(reply, protocol.Failed) else reply
        return None


def loading_problem(
    path: str, tail: str, projector: str = ""
) -> ModelDamaged | ModelLoadFailed | ProjectorRefused | None:
    """Return what it means that native code broke off while it loaded a file; None where the file has nothing to do
    with it.

    With `projector`, the model was in and that was being loaded.

    The libraries check a file by assertions, so only the circumstances tell damage from the rest.
    """
    if projector:
        is_memory = any(words in tail for words in OUT_OF_MEMORY_WORDS)
        return ProjectorRefused(projector, path, "no_memory" if is_memory else "damaged", tail)
    # A smaller context would have fitted: the file is not damaged.
    if any(words in tail for words in OUT_OF_MEMORY_WORDS):
        return ModelLoadFailed(path, tail)
    return None if any(words in tail for words in GPU_WORDS) else ModelDamaged(path, tail)
