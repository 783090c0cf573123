"""The committed summary of the project's own report: what it says of itself still holds, claim by claim."""

from __future__ import annotations

import pytest

from app.documents.blocks import Block
from app.features.summarize.checks import CitedBlock, verify_statement
from app.features.summarize.summary_result import Summary
from app.features.summarize.summary_work import MOST_NEARBY
from tests.features.summarize.make_sample_summary import FIELDS, TEXT, report, sample, text_of

REMAKE = "python -m tests.features.summarize.make_sample_summary"


@pytest.fixture(scope="module")
def summary() -> Summary:
    return sample()


@pytest.fixture(scope="module")
def blocks() -> dict[int, Block]:
    """The report's, read again by the reading child."""
    return {block.id: block for block in report().blocks}


def test_every_claim_leads_to_a_sentence_that_stands_there(summary: Summary, blocks: dict[int, Block]) -> None:
    assert summary.statements
    for statement in summary.statements:
        assert statement.anchors, statement.text
        for anchor in statement.anchors:
            text = blocks[anchor.block_id].text
            stretch = text[anchor.start : anchor.end] if anchor.end else text
            assert anchor.text
            assert anchor.text == stretch


def test_what_is_said_of_every_claim_is_what_the_checks_say_today(summary: Summary, blocks: dict[int, Block]) -> None:
    every = [CitedBlock(0, block) for block in blocks.values()]
    for statement in summary.statements:
        cited = [CitedBlock(0, blocks[anchor.block_id]) for anchor in statement.anchors]
        verdict = verify_statement(statement.text, cited, "", every[:MOST_NEARBY])
        assert verdict.check == statement.check, f"{statement.text}: {REMAKE}"
        assert verdict.anchors == statement.anchors, f"{statement.text}: {REMAKE}"


def test_all_of_the_report_was_read(summary: Summary, blocks: dict[int, Block]) -> None:
    (document,) = summary.documents
    assert (document.coverage.blocks, document.coverage.blocks_read) == (len(blocks), len(blocks))
    assert document.coverage.unread_pages == ()
    assert (summary.sections_read, summary.sections_failed) == (summary.sections, 0)
    assert not summary.is_partial


def test_the_text_beside_it_is_what_saving_it_as_markdown_gives(summary: Summary) -> None:
    assert text_of(summary) == TEXT.read_text("utf-8"), f"{FIELDS.name} and {TEXT.name} are made together: {REMAKE}"
