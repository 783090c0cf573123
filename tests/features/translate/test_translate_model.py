"""Translations by real models in the real engine: the starter cannot translate, but nothing of it goes unseen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.child import own_command
from app.core.events import CancelToken
from app.engine.client import EngineClient
from app.features.translate.marked_answers import numbered_segments
from app.features.translate.translate import translate_segments
from app.features.translate.translation_events import TranslationEnded, TranslationSource, TranslationWish
from app.features.translate.translator_families import GenericFamily, UnitRequest
from tests.features.translate.pipeline import DictMemory, bold, results, segments
from tests.helpers.engine import answer_of, load

TEXTS = segments(
    "The harbour of Varnes", ("The quay is ", *bold("214 metres"), " long."), "It cost 17 million crowns.", "42",
    "The ferry was cancelled on many days because of storms.",
)  # fmt: skip


@pytest.fixture
def engine(starter: Path, tmp_path: Path) -> Iterator[EngineClient]:
    """The starter, loaded."""
    made = EngineClient(own_command("--engine-worker"), tmp_path)
    load(made, starter)
    yield made
    made.close()


@pytest.mark.model
@pytest.mark.slow
def test_every_segment_is_settled_with_its_marks_and_a_second_run_asks_only_what_was_flagged(
    engine: EngineClient,
) -> None:
    memory = DictMemory()
    events = list(translate_segments(TEXTS, TranslationWish("fr", "en"), engine, memory, CancelToken()))
    found = results(events)
    assert events[-1] == TranslationEnded()
    assert sorted(found) == [1, 2, 3, 4, 5]
    assert [part for part in found[2].content if not isinstance(part, str)] == [*bold("x")[::2]]
    for segment in TEXTS:
        one = found[segment.id]
        assert one.flags or one.origin is TranslationSource.SKIPPED or one.content != segment.content
    again = results(list(translate_segments(TEXTS, TranslationWish("fr", "en"), engine, memory, CancelToken())))
    known = [number for number, one in found.items() if one.origin is TranslationSource.MODEL and not one.flags]
    assert all(again[number].origin is TranslationSource.MEMORY for number in known)


@pytest.mark.model
def test_the_grammar_of_a_batch_makes_the_number_of_segments_certain(engine: EngineClient) -> None:
    request = UnitRequest(("The <g1>dog</g1> sleeps.", "A cat eats.", "We go home now."), ("", "", ""), is_batch=True)
    generic = GenericFamily()
    events = engine.generate(
        generic.make_messages(request, TranslationWish("fr", "en")),
        grammar=generic.make_grammar(request),
        max_tokens=300,
        task_sampling=generic.choose_sampling(0),
    )
    text, _ = answer_of(events)
    assert [number for number, _ in numbered_segments(text)] == [1, 2, 3]
    assert all(words.strip() for _, words in numbered_segments(text))
