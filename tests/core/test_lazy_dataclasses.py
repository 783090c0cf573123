"""Dataclasses that are compiled late behave as the standard ones: fields, heirs, frozen ones, several threads."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import InitVar
from functools import partial
from threading import Barrier, Thread
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from app.core import lazy_dataclasses

T = TypeVar("T")


def test_what_a_class_can_do_is_what_the_standard_one_can() -> None:
    made = [_classes(decorator) for decorator in (lazy_dataclasses.dataclass, dataclasses.dataclass)]
    assert _behaviour(*made[0]) == _behaviour(*made[1])


def test_a_class_stays_unfinished_until_an_object_is_made() -> None:
    point, *_ = _classes(lazy_dataclasses.dataclass)
    assert "__eq__" not in vars(point)
    assert point(1) == point(1)
    assert "__eq__" in vars(point)


def test_a_frozen_object_refuses_changes_and_its_heirs_do() -> None:
    _, frozen, heir, *_ = _classes(lazy_dataclasses.dataclass)
    for made in (heir(1, 2, third=3), frozen(1, 2)):
        with pytest.raises(dataclasses.FrozenInstanceError):
            made.first = 5


def test_threads_that_make_the_first_objects_at_once_all_get_theirs() -> None:
    for _ in range(50):
        point, *_ = _classes(lazy_dataclasses.dataclass)
        made: list[Any] = []
        barrier = Barrier(4)

        def make(cls: Any, barrier: Barrier = barrier, made: list[Any] = made) -> None:
            barrier.wait()
            made.append(cls(3, third="x"))

        threads = [Thread(target=make, args=(point,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert made == [point(3, third="x")] * 4


def test_heirs_that_their_base_decorates_are_made_once() -> None:
    decorated: list[str] = []

    class Message:
        def __init_subclass__(cls) -> None:
            decorated.append(cls.__name__)
            lazy_dataclasses.dataclass(frozen=True)(cls)

    class Told(Message):
        words: str

    class ToldTwice(Told):
        again: str = "again"

    assert dataclasses.asdict(ToldTwice("once")) == {"words": "once", "again": "again"}  # type: ignore[call-arg]
    assert decorated == ["Told", "ToldTwice"]


def test_an_abstract_class_stays_abstract() -> None:
    @lazy_dataclasses.dataclass
    class Shape(ABC):
        size: int

        @abstractmethod
        def area(self) -> int: ...

    @lazy_dataclasses.dataclass
    class Square(Shape):
        def area(self) -> int:
            return self.size**2

    with pytest.raises(TypeError):
        Shape(2)  # type: ignore[abstract]
    assert Square(3).area() == 9


def test_an_object_made_with_a_wrong_word_is_refused_as_ever() -> None:
    point, *_ = _classes(lazy_dataclasses.dataclass)
    with pytest.raises(TypeError, match="unexpected keyword argument 'wrong'"):
        point(1, wrong=2)


def _classes(decorator: Callable[..., Any]) -> tuple[Any, ...]:
    @decorator
    class Point:
        first: int
        second: int = 2
        third: str = dataclasses.field(default="c", kw_only=True)
        many: list[int] = dataclasses.field(default_factory=list, repr=False, compare=False)
        kind: ClassVar[str] = "point"

    @decorator(frozen=True, order=True)
    class Frozen:
        first: int
        second: int

        @property
        def total(self) -> int:
            return self.first + self.second

    @decorator(frozen=True)
    class Heir(Frozen):
        third: int = dataclasses.field(kw_only=True)

    @decorator(eq=False)
    class Counted(Generic[T]):
        value: T
        scale: InitVar[int] = 1
        scaled: int = dataclasses.field(init=False)

        def __post_init__(self, scale: int) -> None:
            self.scaled = scale * 2

        def __repr__(self) -> str:
            return "counted"

    class Plain(Point):
        pass

    return Point, Frozen, Heir, Counted, Plain


def _behaviour(point: Any, frozen: Any, heir: Any, counted: Any, plain: Any) -> list[object]:
    """What objects and classes say of themselves; the heir is asked before what it comes from."""
    child = heir(1, 2, third=3)
    late = counted[int](5, 4)
    return [
        [field.name for field in dataclasses.fields(heir)],
        [field.name for field in dataclasses.fields(plain)],
        repr(child),
        repr(plain(4)),
        child == heir(1, 2, third=3),
        child == frozen(1, 2),
        hash(frozen(1, 2)) == hash(frozen(1, 2)),
        frozen(1, 2) < frozen(1, 3),
        [_refusal(partial(setattr, child, name, 1)) for name in ("first", "third", "other")],
        [_refusal(partial(delattr, child, name)) for name in ("first", "other")],
        point(1, many=[1]) == point(1, many=[2]),
        point(1) == "point",
        plain(1) == point(1),
        repr(_endless(point)),
        dataclasses.asdict(point(1, many=[4])),
        dataclasses.replace(frozen(1, 2), second=8).total,
        point(1).many is not point(1).many,
        point.__match_args__,
        point.second,
        hasattr(point, "many"),
        point.__hash__ is None,
        repr(late),
        (late.value, late.scaled),
        dataclasses.is_dataclass(counted),
        point.__init__.__qualname__.endswith("__init__"),
        heir.__mro__[1] is frozen,
    ]


def _refusal(change: Callable[[], None]) -> str:
    with pytest.raises(dataclasses.FrozenInstanceError) as raised:
        change()
    return str(raised.value)


def _endless(point: Any) -> object:
    outer = point(1)
    outer.second = [outer]
    return outer
