"""Forms of values in JSON, worked out once for each type from its hints."""

from __future__ import annotations

import base64
import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Union

from app.core.errors.app_error import AppError, to_fields
from app.core.errors.error_fields import from_fields
from app.core.lazy_dataclasses import dataclass

# The key for a message's name, which no field may have.
TAG = "type"


def to_json(value: Any) -> Any:
    """Convert a dataclass or named tuple to plain JSON values for `from_json`. Treat the result as read-only."""
    write = form_of(typing.cast(Any, type(value))).write
    return value if write is None else write(value)


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


PLAIN: dict[Any, _JsonForm] = {
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
def form_of(hint: Any) -> _JsonForm:  # noqa: PLR0911 - a table of kinds
    if hint in PLAIN:
        return PLAIN[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return _union_form(arguments)
    if origin is Literal:
        return _literal_form(arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return _tuple_form(tuple, [form_of(argument) for argument in arguments], {})
    if origin in (tuple, list, Sequence):
        return _list_form(list if origin is list else tuple, form_of(arguments[0]))
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
    forms = {member: form_of(member) for member in members}
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
    forms = [form_of(hints[name]) for name in cls._fields]
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
    form = form_of(hint)

    def read(raw: Any) -> Any:
        if type(raw) is not dict:
            _refuse_value(raw)
        return {key: form.read_value(value) for key, value in raw.items()}

    write = form.write
    return _JsonForm(read, None if write is None else lambda value: {key: write(item) for key, item in value.items()})


def _dataclass_form(cls: Any) -> _JsonForm:
    hints = typing.get_type_hints(cls)
    names = [field.name for field in dataclasses.fields(cls) if field.init]
    forms = {name: form_of(hints[name]) for name in names}
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
