"""The card of the first start: what it says, when it is there, and that nothing is fetched without a click."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.core.errors.hub_errors import NetworkOff
from app.core.events import CancelToken
from app.features.error_messages import sentence_for
from app.features.models.collection import ModelSuggestion
from app.features.models.estimate import MemoryFit
from app.hub.catalog import CatalogEntry
from app.hub.download import Download
from app.hub.model_library import InstalledModel
from app.ui.chat.welcome import BETTER_MODEL, MODEL_ON_ITS_WAY, WELCOME_QUESTION, EmptyState, FirstSuggestion
from app.ui.settings.dialog import SettingsDialog
from app.ui.settings.network_page import NetworkPage
from app.ui.shared_labels import DOWNLOAD, DOWNLOAD_MODEL, DOWNLOADS, NETWORK_SETTINGS, OTHER_MODELS, STARTER_WARNING
from app.ui.theme import Theme
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame
from tests.helpers.texts import shows
from tests.helpers.tiny_models import make_tiny
from tests.ui.models.test_downloads import BEGUN

ENTRY = CatalogEntry("q", "Qwen3.5 9B", "Best.", "unsloth/Q", "q.gguf", 5_680_000_000, "apache-2.0", 16, ("chat",))
SMALLER = replace(ENTRY, id="s", name="Qwen3.5 2B", size_bytes=1_300_000_000)
WELL = MemoryFit("well", 7_400_000_000, 9_800_000_000, 8192, True)
BIG = replace(WELL, word="too_large")


class Said(QObject):
    """What the watch of the downloads says."""

    changed = Signal(object)


@dataclass
class Offers:
    """Stands in for the models: says what there is and notes what is fetched."""

    there: list[ModelSuggestion] = field(default_factory=list)
    fetched: list[CatalogEntry] = field(default_factory=list)
    looks: int = 0
    error: Exception | None = None

    def suggest_models(self, task: str, limit: int) -> list[ModelSuggestion]:
        assert (task, limit) == ("chat", 3)
        self.looks += 1
        return list(self.there)

    @property
    def fetching(self) -> Offers:
        return self

    def download_entry(self, entry: CatalogEntry, cancel: CancelToken) -> Download:
        if self.error is not None:
            raise self.error
        self.fetched.append(entry)
        self.there = [replace(each, download=BEGUN) if each.entry == entry else each for each in self.there]
        return BEGUN


@dataclass
class FirstStart:
    offers: Offers
    empty: EmptyState
    said: Said


@pytest.fixture
def start(frame: Frame, qtbot: QtBot) -> Iterator[FirstStart]:
    """The empty chat while the starter is in."""
    empty, said = EmptyState(frame.theme, frame.window), Said(frame.window)
    empty.resize(620, 480)
    empty.set_model(is_starter=True, is_there=True)
    empty.show()
    offers = Offers([ModelSuggestion(ENTRY, WELL), ModelSuggestion(SMALLER, WELL)])
    FirstSuggestion(offers, frame.notify, frame.loader, empty, said.changed)  # type: ignore[arg-type]
    yield FirstStart(offers, empty, said)
    empty.hide()


def texts(empty: EmptyState) -> list[str]:
    return [label.text() for label in empty.findChildren(QLabel) if label.isVisible()]


def button(empty: EmptyState, name: str) -> QPushButton:
    return next(each for each in empty.findChildren(QPushButton) if each.accessibleName() == name and each.isVisible())


def load_starter(start: FirstStart, frame: Frame, qtbot: QtBot) -> None:
    frame.loader.start()
    qtbot.waitUntil(lambda: frame.loader.state == "ready" and start.offers.looks > 0)


def test_the_card_comes_once_the_starter_is_in_and_fetches_nothing_by_itself(
    start: FirstStart, frame: Frame, qtbot: QtBot
) -> None:
    assert start.offers.looks == 0
    load_starter(start, frame, qtbot)
    qtbot.waitUntil(lambda: BETTER_MODEL.format(name="Qwen3.5 9B") in texts(start.empty))
    assert "Runs well · needs 7.4 GB · 5.7 GB · about 8 min at 100 Mbit/s" in texts(start.empty)
    assert STARTER_WARNING in texts(start.empty)
    assert start.offers.fetched == []
    assert clipped_texts(frame.window) == []


def test_what_is_above_the_card_stays_where_it_was_when_the_card_comes(qtbot: QtBot) -> None:
    theme = Theme("light")
    theme.install(QApplication.instance())
    empty = EmptyState(theme)
    qtbot.addWidget(empty)
    empty.resize(1000, 560)
    empty.set_model(is_starter=True, is_there=True)
    empty.show()
    greeting = next(label for label in empty.findChildren(QLabel) if label.text() == WELCOME_QUESTION)
    qtbot.waitUntil(lambda: greeting.y() > 0)
    QApplication.processEvents()
    before = greeting.y()
    empty.show_suggestion(ModelSuggestion(ENTRY, WELL))
    qtbot.waitUntil(lambda: BETTER_MODEL.format(name="Qwen3.5 9B") in texts(empty))
    QApplication.processEvents()
    assert abs(greeting.y() - before) <= 6


def test_download_fetches_that_model_and_says_that_it_comes(start: FirstStart, frame: Frame, qtbot: QtBot) -> None:
    load_starter(start, frame, qtbot)
    qtbot.waitUntil(lambda: BETTER_MODEL.format(name="Qwen3.5 9B") in texts(start.empty))
    wanted = button(start.empty, DOWNLOAD_MODEL.format(name="Qwen3.5 9B"))
    wanted.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(wanted, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: MODEL_ON_ITS_WAY.format(name="Qwen3.5 9B") in texts(start.empty))
    assert start.offers.fetched == [ENTRY]
    with qtbot.waitSignal(start.empty.models_wanted):
        qtbot.mouseClick(button(start.empty, DOWNLOADS), Qt.MouseButton.LeftButton)


def test_other_models_leads_to_the_models(start: FirstStart, frame: Frame, qtbot: QtBot) -> None:
    load_starter(start, frame, qtbot)
    qtbot.waitUntil(lambda: BETTER_MODEL.format(name="Qwen3.5 9B") in texts(start.empty))
    with qtbot.waitSignal(start.empty.models_wanted):
        qtbot.mouseClick(button(start.empty, OTHER_MODELS), Qt.MouseButton.LeftButton)


def test_a_download_that_cannot_be_is_a_sentence_and_the_card_stays(
    start: FirstStart, frame: Frame, qtbot: QtBot
) -> None:
    load_starter(start, frame, qtbot)
    qtbot.waitUntil(lambda: BETTER_MODEL.format(name="Qwen3.5 9B") in texts(start.empty))
    start.offers.error = NetworkOff()
    qtbot.mouseClick(button(start.empty, DOWNLOAD_MODEL.format(name="Qwen3.5 9B")), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: any(sentence_for(NetworkOff()).text in text for text in frame.notices))
    assert BETTER_MODEL.format(name="Qwen3.5 9B") in texts(start.empty)
    next(each for each in frame.notify.bar.findChildren(QPushButton) if each.text() == NETWORK_SETTINGS).click()
    settings = frame.window.findChild(SettingsDialog)
    assert settings is not None
    assert isinstance(settings.pages.currentWidget(), NetworkPage)
    settings.close()


def test_what_fits_is_offered_when_the_first_does_not(start: FirstStart, frame: Frame, qtbot: QtBot) -> None:
    start.offers.there = [ModelSuggestion(ENTRY, BIG), ModelSuggestion(SMALLER, WELL)]
    load_starter(start, frame, qtbot)
    qtbot.waitUntil(lambda: BETTER_MODEL.format(name="Qwen3.5 2B") in texts(start.empty))


def test_nothing_is_offered_to_who_has_one_of_them(start: FirstStart, frame: Frame, qtbot: QtBot) -> None:
    here = InstalledModel(Path("q.gguf"), "Qwen3.5 9B", 1, "downloaded", (Path("q.gguf"),))
    start.offers.there = [ModelSuggestion(ENTRY, WELL, installed=here), ModelSuggestion(SMALLER, WELL)]
    load_starter(start, frame, qtbot)
    start.said.changed.emit(replace(BEGUN, state="done"))
    qtbot.waitUntil(lambda: start.offers.looks >= 2)
    assert not any(shows(BETTER_MODEL, text) for text in texts(start.empty))


def test_it_looks_again_when_a_download_changes_its_state_only(start: FirstStart, frame: Frame, qtbot: QtBot) -> None:
    load_starter(start, frame, qtbot)
    looks = start.offers.looks
    for done in (0, 10, 20):
        start.said.changed.emit(replace(BEGUN, done_bytes=done))
    start.said.changed.emit(replace(BEGUN, state="removed"))
    qtbot.waitUntil(lambda: start.offers.looks == looks + 2)


def test_another_model_takes_the_card_away(start: FirstStart, frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    load_starter(start, frame, qtbot)
    qtbot.waitUntil(lambda: BETTER_MODEL.format(name="Qwen3.5 9B") in texts(start.empty))
    frame.loader.load(make_tiny("llama", tmp_path / "other.gguf"))
    qtbot.waitUntil(lambda: frame.loader.state == "ready")
    start.empty.set_model(is_starter=False, is_there=True)
    assert not any(shows(BETTER_MODEL, text) for text in texts(start.empty))


@pytest.mark.parametrize("zoom", [1.0, 1.5])
def test_in_a_small_window_ideas_make_room_for_the_card(
    start: FirstStart, frame: Frame, qtbot: QtBot, zoom: float
) -> None:
    load_starter(start, frame, qtbot)
    qtbot.waitUntil(lambda: BETTER_MODEL.format(name="Qwen3.5 9B") in texts(start.empty))
    frame.theme.zoom = zoom
    start.empty.resize(frame.theme.px(440), frame.theme.px(322))
    assert clipped_texts(frame.window) == []
    shown = [each.text() for each in start.empty.findChildren(QPushButton) if each.isVisible()]
    assert shown == ["Write a short poem about the sea.", OTHER_MODELS, DOWNLOAD]
    start.empty.resize(frame.theme.px(430), frame.theme.px(256))
    assert clipped_texts(frame.window) == []
    assert [each.text() for each in start.empty.findChildren(QPushButton) if each.isVisible()] == shown[1:]
    start.empty.resize(frame.theme.px(430), frame.theme.px(60))
    assert clipped_texts(frame.window) == []
    assert [each.text() for each in start.empty.findChildren(QPushButton) if each.isVisible()] == []
    start.empty.resize(frame.theme.px(620), frame.theme.px(480))
    assert len([each for each in start.empty.findChildren(QPushButton) if each.isVisible()]) == 5


def test_an_idea_that_is_wider_than_the_window_ends_in_dots_and_is_taken_whole(
    start: FirstStart, frame: Frame, qtbot: QtBot
) -> None:
    start.empty.set_model(is_starter=False, is_there=True)
    start.empty.resize(340, 480)
    assert clipped_texts(frame.window) == []
    idea = button(start.empty, "Write a friendly note that moves our meeting to Thursday.")
    assert idea.text().endswith("…")
    assert idea.toolTip() == idea.accessibleName()
    with qtbot.waitSignal(start.empty.chosen) as taken:
        qtbot.mouseClick(idea, Qt.MouseButton.LeftButton)
    assert taken.args == [idea.accessibleName()]
    start.empty.resize(900, 480)
    assert idea.text() == idea.accessibleName()
    assert idea.toolTip() == ""
