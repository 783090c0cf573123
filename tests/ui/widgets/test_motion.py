"""Fades and slides where something appears, and none where less motion is wanted."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

import app.ui
from app.ui.theme import Theme
from app.ui.widgets.elevation import PaintedShadow, elevate
from app.ui.widgets.layouts import SidePane
from app.ui.widgets.motion import (
    EFFECT,
    AnimationsPortal,
    FadeBackdrop,
    SlideIn,
    allow_motion,
    may_move,
    slide_in,
    system_reduces_motion,
)
from tests.helpers.bus import private_bus
from tests.helpers.fake_portal import FakePortal

UI = Path(app.ui.__file__).parent
MOVES = {
    "QAbstractAnimation", "QPropertyAnimation", "QVariantAnimation", "QParallelAnimationGroup",
    "QSequentialAnimationGroup", "QTimeLine", "QMovie", "QGraphicsOpacityEffect", "setWindowOpacity", "setAnimated",
}  # fmt: skip
"""Qt's ways to move, fade or blink."""
FAST_MS = 100
FAST_TIMERS = {
    "app/ui/text/code_colours.py": "colours in slices",
    "app/ui/text/block_selection.py": "scrolls while the mouse drags a selection past the edge",
    "app/ui/write/page_edit.py": "colours in slices",
    "app/ui/chat/answering.py": "text as it arrives",
    "app/ui/chat/answer_view.py": "lays out in slices",
    "app/ui/chat/transcript.py": "lays out in slices",
}
"""Modules with a timer that repeats more often than ten times a second, and what for: none draws steps of a motion."""


@pytest.fixture
def moving(qapp: QApplication) -> Iterator[None]:
    qapp.setEffectEnabled(EFFECT, True)
    yield
    qapp.setEffectEnabled(EFFECT, False)


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(900, 400)
    made.show()
    return made


def card_in(window: QWidget) -> QFrame:
    card = QFrame(window)
    card.setGeometry(100, 100, 200, 80)
    QLabel("A word", card)
    elevate(card)
    card.show()
    return card


@pytest.mark.usefixtures("moving")
def test_what_floats_fades_in_and_is_drawn_without_an_effect_afterwards(window: QWidget, qtbot: QtBot) -> None:
    card = card_in(window)
    effect = card.graphicsEffect()
    assert effect is not None and window.findChildren(PaintedShadow)[0].graphicsEffect() is not None
    qtbot.waitUntil(lambda: card.graphicsEffect() is None)
    assert window.findChildren(PaintedShadow)[0].graphicsEffect() is None


@pytest.mark.usefixtures("moving")
def test_what_is_behind_is_not_painted_again_while_something_fades_in(window: QWidget, qtbot: QtBot) -> None:
    class Ground(QWidget):
        paints = 0

        def paintEvent(self, _event: QPaintEvent) -> None:
            self.paints += 1
            QPainter(self).fillRect(self.rect(), QColor("#5577AA"))

    ground = Ground(window)
    ground.setGeometry(120, 110, 100, 20)
    ground.show()
    card = card_in(window)
    card.setStyleSheet("background: transparent")
    QApplication.processEvents()
    before = ground.paints
    picture = window.grab(ground.geometry()).toImage()
    assert picture.pixelColor(90, 10) == QColor("#5577AA"), "it is seen through what fades in"
    ground.update()
    qtbot.waitUntil(lambda: card.graphicsEffect() is None)
    seen = ground.paints - before
    assert seen <= 2, "by the picture, and when it ended"
    assert not any(behind.isVisible() for behind in window.findChildren(FadeBackdrop))


@pytest.mark.usefixtures("moving")
def test_what_is_hidden_while_it_fades_in_is_whole_the_next_time(window: QWidget, qtbot: QtBot) -> None:
    card = card_in(window)
    card.hide()
    assert card.graphicsEffect() is None
    card.show()
    qtbot.waitUntil(lambda: card.graphicsEffect() is None)


