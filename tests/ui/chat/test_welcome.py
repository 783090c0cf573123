"""The empty chat: one group in the middle, its ideas, and the line that offers a model and fetches nothing unasked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.core.events import CancelToken
from app.features.models.collection import ModelSuggestion
from app.features.models.estimate import MemoryFit
from app.hub.catalog import CatalogEntry
from app.hub.download import Download
from app.hub.model_library import InstalledModel
from app.ui.chat.actions import TurnCommand
from app.ui.chat.message_field import MessageEdit
from app.ui.chat.welcome import (
    DOCUMENT_IDEAS,
    MODEL_OFFER,
    MODEL_ON_ITS_WAY,
    STARTER_IDEAS,
    EmptyState,
    FirstSuggestion,
    IdeaTile,
)
from app.ui.shared_labels import DOWNLOAD_MODEL, DOWNLOADS, STARTER_WARNING, UNDO
from tests.helpers.attached import notes
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.window import Frame
from tests.helpers.texts import shows
from tests.ui.chat.conftest import Open
from tests.ui.models.test_downloads import BEGUN

ENTRY = CatalogEntry("q", "Qwen3.5 9B", "Best.", "unsloth/Q", "q.gguf", 5_680_000_000, "apache-2.0", 16, ("chat",))
SMALLER = replace(ENTRY, id="s", name="Qwen3.5 2B", size_bytes=1_300_000_000)
WELL = MemoryFit("well", 7_400_000_000, 9_800_000_000, 8192, True)


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
    empty.offer.setParent(frame.window)
    empty.offer.resize(620, 24)
    empty.show()
    empty.fit_room(620, 480)
    empty.offer.show()
    offers = Offers([ModelSuggestion(ENTRY, WELL), ModelSuggestion(SMALLER, WELL)])
    FirstSuggestion(offers, frame.notify, frame.loader, empty, said.changed)  # type: ignore[arg-type]
    yield FirstStart(offers, empty, said)
    empty.hide()
    empty.offer.hide()


def texts(empty: EmptyState) -> list[str]:
    parts = (empty, empty.offer)
    return [label.text() for part in parts for label in part.findChildren(QLabel) if label.isVisible()]


def button(empty: EmptyState, name: str) -> QPushButton:
    buttons = (*empty.findChildren(QPushButton), *empty.offer.findChildren(QPushButton))
    return next(each for each in buttons if each.accessibleName() == name and each.isVisible())


def offers_model(start: FirstStart, name: str) -> bool:
    return any(shows(MODEL_OFFER, text) and name in text for text in texts(start.empty))


def shown_ideas(empty: EmptyState) -> list[str]:
    return [tile.accessibleName() for tile in empty.findChildren(IdeaTile) if not tile.isHidden()]


def load_starter(start: FirstStart, frame: Frame, qtbot: QtBot) -> None:
    frame.loader.start()
    qtbot.waitUntil(lambda: frame.loader.state == "ready" and start.offers.looks > 0)


def test_a_model_is_offered_once_the_starter_is_in_and_fetches_nothing_by_itself(
    start: FirstStart, frame: Frame, qtbot: QtBot
) -> None:
    assert start.offers.looks == 0
    assert STARTER_WARNING in texts(start.empty)
    load_starter(start, frame, qtbot)
    qtbot.waitUntil(lambda: offers_model(start, "Qwen3.5 9B"))
    assert MODEL_OFFER.format(name="Qwen3.5 9B", size="5.7 GB") in texts(start.empty)
    assert start.offers.fetched == []
    assert clipped_texts(frame.window) == []


def test_download_fetches_that_model_and_says_that_it_comes(start: FirstStart, frame: Frame, qtbot: QtBot) -> None:
    load_starter(start, frame, qtbot)
    qtbot.waitUntil(lambda: offers_model(start, "Qwen3.5 9B"))
    wanted = button(start.empty, DOWNLOAD_MODEL.format(name="Qwen3.5 9B"))
    wanted.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(wanted, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: MODEL_ON_ITS_WAY.format(name="Qwen3.5 9B") in texts(start.empty))
    assert start.offers.fetched == [ENTRY]
    with qtbot.waitSignal(start.empty.models_wanted):
        qtbot.mouseClick(button(start.empty, DOWNLOADS), Qt.MouseButton.LeftButton)


def test_nothing_is_offered_to_who_has_one_of_them(start: FirstStart, frame: Frame, qtbot: QtBot) -> None:
    here = InstalledModel(Path("q.gguf"), "Qwen3.5 9B", 1, "downloaded", (Path("q.gguf"),))
    start.offers.there = [ModelSuggestion(ENTRY, WELL, installed=here), ModelSuggestion(SMALLER, WELL)]
    load_starter(start, frame, qtbot)
    start.said.changed.emit(replace(BEGUN, state="done"))
    qtbot.waitUntil(lambda: start.offers.looks >= 2)
    assert not any(shows(MODEL_OFFER, text) for text in texts(start.empty))


def test_in_a_small_window_the_greeting_goes_before_ideas(start: FirstStart, frame: Frame) -> None:
    empty, texts_of = start.empty, [text for _, text in STARTER_IDEAS]
    for width, room, count in ((640, 480, 3), (640, 130, 0), (400, 480, 3), (400, 150, 1), (400, 60, 0)):
        used = empty.fit_room(frame.theme.px(width), frame.theme.px(room))
        assert used <= frame.theme.px(room)
        assert shown_ideas(empty) == texts_of[:count], (width, room)


def test_with_a_document_the_ideas_are_about_it(open_chat: Open, tmp_path: Path) -> None:
    desk = open_chat()
    assert shown_ideas(desk.empty) == [text for _, text in STARTER_IDEAS]
    desk.attach(notes(tmp_path / "lease.txt", "The rent is 900 euros."))
    desk.wait_until_attached(1)
    assert shown_ideas(desk.empty) == [text for _, text in DOCUMENT_IDEAS]
    desk.click(next(tile for tile in desk.empty.findChildren(IdeaTile)))
    assert desk.message == DOCUMENT_IDEAS[0][1]


def test_moving_the_composer_keeps_focus_caret_text_and_what_is_composed(open_chat: Open) -> None:
    desk = open_chat({"text": "Yes."})
    desk.ask("Is it?")
    low = desk.composer.y()
    desk.type("And then what")
    edit = desk.find_step(MessageEdit, "message")
    cursor = edit.textCursor()
    cursor.setPosition(3)
    edit.setTextCursor(cursor)
    QApplication.sendEvent(edit, QInputMethodEvent("かな", []))

    def kept() -> tuple[bool, str, bool]:
        return desk.chat.focusWidget() is edit, edit.toPlainText(), edit.is_composing

    before, place = kept(), edit.textCursor().position()
    desk.chat.transcript.maker.action_requested.emit(TurnCommand.DELETE, desk.turns[0])
    desk.wait(lambda: desk.composer.y() < low - 50)
    assert (kept(), edit.textCursor().position()) == (before, place)
    desk.press_notice(UNDO)
    desk.wait(lambda: desk.composer.y() > low - 20)  # characters of another font are a little higher
    assert (kept(), edit.textCursor().position()) == (before, place)
