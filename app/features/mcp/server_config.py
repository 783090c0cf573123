"""Settings of tool servers, read from the file that Claude Desktop, LM Studio, Jan and VS Code keep theirs in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app.core.errors.tool_errors import ToolServersUnreadable
from app.core.lazy_dataclasses import dataclass, fields

LISTS = ("mcpServers", "servers")
"""Keys that hold servers by name; VS Code has the second, also within "mcp"."""
MOST_FILE_BYTES = 1024 * 1024
MOST_SERVERS = 100
RUNNERS = ("npx", "uvx", "pnpx", "bunx", "pipx", "uv", "npm", "pnpm", "yarn", "bun")
"""Programs that fetch others and start them."""


CONTAINER_PROGRAMS = ("docker", "podman", "nerdctl", "container", "finch")
"""Programs that let another one, which is in no cage, start the server."""


@dataclass(frozen=True)
class ServerConfig:
    """A tool server: a `command` that is started here, or a `url`.

    `readable` and `writable` are the folders that a started one may use, besides its own.
    """

    name: str
    command: str = ""
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    url: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    is_on: bool = False
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    has_network: bool = False
    client_id: str = ""
    """Of this program, where a server elsewhere has to be told of it beforehand; its secret is in the keyring."""

    @property
    def is_remote(self) -> bool:
        return bool(self.url)

    @property
    def is_fetched(self) -> bool:
        """Return whether another program fetches the server, for which it needs the network at least once."""
        return Path(self.command).stem.lower() in RUNNERS

    @property
    def container_program(self) -> str:
        """The program that would run the server in a container; "" where it is started here."""
        name = Path(self.command).stem.lower()
        return name if name in CONTAINER_PROGRAMS else ""

    def to_json(self) -> str:
        """Return the server in the form that the settings store."""
        return json.dumps(vars(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ServerConfig | None:
        """Return a stored server; None for what no version has written."""
        try:
            stored = json.loads(text)
            values: dict[str, Any] = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
            values |= {name: tuple(values[name]) for name in ("arguments", "readable", "writable") if name in values}
            for name in {"environment", "headers"} & set(values):
                values[name] = tuple((str(key), str(value)) for key, value in values[name])
            return cls(**values)
        except (ValueError, TypeError, KeyError, RecursionError):
            return None


def read_servers(path: Path) -> list[ServerConfig]:
    """Read the servers of another program's file. Raises ToolServersUnreadable."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_FILE_BYTES + 1)
    except OSError as error:
        raise ToolServersUnreadable(str(path), _reason_of(error)) from error
    if len(data) > MOST_FILE_BYTES:
        raise ToolServersUnreadable(str(path), "too_long")
    return parse_servers(data.decode("utf-8-sig", "replace"), str(path))


def parse_servers(text: str, name: str) -> list[ServerConfig]:
    """Return the servers of a JSON text, all switched off: what they may do is for the person to say.

    Entries that are no server are left out. Raises ToolServersUnreadable if the text holds none.
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ToolServersUnreadable(name, "no_json") from error
    found = [server for server in map(_server_of, *_entries_of(whole)) if server is not None][:MOST_SERVERS]
    if not found:
        raise ToolServersUnreadable(name, "no_servers")
    return found


def suggested_folders(config: ServerConfig) -> tuple[str, ...]:
    """Return the files and folders that a server's arguments name, which it will hardly do without."""
    texts = (argument.rpartition("=")[2] for argument in config.arguments)
    paths = (Path.home() / text[2:] if text.startswith("~/") else Path(text) for text in texts)
    return tuple(dict.fromkeys(str(path) for path in paths if path.is_absolute() and path.exists()))


def _reason_of(error: OSError) -> str:
    known: tuple[tuple[type[OSError], str], ...] = ((FileNotFoundError, "missing"), (PermissionError, "denied"))
    return next((reason for kind, reason in known if isinstance(error, kind)), "not_a_file")


def _entries_of(whole: Any) -> tuple[list[str], list[Any]]:
    """Return the names and the entries of the first list of servers."""
    for holder in (whole, whole.get("mcp") if isinstance(whole, Mapping) else None):
        for key in LISTS:
            servers = holder.get(key) if isinstance(holder, Mapping) else None
            if isinstance(servers, Mapping):
                return list(map(str, servers)), list(servers.values())
    return [], []


def _server_of(name: str, entry: Any) -> ServerConfig | None:
    if not isinstance(entry, Mapping):
        return None
    url = entry.get("url") or entry.get("serverUrl")
    if isinstance(url, str) and url.startswith(("http://", "https://")):
        return ServerConfig(name, url=url, headers=tuple(_texts_of(entry.get("headers"))))
    command, arguments = entry.get("command"), entry.get("args", [])
    if not isinstance(command, str) or not command.strip() or not isinstance(arguments, list):
        return None
    return ServerConfig(
        name, command.strip(), tuple(map(str, arguments)), environment=tuple(_texts_of(entry.get("env")))
    )


def _texts_of(fields: Any) -> Iterator[tuple[str, str]]:
    for key, value in fields.items() if isinstance(fields, Mapping) else ():
        if isinstance(value, str | int | float):
            yield str(key), str(value)
