"""The llama.cpp of one's own in the settings: tried when it is chosen, told where it doesn't fit, taken back."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors.engine_errors import OwnLibraryRefused
from app.core.settings import load_settings
from app.features.error_messages import sentence_for
from app.ui.settings.library_field import BUILT_IN, YOURS, LibraryField
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame
from tests.helpers.own_library import copy_library, empty_library

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("cc") is None, reason="libraries are compiled here"),
]


@pytest.fixture
def desk(frame: Frame) -> Iterator[SettingsDesk]:
    opened = SettingsDesk(frame, "engine")
    yield opened
    opened.close()


def state_of(desk: SettingsDesk) -> str:
    return desk.find_step(LibraryField).state.text().replace("\u200b", "")


def choose(desk: SettingsDesk, folder: Path) -> None:
    field = desk.find_step(LibraryField)
    field.choose.click()
    desk.choose_file(folder, "library_dialog")
    desk.wait(field.choose.isEnabled)


def test_a_build_is_used_when_it_fits_and_the_own_one_again(frame: Frame, desk: SettingsDesk, tmp_path: Path) -> None:
    build, field = copy_library(tmp_path), desk.find_step(LibraryField)
    assert state_of(desk) == BUILT_IN
    assert not field.use_own.isVisible()
    choose(desk, build.parents[1])
    assert state_of(desk) == YOURS.format(folder=build)
    assert load_settings(frame.paths.settings)[0].engine.library_folder == str(build)
    empty_library(build)
    choose(desk, build)
    wrong = sentence_for(OwnLibraryRefused(str(build), "symbol", "llama_max_devices")).text
    assert state_of(desk) == f"{wrong} {YOURS.format(folder=build)}", "what is used stays"
    assert clipped_texts(desk.root) == []
    field.use_own.click()
    assert state_of(desk) == BUILT_IN
    assert load_settings(frame.paths.settings)[0].engine.library_folder == ""
