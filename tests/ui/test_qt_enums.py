"""Enums that are made quickly are those that Python makes with all its checks."""

from __future__ import annotations

import pickle
from enum import Enum, Flag, FlagBoundary, IntEnum, IntFlag
from functools import reduce
from operator import or_
from types import new_class
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6 import QtCore, QtGui, QtWidgets

KINDS = (Enum, IntEnum, Flag, IntFlag)
NUMBERS = st.sampled_from([0, 1, 2, 3, 4, 7, 8, 0x80000000, 0xFFFFFFFF, 1 << 62, -1, -2])
NAMES = st.sampled_from(["NoKey", "Key_A", "Key_B", "Key_C", "KeyMask", "name", "value", "real"])


@pytest.mark.parametrize("kind", KINDS)
@given(members=st.dictionaries(NAMES, NUMBERS))
def test_an_enum_of_numbers_is_what_python_makes(kind: Any, members: dict[str, int]) -> None:
    quick = kind("Made", list(members.items()), boundary=FlagBoundary.KEEP)
    assert _shape(quick) == _shape(_standard(kind, members))


@pytest.mark.parametrize("module", [QtCore, QtGui, QtWidgets])
def test_enums_of_qt_are_what_python_makes(module: Any) -> None:
    owners = [owner for owner in vars(module).values() if isinstance(owner, type)]
    enums = {found for owner in owners for found in vars(owner).values() if isinstance(found, type(Enum))}
    assert len(enums) > 50
    for quick in enums:
        members = {name: member.value for name, member in quick.__members__.items()}
        standard = _standard(next(kind for kind in quick.__mro__ if kind in KINDS), members)
        standard.__name__ = quick.__name__
        assert _members(quick) == _members(standard), quick


def test_a_member_is_found_again_in_what_was_stored() -> None:
    for member in (QtCore.Qt.Key.Key_A, QtCore.Qt.AlignmentFlag.AlignLeft | QtCore.Qt.AlignmentFlag.AlignTop):
        assert pickle.loads(pickle.dumps(member)) == member


def test_an_enum_of_words_knows_its_module() -> None:
    assert Enum("Colour", "RED GREEN").__module__ == __name__


def _standard(kind: Any, members: dict[str, int]) -> Any:
    # A class statement, which is made with all checks.
    return new_class("Made", (kind,), {"boundary": FlagBoundary.KEEP}, lambda body: body.update(members))


def _members(kind: Any) -> list[object]:
    members = list(kind.__members__.values())
    listed = [list(kind.__members__), [member.name for member in kind], len(kind), dir(kind)]
    return [*listed, *([str(member), member.value, kind(member.value).name, member._sort_order_] for member in members)]


def _shape(kind: Any) -> list[object]:
    """Return what an enum tells of itself and of what is done with its members."""
    members = list(kind.__members__.values())
    shape = [*_members(kind), *(repr(member) for member in members)]
    if not issubclass(kind, Flag) or not members:
        return shape
    positive = [member for member in members if member.value >= 0]
    shape += [[repr(one | two), repr(one & two), repr(one ^ two)] for one in positive[:9] for two in positive[:9]]
    return [*shape, *(repr(~member) for member in positive), *(repr(part) for part in reduce(or_, kind, kind(0)))]
