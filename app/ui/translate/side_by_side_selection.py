"""What is selected of one column with the mouse, from a place in one row to a place in another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Place:
    """Between two characters of a row."""

    row: int
    position: int


@dataclass(frozen=True)
class Selection:
    """From where the mouse was pressed to where it is now."""

    column: int
    begin: Place
    end: Place

    @property
    def is_empty(self) -> bool:
        """Whether nothing is selected."""
        return self.begin == self.end

    @property
    def first(self) -> Place:
        """The place nearer to the beginning."""
        return min(self.begin, self.end)

    @property
    def last(self) -> Place:
        """The place nearer to the end."""
        return max(self.begin, self.end)

    def span_in(self, row: int, length: int) -> tuple[int, int] | None:
        """What of a row with so many characters is selected."""
        first, last = self.first, self.last
        if not first.row <= row <= last.row:
            return None
        start = first.position if row == first.row else 0
        end = last.position if row == last.row else length
        return (start, end) if start < end else None
