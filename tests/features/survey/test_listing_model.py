"""A list by the real starter: what it lists is hardly of use, but every block is read and every number is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.child import own_command
from app.core.events import CancelToken
from app.engine.client import EngineClient
from app.features.summary.at_work import MemorySteps
from app.features.survey.listing import Listed, list_all
from tests.features.summary.test_summarize_model import TOWN
from tests.helpers.engine import load


@pytest.mark.model
def test_the_starter_follows_the_rules_of_a_list(starter: Path, tmp_path: Path) -> None:
    engine = EngineClient(own_command("--engine-worker"), tmp_path)
    load(engine, starter)
    try:
        events = list(list_all([TOWN], "Which people are named?", engine, MemorySteps(), CancelToken()))
    finally:
        engine.close()
    assert isinstance(events[-1], Listed)
    summary = events[-1].summary
    assert summary.sections_failed == 0
    assert summary.sections_read == summary.sections
    assert summary.documents[0].coverage.blocks_read == len(TOWN.blocks)
    ids = {block.id for block in TOWN.blocks}
    assert {anchor.block_id for one in summary.statements for anchor in one.anchors} <= ids
