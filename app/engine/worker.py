"""The child's side of the engine: claims the wire, carries out requests in order, and leaves with its parent."""

from __future__ import annotations

import os
import queue
import sys
import threading
import traceback
from pathlib import Path
from typing import BinaryIO

from app import __version__
from app.core.child import claim_wire
from app.core.errors import AppError, ProtocolViolation, to_fields
from app.engine import protocol
from app.engine.backend import Backend, Job

DEFECT_EXIT_CODE = 70


def main(arguments: list[str]) -> int:
    """`--engine-worker [--scripted FILE]`: works until stdin ends. Never returns: the process ends itself."""
    reader, writer = claim_wire()
    worker = Worker(_backend(arguments), reader, writer)
    try:
        worker.run()
    except BaseException:  # noqa: BLE001 - whatever it is, the parent reads it from stderr
        traceback.print_exc(file=sys.stderr)
        sys.stderr.flush()
    os._exit(DEFECT_EXIT_CODE)  # a thread or an atexit hook of a library must not keep a broken child


def _backend(arguments: list[str]) -> Backend:
    if arguments[:1] == ["--scripted"]:
        from app.engine.fake_backend import ScriptedBackend

        return ScriptedBackend(Path(arguments[1]))
    from app.engine.llama.backend import LlamaBackend

    return LlamaBackend()


class Worker:
    """Requests are read by one thread and carried out by another, so that a cancel is heard in the middle of work."""

    def __init__(self, backend: Backend, reader: BinaryIO, writer: BinaryIO) -> None:
        self._backend = backend
        self._reader = reader
        self._writer = writer
        self._waiting: queue.SimpleQueue[tuple[protocol.Request, Job] | ProtocolViolation] = queue.SimpleQueue()
        self._jobs: dict[int, Job] = {}

    def run(self) -> None:
        """Greets, then works until the process ends; raises for anything that is not the person's to change."""
        self._reply(protocol.Greeting(protocol.PROTOCOL_VERSION, __version__, os.getpid(), self._backend.name))
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        self._backend.prepare()
        while True:
            item = self._waiting.get()
            if isinstance(item, ProtocolViolation):
                raise item
            self._carry_out(*item)

    def _read(self) -> None:
        """Fills the queue. At the end of stdin the parent is gone or done with us: leave, whatever runs."""
        for line in self._reader:
            try:
                request = protocol.from_line(line)
            except ProtocolViolation as error:
                self._waiting.put(error)
                continue
            if isinstance(request, protocol.Cancel):
                job = self._jobs.get(request.target)
                if job is not None:
                    job.stop.set()
            elif isinstance(request, protocol.Request):
                job = self._jobs[request.id] = Job(self._reply)
                self._waiting.put((request, job))
        os._exit(0)

    def _carry_out(self, request: protocol.Request, job: Job) -> None:
        try:
            last = self._last_reply(request, job)
        except AppError as error:
            last = protocol.Failed(request.id, type(error).__name__, to_fields(error))
        del self._jobs[request.id]
        self._reply(last)

    def _last_reply(self, request: protocol.Request, job: Job) -> protocol.Reply:
        match request:
            case protocol.LoadModel():
                return protocol.Done(request.id) if job.cancelled else self._backend.load(request, job)
            case protocol.Generate():
                if job.cancelled:
                    return protocol.Answered(request.id, 0, 0, 0, 0.0, 0.0, "cancelled")
                return self._backend.generate(request, job)
            case protocol.CountTokens():
                return self._backend.count_tokens(request)
            case protocol.DescribeDevices():
                return self._backend.describe_devices(request)
            case protocol.UnloadModel():
                self._backend.unload()
        return protocol.Done(request.id)

    def _reply(self, reply: protocol.Reply) -> None:
        self._writer.write(protocol.to_line(reply))
        self._writer.flush()
