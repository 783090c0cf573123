"""What a person is told of a call that waits for permission, in the window and in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from app.core.catalogue import Translatable, tr
from app.core.joined_texts import join_entries
from app.core.visible import visible_name
from app.features.chat.tool_questions import ToolCall

ALLOW_TOOL: Translatable = "Allow {tool} from {server}?"
ALLOW_HOST: Translatable = "Allow fetching a page from {host}?"
HOST_SEES: Translatable = "{host} sees this address and where you connect from."
CAN_CHANGE: Translatable = "This tool can change, send or run something."
ONLY_READS: Translatable = "The server says that this tool only reads."
CAN_READ: Translatable = "It can read {folders}."
CAN_WRITE: Translatable = "It can read and change {folders}."
CAN_CONNECT: Translatable = "It can use the network."
ONLY_OWN_FOLDER: Translatable = "It can use only its own folder, and no network."
RUNS_ELSEWHERE: Translatable = "It runs on {host}, so this leaves your computer."
MAY_BE_KEPT: Translatable = "This chat is temporary, but what’s sent may be kept there."


def title_words(call: ToolCall) -> str:
    """Return the question: a tool and its server, or the host of a page."""
    if call.address:
        return tr(ALLOW_HOST, host=visible_name(call.tool))
    return tr(ALLOW_TOOL, tool=visible_name(call.tool), server=visible_name(call.server))


def reach_words(call: ToolCall, join: Callable[[Iterable[str]], str] = join_entries) -> Iterator[str]:
    """Yield sentences that say what a call may touch; `join` writes a list."""
    reach = call.reach
    if call.address:
        yield tr(HOST_SEES, host=visible_name(call.tool))
        if call.is_temporary:
            yield tr(MAY_BE_KEPT)
        return
    yield tr(CAN_CHANGE) if call.changes else tr(ONLY_READS)
    if reach.host:
        yield tr(RUNS_ELSEWHERE, host=visible_name(reach.host))
    elif not (reach.readable or reach.writable or reach.has_network):
        yield tr(ONLY_OWN_FOLDER)
    if reach.readable:
        yield tr(CAN_READ, folders=join(map(visible_name, reach.readable)))
    if reach.writable:
        yield tr(CAN_WRITE, folders=join(map(visible_name, reach.writable)))
    if reach.has_network:
        yield tr(CAN_CONNECT)
    if call.is_temporary:
        yield tr(MAY_BE_KEPT)
