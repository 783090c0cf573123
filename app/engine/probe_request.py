"""Asks what a model would take here, and how fast memory is, in the throw-away process of `llama.fit_probe`."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import queue
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from app.core.child import Child, own_command
from app.core.paths import make_folder
from app.engine.footprint import Layout, Needs

TIMEOUT_S = 10.0
LOOK_EVERY_S = 0.05


def probe(
    path: Path,
    layout: Layout,
    gpus: Sequence[str] = (),
    split: Sequence[float] = (),
    *,
    folder: Path,
    cancelled: Callable[[], bool] = lambda: False,
    timeout_s: float = TIMEOUT_S,
) -> Needs | None:
    """llama.cpp's own numbers for a file, in about a second; None when it fails, takes too long or is cancelled.

    `folder` becomes the process's working directory.
    """
    request = {"path": str(path), "layout": dataclasses.asdict(layout), "gpus": list(gpus), "split": list(split)}
    answer = _ask(request, folder, cancelled, timeout_s)
    try:
        return None if answer is None else Needs(**answer)
    except TypeError:
        return None


def probe_memory(
    cores: int, *, folder: Path, cancelled: Callable[[], bool] = lambda: False, timeout_s: float = TIMEOUT_S
) -> float:
    """Bytes a second that `cores` cores read from memory, in about a second; 0 when that cannot be told."""
    answer = _ask({"cores": cores}, folder, cancelled, timeout_s)
    speed = answer.get("bytes_per_s") if answer is not None else None
    return float(speed) if isinstance(speed, int | float) else 0.0


def probe_header(
    header: bytes,
    total_bytes: int,
    layout: Layout,
    gpus: Sequence[str] = (),
    *,
    folder: Path,
    cancelled: Callable[[], bool] = lambda: False,
) -> Needs | None:
    """The same for a file that is not here yet: its first bytes, up to the weights, and its length are enough."""
    make_folder(folder)
    with tempfile.TemporaryDirectory(prefix="header-", dir=folder) as scratch:
        path = Path(scratch) / "model.gguf"
        with path.open("wb") as file:
            file.write(header)
            file.truncate(max(total_bytes, len(header)))  # a hole: it takes no room on the disk
        return probe(path, layout, gpus, folder=folder, cancelled=cancelled)


def _ask(
    request: dict[str, Any], folder: Path, cancelled: Callable[[], bool], timeout_s: float
) -> dict[str, Any] | None:
    """One request to a child of its own; None when it fails, takes too long or is cancelled."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    try:
        child = Child(own_command("--fit-probe"), folder)
    except OSError:
        return None
    child.listen(lines.put, lambda _code, _tail: lines.put(b""))
    try:
        child.send(json.dumps(request).encode("ascii") + b"\n")
        return _answer(lines, time.monotonic() + timeout_s, cancelled)
    except OSError:
        return None
    finally:
        child.kill_tree()
        child.close()


def _answer(lines: queue.SimpleQueue[bytes], deadline_s: float, cancelled: Callable[[], bool]) -> dict[str, Any] | None:
    while not cancelled() and time.monotonic() < deadline_s:
        with contextlib.suppress(queue.Empty):
            line = lines.get(timeout=LOOK_EVERY_S)
            try:
                answer = json.loads(line)
            except ValueError:
                return None
            return answer if isinstance(answer, dict) else None
    return None
