"""A list by the real starter: what it lists is hardly of use, but every block is read and every number is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.core.child import own_command
from app.core.events import CancelToken
from app.engine.client import EngineClient
from app.features.summary.budgets import budgets_for
from app.features.summary.summaries import MemorySteps
from app.features.survey import surveys
from app.features.survey.surveys import Listed, list_all
from tests.features.summary.test_summarize_model import TOWN
from tests.helpers.engine import load

HARBOUR = replace(TOWN, blocks=TOWN.blocks[:2])


@pytest.mark.model
def test_the_starter_follows_the_rules_of_a_list(
    starter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It lists without end, and what was cut off is asked again in halves: answers are as short as that allows.
    monkeypatch.setattr(surveys, "budgets_for", lambda loaded: replace(budgets_for(loaded), points=30))
    engine = EngineClient(own_command("--engine-worker"), tmp_path)
    load(engine, starter)
    try:
        events = list(list_all([HARBOUR], "Which people are named?", engine, MemorySteps(), CancelToken()))
    finally:
        engine.close()
    assert isinstance(events[-1], Listed)
    summary = events[-1].summary
    assert summary.sections_failed == 0
    assert summary.sections_read == summary.sections
    assert summary.documents[0].coverage.blocks_read == len(HARBOUR.blocks)
    ids = {block.id for block in HARBOUR.blocks}
    assert {anchor.block_id for one in summary.statements for anchor in one.anchors} <= ids
