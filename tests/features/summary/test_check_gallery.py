"""Claims about the project's own report: the right ones are found, and the gallery lists which wrong ones pass."""

from __future__ import annotations

import pytest

from app.documents.blocks import Block
from tests.helpers.harbour import GALLERY, ReportClaim, gallery_text, judged, report_blocks, report_claims


@pytest.fixture(scope="module")
def blocks() -> list[Block]:
    return report_blocks()


@pytest.mark.parametrize("claim", report_claims("right"), ids=lambda one: one.text[:40])
def test_a_right_claim_in_other_words_is_found_and_opens_a_cited_block(claim: ReportClaim, blocks: list[Block]) -> None:
    verdict = judged(claim, blocks)
    assert verdict.check.found, verdict.check
    texts = {block.id: block.text for block in blocks}
    assert verdict.anchors[0].block_id in claim.cites
    assert all(texts[one.block_id][one.start : one.end] == one.text for one in verdict.anchors)


def test_changed_numbers_units_dates_and_names_are_all_seen(blocks: list[Block]) -> None:
    kinds = {"number", "unit", "date", "name swapped"}
    wrong = [claim for claim in report_claims("wrong") if claim.kind in kinds]
    assert len(wrong) > 12
    assert [claim.text for claim in wrong if judged(claim, blocks).check.found] == []


def test_the_gallery_of_wrong_claims_that_pass_is_as_the_checks_are(blocks: list[Block]) -> None:
    assert GALLERY.read_text("utf-8") == gallery_text(blocks), "run: python -m tests.helpers.harbour"
