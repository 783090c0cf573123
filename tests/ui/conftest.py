"""A window to test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from app.ui.focus_ring import FocusRing
from app.ui.shell import notify
from app.ui.theme import Theme
from app.ui.work import doing
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script


@pytest.fixture(scope="session", autouse=True)
def clipboard_let_go(qapp: QApplication) -> Iterator[None]:
    """WORKAROUND: without a display, what Python made for the clipboard is destroyed after Python, which crashes."""
    yield
    qapp.clipboard().clear()


@pytest.fixture(autouse=True)
def known_speed(fast_machine: None) -> None:
    """No window measures how fast memory is, which takes all cores for half a second."""


@pytest.fixture(autouse=True)
def soon_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a job would take is asked at once, and not when choices have rested for a quarter of a second."""
    monkeypatch.setattr(doing, "SETTLE_MS", 1)


@pytest.fixture(autouse=True)
def notices_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a notice offers is there until a test takes it, however long the machine needs for what is between."""
    monkeypatch.setattr(notify, "UNDO_MS", 600_000)


@pytest.fixture(autouse=True)
def no_key_pressed(qapp: QApplication) -> None:
    """What the last test pressed doesn't decide whether this one sees rings."""
    ring = qapp.findChild(FocusRing)
    if ring is not None:
        ring.is_by_keyboard = False


@pytest.fixture(autouse=True)
def style_sheet_taken_off(qapp: QApplication) -> Iterator[None]:
    """The sheet of one test's theme, which may be enlarged, doesn't dress the widgets of the next.

    Nor do later tests dress again, several times each, what it leaves: hundreds of widgets that wait for the collector.
    """
    yield
    for left in qapp.topLevelWidgets():
        left.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    if qapp.styleSheet():
        qapp.setStyleSheet("")


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    """The light one, for widgets that stand alone."""
    return Theme("light")


@pytest.fixture
def frame(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frame]:
    """An open window with a scripted model behind it; nothing is loaded until a test says so."""
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    with open_window(qapp) as parts:
        yield parts
