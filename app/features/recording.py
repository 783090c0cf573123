"""Recording with the microphone, into a folder of the person's data; it is on only while somebody records.

What was recorded stays there as long as something uses it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.core.child import Child, own_command
from app.core.errors import MicrophoneMissing
from app.core.events import CancelToken
from app.core.paths import make_folder
from app.core.wire import Conversation, Ended, Said
from app.documents.microphone import TRIAL_VARIABLE, WIRE, Heard, NoMicrophone, Record
from app.store.documents import DocumentStore

LOOK_EVERY_S = 0.1
STARTS_WITHIN_S = 15.0
UNHEARD_KEPT_S = 30 * 24 * 3600.0
LEAST_S = 0.3
"""A shorter one is a slip of the finger, and not kept."""


@dataclass(frozen=True)
class Recorded:
    """It is over, and here."""

    path: Path
    seconds: float


class Recorder:
    """`folder` is where recordings are kept, `child_folder` the child's own; `name` makes a name without an ending."""

    def __init__(self, folder: Path, child_folder: Path, name: Callable[[], str]) -> None:
        self._folder, self._child_folder, self._name = folder, child_folder, name

    def record(self, stop: CancelToken) -> Iterator[Heard | Recorded]:
        """Until `stop`: what was heard so far, at last `Recorded` unless it was too short. Raises MicrophoneMissing."""
        make_folder(self._folder)
        path = _free(self._folder, self._name())
        trial = {name: os.environ[name] for name in (TRIAL_VARIABLE,) if name in os.environ}
        said = Said()
        child = Child(own_command("--record-worker"), self._child_folder, trial, work="recording")
        seconds = 0.0
        try:
            Conversation(WIRE, child, said.put).send(Record(str(path)))
            until_s = time.monotonic() + STARTS_WITHIN_S
            while not stop.cancelled:
                event = said.next(LOOK_EVERY_S)
                if isinstance(event, NoMicrophone | Ended):
                    raise MicrophoneMissing(event.detail if isinstance(event, NoMicrophone) else event.tail)
                if event is None and not seconds and time.monotonic() > until_s:
                    raise MicrophoneMissing("it did not start")
                if isinstance(event, Heard):
                    seconds = event.seconds
                    yield event
            child.close()
            if seconds >= LEAST_S:
                yield Recorded(path, seconds)
        finally:
            child.kill_tree()
            child.close()
            if seconds < LEAST_S:
                path.unlink(missing_ok=True)


def _free(folder: Path, name: str) -> Path:
    """A path at which nothing is."""
    path, number = folder / f"{name}.wav", 2
    while path.exists():
        path, number = folder / f"{name} {number}.wav", number + 1
    return path


class Recordings:
    """The files that were recorded. A document is made of each, from which it is then known that it is used."""

    def __init__(self, folder: Path, store: DocumentStore) -> None:
        self._folder, self._store = folder, store

    def used(self) -> set[str]:
        """The names of those that documents were made of, wherever this folder was at that time."""
        return {path.name for path in self._store.paths() if path.parent.name == self._folder.name}

    def tidy(self, used_before: set[str], before: float) -> None:
        """Removes those of which there was a document and is none any more.

        Of some there never was one: nobody has deleted these, and they stay for another `UNHEARD_KEPT_S` from when they
        were made, seen from that moment (seconds since 1970).
        """
        used = self.used()
        for path in self._folder.glob("*.wav"):
            with suppress(OSError):
                is_old = path.stat().st_mtime < before - UNHEARD_KEPT_S
                if path.name not in used and (path.name in used_before or is_old):
                    path.unlink()
