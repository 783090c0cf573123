"""One file's download from the fake Hub: in the test's own process, with every event at hand, or by a real child."""

from __future__ import annotations

import json
import random
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.core.errors.app_error import AppError
from app.core.events import CancelToken
from app.hub.access import NetworkAccess
from app.hub.part import file_place
from app.hub.protocol import ChildEvent, Done, Failed, Fetched, Job, Phase
from app.hub.running_fetch import fetch_download
from app.hub.transfer import LIMITS_VARIABLE, TransferLimits, last_event
from tests.helpers.fake_hub import FakeHub

REPO, FILE = "someone/Tiny-GGUF", "tiny-Q4_K_M.gguf"
SIZE = 1_500_000
QUICK: dict[str, Any] = {
    "first_wait_s": 0.02, "longest_wait_s": 0.05, "connect_timeout_s": 30.0, "read_timeout_s": 30.0, "reserve_bytes": 0
}  # fmt: skip
"""Patient with the other side, which may be slow on a busy machine: each time it is asked again counts in a test."""


def content_of(size: int = SIZE, seed: int = 1) -> bytes:
    """Bytes that look like nothing else."""
    return random.Random(seed).randbytes(size)


@dataclass
class Fetching:
    """A repository with one file on a fake Hub, and a models folder."""

    hub: FakeHub
    root: Path
    content: bytes = field(default_factory=content_of)
    token: str = ""
    events: list[ChildEvent] = field(default_factory=list)
    begun: list[Generator[ChildEvent, None, None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hub.add(REPO, {FILE: self.content})

    @property
    def models(self) -> Path:
        """The models folder."""
        return self.root / "models"

    @property
    def path(self) -> Path:
        """Where the file ends up."""
        return file_place(self.models, REPO, FILE)

    @property
    def part(self) -> Path:
        """What is there of it."""
        return self.path.with_name(FILE + ".part")

    @property
    def sidecar(self) -> Path:
        """Whose it is."""
        return self.path.with_name(FILE + ".part.json")

    @property
    def ledger(self) -> Path:
        """Every connection."""
        return self.root / "connections.jsonl"

    def job(self, **changes: Any) -> Job:
        """One that fetches the file."""
        access = NetworkAccess(endpoint=self.hub.url, token=self.token)
        known: dict[str, Any] = {
            "repo": REPO, "revision": "main", "file": FILE, "folder": str(self.models), "access": access,
            "ledger": str(self.ledger),
        }  # fmt: skip
        return Job(**known | changes)

    def here(self, job: Job | None = None, **limits: Any) -> Done:
        """Fetches in this process; raises what the child would say."""
        self.events = []
        last = last_event(job or self.job(), self.events.append, TransferLimits(**QUICK | limits))
        if isinstance(last, Failed):
            raise last.error
        return last

    def fails_with(self, kind: type[AppError], job: Job | None = None, **limits: Any) -> Any:
        """The situation it ends with; nothing is left at the final name then."""
        with pytest.raises(kind) as caught:
            self.here(job, **limits)
        assert not self.path.exists()
        return caught.value

    def child(self, cancel: CancelToken, job: Job | None = None) -> Generator[ChildEvent, None, None]:
        """Fetches in a real child; `close` ends what a failed test leaves."""
        self.begun.append(fetch_download(job or self.job(), folder=self.root / "work", cancel=cancel))
        return self.begun[-1]

    def close(self) -> None:
        """Ends every child."""
        for events in self.begun:
            events.close()

    def ranges(self) -> list[int | None]:
        """Where each request for content began."""
        return [each.range_start for each in self.hub.seen("storage", "GET")]

    def phases(self) -> list[str]:
        """As they came, each told once."""
        names = [event.name for event in self.events if isinstance(event, Phase)]
        return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]

    def waits(self) -> list[Phase]:
        """How it waited."""
        return [event for event in self.events if isinstance(event, Phase) and event.name == "waiting"]

    def fetched(self) -> list[int]:
        """How far it was, as it came."""
        return [event.done_bytes for event in self.events if isinstance(event, Fetched)]

    def assert_complete(self) -> None:
        """The file is in its place, and nothing else but where it came from."""
        assert self.path.read_bytes() == self.content
        assert sorted(each.name for each in self.path.parent.iterdir()) == [FILE, FILE + ".json"]

    def leave_part(self, size: int, content: bytes | None = None) -> None:
        """As if a download had been killed after so many bytes."""
        file = self.hub.repos[REPO].files[FILE]
        self.part.parent.mkdir(parents=True, exist_ok=True)
        self.part.write_bytes((content or self.content)[:size])
        origin = {"repo": REPO, "file": FILE, "commit": "c", "etag": file.sha256, "size_bytes": file.size}
        self.sidecar.write_text(json.dumps({"version": 1, **origin}), "utf-8")


@contextmanager
def quick_children(monkeypatch: pytest.MonkeyPatch, **limits: Any) -> Iterator[None]:
    """Children started within are in a hurry."""
    with monkeypatch.context() as patch:
        patch.setenv(LIMITS_VARIABLE, json.dumps(QUICK | limits))
        yield
