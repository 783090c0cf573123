"""The cages of what holds a model: the files and ports that each keeps, and what the engine's parent knows of it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.core.cage import GrantedPlaces, driver_caches, enter_cage, graphics_devices, programs_of
from app.core.cage_report import CageReport, CageWall
from app.core.child import CHECKOUT, run_in_heart
from app.core.landlock import ThreadGrant, program_places
from app.core.paths import LIBRARY_VARIABLE, make_folder
from app.core.seccomp import SocketRule
from app.engine import computer, rpc_machines
from app.engine.protocol import LoadModel

MOST_PARTS = 1000
TIMES_MEMORY = 2
_PART = re.compile(r"(.+)-(\d{5})-of-(\d{5})(\.gguf)", re.IGNORECASE)


def cage_engine(request: LoadModel) -> CageReport:
    """Give up all but what this load and later ones from the same folders need; return what holds."""
    states = [Path(request.states_folder)] if request.states_folder else []
    for folder in states:
        with contextlib.suppress(OSError):  # then nothing is saved, which goes on without
            make_folder(folder)
    grant = ThreadGrant(
        reading=[*program_places(), *_own_library(), *map(Path, request.folders), *files_of(request)],
        writing=[Path.cwd(), *driver_caches(), *states, Path(os.devnull)],
        devices=tuple(graphics_devices()),
        # It starts itself, for what a template or a header might break; those are in the same cage.
        programs=programs_of(Path(sys.executable)),
        ports=rpc_machines.ports_of(request.machines),
    )
    # Looking up a name is more than connecting to a port, so it is done now.
    rpc_machines.look_up(request.machines)
    sockets = SocketRule.TCP if request.machines else SocketRule.NONE
    most_bytes = _most_file_bytes(request.states_budget_bytes)
    return enter_cage(grant, sockets, most_file_bytes=most_bytes, other_threads=(run_in_heart,))


def cage_probe(path: str) -> CageReport:
    """Give up all but what asking about this model's file needs; "" for none."""
    files = list(_parts_of(Path(path))) if path else []
    return enter_cage(_device_grant(files), most_file_bytes=_most_file_bytes(), other_threads=(run_in_heart,))


def cage_lender(port: int) -> CageReport:
    """Give up all but what lending this computer's devices at a port needs, and to ask itself there."""
    grant = dataclasses.replace(_device_grant(()), ports=(port,), listening=(port,))
    return enter_cage(grant, SocketRule.TCP, most_file_bytes=_most_file_bytes(), other_threads=(run_in_heart,))


def _device_grant(files: Iterable[Path]) -> ThreadGrant:
    caches, devices = tuple(driver_caches()), tuple(graphics_devices())
    reading = [*program_places(), *_own_library(), *files]
    return ThreadGrant(reading, [*caches, Path(os.devnull)], devices, programs=(), ports=())


def _own_library() -> Iterator[Path]:
    """Yield the folder of the person's own llama.cpp, which loads the library of a device when it is needed."""
    if folder := os.environ.get(LIBRARY_VARIABLE):
        yield Path(folder)


def _most_file_bytes(budget_bytes: int = 0) -> int | None:
    """Return the limit of one file: a state is as large as its context in memory, and a driver that computes on the
    processor keeps all of its card's memory in a file. None where the memory isn't known.
    """
    memory = computer.total_memory_bytes()
    return max(TIMES_MEMORY * memory, budget_bytes) if memory else None


def files_of(request: LoadModel) -> Iterator[Path]:
    """Yield the files that a load opens, behind all links: all parts of the model, and its projector."""
    if request.wish.projector:
        yield Path(request.wish.projector).resolve()
    yield from _parts_of(Path(request.path))


def _parts_of(path: Path) -> Iterator[Path]:
    if (part := _PART.fullmatch(path.name)) is None:
        yield path.resolve()
        return
    name, _, count, ending = part.groups()
    for number in range(1, min(int(count), MOST_PARTS) + 1):
        yield path.with_name(f"{name}-{number:05}-of-{count}{ending}").resolve()


class EngineGrant:
    """What a child was granted with its first load, to be compared with what later ones need."""

    def __init__(self, first: LoadModel) -> None:
        self._first = first
        # The starter model lies in the program's own folder.
        self._places = GrantedPlaces([*files_of(first), *map(Path, first.folders), CHECKOUT])

    def covers(self, request: LoadModel, report: CageReport | None) -> bool:
        """Return whether a later load works in the same cage; without a report it is taken to hold altogether."""
        held = _held(report)
        if CageWall.NETWORK in held and set(request.machines) != set(self._first.machines):
            return False
        if CageWall.WRITING in held and request.states_folder != self._first.states_folder:
            return False
        return CageWall.FILES not in held or all(map(self._places.hold, files_of(request)))

    def reaches(self, machine: str, report: CageReport | None) -> bool:
        return CageWall.NETWORK not in _held(report) or machine in self._first.machines


def _held(report: CageReport | None) -> set[CageWall]:
    return set(CageWall) if report is None else set(report.held)
