"""The one way to talk with a child: dataclasses as JSON lines, whose form follows from their type hints.

A line is one object in ASCII, ``{"type":"Delta","id":3,"text":"Hi"}``, so that lone surrogates survive. The child
speaks first, a `Greeting` with the version; the parent sends requests (imperatives), the child answers with replies.
Between lines the child's heart beats (`app.core.child`). Keys that a newer side added are ignored; an unknown type, a
missing key or a value of another type is a `ProtocolViolation`.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import enum
import functools
import json
import logging
import os
import queue
import threading
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, TypeVar, Union

from app import __version__
from app.core.child import Child
from app.core.errors import AppError, ProtocolViolation, from_fields, to_fields

log = logging.getLogger(__name__)
T = TypeVar("T")

LOOK_EVERY_S = 0.05
# The key for a message's name, which no field may have.
TAG = "type"
# Compact, as each word of an answer is a line; ASCII by default, so that lone surrogates survive.
_encode = json.JSONEncoder(separators=(",", ":")).encode
_SENSELESS = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


def to_json(value: Any) -> Any:
    """Convert a dataclass or named tuple to plain JSON values for `from_json`. Treat the result as read-only."""
    write = _form_of(typing.cast(Any, type(value))).write
    return value if write is None else write(value)


def from_json(cls: type[T], raw: object) -> T:
    """Convert JSON values to a class. Raises ValueError, KeyError or TypeError if they don't fit."""
    return typing.cast(T, _form_of(typing.cast(Any, cls)).read_value(raw))


@dataclass(frozen=True)
class Greeting:
    """A child's first line. `backend` is what does an engine's work: "llama" or "scripted"."""

    protocol: int
    version: str
    pid: int
    backend: str = ""


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

    def encode_message(self, message: Any) -> bytes:
        if type(message) is EventReply:
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
            message = _form_of(kinds[name]).read(body)
            return EventReply(_PLAIN[int].read_value(body["id"]), message) if name in self.events else message
        except _SENSELESS as error:
            raise ProtocolViolation(f"{type(error).__name__} in {line[:200]!r}") from error


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
        if not isinstance(reply, Greeting):
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


# How values are written and read, worked out once for each type.


