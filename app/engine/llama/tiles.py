"""Pictures and sounds among the tokens of a sequence: which number stands for what, and at which position text goes on.

A sequence is a list of numbers. Of text they are token ids. A tile, which is what an encoder gives in one piece, stands
there as one negative number, as many times as it takes tokens. So the length of a list is room in the context and
comparing two lists is comparing numbers; only who cuts one or wants a position has to ask here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from app.engine.states import Unit


@dataclass(frozen=True)
class MediaTile:
    """What makes two tiles the same. `eyes` tells projectors apart; the room is `to_tokens`, M-RoPE counts `positions`.

    `place` is what stands before the picture, where its tokens or their positions depend on that.
    """

    media: str
    most_tokens: int
    index: int
    tokens: int
    positions: int
    eyes: str
    place: int = 0


class TileNumbers:
    """All tiles that were met with one loaded model, and their numbers."""

    def __init__(self) -> None:
        self._numbers: dict[MediaTile, int] = {}
        self._tiles: list[MediaTile] = []
        self.shifts = False
        """True if any of them has fewer positions than tokens, so that counts are no positions."""

    def number_of(self, tile: MediaTile) -> int:
        """Return the number that stands for a tile, below 0."""
        if tile not in self._numbers:
            self._tiles.append(tile)
            self._numbers[tile] = -len(self._tiles)
            self.shifts |= tile.positions != tile.tokens
        return self._numbers[tile]

    def __getitem__(self, number: int) -> MediaTile:
        return self._tiles[-number - 1]

    def whole_tiles_length(self, tokens: Sequence[int], count: int) -> int:
        """Return the most of the first `count` tokens that does not end inside a tile."""
        count = min(count, len(tokens))
        if count <= 0 or tokens[count - 1] >= 0:
            return max(count, 0)
        number, run = tokens[count - 1], 1
        while run < count and tokens[count - 1 - run] == number:
            run += 1
        return count - run % self[number].tokens

    def position_shift(self, tokens: Sequence[int]) -> int:
        """By how much the position behind these tokens is less than their count."""
        if not self.shifts:
            return 0
        at = total = 0
        while at < len(tokens):
            if tokens[at] >= 0:
                at += 1
                continue
            tile = self[tokens[at]]
            total += tile.tokens - tile.positions
            at += tile.tokens
        return total

    def to_units(self, tokens: Sequence[int]) -> list[Unit]:
        """Return the same for a file: token ids, and each tile once, by what it is."""
        units: list[Unit] = []
        at = 0
        while at < len(tokens):
            if tokens[at] >= 0:
                units.append(tokens[at])
                at += 1
            else:
                units.append(astuple(self[tokens[at]]))
                at += self[tokens[at]].tokens
        return units

    def to_tokens(self, units: Sequence[Unit]) -> list[int]:
        """Return the way back from `to_units`: token ids, and for each tile its number as many times as it takes
        tokens.
        """
        tokens: list[int] = []
        for unit in units:
            if isinstance(unit, int):
                tokens.append(unit)
            else:
                tile = MediaTile(*unit)
                tokens += [self.number_of(tile)] * tile.tokens
        return tokens
