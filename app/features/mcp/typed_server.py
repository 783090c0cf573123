"""A tool server as a person types it: the command that starts it, or its address, and what goes with it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterable
from pathlib import PurePath
from urllib.parse import urlsplit

from app.core.lazy_dataclasses import dataclass, replace
from app.features.mcp.server_config import ServerConfig

RUNNERS = ("npx", "bunx", "uvx", "uv", "pipx", "node", "deno", "python", "python3", "docker", "podman")
"""Programs that run others, after which a server would be named badly."""
RUN_WORDS = ("run", "tool", "exec")
HIDDEN_VALUE = "••••"
"""Is shown in the place of a secret, and means that it stays."""
AUTHORIZATION = "Authorization"
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)")


@dataclass(frozen=True)
class TypedServer:
    """The fields of the form. `environment` has a variable a line; a value that is `HIDDEN_VALUE` stays as it was.

    `key` is sent to an address as a bearer token; `client_id` is for a sign-in.
    """

    line: str
    name: str = ""
    key: str = ""
    environment: str = ""
    client_id: str = ""


def is_address(line: str) -> bool:
    """Return whether a line is the address of a server elsewhere, not a command."""
    return line.strip().startswith(("http://", "https://"))


def fields_of(config: ServerConfig) -> TypedServer:
    """Return a server's fields for the form, its secrets hidden."""
    if config.is_remote:
        has_key = AUTHORIZATION in dict(config.headers)
        return TypedServer(config.url, config.name, HIDDEN_VALUE if has_key else "", client_id=config.client_id)
    words = [config.command, *config.arguments]
    line = shlex.join(words) if os.name != "nt" else subprocess.list2cmdline(words)
    return TypedServer(
        line, config.name, environment="\n".join(f"{name}={HIDDEN_VALUE}" for name, _ in config.environment)
    )


def read_typed_server(typed: TypedServer, before: ServerConfig | None = None) -> ServerConfig | None:
    """Return the server that was typed, named after its command or host without a name; None if it is neither.

    With `before` that one is changed: what it may use stays, and its key as long as its host does. Raises ValueError
    for a line of the environment that is no variable.
    """
    line = typed.line.strip()
    start = before or ServerConfig("", is_on=True)
    if is_address(line):
        host = _host_of(line)
        headers = _read_headers(typed.key, before if before is not None and _host_of(before.url) == host else None)
        changed = replace(start, command="", arguments=(), environment=(), url=line, headers=headers)
        changed = replace(changed, client_id=typed.client_id, name=start.name or typed.name or host)
        return changed if host else None
    try:
        words = shlex.split(line, posix=os.name != "nt")
    except ValueError:  # a quote that isn't closed
        return None
    if not words:
        return None
    environment = tuple(_read_environment(typed.environment.splitlines(), dict(start.environment)))
    changed = replace(start, command=words[0], arguments=tuple(words[1:]), environment=environment)
    return replace(changed, url="", headers=(), client_id="", name=start.name or typed.name or _usual_name(words))


def _read_headers(key: str, before: ServerConfig | None) -> tuple[tuple[str, str], ...]:
    """Return the headers of before with the key that was typed."""
    kept = before.headers if before is not None else ()
    if key == HIDDEN_VALUE:
        return kept
    others = tuple(pair for pair in kept if pair[0] != AUTHORIZATION)
    return (*others, (AUTHORIZATION, f"Bearer {key}")) if key else others


def _read_environment(lines: Iterable[str], before: dict[str, str]) -> Iterable[tuple[str, str]]:
    for line in filter(str.strip, lines):
        if (found := _VARIABLE.fullmatch(line.strip())) is None:
            raise ValueError(line)
        name, value = found[1], found[2].strip()
        yield name, before.get(name, "") if value == HIDDEN_VALUE else value


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _usual_name(words: list[str]) -> str:
    if (command := PurePath(words[0]).stem) not in RUNNERS:
        return command
    named = (word for word in words[1:] if not word.startswith("-") and word not in RUN_WORDS)
    return PurePath(next(named, command)).stem or command
