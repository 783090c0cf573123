"""A tool server that is started here, in a cage, and spoken to over its standard streams, a message a line."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from app.core.cage_report import CageReport
from app.core.child import NETWORK_VARIABLES, Child, own_command
from app.core.errors.tool_errors import ToolServerFailed
from app.core.lazy_dataclasses import dataclass
from app.features.mcp.launcher import CAGE_FIELD, ENVIRONMENT, FLAG, ServerGrant, report_of
from app.features.mcp.server_config import ServerConfig
from app.features.mcp.server_session import CONTAINED, ENDED, UNFETCHED, Closed, Received

log = logging.getLogger(__name__)

MOST_LINE_BYTES = 8 * 1024 * 1024
MOST_DETAIL = 200
MOST_UNSENT = 100
"""Messages that wait for a server to read them; one that asks without end may not read what it is told."""
LAST_SENT_S = 2.0
SHELL_TIMEOUT_S = 5.0
PASSED_VARIABLES = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME", "SYSTEMROOT", "COMSPEC", "PATHEXT", "WINDIR")
"""Of this program's environment; nothing else, since keys of other programs lie there."""
TRUSTED_VARIABLES = ("NODE_EXTRA_CA_CERTS", *NETWORK_VARIABLES)
"""Those too for a server that may use the network, but no proxy with a password in its address."""
UNREACHED = {"npm_config_offline": "true", "UV_OFFLINE": "1", "PIP_NO_INDEX": "1"}
"""Tells what fetches servers that there is no network: it starts what it fetched before, or says at once that it can't.
"""
REACHED = {"UV_SYSTEM_CERTS": "true", "npm_config_update_notifier": "false"}
PROGRAM_FOLDERS = ("bin", "shims")
MOST_FIRST_LINE = 1024
_TELLING = re.compile(r"^\S.*(error|denied|not found|cannot)|^error", re.IGNORECASE)


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
        self._has_spoken = False
        # Sent by a thread: neither Stop nor the reader may wait for a server that doesn't read.
        self._unsent: queue.Queue[bytes | None] = queue.Queue(MOST_UNSENT)
        self._writer: threading.Thread | None = None
        self.cage: CageReport | None = None
        """What the server can't do, once it said so."""

    def open(self, received: Received, closed: Closed) -> None:
        search_path = login_search_path()
        if (program := find_program(self._config.command, search_path)) is None:
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
            if (message := _message_of(line)) is None:
                log.debug("tool server %s wrote a line that is no message", self._config.name)
            elif CAGE_FIELD in message and self.cage is None:
                self.cage = report_of(message[CAGE_FIELD])
                child.tell_cage(self.cage)
            else:
                self._has_spoken = True
                received(message)

        def note_exit(code: int, tail: str) -> None:
            closed(*self._explain_end(code, tail))

        child.listen(take_line, note_exit)
        self._writer = threading.Thread(target=self._send_lines, args=(child,), name="tool server", daemon=True)
        self._writer.start()

    def _explain_end(self, code: int, tail: str) -> tuple[str, str]:
        config, words = self._config, _last_words(tail) or f"exit code {code}"
        # Such a program asks a daemon by a socket of this computer, which no cage lets it make.
        if config.container_program and not self._has_spoken and self.cage is not None and self.cage.held:
            log.info("tool server %s: %s", config.name, words)
            return CONTAINED, config.container_program.capitalize()
        is_unfetched = not self._has_spoken and not config.has_network and config.is_fetched
        return UNFETCHED if is_unfetched else ENDED, words

    def send(self, message: Mapping[str, Any]) -> None:
        if self._child is None or not self._child.running:
            raise BrokenPipeError
        try:
            self._unsent.put_nowait(json.dumps(message, ensure_ascii=False).encode() + b"\n")
        except queue.Full as error:
            raise TimeoutError("the server does not read") from error

    def close(self) -> None:
        if self._child is None or self._writer is None:
            return
        with contextlib.suppress(queue.Full):
            self._unsent.put_nowait(None)
        self._writer.join(LAST_SENT_S)
        if self._writer.is_alive():
            self._child.kill_tree()
        self._child.close()
        self._writer.join()

    def _send_lines(self, child: Child) -> None:
        while (line := self._unsent.get()) is not None:
            try:
                child.send(line)
            except OSError:  # it ended, or took nothing for a while
                child.give_up()
                return


def find_program(command: str, search_path: str) -> ServerProgram | None:
    """Return a server's program; None if there is none of that name."""
    found = shutil.which(os.path.expanduser(command), path=search_path)  # noqa: PTH111 - a name is no path
    if found is None:
        return None
    files = [file for program in _interpreters_of(Path(found), search_path) for file in (program, program.resolve())]
    folders = [folder for file in files for folder in _install_folders(file)]
    return ServerProgram(found, tuple(dict.fromkeys(map(str, folders))))


def _interpreters_of(program: Path, search_path: str) -> Iterator[Path]:
    """Yield a program and what runs it, by its first line: a Python or Node that may be installed elsewhere."""
    yield program
    with contextlib.suppress(OSError, UnicodeDecodeError):
        with program.open("rb") as file:
            first = file.readline(MOST_FIRST_LINE).decode()
        words = first.removeprefix("#!").split() if first.startswith("#!") else []
        names = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        if words and Path(words[0]).name == "env" and names:
            words = [shutil.which(names[0], path=search_path) or "", words[0]]
        yield from map(Path, filter(None, words[:1]))


def _install_folders(program: Path) -> Iterator[Path]:
    """Yield the folder of a program, and what it was installed to where that holds nothing else of a person's."""
    yield program.parent
    prefix, home = program.parent.parent, Path.home()
    if program.parent.name in PROGRAM_FOLDERS and prefix not in (home, home / ".local") and prefix not in home.parents:
        yield prefix
    # Packages of Node lie beside each other, and need each other.
    yield from (folder for folder in program.parents if folder.name == "node_modules")


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
    if config.has_network:
        known = {name: value for name, value in os.environ.items() if name.upper() in TRUSTED_VARIABLES}
        yield from ((name, value) for name, value in known.items() if "@" not in value)
    yield from (REACHED if config.has_network else UNREACHED).items()
    # Its caches and settings go to its own folder, and with it.
    home = ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "APPDATA", "LOCALAPPDATA")
    yield from ((name, str(folder)) for name in home)
    yield from config.environment


def _last_words(tail: str) -> str:
    """Return the line of its errors that says most: Node and uv write the reason first, Python last."""
    lines = [line for line in tail.splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)]
    return (telling or lines or [""])[-1].strip()[:MOST_DETAIL]


def _message_of(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
