"""Whole numbers that another program has sent, which may be of any size."""

from __future__ import annotations

MOST = 10**15
"""More no count of tokens, bytes, weights or seconds is; up to here sums, divisions and tables hold it."""
_MOST_DIGITS = 16


def whole_number(value: object) -> int:
    """Return a number above zero, as such or in digits, commas may group; 0 for anything else and above `MOST`."""
    if isinstance(value, str):
        # int() takes time by the square of the digits, so that long ones are refused unread.
        digits = value.replace(",", "")
        value = int(digits) if len(digits) <= _MOST_DIGITS and digits.isdecimal() else 0
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST else 0
