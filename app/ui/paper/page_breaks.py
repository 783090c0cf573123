"""Laid-out texts, and where their pages may break: between lines, and not inside ranges to be kept together."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QRectF
from PySide6.QtGui import QTextBlock, QTextDocument

from app.core.lazy_dataclasses import dataclass, field

EDGE = 0.5
"""Device units by which touching ranges may overlap."""

Stretch = tuple[float, float]
"""Top and bottom within a laid-out document."""


@dataclass(frozen=True)
class RangeBackground:
    """Background of a range, painted below the text and cut along with it."""

    box: QRectF
    color: str
    radius: float = 0.0


@dataclass
class LaidOutText:
    """A laid-out document with its page-break rules.

    `kept` ranges stay whole if they aren't too long. A head (top, bottom, bottom of the whole) is repeated on each page
    its table reaches.
    """

    document: QTextDocument
    gap_pt: float = 0.0
    """Space above, unless it starts a page."""
    grounds: list[RangeBackground] = field(default_factory=list)
    kept: list[Stretch] = field(default_factory=list)
    heads: list[tuple[float, float, float]] = field(default_factory=list)


def ranges_to_keep(text: LaidOutText, largest: float) -> Iterator[Stretch]:
    """Yield ranges not to be cut, top to bottom; overlapping ones are merged unless they get too long."""
    lines = sorted(_lines(text.document))
    kept = sorted(
        [
            *lines,
            *(heading for heading in [*text.kept, *_headings(text.document)] if heading[1] - heading[0] <= largest),
        ]
    )
    for top, bottom in _joined(kept):
        if bottom - top <= largest:
            yield top, bottom
        else:  # a chain of ranges to be kept together
            inside = [line for line in lines if top - EDGE < line[0] and line[1] < bottom + EDGE]
            yield from _joined(inside)


def _joined(stretches: list[Stretch]) -> Iterator[Stretch]:
    if not stretches:
        return
    top, bottom = stretches[0]
    for above, below in stretches[1:]:
        if above >= bottom - EDGE:
            yield top, bottom
            top, bottom = above, below
        else:
            bottom = max(bottom, below)
    yield top, bottom


def _lines(document: QTextDocument) -> Iterator[Stretch]:
    """Yield each line; the first two and the last two of a paragraph are one range, against widows and orphans."""
    for block in _blocks(document):
        layout, start = block.layout(), _top(block)
        count = layout.lineCount()
        bounds = [(start + line.y(), start + line.y() + line.height()) for line in map(layout.lineAt, range(count))]
        if not count:
            continue
        yield bounds[0][0], bounds[min(1, count - 1)][1]
        yield bounds[max(0, count - 2)][0], bounds[-1][1]
        yield from bounds[2:-2]


def _headings(document: QTextDocument) -> Iterator[Stretch]:
    """Yield each heading with the first lines after it."""
    for block in _blocks(document):
        after = block.next()
        if block.blockFormat().headingLevel() and after.isValid():
            lines = after.layout()
            last = lines.lineAt(min(1, lines.lineCount() - 1)) if lines.lineCount() else None
            yield _top(block), _top(after) + (last.y() + last.height() if last is not None else 0)


def _blocks(document: QTextDocument) -> Iterator[QTextBlock]:
    block = document.begin()
    while block.isValid():
        yield block
        block = block.next()


def _top(block: QTextBlock) -> float:
    """Return the top of a block's lines, including margins of its table and frames."""
    return block.document().documentLayout().blockBoundingRect(block).top()
