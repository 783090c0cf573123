"""The parent's side of the engine: starts, watches and restarts the child, and turns its replies into events."""

from __future__ import annotations

import array
import contextlib
import itertools
import logging
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.core.child import Child
from app.core.errors import (
    AppError,
    EngineCrashesRepeatedly,
    EngineStopped,
    MachineLost,
    ModelDamaged,
    ModelLoadFailed,
    NetworkOff,
    ProjectorRefused,
    ProtocolViolation,
)
from app.core.events import (
    CANCELLED,
    CancelToken,
    Finished,
    LoadProgress,
    Media,
    Message,
    ModelLoaded,
)
from app.core.wire import Ended, EventReply, WireClient
from app.engine import protocol
from app.engine.contract import NO_LABELS, NO_VECTORS, AnswerEvent, EmbeddingVectors, TokenLabels, WakingEvent
from app.engine.engine_build import EngineBuild
from app.engine.protocol import OPEN, Ask, Wish
from app.engine.states import StateFolder

# One life of the engine child: the calls that wait for it, and when to give it up.


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
FILE_PROBLEMS = (ModelDamaged, ModelLoadFailed, ProjectorRefused)
PROJECTOR_STEP = "projector"
# What llama.cpp, ggml and C++ print when they run out of memory.
OUT_OF_MEMORY_WORDS = ("bad_alloc", "failed to allocate", "out of memory", "Out of memory")
MACHINE_WORDS = ("Remote RPC server crashed", "ggml-rpc.cpp")
GPU_WORDS = ("CUDA error", "ROCm error", "ggml_cuda", "ggml_vulkan", "vk::", "ggml_metal", "ggml_sycl")


class EngineProcess:
    """A run of the child process: its state and the calls waiting for replies."""

    def __init__(
        self, command: list[str], folder: Path, environment: dict[str, str], on_crash: Callable[[str], None]
    ) -> None:
        self.loaded: ModelLoaded | None = None
        self.ended: AppError | None = None
        self.closing = False
        self.loading: dict[int, str] = {}
        self.machines: tuple[str, ...] = ()
        self._projectors: dict[int, str] = {}
        # A crash from the first report of the projector on is the projector's fault.
        self._at_projector: set[int] = set()
        self._began: set[int] = set()
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
        self._started_s = time.monotonic()
        self.child = Child(command, folder, environment, work="engine")
        # Last: its thread may call `_take_reply` at once.
        self._conversation = WireClient(protocol.WIRE, self.child, self._take_reply)

    def open_calls(self, ids: Sequence[int]) -> list[PendingRequest]:
        """Places for the replies to several requests, all in one queue; see `first_replies`."""
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
        if isinstance(request, protocol.UnloadModel):
            self._unloading.add(request.id)
        if isinstance(request, protocol.Generate) and not request.ask.background:
            # Jobs don't count: closing the program asks only about answers that somebody waits for.
            self._answering.add(request.id)
        if not self._conversation.send(request):
            # A full pipe: the child reads requests on a thread of its own, so it hangs as a whole.
            self._end_hung()

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


