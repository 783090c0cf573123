"""A summary by the real starter model: small and often wrong, but never empty, and all of it checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.child import own_command
from app.core.events import CancelToken
from app.engine.client import EngineClient
from app.features.summary.result import Form, Length, Wish
from app.features.summary.steps import MemorySteps
from app.features.summary.summarize import Writing, summarize
from tests.features.summary.pipeline import document, heading, summary_of
from tests.helpers.engine import load

TOWN = document(
    heading("Harbour town of Varnes, report of the year 2023"),
    heading("Harbour", 2),
    "The new quay was opened on 3 May 2023 by the mayor, Ingrid Solberg. It is 214 metres long and cost 17.5 million "
    "crowns, of which the state paid 9 million. In its first eight months 312 ships used it.",
    "The ferry to the island of Holm was cancelled on 41 days because of storms. The company Nordline has promised to "
    "use a larger ship from spring 2025.",
    heading("School", 2),
    "The primary school has 486 pupils, 22 more than a year ago. Two classes are taught in containers. The new "
    "building for 600 pupils is to be finished in August 2026.",
    "The school kitchen was closed for three weeks in February after mould was found. Nobody fell ill.",
    name="varnes.pdf",
)


@pytest.mark.model
def test_the_starter_model_summarizes_a_page_with_places_for_all_it_says(starter: Path, tmp_path: Path) -> None:
    engine = EngineClient(own_command("--engine-worker"), tmp_path)
    load(engine, starter)
    try:
        wish = Wish(Length.SHORT, Form.BULLETS)
        events = list(summarize([TOWN], wish, engine, MemorySteps(), CancelToken()))
    finally:
        engine.close()
    summary = summary_of(events)
    assert summary.documents[0].coverage.blocks_read == 7
    assert 2 <= len(summary.statements) <= 6
    assert len({one.text for one in summary.statements}) == len(summary.statements)
    assert all(one.anchors and one.text[-1] in ".!?" for one in summary.statements)
    assert any(one.check.found for one in summary.statements)
    assert len([event for event in events if isinstance(event, Writing)]) > 5
