"""Logits of llama.cpp's outputs as arrays of numpy, without copying and at the cost of one call."""

from __future__ import annotations

import ctypes
import functools
from typing import Any


def view_logits(c: Any, context: Any, output: int, vocabulary_size: int) -> Any:
    """Return the logits of one output of the last decode, valid until the next; None without any."""
    # Asked for each token: the package's own function makes a pointer, of which numpy takes as long again for an array.
    address = _find_address(c)(context, output)
    return _view_row(address, vocabulary_size) if address else None


@functools.cache
def _find_address(c: Any) -> Any:
    prototype = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32)
    return prototype(("llama_get_logits_ith", c._lib))


@functools.lru_cache(maxsize=64)
def _view_row(address: int, vocabulary_size: int) -> Any:
    """Return an array of what lies there; the same place serves one decode after another."""
    import numpy as np

    row: Any = (ctypes.c_float * vocabulary_size).from_address(address)
    return np.frombuffer(row, "f4")
