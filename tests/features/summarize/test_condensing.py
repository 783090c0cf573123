"""Points that are too many for one prompt are joined with their neighbours, as often as it takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from app.features.summarize.summarize import Merging
from app.features.summarize.summary_attempt import MemorySteps
from tests.features.summarize.pipeline import NARROW_TOKENS, events_of, long_document, scripted, summary_of

WRITTEN = {"when": "^Text", "text": "[1] Kiln 1 was fired in 1901.\n[3] Kiln 3 was fired in 1903.\n"}
MANY = 14


def wordy(number: int) -> dict[str, Any]:
    """A point that takes room."""
    text = f"[{2 * number}] Kiln {number} was fired in {1900 + number} with " + " ".join(
        f"word{number}x{n}" for n in range(12)
    )
    return {"when": rf"Part {number} of", "text": f"{text}."}


def merged(text: str = "[1] Kilns of this part were fired.\n") -> dict[str, Any]:
    """What the points of several sections are joined to."""
    return {"when": "^Points", "text": text}


def test_points_are_joined_with_their_sentences_as_evidence_until_they_fit(tmp_path: Path) -> None:
    points = [wordy(number) for number in range(1, MANY + 1)]
    with scripted(tmp_path, *points, merged(), WRITTEN, context_tokens=NARROW_TOKENS) as model:
        events = events_of(model, long_document(MANY))
        merges = [text for text in model.asked if text.startswith("Points")]
    told = [(event.done, event.merges) for event in events if isinstance(event, Merging)]
    assert len(told) == len(merges) >= 4
    assert told[-1][0] == told[-1][1]
    assert "Source sentences, for checking only:\n[1] Kiln 1 was fired in 1901." in merges[0]
    assert all(merge.count("\n[") <= 2 * 20 + 20 for merge in merges)
    assert summary_of(events).documents[0].coverage.blocks_read == 2 * MANY


def test_merges_are_kept_too(tmp_path: Path) -> None:
    steps = MemorySteps()
    points = [wordy(number) for number in range(1, MANY + 1)]
    with scripted(tmp_path, *points, merged(), WRITTEN, context_tokens=NARROW_TOKENS) as model:
        events_of(model, long_document(MANY), steps=steps)
        before = len(model.asked)
        events_of(model, long_document(MANY), steps=steps)
        assert len(model.asked) == before


def test_where_joining_fails_twice_the_points_stay_as_they_are_thinned_out_evenly(tmp_path: Path) -> None:
    points = [wordy(number) for number in range(1, MANY + 1)]
    with scripted(
        tmp_path, *points, merged("I cannot help with that."), {"text": ""}, context_tokens=NARROW_TOKENS
    ) as model:
        summary = summary_of(events_of(model, long_document(MANY)))
        prompt = model.write_ups_asked[0]
    assert len(prompt.split()) < NARROW_TOKENS
    kilns = [one.anchors[0].block_id // 2 for one in summary.statements]
    assert kilns == sorted(kilns)
    assert len(kilns) >= 3
    assert kilns[-1] - kilns[0] > MANY // 2, "from beginning to end"
    assert all(one.check.found for one in summary.statements)


def test_a_book_is_joined_level_by_level_in_its_order(tmp_path: Path) -> None:
    points = [wordy(number) for number in range(1, 61)]
    long = " ".join(f"merged{n}" for n in range(30))
    join = [{"when": f"^Points(.|\\n)*Kiln {n} was", "text": f"[1] Group {n} has {long}."} for n in range(1, 61)]
    with scripted(tmp_path, *points, *join, merged(), WRITTEN, context_tokens=NARROW_TOKENS) as model:
        events = events_of(model, long_document(60))
        merges = [text for text in model.asked if text.startswith("Points")]
    second = [text for text in merges if "] Group " in text]
    assert second, "what was joined is joined again"
    assert [event.done for event in events if isinstance(event, Merging)] == list(range(1, len(merges) + 1))
    kilns = [int(number) for text in merges for number in re.findall(r"^\[\d+\] Kiln (\d+) was", text, re.MULTILINE)]
    assert set(kilns) == set(range(1, 61)), "each point is in a merge"
    assert not summary_of(events).is_partial
