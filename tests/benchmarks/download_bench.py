"""A download over loopback, checked by sha256, against curl; and how soon cancel and pause are over in every phase."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from comparing import compared, in_turns
from run import Row

from app.core.events import CancelToken
from app.hub.access import NetworkAccess
from app.hub.part import companion_path, file_place, throw_away
from app.hub.protocol import ChildEvent, Done, Fetched, Job, Phase
from app.hub.running_fetch import fetch_download
from app.hub.transfer import LIMITS_VARIABLE
from tests.helpers.fake_hub import FakeHub, File

SIZE_BYTES = 98_000_000
REPO, FILE = "someone/Tiny-GGUF", "tiny-Q4_K_M.gguf"
AT_LEAST = 0.6
AT_MOST_MS = 1000
ROUNDS = 5


def rows() -> Iterator[Row]:
    """All numbers of this part."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as scratch, FakeHub() as hub:
        folder = Path(scratch)
        content = folder / "content"
        content.write_bytes(random.Random(1).randbytes(SIZE_BYTES))
        hub.add(REPO, {FILE: content})
        yield from against_curl(hub, folder)
        yield from ends(hub, folder)


def job(hub: FakeHub, folder: Path) -> Job:
    """One that fetches the file."""
    return Job(
        REPO, "main", FILE, str(folder / "models"), NetworkAccess(endpoint=hub.url), str(folder / "connections.jsonl")
    )


def against_curl(hub: FakeHub, folder: Path) -> Iterator[Row]:
    """Each from its first request until the file is complete; ours is compared and on the disk then."""

    def ours(_: int) -> float:
        path = file_place(folder / "models", REPO, FILE)
        path.unlink(missing_ok=True)
        done = list(fetch_download(job(hub, folder), folder=folder / "work", cancel=CancelToken()))[-1]
        assert isinstance(done, Done)
        assert done.resumed_bytes == 0
        return done.size_bytes / done.seconds / 1e6

    speeds = [ours, lambda _: curl(hub, folder / "curl"), lambda _: curl(hub, Path(os.devnull))]
    mine, theirs, away = in_turns(speeds)
    yield compared("98 MB from loopback with sha256, curl beside it", mine, theirs, "MB/s", at_least=AT_LEAST)
    print(f"  curl to nowhere: {max(away):.0f} MB/s, so the fake Hub gives that", file=sys.stderr, flush=True)


def curl(hub: FakeHub, path: Path) -> float:
    """Its own clock."""
    command = ["curl", "-sSfL", "-o", str(path), "-w", "%{time_total}", f"{hub.url}/{REPO}/resolve/main/{FILE}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return SIZE_BYTES / float(done.stdout) / 1e6


def ends(hub: FakeHub, folder: Path) -> Iterator[Row]:
    """From the click until the child is gone; a cancel also throws away what is there."""
    whole = hub.repos[REPO].files[FILE]
    huge = folder / "huge"
    with huge.open("wb") as file:
        file.truncate(50 * 10**9)
    holds: dict[str, Callable[[], object]] = {
        "connecting": lambda: hub.fail("slow", server="hub", method="HEAD", seconds=60, times=-1),
        "checking": lambda: leave_part(hub, folder, File(huge, "a" * 64, 50 * 10**9)),
        "downloading": lambda: setattr(hub, "bytes_per_s", 2_000_000),
        "waiting": lambda: hub.fail("status", status=503, headers={"Retry-After": "60"}, times=-1),
        "verifying": lambda: None,
    }
    os.environ[LIMITS_VARIABLE] = json.dumps({"reserve_bytes": 0})
    try:
        for phase, hold in holds.items():
            for way in ("cancel", "pause"):
                taken_ms = []
                for _ in range(ROUNDS):
                    throw_away(file_place(folder / "models", REPO, FILE))
                    file_place(folder / "models", REPO, FILE).unlink(missing_ok=True)
                    hold()
                    taken_ms.append(ended_after_ms(hub, folder, phase, way))
                    hub.heal()
                    hub.bytes_per_s, hub.repos[REPO].files[FILE] = 0, whole
                spread = f"{min(taken_ms):.0f} to {max(taken_ms):.0f}, {ROUNDS} rounds"
                yield Row(
                    f"{way} while {phase}, slowest", round(max(taken_ms), 1), "ms", AT_MOST_MS, spread, at_most=1.0
                )
    finally:
        del os.environ[LIMITS_VARIABLE]


def leave_part(hub: FakeHub, folder: Path, file: File) -> None:
    """Many gigabytes that take no room, so that reading them again takes its time."""
    hub.repos[REPO].files[FILE] = file
    path = file_place(folder / "models", REPO, FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with companion_path(path, ".part").open("wb") as part:
        part.truncate(file.size - 1)
    origin = {"repo": REPO, "file": FILE, "commit": "", "etag": file.sha256, "size_bytes": file.size}
    companion_path(path, ".part.json").write_text(json.dumps({"version": 1, **origin}), "utf-8")


def ended_after_ms(hub: FakeHub, folder: Path, phase: str, way: str) -> float:
    """How long an end takes that is asked for in the middle of a phase."""
    cancel = CancelToken()
    events = fetch_download(job(hub, folder), folder=folder / "work", cancel=cancel)
    next(event for event in events if is_in(event, phase))
    began_s = time.monotonic()
    cancel.cancel()
    list(events)
    if way == "cancel":
        throw_away(file_place(folder / "models", REPO, FILE))
    return (time.monotonic() - began_s) * 1000


def is_in(event: ChildEvent, phase: str) -> bool:
    """Whether a phase has begun, and in it something has been done where something is."""
    if phase in ("downloading", "checking"):
        return isinstance(event, Fetched) and event.done_bytes > 0
    return isinstance(event, Phase) and event.name == phase
