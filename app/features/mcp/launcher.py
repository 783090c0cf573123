"""Start a tool server in a cage: give up files and network in this process, tell what holds, then become the server.

What Landlock and seccomp took away stays away from the program that follows, and from all that it starts.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from app.core.cage import enter_cage
from app.core.cage_report import CageReport, CageWall
from app.core.child import end_with_parent
from app.core.landlock import SYSTEM_PLACES, ThreadGrant
from app.core.lazy_dataclasses import dataclass
from app.core.seccomp import SocketRule

FLAG = "--tool-server"
ENVIRONMENT = "FIRESIDE_TOOL_ENVIRONMENT"
"""Variable that holds the server's whole environment as JSON: some of it is secret, and some would change this program
before it is in its cage."""
NOT_STARTED = 127
"""Exit code if the command can't be run, as a shell has it."""
CAGE_FIELD = "fireside_cage"
"""Key of the first line, which is told before the server says anything."""


@dataclass(frozen=True)
class ServerGrant:
    """What a tool server may do. `program_folders` hold the program itself and its libraries."""

    reading: tuple[str, ...] = ()
    writing: tuple[str, ...] = ()
    program_folders: tuple[str, ...] = ()
    has_network: bool = False

    def to_json(self) -> str:
        return json.dumps(vars(self))

    @classmethod
    def from_json(cls, text: str) -> ServerGrant:
        fields = json.loads(text)
        lists = {name: tuple(fields[name]) for name in ("reading", "writing", "program_folders")}
        return cls(**lists, has_network=bool(fields["has_network"]))


def main(arguments: Sequence[str]) -> int:
    """Become the server. `arguments`: the grant as JSON, then the server's command."""
    grant, command = ServerGrant.from_json(arguments[0]), list(arguments[1:])
    environment = json.loads(os.environ[ENVIRONMENT])
    if sys.platform == "linux":
        end_with_parent(may_save=False)  # kept by what follows in this process
        _end_group_with_this()
    report = _enter_cage_of(grant)
    sys.stdout.write(json.dumps({CAGE_FIELD: _report_fields(report)}) + "\n")
    sys.stdout.flush()
    try:
        if os.name == "nt":  # where a program can't be replaced by another
            return subprocess.run(command, env=environment, check=False).returncode
        os.execvpe(command[0], command, environment)  # noqa: S606 - a shell is what is not wanted
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
    return NOT_STARTED


def report_of(fields: object) -> CageReport:
    """Return the report that the first line tells; an empty one for anything else."""
    if not isinstance(fields, dict):
        return CageReport()
    known = {wall.value: wall for wall in CageWall}
    held, missing = (tuple(known[name] for name in fields.get(key, ()) if name in known) for key in ("held", "missing"))
    return CageReport(held, missing)


def _end_group_with_this() -> None:
    """Leave a process behind that kills the whole group once this one ended, which may happen with the program's death.

    The system ends only this process then, not what the server started. The watch is no child of the server's, which
    may wait for all of its own, and it is outside of the cage.
    """
    try:
        this = os.pidfd_open(os.getpid())
    except OSError as error:  # kernels before 5.3
        sys.stderr.write(f"no watch over the server's group: {error.strerror}\n")
        return
    if os.fork() == 0:
        if os.fork() == 0:
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):  # whose ends the program waits for
                os.dup2(nothing, stream)
            select.select([this], [], [])
            os.killpg(0, signal.SIGKILL)
        os._exit(0)
    os.wait()
    os.close(this)


def _report_fields(report: CageReport) -> dict[str, list[str]]:
    # A server may start programs: they are in the same cage.
    walls = (("held", report.held), ("missing", report.missing))
    return {key: [wall.value for wall in found if wall is not CageWall.PROGRAMS] for key, found in walls}


def _enter_cage_of(grant: ServerGrant) -> CageReport:
    here = Path.cwd()  # its own folder, which it may fill
    places = ThreadGrant(
        reading=[*map(Path, SYSTEM_PLACES), *map(Path, grant.program_folders), *map(Path, grant.reading)],
        writing=[here, *map(Path, grant.writing)],
        devices=[Path(os.devnull)],
        ports=None if grant.has_network else (),
        moves_files=True,  # as package runners and editors of files do
        keeps_group=True,
    )
    return enter_cage(places, SocketRule.INTERNET if grant.has_network else SocketRule.NONE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
