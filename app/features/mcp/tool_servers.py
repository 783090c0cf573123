"""The tool servers a person added: kept in the settings, connected when they are needed, their tools for the chat."""

from __future__ import annotations

import re
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.core.errors.tool_errors import ToolServerFailed
from app.core.settings import Settings
from app.core.visible import clean_text, visible_name
from app.features.chat.tool_questions import ToolReach
from app.features.error_messages import sentence_for
from app.features.mcp.http_transport import HttpTransport
from app.features.mcp.server_config import ServerConfig
from app.features.mcp.server_session import STEP_S, MessageTransport, ServerSession, ServerState, ServerTool
from app.features.mcp.stdio_transport import StdioTransport
from app.features.tool_calls import ToolFunction
from app.features.tools.tool import IsStopped, Tool, ToolResult
from app.features.tools.tool_offer import ServerText, ServerTools
from app.hub.access import NetworkAccess, access_to, is_own_network
from app.hub.connection_ledger import ConnectionLedger
from app.hub.hub_token import HubToken
from app.hub.message_server import MessageServer

if TYPE_CHECKING:
    from app.hub.sign_in import ServerSignIn

FOLDER = "tool-servers"
"""Folder among the data that holds a folder for each server that is started here, its home."""
WHY = "tools"
"""As the list of connections has it."""
TOOL_CHANGED = "The server changed this tool since it was offered. Nothing was called."
NOT_GRANTED = "This server may use only the files and folders that the person allows it in Settings."
_REFUSED = re.compile(r"EACCES|EPERM|permission denied|operation not permitted", re.IGNORECASE)
"""As a system tells a program that its cage has a wall there."""
MOST_NAME = 60
_NO_NAME = re.compile(r"[^A-Za-z0-9-]+")
_SIGNED = ("url", "client_id")
"""Fields that a sign-in holds for."""
MakeTransport = Callable[[ServerConfig], MessageTransport]


