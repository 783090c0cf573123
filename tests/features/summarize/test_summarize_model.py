"""A summary by the real starter model: small and often wrong, but never empty, and all of it checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.child import own_command
from app.core.events import CancelToken
from app.documents.blocks import BlockKind, BlockPiece
from app.engine.client import EngineClient
from app.features.summarize.summarize import Planned, Summarized, SummaryEvent, Writing, summarize_documents
from app.features.summarize.summary_attempt import MemorySteps
from app.features.summarize.summary_result import Form, InputDocument, Length, Method, SummaryOptions
from tests.features.summarize.pipeline import document, heading, summary_of
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


def by_the_starter(
    starter: Path, folder: Path, wish: SummaryOptions, given: InputDocument = TOWN
) -> list[SummaryEvent]:
    """All that happens in one summary by the real model."""
    engine = EngineClient(own_command("--engine-worker"), folder)
    load(engine, starter)
    try:
        return list(summarize_documents([given], wish, engine, MemorySteps(), CancelToken()))
    finally:
        engine.close()


@pytest.mark.model
@pytest.mark.slow
def test_the_starter_summarizes_in_sentences_of_the_document_each_with_its_own_place(
    starter: Path, tmp_path: Path
) -> None:
    planned, last = by_the_starter(starter, tmp_path, SummaryOptions(Length.SHORT))
    assert isinstance(planned, Planned)
    assert isinstance(last, Summarized)
    summary = last.summary
    assert (summary.method, summary.model, summary.is_partial) == (Method.DIGEST, "", False)
    texts = {block.id: block.text for block in TOWN.blocks}
    assert len(summary.statements) == 3
    for one in summary.statements:
        (anchor,) = one.anchors
        assert one.check.found
        assert one.text == anchor.text == texts[anchor.block_id][anchor.start : anchor.end]
    assert summary.documents[0].coverage.blocks_read == 7


@pytest.mark.model
@pytest.mark.slow
def test_where_there_are_no_sentences_to_choose_from_the_starter_is_asked_after_all(
    starter: Path, tmp_path: Path
) -> None:
    table = document(BlockPiece(BlockKind.TABLE, "Kiln\tHeight\tYear\nUpper\t4 m\t1871\nLower\t6 m\t1954"))
    summary = summary_of(by_the_starter(starter, tmp_path, SummaryOptions(Length.SHORT), table))
    assert (summary.method, summary.model) == (Method.MODEL, starter.name)
    assert summary.documents[0].coverage.blocks_read == 1


@pytest.mark.model
def test_the_starter_model_summarizes_a_page_with_places_for_all_it_says(starter: Path, tmp_path: Path) -> None:
    events = by_the_starter(starter, tmp_path, SummaryOptions(Length.SHORT, Form.BULLETS, method=Method.MODEL))
    summary = summary_of(events)
    assert summary.documents[0].coverage.blocks_read == 7
    assert 2 <= len(summary.statements) <= 6
    assert len({one.text for one in summary.statements}) == len(summary.statements)
    assert all(one.anchors and one.text[-1] in ".!?" for one in summary.statements)
    assert any(one.check.found for one in summary.statements)
    assert len([event for event in events if isinstance(event, Writing)]) > 5
