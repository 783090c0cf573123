"""Models compared on a text: what is chosen, how far it is, the table, the plot, and what it all says."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.core.errors.model_errors import ModelMissing
from app.core.errors.saving_errors import FolderNotWritable
from app.core.events import CancelToken
from app.features.error_messages import sentence_for
from app.features.inside import model_comparison
from app.features.inside.model_comparison import ModelFigures
from app.ui.inside.plots import ScatterPlot
from app.ui.models import compare_page, compare_results
from app.ui.models.compare_page import CHOOSE_A_MODEL, PASSAGE_HINT, ComparePage
from app.ui.models.compare_results import (
    ALL_OF_ONE_SIZE,
    BEST_OF_FAST,
    BETTER_BUT_SLOWER,
    LARGER_NOT_BETTER,
    MODELS_MEASURED,
    TREND_UNCERTAIN,
    TWO_SIZES_ONLY,
    ComparisonResults,
    line_words,
)
from app.ui.models.compare_table import BITS, NAME, SPEED
from tests.helpers.desks.window import Frame
from tests.helpers.script import write_script
from tests.helpers.texts import shows, start_of
from tests.helpers.tiny_models import make_tiny
from tests.ui.models.rooms import Room, open_room

NOT_WRITABLE = start_of(sentence_for(FolderNotWritable("{path}")).text)

KINDS = ("llama", "experts", "gemma3")
TEXT = "abcabcabcxyz" * 8


@pytest.fixture
def room(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast_machine: None) -> Iterator[Room]:
    monkeypatch.setenv("HOME", str(tmp_path))
    models = {f"{kind}.gguf": make_tiny(kind, tmp_path / kind).read_bytes() for kind in KINDS}
    with open_room(qapp, ComparePage, models=models | {"broken.gguf": b"GGUF"}) as room:
        room.wait(lambda: len(room.page.models.rows) >= 4 and room.page._newest.done)
        yield room


@pytest.mark.slow
def test_four_models_on_a_text_of_ones_own(room: Room, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    # On a busy machine the best is not as fast as people read.
    monkeypatch.setattr(compare_results, "QUICK_TOKENS_PER_S", 0.001)
    page = room.page
    rows = {row.accessibleName(): row for row in page.models.rows.values()}
    assert [name for name, row in rows.items() if not row.isEnabled()] == [
        name for name in rows if "broken" in name.lower()
    ]
    assert len(page.models.chosen) == 4  # the starter is one of them
    room.click(room.button("Text: My own"))
    page.passage.edit.setFocus()
    qtbot.keyClicks(page.passage.edit, TEXT)
    room.click(page.start)
    assert page.is_running
    assert page.cancel.isVisible()
    room.wait(lambda: not page.is_running, 120_000)
    found = page.results.table.rows.found
    assert len(found) == 4
    assert [one.bits_per_byte for _, one in found] == sorted(one.bits_per_byte for _, one in found)
    assert shows(BEST_OF_FAST, page.results.best.text())
    assert found[0][0] in page.results.best.text()
    best = found[0][1].bits_per_byte
    plot = room.find_step(ScatterPlot)
    assert plot.isVisible()
    assert len(plot.points) == 4
    assert {point.name for point in plot.points} == {name for name, _ in found}
    assert shows(TWO_SIZES_ONLY, page.results.line.text())  # three of them are of nearly one size
    used = room.heard(page.results.use_wanted)
    room.click(page.results.use)
    assert used == [(next(one.path for one in page._found if one.error is None and one.bits_per_byte == best),)]
    assert "Kaplan et al." in page.results.kaplan.text()
    assert page.start.isVisible()


@pytest.mark.slow
def test_cancel_ends_it_and_keeps_what_was_found(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(*asked: Any, cancel: CancelToken, **more: Any) -> Iterator[Any]:
        for event in model_comparison.compare_models(*asked, cancel=cancel, **more):
            yield event
            while isinstance(event, ModelFigures) and not cancel.cancelled:
                passed.wait(0.01)

    page, passed = room.page, threading.Event()
    monkeypatch.setattr(compare_page, "compare_models", held)
    room.click(room.button("Text: My own"))
    page.passage.edit.setPlainText(TEXT)
    room.click(page.start)
    room.wait(lambda: len(page.results.table.rows.found) == 1)
    assert page.status.text().count("·") >= 2
    room.click(page.cancel)
    room.wait(lambda: not page.is_running)
    assert len(page.results.table.rows.found) == 1
    assert not page.progress.isVisible()
    assert page.start.isEnabled()


def test_nothing_chosen_or_no_text_says_what_is_missing(room: Room) -> None:
    page = room.page
    room.click(page.models.none)
    assert not page.start.isEnabled()
    assert page.status.text() == CHOOSE_A_MODEL
    room.click(page.models.all)
    room.click(room.button("Text: My own"))
    assert not page.start.isEnabled()
    assert shows(PASSAGE_HINT, page.status.text())


def test_a_file_is_read_as_text_and_a_binary_one_is_refused(room: Room, tmp_path: Path) -> None:
    page = room.page
    (tmp_path / "letter.txt").write_text("Dear Ada,\nit is late.", "utf-8")
    page.passage.open_file(tmp_path / "letter.txt")
    room.wait(lambda: page.passage.text.startswith("Dear Ada"))
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8)
    page.passage.open_file(tmp_path / "picture.png")
    room.wait(lambda: bool(room.notices))
    assert "picture.png" in room.notices[0]
    assert page.passage.text.startswith("Dear Ada")


NAMES = ["Small", "Large", "Huge"]


def one(name: str, parameters: int, bits: float, speed: float = 20.0) -> ModelFigures:
    return ModelFigures(Path(f"/{name}.gguf"), name, parameters, bits, 8.0, 100, speed, 0.25, 10**9, 4096)


def test_the_table_is_sorted_by_heading_or_choice_and_saved(room: Room, tmp_path: Path) -> None:
    results: ComparisonResults = room.page.results
    found = [one("Small", 10**6, 1.2, 90), one("Large", 10**7, 1.0, 5), one("Huge", 10**8, 1.1, 40)]
    results.begin(4)
    results.show_found(found, NAMES)
    assert results.best.text() == MODELS_MEASURED.format(done=3, all=4)
    assert not results.use.isVisible(), "the fourth may be better"
    results.end(found)
    assert results.use.isVisible()
    shown = lambda: [name for name, _ in results.table.rows.found]  # noqa: E731
    assert shown() == ["Large", "Huge", "Small"]
    results.order.choose(str(SPEED))
    assert shown() == ["Small", "Huge", "Large"]
    results.order.choose(str(NAME))
    assert shown() == ["Huge", "Large", "Small"]
    click_heading(room, BITS)
    click_heading(room, BITS)
    assert shown() == ["Small", "Huge", "Large"]
    assert results.table.rows.headerData(BITS, Qt.Orientation.Horizontal) == "Bits/byte ↑"
    assert "Of the models that reach 10 tokens/s here, Huge predicts this text best" in results.best.text()
    assert BETTER_BUT_SLOWER.format(name="Large") in results.best.text()
    dialog = results.ask_to_save()
    dialog.filesSelected.emit([str(tmp_path / "out.csv")])
    dialog.close()
    room.wait(lambda: (tmp_path / "out.csv").exists() and bool(room.notices))
    lines = list(csv.reader(io.StringIO((tmp_path / "out.csv").read_text("utf-8"))))
    assert [line[0] for line in lines] == ["model", *NAMES]
    dialog = results.ask_to_save()
    dialog.filesSelected.emit([str(tmp_path / "gone" / "out.csv")])
    dialog.close()
    room.wait(lambda: any(NOT_WRITABLE in notice for notice in room.notices))


def click_heading(room: Room, column: int) -> None:
    head = room.page.results.table.horizontalHeader()
    middle = head.sectionViewportPosition(column) + head.sectionSize(column) // 2
    QTest.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(middle, head.height() // 2))


def test_who_failed_is_told_with_the_reason(room: Room) -> None:
    failed = ModelFigures(Path("/gone.gguf"), "gone", 0, error=ModelMissing("/gone.gguf"))
    room.page.results.show_found([failed], ["Gone"])
    assert room.page.results.failed.text().startswith("Gone: ")
    assert not room.page.results.table.isVisible()
    assert not any(button.isVisible() for button in room.page.results.findChildren(QPushButton))


def test_few_points_prove_nothing() -> None:
    assert shows(ALL_OF_ONE_SIZE, line_words([one("a", 10, 1.0), one("b", 10, 0.9)]))
    assert shows(TWO_SIZES_ONLY, line_words([one("a", 100, 1.0), one("b", 101, 1.1), one("c", 1000, 0.9)]))
    many = [one("a", 10**n, 3 * 10 ** (-0.076 * n)) for n in range(6, 10)]
    assert "power of −0.076, from 4 points (95 %: −0.076 to −0.076)" in line_words(many)
    wild = [one("a", 10**6, 1.0), one("b", 10**7, 1.3), one("c", 10**8, 0.9)]
    assert shows(TREND_UNCERTAIN, line_words(wild))
    worse = [one("a", 10**n, 10 ** (0.05 * n)) for n in range(6, 10)]
    assert shows(LARGER_NOT_BETTER, line_words(worse))


def test_a_window_that_closes_ends_the_work(frame: Frame, tmp_path: Path) -> None:
    write_script(tmp_path / "script", load={"seconds": 600})
    frame.show_models("compare")
    page = frame.find_step(ComparePage)
    frame.wait(page.start.isEnabled)
    frame.click(page.start)
    frame.wait(lambda: "loading" in page.status.text())
    assert page.is_running  # the fixture closes the window, and nothing may be left running