@pytest.mark.usefixtures("moving")
def test_a_side_pane_slides_in_over_itself(window: QWidget, qtbot: QtBot) -> None:
    class Pane(SidePane):
        share, most_px = 0.4, 440

    view = QWidget()
    pane = Pane(Theme("light"), view, view.setFocus)
    pane.column.addWidget(QLabel("A pane"))
    column = QVBoxLayout(window)
    column.addWidget(pane)
    pane.show()
    QApplication.processEvents()
    pane.open_pane()
    slides = pane.frame.findChildren(SlideIn)
    assert [slide.geometry() for slide in slides] == [pane.frame.rect()]
    qtbot.waitUntil(lambda: pane.frame.findChildren(SlideIn) == [])


def test_nothing_moves_where_the_setting_reduces_motion(qapp: QApplication, window: QWidget) -> None:
    allow_motion(qapp, is_reduced=True)
    assert not may_move()
    assert card_in(window).graphicsEffect() is None
    slide_in(window)
    assert window.findChildren(SlideIn) == []


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> Iterator[FakePortal]:
    """The desktop on a bus of the test's own; the program has asked no other."""

    def forget() -> None:
        for asked in qapp.findChildren(AnimationsPortal):
            asked.close()
            asked.setParent(None)

    with private_bus(tmp_path, monkeypatch):
        forget()
        made = FakePortal()
        yield made
        made.close()
        forget()


@pytest.mark.usefixtures("moving")
@pytest.mark.skipif("sys.platform != 'linux'")
def test_the_desktops_switch_is_followed_while_the_program_runs(
    qapp: QApplication, qtbot: QtBot, portal: FakePortal
) -> None:
    allow_motion(qapp, is_reduced=False)
    asked = qapp.findChild(AnimationsPortal)
    assert asked is not None
    qtbot.waitUntil(lambda: asked.is_followed)
    portal.switch_animations(is_on=False)
    qtbot.waitUntil(lambda: not may_move())
    portal.switch_animations(is_on=True)
    qtbot.waitUntil(may_move)
    portal.switch_animations(is_on=False)
    qtbot.waitUntil(lambda: not may_move())
    allow_motion(qapp, is_reduced=True)
    portal.switch_animations(is_on=True)
    qtbot.waitUntil(lambda: not asked.are_switched_off)
    assert not may_move(), "the program's own setting holds"


@pytest.mark.parametrize(
    ("file", "text", "is_reduced"),
    [
        ("kdeglobals", "[KDE]\nAnimationDurationFactor=0\n", True),
        ("kdeglobals", "[KDE]\nAnimationDurationFactor=1\n", False),
        ("gtk-3.0/settings.ini", "[Settings]\ngtk-enable-animations=false\n", True),
        ("gtk-4.0/settings.ini", "no section", False),
    ],
)
@pytest.mark.skipif("sys.platform != 'linux'")
def test_the_desktops_own_switch_is_read(tmp_path: Path, file: str, text: str, is_reduced: bool) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert system_reduces_motion(tmp_path) is is_reduced


def test_only_one_module_moves_anything_and_asks_first() -> None:
    found: set[str] = set()
    for path, text in _sources():
        if not any(move in text for move in MOVES):
            continue
        tree = ast.parse(text)
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        found |= {path.relative_to(UI.parent.parent).as_posix()} if names & MOVES else set()
    assert found == {"app/ui/widgets/motion.py"}


def test_no_timer_draws_the_steps_of_a_motion() -> None:
    found = {path for path, interval in _repeating() if interval < FAST_MS}
    assert found == set(FAST_TIMERS)


def _sources() -> Iterator[tuple[Path, str]]:
    for path in sorted(UI.rglob("*.py")):
        yield path, path.read_text("utf-8")


def _repeating() -> Iterator[tuple[str, float]]:
    """Every module with a timer that repeats, and its interval, infinite where it is not known from the module."""
    for path, text in _sources():
        if "startTimer" not in text and "new_timer" not in text:
            continue
        tree = ast.parse(text)
        known = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _repeats(node):
                interval = node.args[1] if len(node.args) > 1 else node.args[0]
                constant = known.get(interval.id) if isinstance(interval, ast.Name) else None
                value = interval.value if isinstance(interval, ast.Constant) else constant
                yield path.relative_to(UI.parent.parent).as_posix(), float("inf") if value is None else float(value)


def _repeats(call: ast.Call) -> bool:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    return name == "startTimer" or (name == "new_timer" and any(word.arg == "repeats" for word in call.keywords))
