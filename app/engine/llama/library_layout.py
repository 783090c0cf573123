"""Whether a llama.cpp lays out its structures as the binding does, told before anything is passed to it.

A structure that has grown or whose fields have moved is no error to C: it reads what lies there. So each function that
returns default parameters is called, and what it wrote is compared with the fields that the binding knows.
"""

from __future__ import annotations

import ctypes
import math
import platform
from typing import Any

ROOM_BYTES = 4096
PAINTS = (b"\xaa", b"\x55")
MOST_DEFAULT = 10**7
"""No default of any parameter is larger; what has moved is read as one that is."""


def find_layout_problem(library: Any, c: Any) -> str:
    """Return the name of the first structure that differs from the binding's, "" if none does.

    `library` is libllama, `c` the binding's module.
    """
    for function, layout in (
        ("llama_model_default_params", c.llama_model_params),
        ("llama_context_default_params", c.llama_context_params),
    ):
        if not (_has_size(library[function], layout) and _is_plausible(getattr(c, function)())):
            return str(layout.__name__)
    return ""


def _has_size(function: Any, layout: type[ctypes.Structure]) -> bool:
    """Return whether a function that returns a structure writes all of it and nothing behind it."""
    # There the caller passes the place as a hidden first argument; elsewhere in a register that ctypes can't set.
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return True
    function.argtypes, function.restype = [ctypes.c_void_p], ctypes.c_void_p
    written = 0
    for paint in PAINTS:
        room = ctypes.create_string_buffer(paint * ROOM_BYTES, ROOM_BYTES)
        function(room)
        written = max(written, len(room.raw.rstrip(paint)))
    last = getattr(layout, layout._fields_[-1][0])
    return bool(last.offset < written <= ctypes.sizeof(layout))


def _is_plausible(defaults: ctypes.Structure) -> bool:
    """Return whether every field holds what a default may be: small numbers, true or false, no callback."""
    raw = bytes(defaults)
    for name, *_ in defaults._fields_:
        place, value = getattr(type(defaults), name), getattr(defaults, name)
        if isinstance(value, bool):
            is_default = raw[place.offset] in (0, 1)
        elif isinstance(value, int | float):
            is_default = math.isfinite(value) and abs(value) <= MOST_DEFAULT
        else:
            is_default = not any(raw[place.offset : place.offset + place.size])
        if not is_default:
            return False
    return True
