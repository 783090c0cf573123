"""What the settings say of a tool server: where it runs, how it is, and what its tools do."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.core.visible import visible_name
from app.features.mcp.server_config import ServerConfig
from app.features.mcp.server_session import ServerState
from app.features.mcp.typed_server import HIDDEN_VALUE
from app.ui.i18n import breakable, sentence_for, tr, tr_count
from app.ui.locale_formats import join_list

LOCAL_PROGRAM = "Local program"
SERVER_OFF = "Off"
CONNECTING = "Connecting…"
STARTS_LATER = "Starts when a chat needs it."
WORKS_ONE = "Works. It has 1 tool."
WORKS = "Works. It has {count} tools."
ALSO_NETWORK = "with network access"


def place_of(config: ServerConfig) -> str:
    """Return where a server runs: its host, or that it is a program here."""
    if config.is_remote:
        return visible_name(urlsplit(config.url).hostname or config.url)
    return join_list([tr(LOCAL_PROGRAM), *([tr(ALSO_NETWORK)] if config.has_network else [])])


def state_words(config: ServerConfig, state: ServerState, *, is_busy: bool) -> tuple[str, bool]:
    """Return how a server is in one sentence, and whether that is a problem."""
    if is_busy:
        return tr(CONNECTING), False
    if not config.is_on and state.tools is None:
        return (
            (breakable(sentence_for(state.problem).text), True)
            if state.problem is not None
            else (tr(SERVER_OFF), False)
        )
    if state.tools is not None:
        return tr_count(WORKS_ONE, WORKS, len(state.tools)), False
    if state.problem is not None:
        return breakable(sentence_for(state.problem).text), True
    return tr(STARTS_LATER), False


def command_line(config: ServerConfig) -> str:
    """Return the command or address of a server for reading; words with spaces are in quotes."""
    words = (config.url,) if config.is_remote else (config.command, *config.arguments)
    return " ".join(f'"{word}"' if " " in word or not word else word for word in map(visible_name, words))


def secret_words(config: ServerConfig) -> str:
    """Return the names of what a server is given, a line each, with hidden values."""
    pairs = config.headers if config.is_remote else config.environment
    return "\n".join(f"{visible_name(name)} = {HIDDEN_VALUE}" for name, _ in pairs)
