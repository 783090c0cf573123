"""Which ranges a long block is cut into, and how they are walked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import Block, BlockKind
from app.ui.document.block_ranges import MOST_CHARACTERS, MOST_LINES, Walk, ranges_of
from tests.helpers.shown_documents import DocumentInMemory, many_blocks


@given(st.sampled_from(list(BlockKind)), st.text(alphabet="ab \n\t😀", max_size=200), st.integers(1, 60))
def test_stretches_joined_are_the_block(kind: BlockKind, part: str, times: int) -> None:
    block = Block(1, kind, part * times)
    found = ranges_of(block)
    assert "".join(one.text for one in found) == block.text
    assert all(0 < len(one.text) <= MOST_CHARACTERS for one in found) or block.text == ""
    if kind in (BlockKind.TABLE, BlockKind.CODE):
        assert all(one.text.removesuffix("\n").count("\n") < MOST_LINES for one in found[:-1])


def test_a_walk_goes_both_ways_and_fetches_little() -> None:
    document: DocumentInMemory = many_blocks(1000)
    walk = Walk(document, 101, 900)
    middle = walk.place_of(500, 3)
    assert middle is not None
    document.fetched = 0
    onwards, backwards = walk.onwards(middle), walk.backwards(middle)
    assert [next(onwards).block.id for _ in range(3)] == [501, 502, 503]
    assert [next(backwards).block.id for _ in range(3)] == [499, 498, 497]
    assert document.fetched <= 100
    assert [one.block.id for one in walk.onwards(None)] == list(range(101, 901))
    assert [one.block.id for one in backwards][-1] == 101
    assert not walk.has(901)