@dataclass(frozen=True)
class _JsonForm:
    """Conversion of one type. `write` is None if JSON takes values as they are; values of the types in `plain` are read
    unchanged.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any], Any] | None = None
    plain: frozenset[type] = frozenset()

    def read_value(self, raw: Any) -> Any:
        return raw if type(raw) in self.plain else self.read(raw)


def _refuse_value(raw: Any) -> Any:
    raise TypeError(f"a {type(raw).__name__} is out of place")


def _same_value(raw: Any) -> Any:
    return raw


_PLAIN: dict[Any, _JsonForm] = {
    # bool is a kind of int, so types are compared exactly.
    int: _JsonForm(_refuse_value, plain=frozenset({int})),
    # JSON of other programs writes 1 for 1.0.
    float: _JsonForm(_refuse_value, plain=frozenset({float, int})),
    str: _JsonForm(_refuse_value, plain=frozenset({str})),
    bool: _JsonForm(_refuse_value, plain=frozenset({bool})),
    type(None): _JsonForm(_refuse_value, plain=frozenset({type(None)})),
    bytes: _JsonForm(lambda raw: base64.b64decode(raw, validate=True), lambda value: base64.b64encode(value).decode()),
    Any: _JsonForm(_same_value),
    object: _JsonForm(_same_value),
}


@functools.cache
def _form_of(hint: Any) -> _JsonForm:  # noqa: PLR0911 - a table of kinds
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return _union_form(arguments)
    if origin is Literal:
        return _literal_form(arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return _tuple_form(tuple, [_form_of(argument) for argument in arguments], {})
    if origin in (tuple, list, Sequence):
        return _list_form(list if origin is list else tuple, _form_of(arguments[0]))
    if origin in (dict, Mapping):
        return _dict_form(arguments[1])
    if isinstance(hint, type):
        if issubclass(hint, enum.Enum):
            members: dict[Any, Any] = {member.value: member for member in hint}
            # Enums of texts are texts already; others are written by their value.
            return _JsonForm(members.__getitem__, None if issubclass(hint, str) else lambda value: value.value)
        if dataclasses.is_dataclass(hint):
            return _dataclass_form(hint)
        if issubclass(hint, AppError):
            return _JsonForm(_read_situation, _write_situation)
        if issubclass(hint, tuple) and hasattr(hint, "_fields"):
            return _named_row(hint)
    raise TypeError(f"{hint!r} has no form on the wire")


def _union_form(members: tuple[Any, ...]) -> _JsonForm:
    """Return the form of a union: plain values by type, a single dataclass unnamed, several with their names."""
    forms = {member: _form_of(member) for member in members}
    plain: frozenset[type] = frozenset().union(*(form.plain for form in forms.values()))
    rest = [member for member, form in forms.items() if not form.plain]
    if not rest:
        return _JsonForm(_refuse_value, plain=plain)
    if len(rest) == 1:
        read, write = forms[rest[0]].read, forms[rest[0]].write
    else:
        # By name only where there are several, so that a message stays short.
        read, write = _tagged_form({member.__name__: forms[member] for member in rest})
    if write is None:
        return _JsonForm(read, plain=plain)
    return _JsonForm(read, lambda value: value if type(value) in plain else write(value), plain)


def _tagged_form(forms: Mapping[str, _JsonForm]) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    def write(value: Any) -> Any:
        return {TAG: type(value).__name__} | to_json(value)

    return lambda raw: forms[raw[TAG]].read(raw), write


def _literal_form(values: tuple[Any, ...]) -> _JsonForm:
    # With its type, as True == 1.
    known = {(type(value), value) for value in values}
    return _JsonForm(lambda raw: raw if (type(raw), raw) in known else _refuse_value(raw))


def _list_form(kind: type, form: _JsonForm) -> _JsonForm:
    plain, read_one, write_one = form.plain, form.read, form.write

    def read(raw: Any) -> Any:
        if type(raw) is not list:
            _refuse_value(raw)
        # The quick way for long lists of numbers, such as vectors and tokens.
        if plain.issuperset(map(type, raw)):
            return kind(raw)
        return kind([value if type(value) in plain else read_one(value) for value in raw])

    return _JsonForm(read, None if write_one is None else lambda value: [write_one(item) for item in value])


def _named_row(cls: Any) -> _JsonForm:
    hints = typing.get_type_hints(cls)
    forms = [_form_of(hints[name]) for name in cls._fields]
    return _tuple_form(functools.partial(tuple.__new__, cls), forms, cls._field_defaults)


def _tuple_form(make: Callable[[Any], Any], forms: list[_JsonForm], defaults: Mapping[str, Any]) -> _JsonForm:
    """Return the form of a tuple with one form per place; the last ones may have defaults."""
    ends = list(defaults.values())
    known: set[tuple[type, ...]] = set()  # types of places that were all plain: a page has thousands of boxes

    def read(raw: Any) -> Any:
        if type(raw) is not list:
            _refuse_value(raw)
        found = tuple(map(type, raw))
        if found in known:
            return make(raw)
        missing = len(forms) - len(raw)
        if not 0 <= missing <= len(ends):
            _refuse_value(raw)
        values = [form.read_value(value) for form, value in zip(forms, raw, strict=False)]
        if not missing and all(value in form.plain for value, form in zip(found, forms, strict=True)):
            known.add(found)
        return make(values + ends[len(ends) - missing :])

    def write(value: Any) -> Any:
        return [item if form.write is None else form.write(item) for form, item in zip(forms, value, strict=True)]

    return _JsonForm(read, write if any(form.write for form in forms) else None)


def _dict_form(hint: Any) -> _JsonForm:
    form = _form_of(hint)

    def read(raw: Any) -> Any:
        if type(raw) is not dict:
            _refuse_value(raw)
        return {key: form.read_value(value) for key, value in raw.items()}

    write = form.write
    return _JsonForm(read, None if write is None else lambda value: {key: write(item) for key, item in value.items()})


def _dataclass_form(cls: Any) -> _JsonForm:
    hints = typing.get_type_hints(cls)
    names = [field.name for field in dataclasses.fields(cls) if field.init]
    forms = {name: _form_of(hints[name]) for name in names}
    readers = [(name, form.plain, form.read) for name, form in forms.items()]
    writers = [(name, form.write) for name, form in forms.items() if form.write is not None]

    def read(raw: Any) -> Any:
        if type(raw) is not dict:
            _refuse_value(raw)
        found = {}
        for name, plain, read_one in readers:
            if name in raw:
                item = raw[name]
                found[name] = item if type(item) in plain else read_one(item)
        return cls(**found)  # missing keys take their defaults, or raise TypeError

    def write(value: Any) -> Any:
        # `vars` where it can be: this is done for every token (`dataclasses.asdict` copies deeply and is slow)
        body = vars(value) if is_bare else {name: getattr(value, name) for name in names}
        return body | {name: write_one(getattr(value, name)) for name, write_one in writers} if writers else body

    has_more = any(
        # A cached property keeps its value among the fields, where `vars` would send it.
        isinstance(attribute, functools.cached_property)
        for base in cls.__mro__
        for attribute in vars(base).values()
    )
    is_bare = not has_more and not hasattr(cls, "__slots__") and len(names) == len(dataclasses.fields(cls))
    return _JsonForm(read, write)


def _write_situation(error: AppError) -> Any:
    return {TAG: type(error).__name__} | to_fields(error)


def _read_situation(raw: Any) -> AppError:
    return from_fields(raw[TAG], {name: value for name, value in raw.items() if name != TAG})
