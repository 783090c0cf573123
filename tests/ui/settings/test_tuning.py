"""Tuning the chat's model in the settings: what was found in a sentence, stopped, forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QDate, QLocale, Qt

from app.features.models.tuning_words import FLASH_IS_OFF, NOTHING_FASTER, THREADS_USED, TUNED
from app.remote.servers import RemoteServer
from app.ui.settings.tuning_field import (
    NOT_YET_TUNED,
    SERVER_TUNES_ITSELF,
    TUNE,
    TUNING_NOW,
    TuningField,
)
from app.ui.shared_labels import STOP
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame
from tests.helpers.script import write_script

FIGURES = {
    "answer_threads": 2,
    "prompt_threads": 4,
    "flash": "off",
    "answer_speed": 31.2,
    "answer_default_speed": 27.1,
    "prompt_speed": 110.4,
    "prompt_default_speed": 8.04,
    "is_faster": True,
    "day": "2025-12-02",
}


@pytest.fixture
def open_desk(frame: Frame, tmp_path: Path) -> Iterator[Callable[..., SettingsDesk]]:
    """Opens the page with a model of its own as the chat's; the keys say what tuning finds."""
    opened: list[SettingsDesk] = []

    def make(**tune: object) -> SettingsDesk:
        # Before the page is there, which starts the child.
        write_script(tmp_path / "script", tune=tune)
        path = tmp_path / "model.gguf"
        path.write_bytes(b"weights")
        frame.app.change_settings("engine", model_path=str(path))
        opened.append(SettingsDesk(frame, "engine"))
        return opened[0]

    yield make
    for desk in opened:
        desk.close()


def day_of(text: str) -> str:
    return QLocale().toString(QDate.fromString(text, Qt.DateFormat.ISODate), "d MMMM yyyy")


def test_tuning_says_its_figures_and_can_be_forgotten(open_desk: Callable[..., SettingsDesk]) -> None:
    desk = open_desk(fields=FIGURES)
    field = desk.find_step(TuningField)
    assert field.state.text() == NOT_YET_TUNED
    assert not field.forget.isVisible()
    field.tune.click()
    desk.wait(field.forget.isVisible)
    figures = TUNED.format(
        day=day_of("2025-12-02"), answers="31", default_answers="27", prompts="110", default_prompts="8.0"
    )
    threads = THREADS_USED.format(answers="2", prompts="4")
    assert field.state.text() == f"{figures} {threads} {FLASH_IS_OFF}"
    assert clipped_texts(desk.root) == []
    field.forget.click()
    assert field.state.text() == NOT_YET_TUNED
    assert not field.forget.isVisible()


def test_defaults_that_are_fastest_are_named_with_their_speed(open_desk: Callable[..., SettingsDesk]) -> None:
    desk = open_desk(fields=FIGURES | {"is_faster": False})
    field = desk.find_step(TuningField)
    field.tune.click()
    desk.wait(field.forget.isVisible)
    assert field.state.text() == NOTHING_FASTER.format(day=day_of("2025-12-02"), answers="31", prompts="110")


def test_tuning_can_be_stopped(open_desk: Callable[..., SettingsDesk]) -> None:
    desk = open_desk(until="go")
    field = desk.find_step(TuningField)
    field.tune.click()
    assert field.tune.text() == STOP
    desk.wait(lambda: field.state.text() == TUNING_NOW.format(percent=50))
    field.tune.click()
    desk.wait(lambda: field.tune.text() == TUNE)
    assert field.state.text() == NOT_YET_TUNED


def test_a_model_on_a_server_is_not_tuned_here(frame: Frame, open_desk: Callable[..., SettingsDesk]) -> None:
    server = RemoteServer("box", "http://127.0.0.1:9/v1")
    model = frame.app.servers.model_of(server, "big")
    frame.app.servers.save(server, [model])
    desk = open_desk()
    frame.app.change_settings("engine", model_path=str(model.path))
    field = desk.find_step(TuningField)
    field.show_tuning()
    assert field.state.text() == SERVER_TUNES_ITSELF
    assert not field.tune.isEnabled()
