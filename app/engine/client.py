"""The parent's side of the engine: keeps a child with a model, which can sleep, and comes back when it is needed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import OwnLibraryRefused
from app.core.errors.model_errors import ProjectorRefused
from app.core.events import CANCELLED, PROJECTOR_REFUSED, CancelToken, Finished, LoadProgress, ModelLoaded
from app.core.wire import EventReply
from app.engine import protocol
from app.engine.child_keeper import ChildKeeper
from app.engine.contract import AnswerEvent, WakingEvent
from app.engine.engine_build import EngineBuild
from app.engine.engine_process import FILE_PROBLEMS, EngineProcess, FirstReplies
from app.engine.engine_requests import EngineRequests
from app.engine.protocol import OPEN, Ask, Wish
from app.engine.states import StateFolder

LOCK_POLL_S = 0.1
"""Interval at which a caller waiting for another's load notices its own cancellation."""
ENVIRONMENT = {
    "GGML_NO_BACKTRACE": "1",  # an abort would start a debugger
    # OpenMP's default spin collapses when another program wants a core. Of 200 to 10,000, 500 costs least on a quiet
    # machine and beside one or two busy programs taken together (tokens/s of reading 49 tokens, writing, two cores).
    "GOMP_SPINCOUNT": "500",
    # Weights that ggml lays out anew are read from end to end for each token, in pages of 4 KiB unless glibc asks for
    # large ones. Writing takes 5 % less of a processor with the 1.5B, for 20 MB more.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


class EngineClient(EngineRequests):
    """The engine as the rest of the program knows it. Any thread may call; nothing is started before it is needed.

    `on_waking` hears from the waking thread how far a model is that comes back by itself: progress, then the model, or
    None when it did not come back (stopped or failed; the request says why). Of one that is brought in place of another
    it hears the path first.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        states: StateFolder | None = None,
        machines: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        """`machines` returns the addresses of RPC workers that are available now; called with each load."""
        self._keeper = ChildKeeper(list(command), folder, ENVIRONMENT | dict(environment or {}))
        self.find_library: Callable[[], str] = lambda: ""
        """Returns the folder of the llama.cpp that the next child runs; "" for the program's own."""
        self._keeper.find_library = lambda: self.find_library()  # noqa: PLW0108 - set later
        self._lock, self._ids = self._keeper.lock, self._keeper.ids
        self._states = states
        self._machines = machines
        self.settings_wish: Callable[[], Wish] = lambda: OPEN
        """Returns the load options that current settings give. A model that reloads by itself follows them, except for
        options its caller chose.
        """
        self.folders: Callable[[], Sequence[Path]] = tuple
        """Returns folders that a child may read besides the model it loads first: others lie there, and pictures."""
        self.find_projector: Callable[[Path], Path | None] = lambda path: None
        """Returns the file that lets a model see or hear, found beside it."""
        # What the settings were at the last load: what differs from them now was changed since.
        self._settings_then = OPEN
        self._last_load: protocol.LoadModel | None = None
        self.on_waking: Callable[[WakingEvent], object] = lambda event: None
        self._sleeping: protocol.LoadModel | None = None
        self._waking = threading.Lock()
        self.build: EngineBuild | None = None
        """Build still running in a fresh checkout, if any. Loading waits for its end, and requests wait for loading."""

    @property
    def loaded(self) -> ModelLoaded | None:
        """The model now in the child; None once the child has ended, whatever it ended of."""
        process = self._keeper.process
        return process.loaded if process is not None and process.ended is None else None

    @property
    def pid(self) -> int | None:
        """Process id of the running child; None without one."""
        process = self._keeper.process
        return process.child.pid if process is not None and process.ended is None else None

    @property
    def is_answering(self) -> bool:
        """True if an interactive answer is being written, which closing would cut off."""
        process = self._keeper.process
        return process is not None and process.is_answering

    @property
    def is_outdated(self) -> bool:
        """True if the loaded model's options, or its llama.cpp, differ from what current settings would give."""
        last = self._last_load
        if last is None or self.loaded is None:
            return False
        wish = _follow_settings(last.wish, self._settings_then, self.settings_wish())
        return wish != last.wish or self._keeper.is_outdated

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
            process, last = self._keeper.process, self._last_load
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
        """Load a model in place of the one in the child; a cancelled load ends without `ModelLoaded`.

        A refused projector prevents the load only if it was asked for; one beside the model is a courtesy.
        """
        projector, refused = None if wish.projector else self.find_projector(Path(path)), ""
        if projector is not None:
            on_cpu = wish.projector_on_cpu or self.settings_wish().projector_on_cpu
            try:
                yield from self._load_awake(
                    path, replace(wish, projector=str(projector), projector_on_cpu=on_cpu), cancel
                )
                return
            except ProjectorRefused as error:
                refused = f"{PROJECTOR_REFUSED}{error.reason}"
        # Without its eyes the model reads and writes as before.
        for event in self._load_awake(path, wish, cancel):
            if refused and isinstance(event, ModelLoaded):
                yield replace(event, steps=(*event.steps, refused), projector=str(projector))
            else:
                yield event

    def _load_awake(self, path: Path, wish: Wish, cancel: CancelToken | None) -> Iterator[LoadProgress | ModelLoaded]:
        """Load a model, and forget a sleeping one for it."""
        if self.build is not None:
            yield from self._load_when_built(self.build, path, wish, cancel)
            return
        before, self._sleeping = self._sleeping, None
        try:
            yield from self._load_now(path, wish, cancel)
        finally:
            # A load that failed leaves the sleeping model as it was.
            if self.loaded is None:
                self._sleeping = before

    def _load_now(self, path: Path, wish: Wish, cancel: CancelToken | None) -> Iterator[LoadProgress | ModelLoaded]:
        """Load a model. If the child crashes on earlier work before it gets to this request, a new one tries again."""
        # The child's working directory is its own, so the path has to be absolute.
        states, budget = ("", 0) if self._states is None else (str(self._states.folder), self._states.budget_bytes())
        request = self._as_it_is(protocol.LoadModel(0, str(Path(path).absolute()), wish, states, budget))
        with self._lock:
            # A person who loads a model wants it tried, however often another one crashed.
            self._keeper.forget_crashes()
            before = self._last_load
        if (process := self._keeper.free_uncovered(request, cancel)) is not None:
            with self._lock:
                # What others ask for meanwhile is for the new model, too.
                self._last_load = request
                self._keeper.end_process(process)
        if not (yield from self._send_load(request, before, cancel, is_last=False)):
            yield from self._send_load(request, before, cancel, is_last=True)

    def _as_it_is(self, request: protocol.LoadModel) -> protocol.LoadModel:
        """Return a load with the other computers and the folders that there are now."""
        return replace(request, machines=self._machines(), folders=tuple(map(str, self.folders())))

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
            yield from self._load_now(path, wish, cancel)

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

    def _send_load(
        self,
        request: protocol.LoadModel,
        before: protocol.LoadModel | None,
        cancel: CancelToken | None,
        *,
        is_last: bool,
    ) -> Generator[LoadProgress | ModelLoaded, None, bool]:
        """Send the load once. Return False if the child ended before starting it; with `is_last` raise instead."""
        settings = self.settings_wish()
        with self._lock:
            process = self._keeper.running_process()
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
            if is_last or self._keeper.is_closed or process.ended is None or process.began_loading(request.id):
                raise
            # A second try would use the program's own llama.cpp, and nobody would hear of the crash.
            if isinstance(process.ended, OwnLibraryRefused):
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
            replies = FirstReplies(process, calls)
            while (came := replies.next_reply(cancel)) is not None:
                id_, reply = came
                if isinstance(reply, EventReply):
                    if isinstance(reply.event, Finished):
                        self._keeper.forget_crashes()
                    yield index_of[id_], reply.event
                elif isinstance(reply, AppError):
                    yield index_of[id_], reply
        finally:
            for call in calls:
                call.abandon()

    @property
    def awaited(self) -> Path | None:
        """The model that is loaded, loading or asleep: what the next request will get; None without any."""
        with self._lock:
            last = self._sleeping or self._last_load
            return Path(last.path) if last is not None else None

    def unload(self) -> None:
        """Free the model and forget it, so that no request brings it back; does nothing without a child."""
        with self._lock:
            self._last_load = self._sleeping = None
            if self.pid is None:
                return
        for _ in self._replies(protocol.UnloadModel, None, needs_model=False):
            pass

    def describe_devices(self) -> protocol.DevicesDescribed:
        """Return which devices and backends really exist, asked from the child.

        Computers that it can't reach from its cage are asked by another child.
        """
        keeper, process, machines = self._keeper, self._keeper.process, self._machines()
        reached = tuple(machine for machine in machines if process is None or process.reaches(machine))
        found = self._describe_devices(reached)
        if reached == machines:
            return found
        left = tuple(machine for machine in machines if machine not in reached)
        with contextlib.closing(
            EngineClient(keeper.command, keeper.folder, keeper.environment, machines=lambda: left)
        ) as it:
            more = it.describe_devices()
        lent = tuple(device for device in more.devices if device.type == protocol.MACHINE)
        return replace(found, devices=found.devices + lent, missed=found.missed + more.missed)

    def leave_machines(self) -> None:
        """Reload a model that is partly on other computers without them, after the network was switched off."""
        process = self._keeper.process
        if process is not None:
            process.leave_machines()

    def let_go(self) -> None:
        """Ask the child to save the last session and exit. Running calls raise `EngineStopped` at once; none can be
        started.
        """
        self._keeper.let_go()

    def close(self) -> None:
        """Like `let_go`, and wait until the child is gone, however long it writes."""
        self._keeper.close(self._states)

    def _replies(
        self, make: Callable[[int], protocol.Request], cancel: CancelToken | None, *, needs_model: bool = True
    ) -> Iterator[protocol.Reply]:
        process = self._process_with_model(cancel) if needs_model else self._keeper.running_process()
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
                    self._keeper.forget_crashes()
                yield reply
        finally:
            call.abandon()

    def _process_with_model(self, cancel: CancelToken | None) -> EngineProcess | None:
        """Return the child, with the last model loaded again where it was lost or asleep; None when cancelled."""
        if not self._wake_model(cancel):
            return None
        with self._lock:
            process = self._keeper.running_process()
            last = self._last_load
            # Loading or loaded: the child itself lets requests wait for a load.
            if last is None or process.loaded is not None or process.loading:
                return process
            # Settings may have changed since the model was lost.
            wish, self._settings_then = (
                _follow_settings(last.wish, self._settings_then, self.settings_wish()),
                self.settings_wish(),
            )
            self._last_load = last = replace(last, wish=wish)
            request = self._as_it_is(replace(last, id=next(self._ids)))
            if not process.covers(request):
                self._keeper.end_process(process)
                process = self._keeper.running_process()
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
                for event in self._load_now(
                    Path(last.path), _follow_settings(last.wish, self._settings_then, self.settings_wish()), cancel
                ):
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


def _follow_settings(wish: Wish, before: Wish, now: Wish) -> Wish:
    """Update the options that a load took from the settings as they were; those its caller chose stay."""
    changed = {
        name: value
        for name, value in vars(now).items()
        # Without a projector its place makes no difference, so it never makes a model outdated.
        if vars(wish)[name] == vars(before)[name] != value and (wish.projector or name != "projector_on_cpu")
    }
    return replace(wish, **changed)
