"""Dataclasses that are made when they are first needed, with one of their methods compiled.

The standard decorator compiles six methods a class as soon as its module is imported, half a millisecond each time:
nearly half of what the imports of a start cost, most of it for classes that it never makes an object of.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError, asdict, astuple, field, fields, replace
from operator import attrgetter
from reprlib import recursive_repr
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls=None, /, **options):
        """Make a dataclass as `dataclasses.dataclass` does, at the first object of it or question for its fields."""
        if cls is None:
            return lambda decorated: dataclass(decorated, **options)
        if not options.keys() <= {"frozen", "eq", "kw_only"} or "__init__" in vars(cls):
            return dataclasses.dataclass(cls, **options)
        cls.__dataclass_fields__ = placeholder = _FieldsPlaceholder(cls, **options)
        cls.__init__ = placeholder.first_initializer()
        return cls


class _FieldsPlaceholder:
    """Stands where the fields of a class will be, and makes it a dataclass when somebody asks for them."""

    _lock = RLock()

    def __init__(self, cls: Any, *, frozen: bool = False, eq: bool = True, kw_only: bool = False) -> None:
        self._cls, self._is_frozen, self._has_eq, self._kw_only = cls, frozen, eq, kw_only
        self._is_complete = False

    def __get__(self, _instance: object, _owner: type) -> dict[str, Field[Any]]:
        self.complete_class()
        members: dict[str, Field[Any]] = self._cls.__dataclass_fields__
        return members

    def first_initializer(self) -> Callable[..., None]:
        def __init__(instance: object, *args: object, **values: object) -> None:  # noqa: N807 - until there is its own
            self.complete_class()
            self._cls.__init__(instance, *args, **values)

        return __init__

    def complete_class(self) -> None:
        with self._lock:
            if self._is_complete:
                return
            cls = self._cls
            cls.__dataclass_fields__ = _find_members(cls, self._kw_only)
            params = cls.__dataclass_params__
            params.init, params.repr, params.eq, params.frozen = True, True, self._has_eq, self._is_frozen
            for function in _methods(cls, params):
                if vars(cls).get(function.__name__) is None:
                    function.__qualname__ = f"{cls.__qualname__}.{function.__name__}"
                    setattr(cls, function.__name__, function)
            # In one step, for another thread may make an object meanwhile.
            cls.__init__ = _compile_initializer(cls, is_frozen=self._is_frozen)
            self._is_complete = True


def _find_members(cls: Any, kw_only: bool) -> dict[str, Field[Any]]:
    """Return the class's fields and pseudo-fields by name; the standard decorator finds its own."""
    annotations = vars(cls).get("__annotations__", {})
    body = {name: vars(cls)[name] for name in annotations if name in vars(cls)}
    named = {"__annotations__": annotations, "__module__": cls.__module__, "__doc__": cls.__name__}
    stand_in: Any = type(cls.__name__, (), body | named)
    # What it would compile is written below.
    dataclasses.dataclass(stand_in, init=False, repr=False, eq=False, kw_only=kw_only)
    for name in (name for name, value in body.items() if isinstance(value, Field)):
        if name in vars(stand_in):
            setattr(cls, name, vars(stand_in)[name])
        else:
            delattr(cls, name)
    members: dict[str, Field[Any]] = {}
    for base in cls.__mro__[:0:-1]:
        members |= getattr(base, "__dataclass_fields__", {})
    members |= stand_in.__dataclass_fields__
    cls.__dataclass_params__ = stand_in.__dataclass_params__
    return members


def _methods(cls: Any, params: Any) -> Iterator[Callable[..., Any]]:
    own = fields(cls)
    yield _representation([f.name for f in own if f.repr])
    if params.eq:
        yield _equality(_values_of([f.name for f in own if f.compare]))
        cls.__hash__ = vars(cls).get("__hash__")
        if params.frozen:
            yield _hash(_values_of([f.name for f in own if (f.compare if f.hash is None else f.hash)]))
    if params.frozen:
        yield from _refusals(cls, {f.name for f in own})


def _values_of(names: Sequence[str]) -> Callable[[object], Any]:
    """Return what gets the values of these attributes as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    get = attrgetter(*names) if names else None
    return lambda instance: (get(instance),) if get else ()


def _representation(names: Sequence[str]) -> Callable[..., Any]:
    @recursive_repr()
    def __repr__(self: object) -> str:  # noqa: N807 - as everywhere here, where methods of a class are made
        return f"{self.__class__.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return __repr__


def _equality(values_of: Callable[[object], Any]) -> Callable[..., Any]:
    def __eq__(self: object, other: object) -> Any:  # noqa: N807
        return values_of(self) == values_of(other) if other.__class__ is self.__class__ else NotImplemented

    return __eq__


def _hash(values_of: Callable[[object], Any]) -> Callable[..., Any]:
    def __hash__(self: object) -> int:  # noqa: N807
        return hash(values_of(self))

    return __hash__


def _refusals(cls: Any, names: set[str]) -> Iterator[Callable[..., Any]]:
    def __setattr__(self: object, name: str, value: object) -> None:  # noqa: N807
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: object, name: str) -> None:  # noqa: N807
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    yield __setattr__
    yield __delattr__


def _compile_initializer(cls: Any, *, is_frozen: bool) -> Any:
    """Compile `__init__` from its source, which makes it as quick as if it had been written."""
    real = {f.name for f in fields(cls)}
    members = cls.__dataclass_fields__.values()
    arguments = [f for f in members if f.init and (f.name in real or "InitVar" in str(f.type))]
    by_place, by_name = ([f for f in arguments if f.kw_only is is_keyword] for is_keyword in (False, True))
    if "__match_args__" not in vars(cls):
        cls.__match_args__ = tuple(f.name for f in by_place)  # type: ignore[misc]
    own = "self" if "self" not in cls.__dataclass_fields__ else "__dataclass_self__"
    parameters = [own, *map(_parameter, by_place), *(["*"] if by_name else []), *map(_parameter, by_name)]
    assign = "__set({own}, {name!r}, {value})" if is_frozen else "{own}.{name} = {value}"
    body = [assign.format(own=own, name=f.name, value=_value(f)) for f in members if _is_assigned(f, real)]
    if hasattr(cls, "__post_init__"):
        body.append(f"{own}.__post_init__({', '.join(f.name for f in arguments if f.name not in real)})")
    scope = {f"__default_{f.name}": f.default for f in arguments} | {"__set": object.__setattr__, "__missing": MISSING}
    scope |= {f"__make_{f.name}": f.default_factory for f in members}
    exec(f"def __init__({', '.join(parameters)}):\n  " + "\n  ".join(body or ["pass"]), scope)  # noqa: S102 - its own
    initializer: Any = scope["__init__"]
    initializer.__qualname__, initializer.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    initializer.__annotations__ = {f.name: f.type for f in arguments} | {"return": None}
    return initializer


def _parameter(f: Field[Any]) -> str:
    if f.default is not MISSING:
        return f"{f.name}=__default_{f.name}"
    return f.name if f.default_factory is MISSING else f"{f.name}=__missing"


def _is_assigned(f: Field[Any], real: set[str]) -> bool:
    return f.name in real and (f.init or f.default_factory is not MISSING)


def _value(f: Field[Any]) -> str:
    if f.default_factory is MISSING:
        return f.name
    return f"__make_{f.name}() if {f.name} is __missing else {f.name}" if f.init else f"__make_{f.name}()"


__all__ = ["asdict", "astuple", "dataclass", "field", "fields", "replace"]
