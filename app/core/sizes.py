"""How large files are, as people read it: one way for the window and the terminal."""

from __future__ import annotations

from collections.abc import Callable


def size_words(size_bytes: float, tr: Callable[[str], str] = str) -> str:
    """Such as 812 bytes, 30 kB, 1.2 MB, 430 MB or 5.7 GB, in powers of ten; what is there at all is never 0.

    `tr` gives a unit in the person's language.
    """
    value, unit = size_bytes, "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value >= 999.5:
            value, unit = value / 1000, larger
    has_decimal = unit in ("GB", "TB") or (unit == "MB" and value < 9.95)
    return f"{value:.1f} {tr(unit)}" if has_decimal else f"{value:,.0f} {tr(unit)}"