def first_replies(
    process: EngineProcess, calls: Sequence[PendingRequest], cancel: CancelToken | None
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
            process.end_if_silent()
            for id_ in [id_ for id_ in open_ids if process.is_late(id_)]:
                process.await_late()
                open_ids.discard(id_)
                yield id_, EventReply(id_, Finished(CANCELLED))
            continue
        # Late replies of a request that was let go.
        if call.id not in open_ids:
            continue
        if isinstance(reply, AppError):
            raise reply
        if protocol.is_last(reply):
            call.answered = True
            open_ids.discard(call.id)
        yield call.id, reply.error if isinstance(reply, protocol.Failed) else reply


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


CLOSE_TIMEOUT_S = 5.0
SILENT_TIMEOUT_S = 12.0  # without a sign of life and without another byte of the last session's state on the disk
CRASHES_IN_A_ROW = 3
ENVIRONMENT = {
    "GGML_NO_BACKTRACE": "1",  # an abort would start a debugger
    # OpenMP's default spin collapses when another program wants a core. Of 200 to 10,000, 500 costs least on a quiet
    # machine and beside one or two busy programs taken together (tokens/s of reading 49 tokens, writing, two cores).
    "GOMP_SPINCOUNT": "500",
}


class EngineClient:
    """The engine as the rest of the program knows it. Any thread may call; nothing is started before it is needed."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        states: StateFolder | None = None,
        machines: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        """`machines` returns the addresses of RPC workers that are available now; called with each load."""
        self._command = list(command)
        self._folder = folder
        self._states = states
        self._machines = machines
        self.settings_wish: Callable[[], Wish] = lambda: OPEN
        """Returns the load options that current settings give. A model that reloads by itself follows them, except for
        options its caller chose.
        """
        # What the settings were at the last load: what differs from them now was changed since.
        self._settings_then = OPEN
        self._environment = ENVIRONMENT | dict(environment or {})
        # Reentrant: loading a lost model starts a child under the same lock.
        self._lock = threading.RLock()
        self._process: EngineProcess | None = None
        self._last_load: protocol.LoadModel | None = None
        self._ids = itertools.count(1)
        # Crashes in a row, reset by each answer that ends: three in a row are told instead of tried again.
        self._crashes = 0
        self._crash_detail = ""
        self._closed = False

    @property
    def loaded(self) -> ModelLoaded | None:
        """The model now in the child; None once the child has ended, whatever it ended of."""
        process = self._process
        return process.loaded if process is not None and process.ended is None else None

    @property
    def pid(self) -> int | None:
        """Process id of the running child; None without one."""
        process = self._process
        return process.child.pid if process is not None and process.ended is None else None

    @property
    def is_answering(self) -> bool:
        """True if an interactive answer is being written, which closing would cut off."""
        process = self._process
        return process is not None and process.is_answering

    @property
    def is_outdated(self) -> bool:
        """True if the loaded model's options differ from what current settings would give."""
        last = self._last_load
        return last is not None and self.loaded is not None and self._with_current_settings(last.wish) != last.wish

    def _with_current_settings(self, wish: Wish) -> Wish:
        """Update the options that the last load took from settings; those its caller chose stay."""
        before, now = self._settings_then, self.settings_wish()
        changed = {
            name: value
            for name, value in vars(now).items()
            # Without a projector its place makes no difference, so it never makes a model outdated.
            if vars(wish)[name] == vars(before)[name] != value and (wish.projector or name != "projector_on_cpu")
        }
        return replace(wish, **changed)

    def load(
        self, path: Path, wish: Wish = OPEN, *, cancel: CancelToken | None = None
    ) -> Iterator[LoadProgress | ModelLoaded]:
        """Load a model in place of the one in the child. A cancelled load ends without `ModelLoaded`.

        If the child crashes on earlier work before it gets to this request, loading is tried again in a new one.
        """
        # The child's working directory is its own, so the path has to be absolute.
        states, budget = ("", 0) if self._states is None else (str(self._states.folder), self._states.budget_bytes())
        request = protocol.LoadModel(0, str(Path(path).absolute()), wish, states, budget, self._machines())
        with self._lock:
            # A person who loads a model wants it tried, however often another one crashed.
            self._crashes = 0
        if not (yield from self._send_load(request, cancel, is_last=False)):
            yield from self._send_load(request, cancel, is_last=True)

    def _send_load(
        self, request: protocol.LoadModel, cancel: CancelToken | None, *, is_last: bool
    ) -> Generator[LoadProgress | ModelLoaded, None, bool]:
        """Send the load once. Return False if the child ended before starting it; with `is_last` raise instead."""
        settings = self.settings_wish()
        with self._lock:
            before = self._last_load
            process = self._running_process()
            self._settings_then = settings
            # Under the lock with the start of the child: another thread may be reloading the former model.
            self._last_load = request = replace(request, id=next(self._ids))
            call = process.open_call(request.id)
        loaded = False
        try:
            process.send(request)
            for reply in call.replies(cancel):
                if isinstance(reply, EventReply):
                    yield reply.event
                elif isinstance(reply, protocol.Loaded):
                    loaded = True
                    yield reply.model
            return True
        except AppError:
            # A crash before this load began was over something else, and the load never had its chance.
            if is_last or self._closed or process.ended is None or process.began_loading(request.id):
                raise
            with self._lock:
                if self._last_load is request:
                    self._last_load = before
            return False
        finally:
            call.abandon()
            is_told = process.ended is None or isinstance(process.ended, FILE_PROBLEMS)
            if not loaded and is_told:  # any other crash keeps it: the third in a row will say so
                with self._lock:
                    if self._last_load is request:
                        # Given up already, the former model is no longer there to go back to.
                        self._last_load = None if process.began_loading(request.id) else before

    def generate(
        self, messages: Sequence[Message], *, cancel: CancelToken | None = None, **options: Any
    ) -> Iterator[AnswerEvent]:
        """Answer a conversation; ends with `Finished` or raises an AppError. `options` are the fields of `Ask`."""
        return self.answer(Ask(messages, **options), cancel)

    def answer(self, ask: Ask, cancel: CancelToken | None = None) -> Iterator[AnswerEvent]:
        """Answer a request that is already made: events up to `Finished`. Raises AppErrors."""
        for reply in self._replies(lambda id_: protocol.Generate(id_, ask), cancel):
            if isinstance(reply, EventReply):
                yield reply.event

    def generate_many(
        self, asks: Sequence[Ask], *, cancel: CancelToken | None = None, background: bool = True
    ) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        """Answer several requests and yield (index of the request, event) in the order of completion.

        Background requests run as many at once as pays off, others all together. A common prefix is read once. A
        request that fails by itself yields its error as the event; if the engine itself ends, that is raised.
        """
        process = self._process_with_model(cancel)
        if process is None:
            # Cancelled while the model was loading: each request gets its end all the same.
            yield from ((index, Finished(CANCELLED)) for index in range(len(asks)))
            return
        with self._lock:
            # Numbered together, so that the child takes them as one group with a common beginning.
            requests = [protocol.Generate(next(self._ids), replace(ask, background=background)) for ask in asks]
            calls = process.open_calls([request.id for request in requests])
        index_of = {request.id: index for index, request in enumerate(requests)}
        try:
            for request in requests:
                process.send(request)
            for id_, reply in first_replies(process, calls, cancel):
                if isinstance(reply, EventReply):
                    if isinstance(reply.event, Finished):
                        self._crashes = 0
                    yield index_of[id_], reply.event
                elif isinstance(reply, AppError):
                    yield index_of[id_], reply
        finally:
            for call in calls:
                call.abandon()

    def count_tokens(self, messages: Sequence[Message], template_variables: Mapping[str, object] | None = None) -> int:
        """Count the tokens of a conversation's prompt, template included."""
        for reply in self._replies(lambda id_: protocol.CountTokens(id_, messages, template_variables or {}), None):
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

    def count_media(
        self, media: Sequence[Media], *, cancel: CancelToken | None = None
    ) -> tuple[protocol.MediaCount, ...]:
        """Count the tokens of each image or sound; 0 for those the model can't take.

        Returns an empty tuple if cancelled while the model was loading.
        """
        for reply in self._replies(lambda id_: protocol.CountMedia(id_, tuple(media)), cancel):
            if isinstance(reply, protocol.MediaCounted):
                return reply.counts
        if cancel is not None and cancel.cancelled:
            return ()
        raise ProtocolViolation("CountMedia was not answered with MediaCounted")

    def call_syntax(self) -> protocol.CallSyntax | None:
        """Return the function-call syntax of the model's template; None if it has none we understand."""
        for reply in self._replies(protocol.FindCallSyntax, None):
            if isinstance(reply, protocol.CallSyntaxFound):
                return reply.syntax
        raise ProtocolViolation("FindCallSyntax was not answered with CallSyntaxFound")

    def embed(self, texts: Sequence[str], *, cancel: CancelToken | None = None) -> EmbeddingVectors:
        """Return a vector for each text; none when cancelled. Raises EmbeddingsUnavailable, PromptTooLong."""
        # Vectors come in several messages, since a line has a limit.
        numbers = bytearray()
        for reply in self._replies(lambda id_: protocol.Embed(id_, tuple(texts)), cancel):
            if isinstance(reply, protocol.Vectors):
                numbers += reply.numbers
            if isinstance(reply, protocol.Embedded):
                return EmbeddingVectors(array.array("f", bytes(numbers)), reply.width, reply.prompt_tokens)
        if cancel is not None and cancel.cancelled:
            return NO_VECTORS
        raise ProtocolViolation("Embed was not answered with Embedded")

    def classify_tokens(self, source: str, text: str, *, cancel: CancelToken | None = None) -> TokenLabels:
        """Labels of each token of a text; none when cancelled. Raises CheckingUnavailable, PromptTooLong."""
        for reply in self._replies(lambda id_: protocol.ClassifyTokens(id_, source, text), cancel):
            if isinstance(reply, protocol.TokensClassified):
                return TokenLabels(reply.starts, reply.ends, array.array("f", reply.logits), reply.labels)
        if cancel is not None and cancel.cancelled:
            return NO_LABELS
        raise ProtocolViolation("ClassifyTokens was not answered with TokensClassified")

    def inspect(
        self,
        what: str,
        text: str = "",
        messages: Sequence[Message] = (),
        *,
        cancel: CancelToken | None = None,
        on_attention: Callable[[bytes], object] = lambda shares: None,
        **options: Any,
    ) -> protocol.Inspected:
        """Return tokens, layers or attention of a text. `options` are the fields of `protocol.Inspect`.

        `on_attention` gets each layer's shares, see `protocol.Attended`. Raises AppErrors for what can't be shown;
        returns no tokens if cancelled.
        """
        for reply in self._replies(lambda id_: protocol.Inspect(id_, what, text, tuple(messages), **options), cancel):
            if isinstance(reply, protocol.Attended):
                on_attention(reply.shares)
            if isinstance(reply, protocol.Inspected):
                return reply
        if cancel is not None and cancel.cancelled:
            return protocol.Inspected(0, 0)
        raise ProtocolViolation("Inspect was not answered with Inspected")

    def forget_session(self, session: str) -> None:
        """Delete a session's saved state and its cache in the child."""
        if self.pid is not None:
            for _ in self._replies(lambda id_: protocol.ForgetSession(id_, session), None, needs_model=False):
                pass
        if self._states is not None:
            # After the child has forgotten it: it could write the state again.
            self._states.delete_session(session)

    def describe_devices(self) -> protocol.DevicesDescribed:
        """Return which devices and backends really exist, asked from the child."""
        machines = self._machines()
        for reply in self._replies(lambda id_: protocol.DescribeDevices(id_, machines), None, needs_model=False):
            if isinstance(reply, protocol.DevicesDescribed):
                return reply
        raise ProtocolViolation("DescribeDevices was not answered with DevicesDescribed")

    @property
    def awaited(self) -> Path | None:
        """The model that is loaded, loading, or reloaded on demand; None without any."""
        with self._lock:
            return Path(self._last_load.path) if self._last_load is not None else None

    def unload(self) -> None:
        """Free the model and forget it, so that no request brings it back; does nothing without a child."""
        with self._lock:
            self._last_load = None
            if self.pid is None:
                return
        for _ in self._replies(protocol.UnloadModel, None, needs_model=False):
            pass

    def leave_machines(self) -> None:
        """Reload a model that is partly on other computers without them, after the network was switched off."""
        process = self._process
        if process is not None:
            process.leave_machines()

    def let_go(self) -> None:
        """Ask the child to save the last session and exit. Running calls raise `EngineStopped` at once; none can be
        started.
        """
        with self._lock:
            self._closed = True
            process = self._process
        if process is not None:
            process.let_go()

    def close(self) -> None:
        """Like `let_go`, and wait until the child is gone, however long it writes."""
        self.let_go()
        states, process = self._states, self._process
        if process is None:
            return
        if states is None:
            process.child.close(CLOSE_TIMEOUT_S)
        else:
            # As long as states grow on the disk the child is at work, however long a slow disk takes.
            process.child.close(SILENT_TIMEOUT_S, _any_of(process.child.life_check(), states.growth_check()))

    def _replies(
        self, make: Callable[[int], protocol.Request], cancel: CancelToken | None, *, needs_model: bool = True
    ) -> Iterator[protocol.Reply]:
        process = self._process_with_model(cancel) if needs_model else self._running_process()
        if process is None:
            yield EventReply(0, Finished(CANCELLED))
            return
        with self._lock:
            request = make(next(self._ids))
            call = process.open_call(request.id)
        try:
            process.send(request)
            for reply in call.replies(cancel, leaves=True):
                if isinstance(reply, EventReply) and isinstance(reply.event, Finished):
                    self._crashes = 0
                yield reply
        finally:
            call.abandon()

    def _process_with_model(self, cancel: CancelToken | None) -> EngineProcess | None:
        """Return the child, with the last model loaded again where it was lost; None when that was cancelled."""
        with self._lock:
            process = self._running_process()
            last = self._last_load
            # Loading or loaded: the child itself lets requests wait for a load.
            if last is None or process.loaded is not None or process.loading:
                return process
            # Settings may have changed since the model was lost.
            wish, self._settings_then = self._with_current_settings(last.wish), self.settings_wish()
            self._last_load = last = replace(last, wish=wish)
            request = replace(last, id=next(self._ids), machines=self._machines())
            call = process.open_call(request.id)
        try:
            process.send(request)
            for reply in call.replies(cancel):
                if isinstance(reply, protocol.Done):
                    return None
        except FILE_PROBLEMS:
            # A file that ended the child would do so again with each request.
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


def _any_of(*questions: Callable[[], bool]) -> Callable[[], bool]:
    """Return a function that evaluates every question, even after one is True: each keeps state."""
    return lambda: any([question() for question in questions])  # noqa: C419 - a generator would stop at the first


LOCK_POLL_S = 0.1
"""Interval at which a caller waiting for another's load notices its own cancellation."""

# An engine whose model can leave memory and comes back by itself with the next request that needs it.


class EngineOnDemand(EngineClient):
    """The client, with `sleep`. `on_waking` hears from the waking thread how far a model is that comes back by itself:

    progress, then the model, or None when it did not come back (stopped or failed; the request says why). Of one that
    is brought in place of another it hears the path first.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.on_waking: Callable[[WakingEvent], object] = lambda event: None
        self._sleeping: protocol.LoadModel | None = None
        self._waking = threading.Lock()
        self.build: EngineBuild | None = None
        """Build still running in a fresh checkout, if any. Loading waits for its end, and requests wait for loading."""

    @property
    def asleep_path(self) -> Path | None:
        """The unloaded model that the next request loads; None without one."""
        sleeping = self._sleeping
        return None if sleeping is None else Path(sleeping.path)

    def sleep(self) -> None:
        """Free the model's memory until the next request; does nothing without a model.

        The child keeps its cached sessions. Returns once the memory is free; a request that comes meanwhile waits for
        that and reloads the model.
        """
        with self._lock:
            process, last = self._process, self._last_load
            if process is None or process.loaded is None or last is None:
                return
            self._sleeping, self._last_load = last, None
            request = protocol.UnloadModel(next(self._ids))
            call = process.open_call(request.id)
            # At once, not when the reply comes: a request that comes meanwhile has to wake the model.
            process.loaded = None
            process.send(request)
        try:
            for _ in call.replies(None):
                pass
        finally:
            call.abandon()

    def load(
        self, path: Path, wish: Wish = OPEN, *, cancel: CancelToken | None = None
    ) -> Iterator[LoadProgress | ModelLoaded]:
        """Like the client's, and forget the sleeping model once another one is loaded."""
        if self.build is not None:
            yield from self._load_when_built(self.build, path, wish, cancel)
            return
        before, self._sleeping = self._sleeping, None
        try:
            yield from super().load(path, wish, cancel=cancel)
        finally:
            # A load that failed leaves the sleeping model as it was.
            if self.loaded is None:
                self._sleeping = before

    def _load_when_built(
        self, build: EngineBuild, path: Path, wish: Wish, cancel: CancelToken | None
    ) -> Iterator[LoadProgress | ModelLoaded]:
        with self._hold_waking(cancel) as is_held:
            if is_held:
                yield from build.wait(cancel)
            if not is_held or (cancel is not None and cancel.cancelled):
                # Built or not, only a load that begins ends the wait for everybody.
                return
            self.build = None
            yield from super().load(path, wish, cancel=cancel)

    @contextlib.contextmanager
    def _hold_waking(self, cancel: CancelToken | None) -> Iterator[bool]:
        """Hold the lock that reloading takes; yield False if cancelled while another thread holds it."""
        # Polled: a lock can't be waited for together with a cancel.
        while not (is_held := self._waking.acquire(timeout=LOCK_POLL_S)):
            if cancel is not None and cancel.cancelled:
                break
        try:
            yield is_held
        finally:
            if is_held:
                self._waking.release()

    @property
    def awaited(self) -> Path | None:
        """The model that is loaded, loading or asleep: what the next request will get."""
        with self._lock:
            asleep = self._sleeping
            return Path(asleep.path) if asleep is not None else super().awaited

    def unload(self) -> None:
        """Like the client's, and don't reload the model on demand."""
        self._sleeping = None
        super().unload()

    def _process_with_model(self, cancel: CancelToken | None) -> EngineProcess | None:
        return super()._process_with_model(cancel) if self._wake_model(cancel) else None

    def _wake_model(self, cancel: CancelToken | None) -> bool:
        """Reload the sleeping model; False if cancelled. A second request waits for the first one's reload."""
        with self._hold_waking(cancel) as is_held:
            if not is_held:
                return False
            if self.build is not None:
                for _ in self.build.wait(cancel):
                    pass
            last = self._sleeping
            if last is None:
                return True
            woken = False
            try:
                for event in super().load(Path(last.path), self._with_current_settings(last.wish), cancel=cancel):
                    woken = isinstance(event, ModelLoaded)
                    if woken:
                        # Before the listener hears of it, who may ask whether one is asleep.
                        self._sleeping = None
                    self.on_waking(event)
            except AppError:
                self.on_waking(None)
                raise
            if not woken:
                self.on_waking(None)
            return woken
