"""The child of an engine: started when it is needed, given up over crashes, and let go."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path

from app.core.errors.engine_errors import EngineCrashesRepeatedly, EngineStopped, OwnLibraryRefused
from app.core.events import CancelToken
from app.core.gguf import check_model
from app.engine import protocol
from app.engine.engine_process import EngineProcess
from app.engine.own_library import library_variables, stamp_library
from app.engine.states import StateFolder

CLOSE_TIMEOUT_S = 5.0
SILENT_TIMEOUT_S = 12.0  # without a sign of life and without another byte of the last session's state on the disk
CRASHES_IN_A_ROW = 3


class ChildKeeper:
    """Keeps at most one child; `lock` is held by whoever starts one and gives it something to do at once."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.command, self.folder, self.environment = command, folder, environment
        self.find_library: Callable[[], str] = lambda: ""
        # Reentrant: loading a lost model starts a child under the same lock.
        self.lock = threading.RLock()
        self.ids = itertools.count(1)
        """Numbers of requests, also over several children."""
        self.process: EngineProcess | None = None
        self.is_closed = False
        # Crashes in a row, reset by each answer that ends: three in a row are told instead of tried again.
        self._crashes = 0
        self._crash_detail = ""
        # A person's llama.cpp that ended the engine, and its version: until another is there the program's own is used.
        self._set_aside: tuple[str, object] = ("", None)

    def running_process(self) -> EngineProcess:
        """Return the child, started if there is none. Raises EngineStopped and EngineCrashesRepeatedly."""
        with self.lock:
            if self.is_closed:
                raise EngineStopped(None, "the engine was closed")
            if self.process is None or self.process.ended is not None:
                library = self._usable_library()
                if self._crashes >= CRASHES_IN_A_ROW and library:
                    self._crashes = 0
                    raise self._refuse_library(library, self._crash_detail)
                if self._crashes >= CRASHES_IN_A_ROW:
                    raise EngineCrashesRepeatedly(self._crashes, self._crash_detail)
                environment = self.environment | library_variables(library)
                self.process = EngineProcess(
                    self.command,
                    self.folder,
                    environment,
                    self._on_crash,
                    library=library,
                    refuse_library=self._refuse_library,
                )
            return self.process

    @property
    def is_outdated(self) -> bool:
        """True if a child runs another llama.cpp than the next one would."""
        process = self.process
        return process is not None and process.ended is None and process.library != self._usable_library()

    def free_uncovered(self, request: protocol.LoadModel, cancel: CancelToken | None) -> EngineProcess | None:
        """Free the model of a child that may not open what a load needs, or runs another llama.cpp; the next child may.

        Returns the child, which is then to be ended. Raises what is wrong with the file before that.
        """
        process = self.process
        if process is None or process.ended is not None or (process.covers(request) and not self.is_outdated):
            return None
        check_model(Path(request.path))
        with self.lock:
            call = process.open_call(unload := next(self.ids))
        try:
            process.send(protocol.UnloadModel(unload))
            # An answer that somebody waits for is finished first.
            for _ in call.replies(cancel, leaves=True):
                pass
        finally:
            call.abandon()
        return None if cancel is not None and cancel.cancelled else process

    def end_process(self, process: EngineProcess) -> None:
        """Let a child without a model go; the next request starts another one."""
        self.process = None if self.process is process else self.process
        process.let_go()

    def forget_crashes(self) -> None:
        """Count crashes from zero again, after an answer or for a model that a person loads."""
        self._crashes = 0

    def let_go(self) -> None:
        """Ask the child to save the last session and exit; none can be started any more."""
        with self.lock:
            self.is_closed = True
            process = self.process
        if process is not None:
            process.let_go()

    def close(self, states: StateFolder | None) -> None:
        """Like `let_go`, and wait until the child is gone, however long it writes into `states`."""
        self.let_go()
        process = self.process
        if process is None:
            return
        if states is None:
            process.child.close(CLOSE_TIMEOUT_S)
        else:
            # As long as states grow on the disk the child is at work, however long a slow disk takes.
            process.child.close(SILENT_TIMEOUT_S, _any_of(process.child.life_check(), states.growth_check()))

    def _usable_library(self) -> str:
        """Return the folder of the person's llama.cpp; "" without one, or if it has ended the engine as it is now."""
        library = self.find_library()
        return library if library and self._set_aside != (library, stamp_library(library)) else ""

    def _refuse_library(self, library: str, detail: str) -> OwnLibraryRefused:
        """Use the program's own llama.cpp from now on; return what a person is told of theirs."""
        self._set_aside = library, stamp_library(library)
        return OwnLibraryRefused(library, "stopped", detail)

    def _on_crash(self, detail: str) -> None:
        with self.lock:
            self._crashes += 1
            self._crash_detail = detail


def _any_of(*questions: Callable[[], bool]) -> Callable[[], bool]:
    """Return a function that evaluates every question, even after one is True: each keeps state."""
    return lambda: any([question() for question in questions])  # noqa: C419 - a generator would stop at the first
