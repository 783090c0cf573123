"""Images and sounds in a token sequence: the numbers that stand for them, and text positions after them.

A sequence is a list of numbers. Text is token ids; a tile (one output of an encoder) is one negative number repeated
for each token it takes. So a list's length is its room in the context, and comparing lists compares numbers; only
cutting and positions need this module.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.core.lazy_dataclasses import astuple, dataclass
from app.engine.states import Unit


@dataclass(frozen=True)
class MediaTile:
    """Identity of a tile. `eyes` distinguishes projectors; `to_tokens` counts context cells, `positions` M-RoPE's.

    `place` is what precedes the image, if its tokens or positions depend on that.
    """

    media: str
    most_tokens: int
    index: int
    tokens: int
    positions: int
    eyes: str
    place: int = 0


class TileNumbers:
    """Numbers of all tiles met with one loaded model; files hold identities instead, which mean the same elsewhere."""

    def __init__(self) -> None:
        self._numbers: dict[MediaTile, int] = {}
        self._tiles: list[MediaTile] = []
        self.shifts = False
        """True if any of them has fewer positions than tokens, so that counts are no positions."""

    def number_of(self, tile: MediaTile) -> int:
        """Return a tile's number, below 0; new tiles get the next one."""
        if tile not in self._numbers:
            self._tiles.append(tile)
            self._numbers[tile] = -len(self._tiles)  # -1 is the first: 0 is a token
            self.shifts |= tile.positions != tile.tokens
        return self._numbers[tile]

    def __getitem__(self, number: int) -> MediaTile:
        return self._tiles[-number - 1]

    def whole_tiles_length(self, tokens: Sequence[int], count: int) -> int:
        """Return the most of the first `count` tokens that does not end inside a tile."""
        count = min(count, len(tokens))
        if count <= 0 or tokens[count - 1] >= 0:  # the last one is text, or there is none
            return max(count, 0)
        # Equal tiles can follow each other: the same picture twice has the same number.
        number, run = tokens[count - 1], 1
        while run < count and tokens[count - 1 - run] == number:
            run += 1
        return count - run % self[number].tokens

    def position_shift(self, tokens: Sequence[int]) -> int:
        """Return by how much the position after these tokens is below their count."""
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
        """Return a sequence for a file: token ids, and each tile once by its identity."""
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
        """Return a sequence from `to_units`: token ids, and each tile's number repeated for its tokens."""
        tokens: list[int] = []
        # Read from a file: a list of fields stands for a tile.
        for unit in units:
            if isinstance(unit, int):
                tokens.append(unit)
            else:
                tile = MediaTile(*unit)
                tokens += [self.number_of(tile)] * tile.tokens
        return tokens
