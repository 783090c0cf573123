"""A conversation with one tool server: its tools, prompts and resources, and calls that end."""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any, Protocol

from app.core.cage_report import CageReport
from app.core.errors.tool_errors import ToolServerFailed
from app.core.lazy_dataclasses import dataclass, field
from app.features.mcp import messages
from app.features.mcp.messages import ServerRefusal

log = logging.getLogger(__name__)

Received = Callable[[Mapping[str, Any]], None]
Closed = Callable[[str, str], None]
"""Hears why a connection ended, as `ToolServerFailed` has it, and what the server wrote last."""

START_TIMEOUT_S, LIST_TIMEOUT_S, CALL_TIMEOUT_S = 60.0, 20.0, 120.0
"""The first holds what a package runner downloads; the last counts from the latest progress that the server told."""
MOST_CALL_S = 1_800.0
"""Of a call whose server tells progress without end."""
STEP_S = 0.05
IsStopped = Callable[[], bool]
COOLING_S = 60.0
MOST_ENTRIES, MOST_PAGES = 200, 50
MOST_WORDS = 1_000
"""Characters of a tool's description: they cost every answer."""
CLOSED = "it was closed"
ENDED, SILENT, WRONG, BUSY = "ended", "silent", "wrong", "busy"
UNFETCHED, CONTAINED = "unfetched", "contained"
REFUSED, DECLINED, UNSIGNED = "refused", "declined", "unsigned"


class MessageTransport(Protocol):
    """A way to a server: carries messages to it and hands over what it says."""

    cage: CageReport | None
    """What the server can't do, once it said so; None for one that isn't started here."""

    def open(self, received: Received, closed: Closed) -> None:
        """Connect, and hand over each message to `received`. Raises ToolServerFailed."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message. Raises OSError if the server is gone."""

    def close(self) -> None:
        """End the connection, and a server that was started for it."""


