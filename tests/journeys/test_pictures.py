"""A picture is dropped on the real program, and a real model that sees by a tiny eye names its colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage

from app.core.settings import ChatDefaults, EngineSettings, Settings, save_settings
from tests.helpers import tiny_eyes
from tests.helpers.dragging import drop_with_the_mouse
from tests.helpers.program import Program, wait_until

pytestmark = [pytest.mark.display, pytest.mark.timeout(240), pytest.mark.model]

ASKED = "The colour of the picture is"


def seeing_model(folder: Path, starter: Path) -> Path:
    """The starter, with a file beside it through which it sees six colours."""
    folder.mkdir()
    model = folder / "starter.gguf"
    model.symlink_to(starter.resolve())
    tiny_eyes.make_eye(starter, folder / "mmproj-f16.gguf")
    return model


def noisy(path: Path, colour: str, seed: int) -> Path:
    random = np.random.default_rng(seed)
    pixels = np.array(tiny_eyes.COLOURS[colour]) + random.normal(0, 0.3 * 255, (90, 90, 3))
    rows = pixels.clip(0, 255).astype(np.uint8).tobytes()
    assert QImage(rows, 90, 90, 270, QImage.Format.Format_RGB888).save(str(path))
    return path


def answered(program: Program, count: int) -> str:
    """The last of so many messages, once it is complete."""
    wait_until(
        lambda: len(program.messages()) == count and program.messages()[-1][2] == "complete", "an answer", timeout_s=60
    )
    return program.messages()[-1][1]


def test_a_dropped_picture_is_seen_and_after_a_restart_remembered(starter: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    model = seeing_model(tmp_path / "models", starter)
    settings = Settings(engine=EngineSettings(model_path=str(model)), chat=ChatDefaults(temperature=0, max_tokens=12))
    save_settings(home / "config" / "settings.json", settings)
    program = Program(home)
    try:
        for place, colour in enumerate(("yellow", "red")):
            file = noisy(tmp_path / f"{place}.png", colour, place)
            in_draft = f"SELECT id FROM media_uses WHERE message_id IS NULL AND name = '{file.name}'"
            drop_with_the_mouse(program, file, arrived=in_draft)
            program.ask(ASKED)
            assert colour in answered(program, 2 + 2 * place)
        assert program.last_stats()["encoded_media"] == 1  # the first one was looked at before
        assert program.quit() == 0
        program = Program(home)
        program.ask("Say it again.")
        answered(program, 6)
        stats = program.last_stats()
        assert (stats["media_tokens"], stats["encoded_media"]) == (2 * tiny_eyes.PICTURE_TOKENS, 0)
        assert program.quit() == 0
    finally:
        program.kill()
