"""The one way to talk with a child: dataclasses as JSON lines, whose form follows from their type hints.

A line is one object in ASCII, ``{"type":"Delta","id":3,"text":"Hi"}``, so that lone surrogates survive. The child
speaks first, a `Greeting` with the version; the parent sends requests (imperatives), the child answers with replies.
Between lines the child's heart beats (`app.core.child`). Keys that a newer side added are ignored; an unknown type, a
missing key or a value of another type is a `ProtocolViolation`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import queue
import threading
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, TypeVar

from app import __version__
from app.core.cage_report import CageReport
from app.core.child import Child
from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import ProtocolViolation
from app.core.json_forms import PLAIN, TAG, form_of, to_json
from app.core.lazy_dataclasses import dataclass

log = logging.getLogger(__name__)
T = TypeVar("T")

LOOK_EVERY_S = 0.05
# Compact, as each word of an answer is a line; ASCII by default, so that lone surrogates survive.
_encode = json.JSONEncoder(separators=(",", ":")).encode
_PLAIN_WRITERS: dict[Any, Callable[[Any], str]] = {
    str: json.encoder.encode_basestring_ascii,
    int: int.__repr__,
    bool: ("false", "true").__getitem__,
}
_SENSELESS = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


def from_json(cls: type[T], raw: object) -> T:
    """Convert JSON values to a class. Raises ValueError, KeyError or TypeError if they don't fit."""
    return typing.cast(T, form_of(typing.cast(Any, cls)).read_value(raw))


@dataclass(frozen=True)
class Greeting:
    """A child's first line. `backend` is what does an engine's work: "llama" or "scripted"."""

    protocol: int
    version: str
    pid: int
    backend: str = ""


@dataclass(frozen=True)
class Caged:
    """A child has given up what it does not need, and tells what holds; its `Child` keeps that."""

    report: CageReport


@dataclass(frozen=True)
class Failed:
    """Last reply of a request that failed, with the error as the person is told it."""

    error: AppError


@dataclass(frozen=True)
class Ended:
    """The child has exited: its exit code and the end of its stderr."""

    code: int
    tail: str


@dataclass(frozen=True)
class EventReply:
    """An event of request `id`, as the program knows it; on the wire its fields follow the id."""

    id: int
    event: Any


class Wire:
    """The messages that two processes exchange as JSON lines, and the version of their form.

    `events` are the classes that cross in an `EventReply`, by their names on the wire.
    """

    def __init__(
        self,
        version: int,
        requests: Iterable[type],
        replies: Iterable[type],
        events: Mapping[str, type] = types.MappingProxyType({}),
    ) -> None:
        self.version = version
        self.requests, self.replies, self.events = tuple(requests), (Greeting, *replies), events
        self._requests = {cls.__name__: cls for cls in self.requests}
        self._replies = {cls.__name__: cls for cls in self.replies} | dict(events)
        self._event_names = {cls: name for name, cls in events.items()}
        self._plain_events = {cls: found for cls in events.values() if (found := _plain_fields(cls))}

    def encode_message(self, message: Any) -> bytes:
        if type(message) is EventReply:
            # As each word of an answer: in a fraction of the time that the general way takes, and the same bytes.
            if plain := self._plain_events.get(type(message.event)):
                values = "".join(f"{before}{write(getattr(message.event, name))}" for name, before, write in plain)
                head = f'{{"{TAG}":"{self._event_names[type(message.event)]}","id":{message.id}'
                return f"{head}{values}}}\n".encode("ascii")
            body = {TAG: self._event_names[type(message.event)], "id": message.id} | to_json(message.event)
        else:
            body = {TAG: type(message).__name__} | to_json(message)
        return _encode(body).encode("ascii") + b"\n"

    def parse_request(self, line: bytes) -> Any:
        """Parse a line that the parent has sent. Raises ProtocolViolation."""
        return self._parse_message(self._requests, line)

    def parse_reply(self, line: bytes) -> Any:
        """Parse a line that the child has sent. Raises ProtocolViolation."""
        return self._parse_message(self._replies, line)

    def _parse_message(self, kinds: Mapping[str, type], line: bytes) -> Any:
        try:
            body = json.loads(str(line, "utf-8"))
            # `body[TAG]` fails for what is no object and for a name that is unknown: both are a violation.
            name = body[TAG]
            message = form_of(kinds[name]).read(body)
            return EventReply(PLAIN[int].read_value(body["id"]), message) if name in self.events else message
        except _SENSELESS as error:
            raise ProtocolViolation(f"{type(error).__name__} in {line[:200]!r}") from error


