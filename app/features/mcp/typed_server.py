"""A tool server as a person types it: the command that starts it, or its address."""

from __future__ import annotations

import os
import shlex
from pathlib import PurePath
from urllib.parse import urlsplit

from app.features.mcp.server_config import ServerConfig

RUNNERS = ("npx", "bunx", "uvx", "uv", "pipx", "node", "deno", "python", "python3", "docker")
"""Programs that run others, after which a server would be named badly."""
RUN_WORDS = ("run", "tool", "exec")


def read_typed_server(text: str, name: str = "", key: str = "") -> ServerConfig | None:
    """Return the server of a command line or an address, named after it without a `name`; None for neither.

    `key` is sent to an address as a bearer token.
    """
    text = text.strip()
    if text.startswith(("http://", "https://")):
        host = _host_of(text)
        headers = (("Authorization", f"Bearer {key}"),) if key else ()
        return ServerConfig(name or host, url=text, headers=headers, is_on=True) if host else None
    try:
        words = shlex.split(text, posix=os.name != "nt")
    except ValueError:  # a quote that isn't closed
        return None
    return ServerConfig(name or _usual_name(words), words[0], tuple(words[1:]), is_on=True) if words else None


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _usual_name(words: list[str]) -> str:
    command = PurePath(words[0]).stem
    if command not in RUNNERS:
        return command
    named = (word for word in words[1:] if not word.startswith("-") and word not in RUN_WORDS)
    return PurePath(next(named, command)).stem or command