class ToolServers:
    """Servers by name, in the order they were added. From any thread; connecting takes a moment."""

    def __init__(
        self,
        folder: Path,
        settings: Callable[[], Settings],
        change_settings: Callable[..., Any],
        make_transport: MakeTransport,
        forget_grants: Callable[[str], object] = lambda name: None,
        *,
        sign_in: ServerSignIn | None = None,
    ) -> None:
        """`folder` holds a folder for each server that is started here; `forget_grants` takes back what the tools of a
        server may do; `sign_in` signs in to those elsewhere.
        """
        self._sign_in = sign_in
        self._folder, self._settings, self._change_settings = folder, settings, change_settings
        self._make_transport, self._forget_grants = make_transport, forget_grants
        self._lock, self._changing = threading.Lock(), threading.Lock()
        self._sessions: dict[str, tuple[ServerConfig, ServerSession]] = {}

    @property
    def configs(self) -> tuple[ServerConfig, ...]:
        stored = map(ServerConfig.from_json, self._settings().tools.servers)
        return tuple(config for config in stored if config is not None)

    def add_servers(self, added: Sequence[ServerConfig]) -> tuple[str, ...]:
        """Add servers and return the names that they got: one that is taken gets a number."""
        with self._changing:
            configs, names = list(self.configs), []
            for config in added:
                name = _free_name(visible_name(config.name) or "tools", {known.name for known in configs})
                configs.append(replace(config, name=name))
                names.append(name)
            self._store(configs)
        return tuple(names)

    def change_server(self, name: str, **values: Any) -> None:
        """Change fields of a server's configuration; it is started again with them."""
        before = next((known for known in self.configs if known.name == name), None)
        if before is not None and any(values.get(key, getattr(before, key)) != getattr(before, key) for key in _SIGNED):
            self._forget_sign_in(before)
        with self._changing:
            self._store([replace(known, **values) if known.name == name else known for known in self.configs])
        # Another program may call its tools as the one before did.
        if not values.keys().isdisjoint(("name", "command", "arguments", "url")):
            self._forget_grants(name)
        self._end_session(name)

    def remove_server(self, name: str) -> None:
        """Remove a server with everything it stored in its own folder, and its sign-in."""
        for known in self.configs:
            if known.name == name:
                self._forget_sign_in(known)
        with self._changing:
            self._store([known for known in self.configs if known.name != name])
        self._forget_grants(name)
        self._end_session(name)
        shutil.rmtree(self._folder / folder_name(name), ignore_errors=True)

    def sign_in(self, name: str, open_browser: Callable[[str], object], is_stopped: Callable[[], bool]) -> None:
        """Let the person sign in to a server elsewhere, in their browser; it is asked anew then.

        For those that failed with the reason "unsigned". Returns once the person did or `is_stopped`. Raises KeyError,
        SignInFailed and what a request raises.
        """
        config = next((known for known in self.configs if known.name == name and known.is_remote), None)
        if config is None or self._sign_in is None:
            raise KeyError(name)
        self._sign_in.sign_in(config.url, open_browser, is_stopped, config.client_id)
        self._end_session(name)

    def keep_client_secret(self, name: str, secret: str) -> None:
        """Keep the secret of the client that the person registered with a server elsewhere, in the keyring."""
        config = next((known for known in self.configs if known.name == name and known.is_remote), None)
        if config is not None and self._sign_in is not None:
            self._sign_in.keep_secret(config.url, secret)

    def _forget_sign_in(self, config: ServerConfig) -> None:
        """Sign out of a server, unless another one is at its address."""
        urls = [known.url for known in self.configs]
        if config.url and self._sign_in is not None and urls.count(config.url) == 1:
            self._sign_in.sign_out(config.url)

    def session_of(self, name: str) -> ServerSession:
        """Return the conversation with a server, the same as long as it isn't changed. Raises KeyError."""
        config = next((known for known in self.configs if known.name == name), None)
        if config is None:
            raise KeyError(name)
        with self._lock:
            known = stale = self._sessions.get(name)
            if known is None or known[0] != config:
                known = self._sessions[name] = config, ServerSession(name, lambda: self._make_transport(config))
        if stale is not None and stale is not known:
            stale[1].close()
        return known[1]

    @property
    def unknown_names(self) -> tuple[str, ...]:
        """Names of the servers that are on and have not told their tools yet."""
        on = [config.name for config in self.configs if config.is_on]
        return tuple(name for name in on if self.session_of(name).known_tools is None)

    def known_tools(self, taken: Collection[str] = ()) -> tuple[Tool, ...]:
        """Return the tools that servers which are on told before; connects to none."""
        sessions = [(config, self.session_of(config.name)) for config in self.configs if config.is_on]
        return _offered_tools([(config, session, session.known_tools or ()) for config, session in sessions], taken)

    def offer_tools(self, taken: Collection[str] = (), is_stopped: Callable[[], bool] = lambda: False) -> ServerTools:
        """Return the tools of the servers that are on, by names that are not `taken`; connects to all at once."""
        sessions = [(config, self.session_of(config.name)) for config in self.configs if config.is_on]
        if not sessions:
            return ServerTools()
        pool = ThreadPoolExecutor(len(sessions), "tool servers")
        asked = [pool.submit(session.list_tools, is_stopped) for _, session in sessions]
        # Not waited for once stopped: what looks for a program may take seconds.
        pool.shutdown(wait=False)
        while not is_stopped() and wait(asked, STEP_S).not_done:
            pass
        if is_stopped():
            return ServerTools()
        problems = [error for error in (answer.exception() for answer in asked) if error is not None]
        for error in problems:
            if not isinstance(error, ToolServerFailed):
                raise error
        found = [
            (*session, answer.result())
            for session, answer in zip(sessions, asked, strict=True)
            if answer.exception() is None
        ]
        failed = tuple(error for error in problems if isinstance(error, ToolServerFailed))
        return ServerTools(_offered_tools(found, taken), failed)

    def list_texts(self) -> Sequence[ServerText]:
        """Connect, and return all prompts and resources. Raises ToolServerFailed if no server works."""
        found, problems = list[ServerText](), list[ToolServerFailed]()
        on = [config.name for config in self.configs if config.is_on]
        for name in on:
            session = self.session_of(name)
            try:
                found += _texts_of(name, session.list_prompts(), session.list_resources())
            except ToolServerFailed as error:
                problems.append(error)
        if problems and len(problems) == len(on):
            raise problems[0]
        return found

    def read_text(self, wanted: ServerText) -> str:
        """Return the text of a prompt or of a resource. Raises ToolServerFailed."""
        try:
            session = self.session_of(wanted.server)
        except KeyError:  # removed meanwhile
            return ""
        if wanted.is_prompt:
            text = session.read_prompt(wanted.key, {name: f"{{{name}}}" for name in wanted.arguments})
        else:
            text = session.read_resource(wanted.key)
        return clean_text(text)

    def state_of(self, name: str) -> ServerState:
        """Return what is known of a server; asks none, and begins no conversation."""
        with self._lock:
            known = self._sessions.get(name)
        return known[1].state if known is not None else ServerState()

    def close(self) -> None:
        """End all conversations, and the servers that were started for them."""
        with self._lock:
            sessions, self._sessions = list(self._sessions.values()), {}
        for _, session in sessions:
            session.close()

    def _store(self, configs: Sequence[ServerConfig]) -> None:
        self._change_settings("tools", servers=tuple(config.to_json() for config in configs))

    def _end_session(self, name: str) -> None:
        config = next((known for known in self.configs if known.name == name), None)
        with self._lock:
            # A chat, or a check, may have begun one with what was changed.
            if (known := self._sessions.get(name)) is None or known[0] == config:
                return
            del self._sessions[name]
        known[1].close()


