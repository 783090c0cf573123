"""The child's side of the engine: claims the wire, carries out requests in order, and leaves with its parent."""

from __future__ import annotations

import collections
import logging
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from app.core.cage import keep_caches_here
from app.core.cage_report import CageReport
from app.core.child import NOTE, claim_wire
from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import ProtocolViolation
from app.core.events import CANCELLED, Finished
from app.core.freed_memory import give_back_memory
from app.core.wire import Caged, EventReply, ParentSide
from app.engine import protocol
from app.engine.backend import Backend, EngineJob
from app.engine.model_cage import cage_engine
from app.engine.reply_thread import ReplyThread

DEFECT_EXIT_CODE = 70
REST_AFTER_S = 5.0
"""Without a request; another model's words and long prompts leave many megabytes of freed pieces."""
LEAVE_WITHIN_S = 60.0
"""Limit of the running step when the parent ends, before the session's state is saved."""


def main(arguments: list[str]) -> int:
    """Run `--engine-worker [--scripted FILE]` until stdin ends. Never returns: the process ends itself."""
    worker: EngineWorker | None = None
    # Asked by the heartbeat, which begins before the worker is made.
    reader, writer = claim_wire(may_save=True, is_at_work=lambda: worker is not None and worker.is_at_work)
    # stderr goes into the parent's log; lines with NOTE are notes, others are what libraries say.
    logging.basicConfig(level=logging.INFO, format=f"{NOTE}%(message)s", stream=sys.stderr)
    backend = _make_backend(arguments)
    # What tests have written themselves does as they say, also with files.
    worker = EngineWorker(backend, reader, writer, cage_engine if backend.name == "llama" else lambda _: CageReport())
    try:
        worker.run()
    finally:
        _end_broken()


def _end_broken() -> NoReturn:
    """End the process whatever was raised, which the parent reads from stderr."""
    traceback.print_exc(file=sys.stderr)
    sys.stderr.flush()
    os._exit(DEFECT_EXIT_CODE)  # a thread or an atexit hook of a library must not keep a broken child


def _make_backend(arguments: list[str]) -> Backend:
    if arguments[:1] == ["--scripted"]:
        # Not part of the program: a checkout has it beside its tests.
        backend: Backend = import_module("tests.helpers.scripted_backend").ScriptedBackend(Path(arguments[1]))
        return backend
    from app.engine.llama.llama_backend import LlamaBackend

    keep_caches_here()
    return LlamaBackend()