@dataclass(frozen=True)
class ServerTool:
    """A tool as its server describes it; `only_reads` is the server's own word."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    only_reads: bool


@dataclass(frozen=True)
class CallOutcome:
    """What a call gave: the text of its result, or of its error."""

    text: str
    is_error: bool


@dataclass(frozen=True)
class ServerState:
    """What is known of a server without asking it: its tools while it is connected, why it failed last, its cage."""

    tools: tuple[ServerTool, ...] | None = None
    problem: ToolServerFailed | None = None
    cage: CageReport | None = None


@dataclass
class _OpenRequests:
    """Requests that wait for their answers, and the end of the connection for those that come later."""

    answers: dict[int, Future[dict[str, Any]]] = field(default_factory=dict)
    progress: Counter[int] = field(default_factory=Counter)
    """How often progress was told, by request."""
    ended: tuple[str, str] | None = None


class ServerSession:
    """Connects when it is first needed. Calls may come from several threads.

    A server that doesn't answer in time is closed and left alone for a minute, then started again when it is wanted.
    """

    def __init__(
        self, name: str, make_transport: Callable[[], MessageTransport], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name, self._make_transport, self._clock = name, make_transport, clock
        self._transport: MessageTransport | None = None
        self._waiting = _OpenRequests()
        self._numbers = itertools.count(1)
        self._opening, self._lock = threading.Lock(), threading.Lock()
        self._capabilities: Mapping[str, Any] = {}
        self._tools: tuple[ServerTool, ...] | None = None
        self._tool_changes = 0
        self._cool_until_s = 0.0
        self._problem: ToolServerFailed | None = None
        self._cage: CageReport | None = None

    @property
    def state(self) -> ServerState:
        """What is known now; asks nobody and never waits."""
        is_connected = self._transport is not None and self._waiting.ended is None
        return ServerState(self._tools if is_connected else None, self._problem, self._cage)

    @property
    def known_tools(self) -> tuple[ServerTool, ...] | None:
        """The server's tools as it told them last; None before, and once it says that they changed."""
        return self._tools

    def list_tools(self, is_stopped: IsStopped = lambda: False) -> tuple[ServerTool, ...]:
        """Return the server's tools, asked again once it says that they changed. Raises ToolServerFailed, also where
        `is_stopped` before it answered.
        """
        self._connect(is_stopped)
        if (tools := self._tools) is None:
            changes = self._tool_changes
            tools = tuple(_tools_of(self._list_entries("tools/list", "tools", is_stopped)))
            # Else they changed while they were listed, or these may not be all.
            if changes == self._tool_changes and not is_stopped():
                self._tools = tools
        return tools

    def call_tool(self, name: str, arguments: Mapping[str, Any], is_stopped: IsStopped = lambda: False) -> CallOutcome:
        """Call a tool and wait for its result, until `is_stopped`. Raises ToolServerFailed."""
        if name not in {tool.name for tool in self.list_tools()}:  # also one that was renamed since
            return CallOutcome(f"The server has no tool {name} any more.", is_error=True)
        parameters = {"name": name, "arguments": dict(arguments)}
        try:
            result = self._ask("tools/call", parameters, CALL_TIMEOUT_S, is_stopped)
        except ServerRefusal as refusal:
            return CallOutcome(refusal.words or "The server refused the call.", is_error=True)
        if result is None:
            return CallOutcome("Stopped.", is_error=True)
        return CallOutcome(messages.text_of(result), result.get("isError") is True)

    def list_prompts(self) -> list[dict[str, Any]]:
        """Return the server's prompts as it describes them. Raises ToolServerFailed."""
        return self._list_offered("prompts")

    def list_resources(self) -> list[dict[str, Any]]:
        """Return the server's resources as it describes them. Raises ToolServerFailed."""
        return self._list_offered("resources")

    def read_prompt(self, name: str, arguments: Mapping[str, str]) -> str:
        """Return the text of a prompt, filled in with arguments. Raises ToolServerFailed."""
        found = self._read_offered("prompts/get", {"name": name, "arguments": dict(arguments)}).get("messages")
        parts = [message.get("content") for message in found or () if isinstance(message, Mapping)]
        return messages.text_of({"content": parts})

    def read_resource(self, uri: str) -> str:
        """Return the text of a resource; other parts are named. Raises ToolServerFailed."""
        found = self._read_offered("resources/read", {"uri": uri}).get("contents")
        parts = [{"type": "resource", "resource": part} for part in found or () if isinstance(part, Mapping)]
        return messages.text_of({"content": parts})

    def close(self) -> None:
        """End the connection and the server; the next call opens another."""
        # Whoever waits for it, to begin with whoever connects now, needn't wait until it is given up.
        if self._waiting.ended is None:
            self._waiting.ended = ENDED, CLOSED
        with self._opening:
            self._close_transport()

    def _list_offered(self, kind: str) -> list[dict[str, Any]]:
        self._connect()
        return list(self._list_entries(f"{kind}/list", kind)) if kind in self._capabilities else []

    def _read_offered(
        self, method: str, parameters: Mapping[str, Any], is_stopped: IsStopped = lambda: False
    ) -> dict[str, Any]:
        self._connect(is_stopped)
        try:
            return self._ask(method, parameters, LIST_TIMEOUT_S, is_stopped) or {}
        except ServerRefusal as refusal:
            raise ToolServerFailed(self.name, DECLINED, refusal.words) from refusal

    def _list_entries(self, method: str, key: str, is_stopped: IsStopped = lambda: False) -> Iterator[dict[str, Any]]:
        """Yield the entries of all pages, up to a limit: a server may send pages without end."""
        cursor, count = None, 0
        for _ in range(MOST_PAGES):
            page = self._ask_once(method, {"cursor": cursor} if cursor else {}, is_stopped)
            entries = page.get(key)
            for entry in entries if isinstance(entries, list) else ():
                if isinstance(entry, dict) and count < MOST_ENTRIES:
                    count += 1
                    yield entry
            if not (cursor := page.get("nextCursor")) or count >= MOST_ENTRIES:
                return

    def _ask_once(
        self, method: str, parameters: Mapping[str, Any], is_stopped: IsStopped = lambda: False
    ) -> dict[str, Any]:
        try:
            return self._read_offered(method, parameters, is_stopped)
        except ToolServerFailed as error:
            if error.reason != DECLINED:
                raise
            log.info("tool server %s refused %s: %s", self.name, method, error.detail)
            return {}

    def _connect(self, is_stopped: IsStopped = lambda: False) -> None:
        with self._opening:
            if self._transport is not None and self._waiting.ended is None:
                return
            if self._clock() < self._cool_until_s:
                raise self._fail(BUSY)
            self._close_transport()
            self._waiting, transport = _OpenRequests(), self._make_transport()
            waiting = self._waiting
            try:
                transport.open(self._take_message, lambda reason, words: self._note_end(waiting, reason, words))
                self._transport = transport
                self._greet(is_stopped)
            except BaseException as error:
                self._problem = error if isinstance(error, ToolServerFailed) and not is_stopped() else None
                self._close_transport()
                raise
            self._problem, self._cage = None, transport.cage

    def _greet(self, is_stopped: IsStopped) -> None:
        try:
            answered = self._ask("initialize", messages.hello(), START_TIMEOUT_S, is_stopped) or {}
        except ServerRefusal as refusal:
            raise self._fail(REFUSED, refusal.words) from refusal
        if answered.get("protocolVersion") not in messages.KNOWN_PROTOCOLS:
            raise self._fail(WRONG, str(answered.get("protocolVersion", ""))[:40])
        offered = answered.get("capabilities")
        self._capabilities, self._tools = offered if isinstance(offered, Mapping) else {}, None
        self._send(messages.notification("notifications/initialized"))

    def _ask(
        self, method: str, parameters: Mapping[str, Any], timeout_s: float, is_stopped: IsStopped = lambda: False
    ) -> dict[str, Any] | None:
        """Return the result of a request; None if stopped. Raises ServerRefusal and ToolServerFailed."""
        number, answer, waiting = next(self._numbers), Future[dict[str, Any]](), self._waiting
        with self._lock:
            waiting.answers[number] = answer
        try:
            self._send(messages.request(number, method, parameters))
            until_s = self._clock() + timeout_s
            last_s, told = until_s - timeout_s + MOST_CALL_S, 0
            while not is_stopped():
                with contextlib.suppress(TimeoutError):
                    return answer.result(STEP_S)
                if waiting.progress[number] > told:
                    told, until_s = waiting.progress[number], min(self._clock() + timeout_s, last_s)
                if waiting.ended is not None and not answer.done():
                    raise self._fail(*waiting.ended)
                if self._clock() > until_s:
                    self._cool_until_s = self._clock() + COOLING_S
                    self._close_transport()
                    raise self._fail(SILENT)
            with contextlib.suppress(ToolServerFailed):
                stop = {"requestId": number, "reason": "The person pressed Stop."}
                self._send(messages.notification("notifications/cancelled", stop))
            return None
        finally:
            with self._lock:
                waiting.answers.pop(number, None)
                waiting.progress.pop(number, None)

    def _send(self, message: Mapping[str, Any]) -> None:
        transport = self._transport
        try:
            if transport is None:
                raise BrokenPipeError
            transport.send(message)
        except OSError as error:
            raise self._fail(*(self._waiting.ended or (ENDED, ""))) from error

    def _take_message(self, message: Mapping[str, Any]) -> None:
        method, number = message.get("method"), message.get("id")
        if isinstance(method, str):
            if number is not None:
                with contextlib.suppress(ToolServerFailed):
                    self._send(messages.answer_to(message))
            elif method == "notifications/tools/list_changed":
                self._tools, self._tool_changes = None, self._tool_changes + 1
            elif method == "notifications/progress":
                self._note_progress(message.get("params"))
            return
        with self._lock:
            answer = self._waiting.answers.get(number) if isinstance(number, int) else None
        if answer is None or answer.done():  # late, twice or never asked for
            return
        outcome = messages.outcome_of(message)
        if isinstance(outcome, ServerRefusal):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)

    def _fail(self, reason: str, detail: str = "") -> ToolServerFailed:
        self._problem = ToolServerFailed(self.name, reason, detail)
        return self._problem

    def _note_progress(self, parameters: object) -> None:
        token = parameters.get("progressToken") if isinstance(parameters, Mapping) else None
        with self._lock:
            if isinstance(token, int) and token in self._waiting.answers:
                self._waiting.progress[token] += 1

    def _note_end(self, waiting: _OpenRequests, reason: str, words: str) -> None:
        waiting.ended = reason, words

    def _close_transport(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()


def _tools_of(entries: Iterator[dict[str, Any]]) -> Iterator[ServerTool]:
    """Yield the tools that can be called; one whose description is no description is left out."""
    for entry in entries:
        name, parameters = entry.get("name"), entry.get("inputSchema")
        if not isinstance(name, str) or not name or not isinstance(parameters, Mapping):
            continue
        execution = entry.get("execution")
        if isinstance(execution, Mapping) and execution.get("taskSupport") == "required":  # such are not begun here
            continue
        hints = entry.get("annotations")
        only_reads = isinstance(hints, Mapping) and hints.get("readOnlyHint") is True
        yield ServerTool(name, str(entry.get("description") or "")[:MOST_WORDS], parameters, only_reads)
