"""The scenes that `make pictures` shows are made of what the program and its page objects have."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from app.ui.window_language import MIRRORED, PSEUDO

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
NARROWEST = (
    "context-panel",
    "notices",
    "document-too-long",
    "document-passages",
    "inside-heads",
    "write-options",
    "models-repository",
    "side-by-side",
)
"""Those with the most in a line, or above each other."""
SCENES = sorted(path.stem for path in PACKAGING.glob("*_scenes.py"))


@pytest.mark.parametrize("name", [*SCENES, "pictures"])
def test_scenes_find_what_they_are_made_of(name: str) -> None:
    assert import_module(name).__doc__


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_screen_can_be_read_and_gone_through_by_keyboard() -> None:
    assert_walked()


@pytest.mark.timeout(300)
def test_longer_words_have_room_on_the_narrowest_screens() -> None:
    assert_walked("--language", PSEUDO, *NARROWEST)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("language", [PSEUDO, MIRRORED])
def test_longer_words_have_room_on_every_screen_and_none_is_english(language: str) -> None:
    assert_walked("--language", language)


def assert_walked(*arguments: str) -> None:
    """Walk through the screens; nothing is found."""
    command = [sys.executable, PACKAGING / "walk_scenes.py", *arguments]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    walked = subprocess.run(
        command, cwd=PACKAGING.parent, env=environment, stderr=subprocess.PIPE, text=True, check=False
    )
    faults = [line for line in walked.stderr.splitlines() if not line.startswith(("qt.", "This plugin"))]
    assert not walked.returncode and not faults, "\n".join(faults)


@pytest.mark.display
def test_nothing_is_cut_faint_off_the_screen_or_out_of_line_on_twelve_screens(tmp_path: Path) -> None:
    root, environment = PACKAGING.parent, {**os.environ, "FIRESIDE_SCREEN": "1366x768x24", "QT_QPA_PLATFORM": "xcb"}
    command = [PACKAGING / "with_display.sh", sys.executable, PACKAGING / "pictures.py", tmp_path, "--shapes", "low"]
    taken = subprocess.run([*command, "--twelve"], cwd=root, env=environment, stderr=subprocess.PIPE, check=False)
    faults = [line for line in taken.stderr.decode().splitlines() if not line.startswith("qt.")]
    assert (taken.returncode, faults) == (0, [])
    assert len(list(tmp_path.glob("*.png"))) == 12