class EngineWorker:
    """Requests are read by one thread and carried out by another, so that a cancel is heard in the middle of work."""

    def __init__(
        self,
        backend: Backend,
        reader: BinaryIO,
        writer: BinaryIO,
        cage: Callable[[protocol.LoadModel], CageReport],
    ) -> None:
        self._backend = backend
        self._cage: Callable[[protocol.LoadModel], CageReport] | None = cage
        self._parent = ParentSide(protocol.WIRE, reader, writer)
        self._waiting: queue.SimpleQueue[tuple[protocol.Request, EngineJob] | ProtocolViolation | None] = (
            queue.SimpleQueue()
        )
        self._held: collections.deque[tuple[protocol.Request, EngineJob]] = collections.deque()
        self._jobs: dict[int, EngineJob] = {}
        self._unbegun: dict[int, protocol.Request] = {}
        self._saving = threading.Event()
        self._replies: ReplyThread | None = None

    @property
    def is_at_work(self) -> bool:
        """True if a caller waits for a reply that this process, not a device, computes."""
        return bool(self._jobs) and not self._backend.waits_for_device

    def run(self) -> None:
        """Send the greeting, then work until the process ends. Raises errors the user can't resolve."""
        self._parent.send_greeting(self._backend.name)
        self._start_reading()
        # Imports llama.cpp after the greeting, so that the parent knows that the child lives.
        self._backend.prepare()
        while True:
            self._take_requests()
            if self._backend.busy:
                self._backend.step(urgent=lambda: not self._waiting.empty())

    def _take_requests(self) -> None:
        """Carry out queued requests; blocks only if there is nothing else to do."""
        # A load waits for an interactive answer, and what came behind the load waits with it.
        while self._held and not (self._backend.interactive and _needs_the_model_alone(self._held[0][0])):
            self._carry_out(*self._held.popleft())
        for held in [held for held in self._held if held[1].cancelled]:
            self._held.remove(held)  # nobody waits for it: it need not wait either
            self._carry_out(*held)
        idle = not self._backend.busy
        while idle or not self._waiting.empty():
            idle = False
            item = self._await_request()
            if isinstance(item, ProtocolViolation):
                raise item
            if item is None:
                self._saving.set()
                # Written on this thread: llama.cpp's context may be used by one at a time.
                self._backend.close()
                os._exit(0)
            if self._cage is not None and isinstance(item[0], protocol.LoadModel):
                # Before anything of the first file is read, and for good.
                cage, self._cage = self._cage, None
                self._parent.send_reply(Caged(cage(item[0])))
                self._replies = ReplyThread(self._parent.send_reply, _end_broken)
                self._start_reading()
            if self._held or (self._backend.interactive and _needs_the_model_alone(item[0])):
                self._held.append(item)  # requests keep their order
            else:
                self._carry_out(*item)

    def _await_request(self) -> tuple[protocol.Request, EngineJob] | ProtocolViolation | None:
        """Return the next request; at rest, freed memory is given back before, which keeps nobody waiting."""
        try:
            return self._waiting.get(timeout=REST_AFTER_S)
        except queue.Empty:
            give_back_memory()
            return self._waiting.get()

    def _start_reading(self) -> None:
        threading.Thread(target=self._read_requests, name="requests", daemon=True).start()

    def _read_requests(self) -> None:
        """Queue requests in the reader thread. At the end of stdin the parent is gone: end the process whatever
        runs.

        With the first load this thread ends, and one goes on that was started in the cage.
        """
        for request in self._parent.read_requests():
            if isinstance(request, ProtocolViolation):
                self._waiting.put(request)
            elif isinstance(request, protocol.Cancel):
                self._cancel_request(request.target)
            else:
                # Noted before it is queued, so that a cancel that follows at once finds it.
                job = self._jobs[request.id] = EngineJob(self._send_reply)
                self._unbegun[request.id] = request
                is_first = self._cage is not None and isinstance(request, protocol.LoadModel)
                self._waiting.put((request, job))
                if is_first:
                    return
        if self._backend.unsaved:
            # Running answers stop, or saving would wait for their end.
            for job in list(self._jobs.values()):
                job.stop.set()
            self._waiting.put(None)
            if self._saving.wait(LEAVE_WITHIN_S):  # otherwise native code is stuck
                threading.Event().wait()  # it ends with the last byte
        os._exit(0)

    def _cancel_request(self, id_: int) -> None:
        """Cancel a request. A queued one is answered here, by the reader thread: the other may be busy for half a
        minute.
        """
        job = self._jobs.get(id_)
        if job is None:
            return
        job.stop.set()
        # `pop` decides between the two threads which of them answers.
        if isinstance(self._unbegun.get(id_), _NEEDLESS_WHEN_CANCELLED) and (request := self._unbegun.pop(id_, None)):
            self._send_reply(_given_up(request))

    def _carry_out(self, request: protocol.Request, job: EngineJob) -> None:
        if self._unbegun.pop(request.id, None) is None:
            return  # it was cancelled, and answered, while it waited
        try:
            last = self._last_reply(request, job)
        except AppError as error:
            last = protocol.Failed(request.id, error)
        if last is not None:
            self._send_reply(last)

    def _last_reply(self, request: protocol.Request, job: EngineJob) -> protocol.Reply | None:
        """Return the last reply of a request done at once; None for an answer that has started."""
        if job.cancelled and isinstance(request, _NEEDLESS_WHEN_CANCELLED):
            return _given_up(request)
        if isinstance(request, protocol.Generate):
            self._backend.begin_answer(request, job)
            return None
        if isinstance(request, protocol.TuneModel):
            return self._backend.tune(request, job, urgent=lambda: not self._waiting.empty())
        # A request without an answer of its own is answered `Done`.
        return self._done_at_once(request, job) or protocol.Done(request.id)

    def _done_at_once(self, request: protocol.Request, job: EngineJob) -> protocol.Reply | None:
        """Carry out a request; None if the reply is just `Done`."""
        backend = self._backend
        asked: dict[type, Callable[[Any], protocol.Reply]] = {
            protocol.CountTokens: backend.count_tokens,
            protocol.CountTexts: backend.count_texts,
            protocol.CountMedia: backend.count_media,
            protocol.FindCallSyntax: backend.call_syntax,
            protocol.DescribeDevices: backend.describe_devices,
        }
        if type(request) in asked:
            return asked[type(request)](request)
        match request:
            case protocol.LoadModel():
                return backend.load(request, job)
            case protocol.Embed():
                return backend.embed(request, job)
            case protocol.ClassifyTokens():
                return backend.classify_tokens(request, job)
            case protocol.Inspect():
                return backend.inspect(request, job)
            case protocol.ForgetSession(session=session):
                backend.forget_session(session)
            case protocol.ForgetTexts(names=names):
                backend.forget_texts(frozenset(names))
            case protocol.UnloadModel():
                backend.unload()
        return None

    def _send_reply(self, reply: protocol.Reply) -> None:
        if protocol.is_last(reply):
            # Before it is sent: the parent may send a cancel as soon as it has the reply.
            self._jobs.pop(reply.id, None)
        if self._replies is None:
            self._parent.send_reply(reply)
        else:
            self._replies.send(reply)


_NEEDLESS_WHEN_CANCELLED = (
    protocol.LoadModel,
    protocol.Generate,
    protocol.Embed,
    protocol.ClassifyTokens,
    protocol.Inspect,
    protocol.TuneModel,
    protocol.CountTexts,
    protocol.CountMedia,
)


def _given_up(request: protocol.Request) -> protocol.Reply:
    """Return the last reply to a request that was cancelled before it began."""
    if isinstance(request, protocol.Generate):
        return EventReply(request.id, Finished(CANCELLED))
    return protocol.Done(request.id)


def _needs_the_model_alone(request: protocol.Request) -> bool:
    """Return whether a request waits until no interactive answer is running."""
    if isinstance(request, protocol.Inspect):
        # The tokenizer needs no context, so it does not disturb an answer.
        return request.what != "tokens"
    alone = protocol.LoadModel | protocol.UnloadModel | protocol.Embed | protocol.ClassifyTokens | protocol.TuneModel
    return isinstance(request, alone)
