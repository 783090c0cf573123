"""Where a range of a laid-out paragraph is, line by line."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtGui import QTextLayout, QTextLine


def ranges_by_line(layout: QTextLayout, start: int, end: int) -> Iterator[tuple[QTextLine, float, float]]:
    """Yield each line that a range covers, with the left edge and the width of its part; in UTF-16 units."""
    for line in map(layout.lineAt, range(layout.lineCount())):
        first, last = max(start, line.textStart()), min(end, line.textStart() + line.textLength())
        if first < last:
            first_x, last_x = line.cursorToX(first)[0], line.cursorToX(last)[0]  # type: ignore[index]
            yield line, min(first_x, last_x), abs(last_x - first_x)
