"""Ask what a model would take here, and how fast memory is, in the throw-away process of `llama.fit_probe`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.core.child import Child, own_command
from app.core.errors.engine_errors import ProtocolViolation
from app.core.lazy_dataclasses import dataclass
from app.core.paths import make_folder
from app.core.wire import Caged, Ended, Wire, WireClient, WireInbox
from app.engine.model_shape import MemoryNeeds, ModelLayout


@dataclass(frozen=True)
class FitProbe:
    """Ask llama.cpp what a file would take, on these GPUs in these shares."""

    path: str
    layout: ModelLayout
    gpus: tuple[str, ...]
    split: tuple[float, ...]


@dataclass(frozen=True)
class ProbeMemory:
    """Request to measure how fast this many cores read memory; answered by `MemorySpeed`."""

    cores: int


@dataclass(frozen=True)
class MemorySpeed:
    """Answers `ProbeMemory`: how much so many cores read in a second."""

    bytes_per_s: float


@dataclass(frozen=True)
class TryLibrary:
    """Request to load the llama.cpp that the environment names, in `folder`; answered by `LibraryTried`."""

    folder: str


@dataclass(frozen=True)
class LibraryTried:
    """Answers `TryLibrary`. `reason` is empty, or one of those of `OwnLibraryRefused`."""

    version: str
    reason: str = ""
    detail: str = ""


Answer = MemoryNeeds | MemorySpeed | LibraryTried
PROBE_WIRE = Wire(5, (FitProbe, ProbeMemory, TryLibrary), (Caged, MemoryNeeds, MemorySpeed, LibraryTried))
TIMEOUT_S = 10.0


def probe_file(
    path: Path,
    layout: ModelLayout,
    gpus: Sequence[str] = (),
    split: Sequence[float] = (),
    *,
    folder: Path,
    cancelled: Callable[[], bool] = lambda: False,
    timeout_s: float = TIMEOUT_S,
) -> MemoryNeeds | None:
    """Ask llama.cpp for a file's memory needs, in about a second. None if it fails, times out or is cancelled.

    `folder` becomes the process's working directory.
    """
    answer = ask_probe(FitProbe(str(path), layout, tuple(gpus), tuple(split)), folder, cancelled, timeout_s)
    return answer if isinstance(answer, MemoryNeeds) else None


def probe_memory(
    cores: int, *, folder: Path, cancelled: Callable[[], bool] = lambda: False, timeout_s: float = TIMEOUT_S
) -> float:
    """Measure memory bandwidth with `cores` cores, in bytes per second; 0 if that fails. Takes about a second."""
    answer = ask_probe(ProbeMemory(cores), folder, cancelled, timeout_s)
    return answer.bytes_per_s if isinstance(answer, MemorySpeed) else 0.0


def probe_header(
    header: bytes,
    total_bytes: int,
    layout: ModelLayout,
    gpus: Sequence[str] = (),
    *,
    folder: Path,
    cancelled: Callable[[], bool] = lambda: False,
) -> MemoryNeeds | None:
    """Like `probe_file`, for a file not downloaded yet: its bytes up to the weights and its total size suffice."""
    make_folder(folder)
    with tempfile.TemporaryDirectory(prefix="header-", dir=folder) as scratch:
        path = Path(scratch) / "model.gguf"
        with path.open("wb") as file:
            file.write(header)
            file.truncate(max(total_bytes, len(header)))  # a hole: it takes no room on the disk
        return probe_file(path, layout, gpus, folder=folder, cancelled=cancelled)


def ask_probe(
    request: FitProbe | ProbeMemory | TryLibrary,
    folder: Path,
    cancelled: Callable[[], bool],
    timeout_s: float,
    environment: Mapping[str, str] | None = None,
) -> Answer | Ended | None:
    """Send one request to a separate child. None if it times out, is cancelled or answers nonsense."""
    try:
        # A process of its own: llama.cpp ends it where an assertion fails, and takes its memory along.
        child = Child(own_command("--fit-probe"), folder, environment)
    except OSError:
        return None
    said, deadline_s, answer = WireInbox(), time.monotonic() + timeout_s, None
    try:
        WireClient(PROBE_WIRE, child, said.add_item).send(request)
        while answer is None and not cancelled() and time.monotonic() < deadline_s:
            answer = said.next_item()
    except ProtocolViolation:
        return None
    finally:
        child.kill_tree()
        child.close()
    return answer