def _plain_fields(cls: type) -> list[tuple[str, str, Callable[[Any], str]]]:
    """Return each field's name, the JSON before its value, and what writes that; nothing unless all are plain."""
    hints = typing.get_type_hints(cls)
    found = [
        (field.name, f',"{field.name}":', _PLAIN_WRITERS.get(hints[field.name])) for field in dataclasses.fields(cls)
    ]
    return (
        [(name, before, write) for name, before, write in found if write] if all(write for _, _, write in found) else []
    )


class WireClient:
    """The parent's side: `hear` gets what the child says after its greeting, and `Ended` at last, from one thread.

    What is no message ends the child, and is heard as the ProtocolViolation that it is.
    """

    def __init__(self, wire: Wire, child: Child, hear: Callable[[Any], None]) -> None:
        self.has_greeted = False
        self._wire, self._child, self._hear = wire, child, hear
        child.listen(self._on_line, lambda code, tail: hear(Ended(code, tail)))

    def send(self, request: Any) -> bool:
        """Send a request; False if the child doesn't read. If the child is gone, its end is reported separately."""
        try:
            self._child.send(self._wire.encode_message(request))
        except TimeoutError:
            return False
        except OSError as error:
            log.debug("child %s takes nothing more: %s", self._child.pid, error)
        return True

    def _on_line(self, line: bytes) -> None:
        try:
            reply = self._check_greeting(self._wire.parse_reply(line))
        except ProtocolViolation as error:
            # A child that talks nonsense can't be trusted with the next line.
            self._child.kill_tree()
            self._hear(error)
            return
        if isinstance(reply, Caged):
            self._child.tell_cage(reply.report)
        elif not isinstance(reply, Greeting):
            self._hear(reply)

    def _check_greeting(self, reply: Any) -> Any:
        if isinstance(reply, Greeting):
            if reply.protocol != self._wire.version:
                # Of another version after an upgrade: the program's files were replaced while it ran.
                raise ProtocolViolation(f"the child speaks version {reply.protocol}, not {self._wire.version}")
            self.has_greeted = True
        elif not self.has_greeted:
            # Whatever comes first has to say which version it speaks.
            raise ProtocolViolation(f"{type(reply).__name__} before the greeting")
        return reply


class WireInbox:
    """Queue of a child's messages, filled by a `WireClient`.

    With `most_waiting` messages in it, reading and so the child block until it is closed; 0 is unlimited.
    """

    def __init__(self, most_waiting: int = 0) -> None:
        # Bounded where a child reads faster than its words are used: the pipe then holds it back.
        self._items: queue.Queue[Any] = queue.Queue(most_waiting)
        self._closed = threading.Event()

    def add_item(self, item: Any) -> None:
        """Add a message, blocking while the queue is full. Called by the child's reader thread."""
        while not self._closed.is_set():
            with contextlib.suppress(queue.Full):
                self._items.put(item, timeout=LOOK_EVERY_S)
                return

    def next_item(self, timeout_s: float = LOOK_EVERY_S) -> Any:
        """Return the next reply or `Ended`; None where none came in time. Raises ProtocolViolation."""
        try:
            item = self._items.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(item, ProtocolViolation):
            raise item
        return item

    def close(self) -> None:
        """Drop all later messages, and let a child go that waits for room."""
        self._closed.set()


class ParentSide:
    """The child's side of the wire, on the streams of `claim_wire`."""

    def __init__(self, wire: Wire, reader: BinaryIO, writer: BinaryIO) -> None:
        self._wire, self._reader, self._writer = wire, reader, writer

    def send_greeting(self, backend: str = "") -> None:
        self.send_reply(Greeting(self._wire.version, __version__, os.getpid(), backend))

    def send_reply(self, reply: Any) -> None:
        """Write a reply in a single write, since two threads may reply."""
        # `BufferedWriter` locks each write, so that two replies never mix.
        self._writer.write(self._wire.encode_message(reply))
        self._writer.flush()

    def read_requests(self) -> Iterator[Any]:
        """Yield requests until the parent closes stdin. An invalid line is yielded as a ProtocolViolation: other
        requests may still be running.
        """
        for line in self._reader:
            try:
                yield self._wire.parse_request(line)
            except ProtocolViolation as error:
                # Handed on, not raised: the loop that reads would end, and with it all that is running.
                yield error

    def leave_with_parent(self, take: Callable[[Any], object], last: Callable[[], object] = lambda: None) -> None:
        """Pass further requests to `take` in a thread; at the end of stdin call `last` and end the process."""

        def listen() -> None:
            for request in self.read_requests():
                take(request)
            last()
            # From a thread, and at once: other threads may be in the middle of anything.
            os._exit(0)

        threading.Thread(target=listen, name="parent", daemon=True).start()


def check_request(request: Any) -> Any:
    """Return a request, or raise a ProtocolViolation yielded by `ParentSide.read_requests`."""
    if isinstance(request, ProtocolViolation):
        raise request
    return request