def build_tool_servers(
    data: Path,
    settings: Callable[[], Settings],
    change_settings: Callable[..., Any],
    ledger: ConnectionLedger,
    forget_grants: Callable[[str], object] = lambda name: None,
    *,
    kept: HubToken | None = None,
) -> ToolServers:
    """Build the servers with their transports: those elsewhere follow the network's switch, as models elsewhere do.

    `kept` is the keyring that sign-ins are kept in.
    """
    from app.hub.sign_in import ServerSignIn  # with a server of the library for the browser's way back

    folder, token = data / FOLDER, kept or HubToken()

    def way_to(address: str) -> NetworkAccess:
        network, is_near = settings().network, is_own_network(urlsplit(address).hostname or "")
        allowed = network.allowed if is_near else network.reaches_internet
        return replace(access_to(address, settings(), token), allowed=allowed)

    sign_in = ServerSignIn(way_to, ledger, token)

    def make_transport(config: ServerConfig) -> MessageTransport:
        if not config.is_remote:
            return StdioTransport(config, folder / folder_name(config.name))
        return HttpTransport(
            dict(config.headers),
            lambda headers: MessageServer(config.url, lambda: way_to(config.url), ledger, headers, WHY),
            lambda: sign_in.headers_for(config.url),
        )

    return ToolServers(folder, settings, change_settings, make_transport, forget_grants, sign_in=sign_in)


def folder_name(name: str) -> str:
    """Return the name of a server's own folder: no two servers share one."""
    return _NO_NAME.sub(lambda found: "".join(f"~{ord(sign):x}" for sign in found[0]), name)


def _texts_of(
    server: str, prompts: Sequence[Mapping[str, Any]], resources: Sequence[Mapping[str, Any]]
) -> Iterator[ServerText]:
    """Yield what can be read; entries without a name or an address are left out."""
    for entry in prompts:
        key, arguments = entry.get("name"), entry.get("arguments")
        if isinstance(key, str) and key:
            named = [part.get("name") for part in arguments or () if isinstance(part, Mapping)]
            names = tuple(name for name in named if isinstance(name, str) and name)
            yield ServerText(server, key, str(entry.get("title") or key), is_prompt=True, arguments=names)
    for entry in resources:
        key = entry.get("uri")
        if isinstance(key, str) and key:
            yield ServerText(server, key, str(entry.get("title") or entry.get("name") or key), is_prompt=False)


def _offered_tools(
    found: Sequence[tuple[ServerConfig, ServerSession, Sequence[ServerTool]]], taken: Collection[str]
) -> tuple[Tool, ...]:
    """Return tools by names that no other has: with the server's name before them where two would be the same."""
    names = Counter([*taken, *(tool.name for _, _, tools in found for tool in tools)])
    offered: dict[str, Tool] = {}
    for config, session, tools in found:
        for tool in tools:
            name = tool.name if names[tool.name] == 1 else f"{config.name}_{tool.name}"
            name = _NO_NAME.sub("_", name)[:MOST_NAME].strip("_") or "tool"
            name = _free_name(name, {*taken, *offered})
            offered[name] = _offered_tool(name, config, session, tool)
    return tuple(offered.values())


def _offered_tool(name: str, config: ServerConfig, session: ServerSession, tool: ServerTool) -> Tool:
    def run(arguments: Mapping[str, Any], is_stopped: IsStopped) -> ToolResult:
        try:
            if tool not in session.list_tools():  # what was allowed is what was described
                return ToolResult(TOOL_CHANGED, is_error=True)
            outcome = session.call_tool(tool.name, arguments, is_stopped)
        except ToolServerFailed as error:
            return ToolResult(str(sentence_for(error)), is_error=True, failure=error)
        refused = outcome.is_error and not config.is_remote and _REFUSED.search(outcome.text)
        return ToolResult(f"{outcome.text}\n{NOT_GRANTED}" if refused else outcome.text, outcome.is_error)

    function = ToolFunction(name, visible_name(" ".join(tool.description.split())), tool.parameters)
    host = urlsplit(config.url).hostname or ""
    reach = ToolReach(config.readable, config.writable, config.has_network, host)
    return Tool(function, run, changes=not tool.only_reads, server=config.name, served_name=tool.name, reach=reach)


def _free_name(name: str, taken: set[str]) -> str:
    return next(free for free in _numbered_names(name) if free not in taken)


def _numbered_names(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1
