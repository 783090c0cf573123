"""Any message of a wire, from its type hints; and what must hold for all of them."""

from __future__ import annotations

import dataclasses
import enum
import json
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentLocked
from app.core.errors.engine_errors import ProtocolViolation
from app.core.errors.model_errors import ModelDamaged, NoModel
from app.core.wire import EventReply, Wire

T = typing.TypeVar("T")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
SITUATIONS = (
    st.builds(DocumentLocked, st.text(), st.booleans())
    | st.builds(ModelDamaged, st.text(), st.text())
    | st.just(NoModel())
)
SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63), 2**63),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(st.characters(exclude_categories=())),
    bool: st.booleans(),
    type(None): st.none(),
    bytes: st.binary(max_size=20),
    Any: VALUES,
    object: VALUES,
}


def events_of(replies: Iterable[Any], kind: type[T]) -> list[T]:
    """The events of a kind among an engine's replies."""
    return [reply.event for reply in replies if isinstance(reply, EventReply) and isinstance(reply.event, kind)]


def any_message(wire: Wire, cls: type) -> st.SearchStrategy[Any]:
    """Messages of a class; an event with a request's id."""
    return st.builds(EventReply, SIMPLE[int], any_value(cls)) if cls in wire.events.values() else any_value(cls)


def any_value(hint: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - a table of kinds
    """Values of a type, every field filled."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in SIMPLE:
        return SIMPLE[hint]
    if origin in (Union, types.UnionType):
        return st.one_of(*map(any_value, arguments))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return st.tuples(*map(any_value, arguments))
    if origin in (tuple, Sequence):
        return st.lists(any_value(arguments[0]), max_size=3).map(tuple)
    if origin is list:
        return st.lists(any_value(arguments[0]), max_size=3)
    if origin in (dict, Mapping):
        return st.dictionaries(st.text(), any_value(arguments[1]), max_size=3)
    if issubclass(hint, enum.Enum):
        return st.sampled_from(list(hint))
    if hint is AppError:
        return SITUATIONS
    hints = {
        name: kind for name, kind in typing.get_type_hints(hint).items() if typing.get_origin(kind) is not ClassVar
    }
    return st.builds(hint, **{name: any_value(kind) for name, kind in hints.items()})


def survives(wire: Wire, cls: type, *, is_request: bool) -> None:
    """Fails unless every message of a class comes through as it was, on one line, and newer keys are ignored."""
    read = wire.parse_request if is_request else wire.parse_reply

    @given(any_message(wire, cls), st.dictionaries(st.text().map(lambda name: "later_" + name), VALUES, max_size=2))
    def check(message: Any, later: dict[str, Any]) -> None:
        line = wire.encode_message(message)
        assert line.isascii()
        assert (line.count(b"\n"), len(line.splitlines())) == (1, 1)
        for read_again in (read(line), read(json.dumps(json.loads(line) | later).encode())):
            assert type(read_again) is type(message)
            assert wire.encode_message(read_again) == line  # situations have no equality

    check()


def needed_keys(cls: type) -> list[str]:
    """The fields that a line must have."""
    return [
        field.name
        for field in dataclasses.fields(cls)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]


def check_missing_keys(wire: Wire, cls: type, *, is_request: bool) -> None:
    """Fails unless a line without a key that has no default is a violation."""
    read = wire.parse_request if is_request else wire.parse_reply

    @given(any_message(wire, cls))
    def check(message: Any) -> None:
        body = json.loads(wire.encode_message(message))
        for key in needed_keys(cls):
            with pytest.raises(ProtocolViolation):
                read(json.dumps({name: value for name, value in body.items() if name != key}).encode())

    check()


def recorded(path: Path) -> list[bytes]:
    """The lines of a recorded conversation."""
    return path.read_bytes().splitlines(keepends=True)


def check_recorded(wire: Wire, path: Path) -> None:
    """Fails unless each recorded line is read, and written as it was."""
    for line in recorded(path):
        is_request = json.loads(line)["type"] in {cls.__name__ for cls in wire.requests}
        message = wire.parse_request(line) if is_request else wire.parse_reply(line)
        assert wire.encode_message(message) == line
