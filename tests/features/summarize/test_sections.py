"""Sections of numbered paragraphs, and the coverage that is counted from prompts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.blocks import Block, BlockKind, BlockPiece, BlockPlace, LineBox
from app.documents.split import BlockSlice
from app.features.summarize.sections import SectionReading, halves_of, sections_of, whole_section
from app.features.summarize.summary_prompts import map_messages
from tests.features.summarize.pipeline import all_kinds, document, heading

ODD = st.text(alphabet="ab c\n\t.[]=#1é漢\u200b", max_size=300)
KINDS = st.sampled_from(list(BlockKind))
BLOCKS = st.lists(st.builds(BlockPiece, KINDS, ODD, level=st.integers(1, 9)), min_size=1, max_size=12)


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def letters(texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


@given(BLOCKS, st.integers(40, 200))
def test_whatever_the_blocks_all_of_their_text_is_in_sections_within_the_budget(
    pieces: list[BlockPiece], budget: int
) -> None:
    given = document(*pieces)
    reading = SectionReading([given])
    for section in sections_of([given], budget, letters):
        assert len(section.text) <= budget
        reading.mark_answered(section, section.text)
    coverage = reading.make_coverage()[0]
    assert coverage.blocks_read == coverage.blocks == len(pieces)


@given(BLOCKS, st.integers(40, 200), st.randoms(use_true_random=False))
def test_whatever_section_is_missing_the_blocks_in_it_count_as_unread(
    pieces: list[BlockPiece], budget: int, chance: random.Random
) -> None:
    given = document(*pieces)
    sections = sections_of([given], budget, letters)
    if not sections:
        return
    missing = chance.choice(sections)
    reading = SectionReading([given])
    for section in sections:
        if section is not missing:
            reading.mark_answered(section, section.text)
    stretches = {one.block_id: given.blocks[one.block_id - 1].text[one.start : one.end] for one in missing.slices}
    with_text = [number for number, text in stretches.items() if text.strip()]
    coverage = reading.make_coverage()[0]
    assert coverage.blocks_read == coverage.blocks - len(with_text)


def test_a_section_that_claims_what_is_not_in_the_prompt_is_not_believed() -> None:
    given = document("A kiln.", "A roof.")
    section = whole_section(0, given.blocks)
    reading = SectionReading([given])
    reading.mark_answered(section, section.text.replace("roof", "door"))
    assert reading.make_coverage()[0].blocks_read == 1


def test_a_block_that_goes_on_overleaf_makes_both_pages_unread() -> None:
    boxes = (LineBox(1, 0, 0, 9, 9, 0, 4), LineBox(2, 0, 0, 9, 9, 4, 9))
    block = Block(1, BlockKind.PARAGRAPH, "A kiln is", 1, (), BlockPlace(boxes=boxes))
    given = replace(document(), unit="page", pages=3, blocks=[block, Block(2, BlockKind.PARAGRAPH, "old", 3)])
    reading = SectionReading([given])
    reading.mark_answered(whole_section(0, given.blocks[1:]), "[2] old")
    assert reading.make_coverage()[0].unread_pages == (1, 2)
    assert reading.make_coverage()[0].pages_read == 1
    overleaf = replace(whole_section(0, given.blocks[:1]), slices=(BlockSlice(1, 4, 9),))
    reading.mark_answered(overleaf, "[1] ln is")
    assert reading.make_coverage()[0].partly_read == (1, 2), "a statement about it leads to where the block begins"
    assert (reading.make_coverage()[0].unread_pages, reading.make_coverage()[0].pages_read) == ((), 3)


def test_a_page_with_nothing_but_its_number_is_not_missing_when_all_is_read() -> None:
    given = replace(document("A kiln."), pages=3)
    reading = SectionReading([given])
    assert reading.make_coverage()[0].pages_read == 0
    reading.mark_answered(whole_section(0, given.blocks), "[1] A kiln.")
    assert reading.make_coverage()[0].pages_read == 3


def test_blocks_begin_with_their_numbers_and_what_they_are() -> None:
    given = document(heading("Kilns", 2), "A kiln.", BlockPiece(BlockKind.LIST_ITEM, "wood", level=1), "")
    assert whole_section(0, given.blocks).text == "[1] ## Kilns\n\n[2] A kiln.\n\n[3] - wood"
    assert whole_section(0, given.blocks, offset=10).text.startswith("[11] ## Kilns\n\n[12] A kiln.")
    assert sections_of([given], 100, words)[0].text == "[1] ## Kilns\n\n[2] A kiln.\n\n[3] - wood"


def test_the_rest_of_a_long_block_has_its_number_again() -> None:
    given = document(" ".join(f"Word{n} is here." for n in range(60)))
    sections = sections_of([given], 60, words)
    assert len(sections) > 2
    assert all(section.text.startswith("[1] Word") for section in sections)
    assert [section.number for section in sections] == list(range(1, len(sections) + 1))


def test_a_section_never_reaches_into_the_next_document() -> None:
    sections = sections_of([document("A kiln."), document("A roof.")], 1000, words)
    assert [(one.document, one.ids) for one in sections] == [(0, (1,)), (1, (1,))]
    assert [one.of for one in sections] == [0, 0], "a document of one section is no part of anything"


@pytest.mark.parametrize("budget", [60, 90, 150])
def test_halves_hold_all_of_a_section_and_are_smaller(budget: int) -> None:
    blocks = all_kinds()
    given = replace(document(), blocks=blocks, pages=5)
    for section in sections_of([given], budget, words):
        halves = halves_of(section, blocks, words)
        if len(halves) == 1:
            assert section.tokens < 40
            continue
        reading, whole_reading = SectionReading([given]), SectionReading([given])
        for half in halves:
            assert words([half.text]) < words([section.text])
            prompt = map_messages(given, half, "en", 3, is_small=True)[-1].text
            reading.mark_answered(half, prompt)
        whole_reading.mark_answered(section, section.text)
        assert reading.make_coverage() == whole_reading.make_coverage()
