"""Quick creation of the enum classes that PySide makes of Qt's."""

from __future__ import annotations

import sys
from enum import Enum, EnumType, Flag, FlagBoundary
from functools import cache, reduce
from operator import or_
from typing import Any

_create_checked = EnumType._create_  # type: ignore[attr-defined]


def speed_up_enums() -> None:
    """Make Qt's enums as copies of an empty one; call it before PySide is imported.

    WORKAROUND for PySide6 6.12.0 (measured; no report found at https://bugreports.qt.io/projects/PYSIDE): the first use
    of a class makes each of its enums, `Qt` alone 94 of 1,200 members, and Python checks them as if a person had
    written them. A start makes 279 with 3,400 members: a tenth of its processor time.
    """
    # What is made here was compared with what the enums of these versions make.
    if (3, 11) <= sys.version_info < (3, 14):
        EnumType._create_ = _create_enum  # type: ignore[attr-defined]


def _create_enum(cls: type[Enum], class_name: str, names: Any, **options: Any) -> EnumType:
    """Create an enum of (name, number) pairs, as `EnumType._create_` does; leave what is not from Qt to that."""
    # As there, the module is the one of the caller's caller.
    options["module"] = options["module"] or sys._getframe(2).f_globals.get("__name__")
    if options["boundary"] is FlagBoundary.KEEP and isinstance(names, list) and _is_plain(cls, names):
        return _copy_enum(cls, class_name, names, options["module"])
    enum_class: EnumType = _create_checked(cls, class_name, names, **options)
    return enum_class


def _is_plain(cls: type[Enum], names: list[Any]) -> bool:
    """True for pairs of a name that hides nothing and a number."""
    are_pairs = all(isinstance(pair, tuple) and isinstance(pair[1], int) for pair in names)
    return are_pairs and _inherited(cls).isdisjoint(name for name, _number in names)


@cache
def _inherited(cls: type[Enum]) -> set[str]:
    """Return the names that a member can have only with a descriptor."""
    return {name for base in cls.__mro__ for name in vars(base)}


def _copy_enum(cls: type[Enum], class_name: str, numbers: list[tuple[str, int]], module: str) -> EnumType:
    namespace: dict[str, Any] = {
        key: value.copy() if isinstance(value, list | dict) else value for key, value in _empty_enum(cls)
    }
    names, by_name, by_number = (namespace[f"_{key}_"] for key in ("member_names", "member_map", "value2member_map"))
    make, takes_number, is_flag = namespace["_new_member_"], namespace["_use_args_"], issubclass(cls, Flag)
    namespace["__module__"] = module
    enum_class = type.__new__(EnumType, class_name, (cls,), namespace)
    for name, number in numbers:
        member = by_number.get(number)
        if member is None:
            member = by_number[number] = make(enum_class, number) if takes_number else make(enum_class)
            member._value_, member._name_, member.__objclass__ = number, name, enum_class
            member._sort_order_ = len(names)
            if not is_flag or _is_single_bit(number):
                names.append(name)
        by_name[name] = member
        type.__setattr__(enum_class, name, member)
    if is_flag:
        _set_masks(enum_class)
    return enum_class


@cache
def _empty_enum(cls: type[Enum]) -> list[tuple[str, Any]]:
    return list(vars(_create_checked(cls, "", (), module="", boundary=FlagBoundary.KEEP)).items())


def _set_masks(flag_class: Any) -> None:
    mask = reduce(or_, flag_class._value2member_map_, 0)
    singles = [member._value_ for member in flag_class]
    flag_class._flag_mask_, flag_class._all_bits_ = mask, 2 ** mask.bit_length() - 1
    flag_class._singles_mask_ = reduce(or_, singles, 0)
    if singles != sorted(singles):
        flag_class._iter_member_ = flag_class._iter_member_by_def_


def _is_single_bit(number: int) -> bool:
    return number != 0 and number & (number - 1) == 0
