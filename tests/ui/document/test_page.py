"""Pages are drawn one at a time off the window's thread; the latest wish wins, and what is kept is bounded."""

from __future__ import annotations

import itertools
import threading
import zlib
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QSizeF
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentTooDemanding, DocumentUnreadable
from app.ui.document import page_drawer
from app.ui.document.document_page import DARK_PAPER, DIMMED_PAPER, PagePaper
from app.ui.document.page_drawer import PageDrawer, PagePicture, picture_from
from app.ui.shell import tasks
from app.ui.theme import LIGHT, Theme
from tests.helpers.screen_checks import contrast
from tests.helpers.shown_documents import WIDTH_PT, DocumentInMemory, annual_report, drawn


@pytest.fixture
def report() -> DocumentInMemory:
    return annual_report()


@pytest.fixture
def drawer(qtbot: QtBot, report: DocumentInMemory) -> Iterator[PageDrawer]:
    drawer = PageDrawer()
    drawer.set_document(report)
    yield drawer
    drawer.set_document(None)
    report.gate.set()
    qtbot.waitUntil(lambda: len(tasks.running) == 0)


def test_a_page_comes_in_the_width_that_was_asked_for(qtbot: QtBot, drawer: PageDrawer) -> None:
    pictures: list[PagePicture] = []
    drawer.drawn.connect(pictures.append)
    drawer.want(27, 840)
    qtbot.waitUntil(lambda: bool(pictures) and pictures[-1].image.width() == 840)
    assert pictures[-1].page == 27
    assert (pictures[-1].size_pt.width(), drawer.size_of(27).width()) == (WIDTH_PT, WIDTH_PT)


def test_the_latest_wish_wins_and_the_old_drawing_is_cancelled(
    qtbot: QtBot, drawer: PageDrawer, report: DocumentInMemory
) -> None:
    pictures: list[PagePicture] = []
    drawer.drawn.connect(pictures.append)
    report.gate.clear()
    for number in (1, 2, 3, 4, 5):
        drawer.want(number, 420)
    qtbot.waitUntil(lambda: report.cancelled == [1])
    report.gate.set()
    qtbot.waitUntil(lambda: any(picture.page == 5 for picture in pictures))
    assert {picture.page for picture in pictures} == {5}
    assert not {2, 3, 4} & {page for page, _ in report.draws[:2]}


def test_the_neighbours_are_drawn_when_nothing_is_asked_for(
    qtbot: QtBot, drawer: PageDrawer, report: DocumentInMemory
) -> None:
    drawer.want(27, 420)
    qtbot.waitUntil(lambda: {page for page, _ in report.draws} == {26, 27, 28} and not drawer.is_busy)
    report.draws.clear()
    with qtbot.waitSignal(drawer.drawn) as told:
        drawer.want(28, 420)
    assert told.args is not None
    assert told.args[0].page == 28
    assert report.draws == []


@pytest.mark.parametrize(("dims_pages", "ground"), [(False, DARK_PAPER), (True, DIMMED_PAPER)])
def test_dimmed_paper_keeps_its_text_readable(qtbot: QtBot, dims_pages: bool, ground: str) -> None:
    theme = Theme("dark")
    paper = PagePaper(theme)
    qtbot.addWidget(paper)
    page = QImage(40, 40, QImage.Format.Format_RGB32)
    page.fill(QColor("white"))
    ink = QColor(LIGHT.muted)
    for x, y in itertools.product(range(20), range(40)):
        page.setPixelColor(x, y, ink)
    paper.show_picture(PagePicture(1, 40, QSizeF(40, 40), page), QSizeF(40, 40))
    paper.resize(40, 40)
    theme.dims_pages = dims_pages
    shown = paper.grab().toImage()
    assert shown.pixelColor(35, 20) == QColor(ground)
    assert contrast(shown.pixelColor(5, 20), shown.pixelColor(35, 20)) >= 4.5


def test_what_is_kept_is_bounded_and_drawing_ahead_ends(
    qtbot: QtBot, drawer: PageDrawer, report: DocumentInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_drawer, "CACHE_BYTES", 2_000_000)
    for number in range(1, 6):
        with qtbot.waitSignal(drawer.drawn):
            drawer.want(number, 420)
        qtbot.waitUntil(lambda: not drawer.is_busy)
        assert drawer.kept_bytes <= 2_000_000
    report.draws.clear()
    qtbot.waitUntil(lambda: drawer.is_idle)
    assert len(report.draws) <= 2


def test_an_error_is_told_for_the_page_that_is_wanted(
    qtbot: QtBot, drawer: PageDrawer, report: DocumentInMemory
) -> None:
    report.errors[3] = DocumentTooDemanding("/somewhere/a.pdf", "time")
    with qtbot.waitSignal(drawer.failed) as told:
        drawer.want(3, 420)
    assert told.args == [3, report.errors[3]]
    with qtbot.waitSignal(drawer.drawn):
        drawer.want(2, 420)  # its neighbour fails, and nobody hears of it
    with qtbot.assertNotEmitted(drawer.failed):
        qtbot.waitUntil(lambda: drawer.is_idle)


def test_another_document_ends_what_runs_for_the_one_before(
    qtbot: QtBot, drawer: PageDrawer, report: DocumentInMemory
) -> None:
    report.gate.clear()
    drawer.want(1, 420)
    qtbot.waitUntil(lambda: bool(report.draws))
    with qtbot.assertNotEmitted(drawer.drawn):
        drawer.set_document(annual_report())
        qtbot.waitUntil(lambda: report.cancelled == [1])
        qtbot.waitUntil(lambda: len(tasks.running) == 0)


def test_the_picture_is_unpacked_off_the_windows_thread(
    qtbot: QtBot, drawer: PageDrawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []
    real = page_drawer.picture_from

    def watched(*args: object) -> PagePicture:
        threads.append(threading.current_thread())
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(page_drawer, "picture_from", watched)
    with qtbot.waitSignal(drawer.drawn):
        drawer.want(1, 420)
    assert threading.main_thread() not in threads


@pytest.mark.parametrize(
    "change",
    [
        {"width": 4},
        {"height": 0},
        {"pixels": b""},
        {"pixels": b"no zlib"},
        {"pixels": zlib.compress(bytes(5))},
        {"width_pt": 0.0},
    ],
)
def test_a_picture_that_is_not_what_it_says_is_refused(change: dict[str, object]) -> None:
    image = QImage(3, 2, QImage.Format.Format_RGB32)
    image.fill(0)
    with pytest.raises(DocumentUnreadable) as caught:
        picture_from(replace(drawn(image, 1), **change), 3, "a.pdf")  # type: ignore[arg-type]
    assert isinstance(caught.value, AppError)
    assert caught.value.reason == "not_drawn"
