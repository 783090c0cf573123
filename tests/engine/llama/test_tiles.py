"""Tiles among tokens: where a list may be cut, how far positions are, and what a file says of them."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from app.engine.llama.tiles import MediaTile, TileNumbers

KINDS = [MediaTile(f"picture {number // 2}", 0, number % 2, 1 + 3 * number, 1 + number, "eyes") for number in range(4)]
UNITS = st.lists(st.integers(0, 9) | st.sampled_from(KINDS), max_size=12)


def laid_out(tiles: TileNumbers, units: list[int | MediaTile]) -> tuple[list[int], list[int], list[int]]:
    """The tokens; the counts behind each unit; and the positions there."""
    tokens: list[int] = []
    ends, positions = [0], [0]
    for unit in units:
        tokens += [tiles.number_of(unit)] * unit.tokens if isinstance(unit, MediaTile) else [unit]
        ends.append(len(tokens))
        positions.append(positions[-1] + (unit.positions if isinstance(unit, MediaTile) else 1))
    return tokens, ends, positions


@given(UNITS)
def test_a_list_is_cut_between_units_and_positions_count_what_is_before(units: list[int | MediaTile]) -> None:
    tiles = TileNumbers()
    tokens, ends, positions = laid_out(tiles, units)
    for count in range(len(tokens) + 1):
        assert tiles.whole_tiles_length(tokens, count) == max(end for end in ends if end <= count)
    assert [end - tiles.position_shift(tokens[:end]) for end in ends] == positions
    assert tiles.whole_tiles_length(tokens, len(tokens) + 5) == len(tokens)


@given(UNITS)
def test_another_day_the_same_is_read_from_a_file_under_other_numbers(units: list[int | MediaTile]) -> None:
    today, tomorrow = TileNumbers(), TileNumbers()
    tokens, _, _ = laid_out(today, units)
    written = json.loads(json.dumps(today.to_units(tokens)))
    for kind in reversed(KINDS):
        tomorrow.number_of(kind)
    again = tomorrow.to_tokens([unit if isinstance(unit, int) else tuple(unit) for unit in written])
    assert again == laid_out(tomorrow, units)[0]
