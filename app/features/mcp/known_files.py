"""Files in which other programs on this computer keep their tool servers, so that a person needn't look for them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from app.core.errors.tool_errors import ToolServersUnreadable
from app.core.lazy_dataclasses import dataclass
from app.features.mcp.server_config import ServerConfig, read_servers


@dataclass(frozen=True)
class ServerFile:
    """A program's file, and the servers in it: at least one."""

    program: str
    path: Path
    servers: tuple[ServerConfig, ...]


def find_server_files(
    home: Path | None = None, environment: Mapping[str, str] | None = None, platform: str = sys.platform
) -> list[ServerFile]:
    """Read the files that are there; those that list no servers are left out. Not for the window's thread."""
    found = []
    for program, path in _known_paths(
        home or Path.home(), os.environ if environment is None else environment, platform
    ):
        try:
            found.append(ServerFile(program, path, tuple(read_servers(path))))
        except ToolServersUnreadable:
            continue
    return found


def _known_paths(home: Path, environment: Mapping[str, str], platform: str) -> Iterator[tuple[str, Path]]:
    """Yield where each program keeps its file on this system, after the programs' own documentation."""
    if platform == "win32":
        config = data = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
    elif platform == "darwin":
        config = data = home / "Library" / "Application Support"
    else:
        config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
        data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    yield "Claude Desktop", config / "Claude" / "claude_desktop_config.json"
    yield "LM Studio", home / ".lmstudio" / "mcp.json"
    yield "Jan", Path(environment.get("JAN_DATA_FOLDER") or data / "Jan" / "data") / "mcp_config.json"
