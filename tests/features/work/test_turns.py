"""Whose turn it is: summaries and translations have one job at work between them, in the order of the queue."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bootstrap import Fireside, build_program
from app.core.events import CancelToken
from app.features.work.turns import QueueTurns
from tests.helpers import summaries as of_summaries
from tests.helpers import translations as of_translations
from tests.helpers.script import write_script

MODEL = Path("/any/model.gguf")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fireside]:
    script = write_script(tmp_path / "script", {"when": "kiln0", "delay_s": 0.1})
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    app = build_program()
    list(app.engine.load(MODEL))
    of_summaries.summaries_of(app)
    of_translations.translations_of(app)
    yield app
    app.close()


class Both:
    """Both queues at work, each on its thread; what they do is told in its order."""

    def __init__(self, app: Fireside) -> None:
        self._app = app
        self.told: queue.Queue[tuple[str, int]] = queue.Queue()
        self.cancel = CancelToken()
        self._threads = [threading.Thread(target=one) for one in (self._summarize, self._translate)]

    def work(self) -> list[tuple[str, int]]:
        """Everything that waits, the first translation to begin with; which job was at work at each event."""
        self._threads[1].start()
        first = self.told.get(timeout=30)
        self.told.put(first)
        self._threads[0].start()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()
        return list(self.told.queue)

    def _summarize(self) -> None:
        for worked in self._app.summaries.run(self.cancel):
            if worked.event is not None:
                assert self._app.translations.at_work is None
                self.told.put(("summary", worked.id))

    def _translate(self) -> None:
        for worked in self._app.translations.run(self.cancel):
            if worked.event is not None:
                assert self._app.summaries.at_work is None
                self.told.put(("translation", worked.id))


def test_one_job_is_at_work_at_a_time_over_both_kinds_in_the_order_they_were_queued(
    app: Fireside, tmp_path: Path
) -> None:
    expected = []
    for number in range(3):
        path = of_translations.text_file(tmp_path, f"{number}.txt", count=3, word=f"kiln{number}")
        expected.append(("translation", of_translations.begin(app, path).id))
        expected.append(("summary", of_summaries.begin(app, f"{number}.pdf", count=2, word=f"glaze{number}").id))
    told = Both(app).work()
    assert list(dict.fromkeys(told)) == expected
    assert [one for place, one in enumerate(told) if place == 0 or told[place - 1] != one] == expected, "never mixed"


def test_a_kind_that_nobody_works_off_keeps_no_other_waiting(app: Fireside, tmp_path: Path) -> None:
    summary = of_summaries.begin(app, "a.pdf", count=1)
    row = of_translations.begin(app, of_translations.text_file(tmp_path))
    of_translations.work_off(app.translations)
    assert of_translations.stored(app.translations, row.id).state == "done"
    assert of_summaries.state(app.summaries, summary.id) == "queued"


def test_what_waits_for_its_turn_ends_when_the_program_quits_and_stays_queued(app: Fireside, tmp_path: Path) -> None:
    row = of_translations.begin(app, of_translations.text_file(tmp_path))
    summary = of_summaries.begin(app, "a.pdf", count=1)
    work = of_translations.until_segment(app.translations, 1)
    next(work)
    cancel, ended = CancelToken(), threading.Event()

    def wait() -> None:
        assert list(app.summaries.run(cancel)) == []
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not ended.wait(0.3), "the translation has its turn"
    cancel.cancel()
    assert ended.wait(10)
    thread.join(10)
    assert of_summaries.state(app.summaries, summary.id) == "queued"
    list(work)
    assert of_translations.stored(app.translations, row.id).state == "done"


def test_work_that_is_dropped_gives_its_turn_back(app: Fireside, tmp_path: Path) -> None:
    of_translations.begin(app, of_translations.text_file(tmp_path))
    summary = of_summaries.begin(app, "a.pdf", count=1)
    work = app.translations.run(CancelToken())
    next(work)
    work.close()  # type: ignore[attr-defined]
    of_summaries.work_off(app.summaries)
    assert of_summaries.state(app.summaries, summary.id) == "done"


def test_a_kind_goes_on_only_as_long_as_no_other_waits_for_an_earlier_one() -> None:
    turns, places = QueueTurns(), {"a": 1.0, "b": 2.0}
    assert turns.wait_for_turn("a", lambda: places["a"], CancelToken())
    taken = threading.Event()

    def take_b() -> None:
        assert turns.wait_for_turn("b", lambda: places["b"], CancelToken())
        taken.set()

    thread = threading.Thread(target=take_b)
    thread.start()
    while not turns._waiting:
        pass
    assert turns.goes_on("a", lambda: 1.5)
    assert not turns.goes_on("a", lambda: 3.0)
    assert not turns.goes_on("a", lambda: None)
    turns.give_back()
    assert taken.wait(10)
    thread.join(10)
