"""Whether a model still computes with numbers: damaged weights turn into NaN, and NaN into endless nonsense."""

from __future__ import annotations

import math
from typing import Any

CHECK_EVERY_TOKENS = 16  # while writing; and once when the prompt was read


def has_numbers(logits: Any, vocabulary_size: int) -> bool:
    """Whether the best of `vocabulary_size` floats at the C pointer `logits` is a finite number and none is NaN.

    Minus infinity rules a token out and is fine. Takes one pass of a few microseconds over 100,000 tokens.
    """
    if not logits:
        return False
    import numpy as np

    return math.isfinite(np.ctypeslib.as_array(logits, (vocabulary_size,)).max())
