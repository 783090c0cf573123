"""A tool server that is started here, in a cage, and spoken to over its standard streams, a message a line."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app.core.cage_report import CageReport
from app.core.child import Child, own_command
from app.core.errors.tool_errors import ToolServerFailed
from app.features.mcp.launcher import CAGE_FIELD, ENVIRONMENT, FLAG, NOT_STARTED, ServerGrant, report_of
from app.features.mcp.server_config import ServerConfig
from app.features.mcp.server_session import Closed, Received

log = logging.getLogger(__name__)

MOST_LINE_BYTES = 8 * 1024 * 1024
MOST_DETAIL = 200
SHELL_TIMEOUT_S = 5.0
PASSED_VARIABLES = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME", "SYSTEMROOT", "COMSPEC", "PATHEXT", "WINDIR")
"""Of this program's environment; nothing else, since keys of other programs lie there."""


@dataclass(frozen=True)
class ServerProgram:
    """The program of a server, found on the person's own PATH, and the folders it was installed in."""

    path: str
    folders: tuple[str, ...]


class StdioTransport:
    """Starts the server in `folder`, its own, which it takes for the person's home."""

    def __init__(self, config: ServerConfig, folder: Path) -> None:
        self._config, self._folder = config, folder
        self._child: Child | None = None
        self.cage: CageReport | None = None
        """What the server can't do, once it said so."""

    def open(self, received: Received, closed: Closed) -> None:
        search_path = login_search_path()
        program = find_program(self._config.command, search_path)
        if program is None:
            raise ToolServerFailed(self._config.name, "missing", self._config.command)
        grant = ServerGrant(
            self._config.readable, self._config.writable, program.folders, has_network=self._config.has_network
        )
        command = [*own_command(FLAG), grant.to_json(), program.path, *self._config.arguments]
        environment = dict(_environment_of(self._config, self._folder, search_path))
        child = Child(
            command,
            self._folder,
            {ENVIRONMENT: json.dumps(environment)},
            work="tools",
            subject=self._config.name,
            beats=False,
            most_line_bytes=MOST_LINE_BYTES,
        )
        self._child = child

        def take_line(line: bytes) -> None:
            message = _message_of(line)
            if message is None:
                log.debug("tool server %s wrote a line that is no message", self._config.name)
            elif CAGE_FIELD in message and self.cage is None:
                self.cage = report_of(message[CAGE_FIELD])
                child.tell_cage(self.cage)
            else:
                received(message)

        def note_exit(code: int, tail: str) -> None:
            last = tail.strip().splitlines()[-1:] or [f"exit code {code}"]
            closed("not found" if code == NOT_STARTED else last[0][:MOST_DETAIL])

        child.listen(take_line, note_exit)

    def send(self, message: Mapping[str, Any]) -> None:
        if self._child is None:
            raise BrokenPipeError
        self._child.send(json.dumps(message, ensure_ascii=False).encode() + b"\n")

    def close(self) -> None:
        if self._child is not None:
            self._child.close()


def find_program(command: str, search_path: str) -> ServerProgram | None:
    """Return a server's program; None if there is none of that name."""
    found = shutil.which(os.path.expanduser(command), path=search_path)  # noqa: PTH111 - a name is no path
    if found is None:
        return None
    path = Path(found)
    folders = [folder for file in (path, path.resolve()) for folder in _install_folders(file)]
    return ServerProgram(found, tuple(dict.fromkeys(map(str, folders))))


def _install_folders(program: Path) -> Iterator[Path]:
    """Yield the folder of a program, and what it was installed to where that holds nothing else of a person's."""
    yield program.parent
    prefix, home = program.parent.parent, Path.home()
    if program.parent.name == "bin" and prefix not in (home, home / ".local") and prefix not in home.parents:
        yield prefix


@cache
def login_search_path() -> str:
    """Return the PATH of the person's login shell: one that was started from a menu has hardly any."""
    own, shell = os.environ.get("PATH", os.defpath), os.environ.get("SHELL", "")
    if os.name != "posix" or not os.access(shell, os.X_OK):
        return own
    mark = "fireside-path="
    try:
        told = subprocess.run(
            [shell, "-l", "-c", f'printf "{mark}%s\\n" "$PATH"'],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SHELL_TIMEOUT_S,
            check=False,
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.SubprocessError) as error:
        log.info("the login shell told no PATH: %s", error)
        return own
    found = next((line.removeprefix(mark) for line in told.splitlines() if line.startswith(mark)), "")
    return os.pathsep.join(dict.fromkeys([*found.split(os.pathsep), *own.split(os.pathsep)])).strip(os.pathsep)


def _environment_of(config: ServerConfig, folder: Path, search_path: str) -> Iterator[tuple[str, str]]:
    yield from ((name, os.environ[name]) for name in PASSED_VARIABLES if name in os.environ)
    yield "PATH", search_path
    # Its caches and settings go to its own folder, and with it.
    home = ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "APPDATA", "LOCALAPPDATA")
    yield from ((name, str(folder)) for name in home)
    yield from config.environment


def _message_of(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
