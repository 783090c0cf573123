"""The queue with the real pipeline on a scripted engine: what was read is not read again, and a chat goes first."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from app.bootstrap import Fireside
from app.core.events import CancelToken
from app.features.summarize.summaries import SummaryJobs
from app.features.summarize.summarize import Planned, SectionRead, TaskRests
from app.features.summarize.summary_result import Length, Method, SummaryOptions
from tests.helpers.counting import generators_passed
from tests.helpers.engine import user
from tests.helpers.program import wait_until
from tests.helpers.script import requests, write_script
from tests.helpers.summaries import paragraphs, store_document

FIRST_IDS = {1: 3, 2: 220, 3: 430, 4: 640, 5: 860}
"""A paragraph in each of the sections."""


def lines(part: int) -> str:
    """What a section is condensed to; later ones take longer, as all are decoded side by side."""
    first = FIRST_IDS[part]
    said = (f"Kiln {number} is told of in paragraph {number}." for number in range(first, first + 2 * part))
    return "".join(f"- {text} [{first + place}]\n" for place, text in enumerate(said))


ANSWERS = (
    {"when": "chatting", "text": "Yes, I am here.", "delay_s": 0.05},
    # Two are asked at first: the fourth part waits, so that it surely is on its way when the third has been read.
    {"when": r"Part 4\b", "text": lines(4), "held_after": 3, "until": "go", "times": 1},
    *({"when": rf"Part {part}\b", "text": lines(part), "delay_s": 0.004} for part in FIRST_IDS),
    {
        "text": "- Kiln 3 is told of in paragraph 3. [3]\n- Kiln 220 is told of in paragraph 220. [220]\n",
        "delay_s": 0.004,
    },
)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write_script(tmp_path / "script", *ANSWERS, load={"size_bytes": 800_000_000})  # sections of 1,500 tokens
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(path))
    return path


def let_go(script: Path) -> None:
    """The fourth part waits no more."""
    script.with_name("go").touch()


def begin(app: Fireside, wish: SummaryOptions | None = None) -> int:
    document = store_document(app.documents.store, "kilns.pdf", *paragraphs(900))
    return app.summaries.begin_summaries([document.id], wish or SummaryOptions(method=Method.MODEL), together=True)[
        0
    ].id


def sections_asked(script: Path) -> Counter[str]:
    """How often each section was in a prompt, by its first paragraph."""
    last = [str(request["messages"][-1][1]) for request in requests(script)]
    return Counter(text[text.index("tells of kiln") :][:40] for text in last if text.count("tells of kiln") > 100)


def state(summaries: SummaryJobs, summary_id: int) -> str:
    row = summaries.get(summary_id)
    return row.state if row is not None else ""


def test_stopped_killed_and_gone_on_with_it_never_reads_a_section_again_that_was_done(
    app: Fireside, script: Path
) -> None:
    id_ = begin(app)
    sections = 0
    for worked in app.summaries.run(CancelToken()):
        if isinstance(worked.event, Planned):
            sections = worked.event.sections
        if isinstance(worked.event, SectionRead) and worked.event.done == 2:
            app.summaries.stop(id_)
    assert sections == len(FIRST_IDS)
    partial = app.summaries.load_summary(id_)
    assert partial is not None
    assert (partial.is_partial, partial.sections_read) == (True, 2)
    coverage = partial.documents[0].coverage
    assert 0 < coverage.blocks_read < coverage.blocks
    app.summaries.resume(id_)
    kept: list[bool] = []
    with generators_passed() as passed:
        for worked in app.summaries.run(CancelToken()):
            if isinstance(worked.event, SectionRead):
                kept.append(worked.event.was_kept)
                if worked.event.done == 3:
                    assert app.engine.pid is not None
                    wait_until(lambda: len(sections_asked(script)) > 3, "the next section to be on its way")
                    os.kill(app.engine.pid, signal.SIGKILL)
                    let_go(script)
    assert max(passed) <= 6
    assert state(app.summaries, id_) == "done"
    assert kept[:3] == [True, True, False]
    asked = sections_asked(script)
    in_order = [times for _, times in sorted(asked.items(), key=lambda item: int(item[0].split()[3].rstrip(".")))]
    assert in_order[:2] == [1, 1], "what was done is never asked again"
    assert max(in_order) == 2, "what was on its way when the engine ended is"
    (other,) = app.summaries.begin_summaries(partial_ids(app, id_), SummaryOptions(Length.LONG), together=True)
    for worked in app.summaries.run(CancelToken()):
        assert not isinstance(worked.event, SectionRead) or worked.event.was_kept
    assert state(app.summaries, other.id) == "done"
    assert sections_asked(script) == asked


def partial_ids(app: Fireside, summary_id: int) -> tuple[int, ...]:
    row = app.summaries.get(summary_id)
    assert row is not None
    return row.document_ids


def test_it_rests_while_somebody_chats_and_the_clock_stands(app: Fireside, script: Path) -> None:
    let_go(script)
    id_ = begin(app)
    work = app.summaries.run(CancelToken())
    next(one for one in work if isinstance(one.event, SectionRead))
    answer = app.engine.generate([user("are you still chatting?")])
    next(answer)
    rests = next(one.event for one in work if isinstance(one.event, TaskRests))
    assert rests.reason == "interactive"
    before = app.summaries.seconds_left(id_)
    assert before is not None
    list(answer)
    goes_on = next(one.event for one in work if isinstance(one.event, TaskRests))
    assert goes_on.reason == ""
    assert app.summaries.seconds_left(id_) == pytest.approx(before, abs=0.2)
    list(work)
    assert state(app.summaries, id_) == "done"
    assert app.summaries.seconds_left(id_) is None
