"""Noisy pictures dropped on the whole window: a real model with a tiny eye names them, and remembers them later."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from app.core.paths import AppPaths
from app.core.settings import ChatDefaults, EngineSettings, Settings, save_settings
from app.ui.chat.chat_view import ChatView
from app.ui.chat.draft_pictures import PictureChip
from tests.helpers import tiny_eyes
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.window import Frame, open_window

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(1200)]

PICTURES, AGAIN = 60, 12
ASKED = "The colour of the picture is"
ASKED_BOTH = "The colour of the first picture and the colour of the second picture are"
ANSWER_MS = 120_000


@pytest.fixture
def model(starter: Path, tmp_path: Path) -> Path:
    """The starter with an eye beside it, which the program knows and opens; answers are greedy and short."""
    path = tmp_path / "models" / "starter.gguf"
    path.parent.mkdir()
    path.symlink_to(starter.resolve())
    tiny_eyes.make_eye(starter, path.with_name("mmproj-f16.gguf"))
    chat = ChatDefaults(temperature=0, max_tokens=24, titles=False, memory=False)
    save_settings(
        AppPaths.from_environment().settings, Settings(engine=EngineSettings(model_path=str(path)), chat=chat)
    )
    return path


@contextmanager
def run_of(application: QApplication, model: Path) -> Iterator[tuple[Frame, ChatDesk]]:
    """One run of the program, until its window is closed."""
    with open_window(application, make_chat=ChatView) as frame:
        frame.loader.load(model)
        frame.wait(lambda: frame.loader.state == "ready")
        yield frame, ChatDesk(frame.chat, frame.app, frame.notify, frame.theme)


def noisy(path: Path, colour: str, seed: int) -> Path:
    """As a file of a person."""
    random = np.random.default_rng(seed)
    side = int(random.integers(24, 161))
    pixels = np.array(tiny_eyes.COLOURS[colour]) + random.normal(0, 0.3 * 255, (side, side, 3))
    rows = pixels.clip(0, 255).astype(np.uint8).tobytes()
    assert QImage(rows, side, side, 3 * side, QImage.Format.Format_RGB888).save(str(path))
    return path


def ask_about(frame: Frame, desk: ChatDesk, *files: Path, asked: str = ASKED) -> tuple[int, str]:
    """Drops pictures on a new chat and asks; its number, and the answer."""
    frame.new_chat()
    frame.drop(*files)
    desk.wait(lambda: len(desk.row.findChildren(PictureChip)) == len(files) and not desk.attaching.waits_for)
    desk.type(asked)
    desk.answer_to_enter(ANSWER_MS)
    return desk.chat.conversation_id, desk.last_text.lower()


def test_sixty_noisy_pictures_are_named_and_after_a_restart_not_looked_at_again(
    qapp: QApplication, model: Path, tmp_path: Path
) -> None:
    colours = list(itertools.islice(itertools.cycle(tiny_eyes.COLOURS), PICTURES))
    chats = list[int]()
    answers = list[str]()
    with run_of(qapp, model) as (frame, desk):
        for seed, colour in enumerate(colours):
            number, said = ask_about(frame, desk, noisy(tmp_path / f"picture {seed}.png", colour, seed))
            assert desk.last_message.stats.encoded_media == 1
            chats.append(number)
            answers.append(said)
        named = [colour in said for colour, said in zip(colours, answers, strict=True)]
        wrong = [(colour, said) for colour, said in zip(colours, answers, strict=True) if colour not in said]
    print(f"{sum(named)} of {PICTURES} are named")
    assert sum(named) >= 0.9 * PICTURES, wrong  # by chance a sixth
    with run_of(qapp, model) as (frame, desk):
        for number in chats[:: PICTURES // AGAIN]:
            frame.show_chat(number)
            desk.ask("Say it again.")
            stats = desk.last_message.stats
            assert (stats.media_tokens, stats.encoded_media) == (tiny_eyes.PICTURE_TOKENS, 0)


def test_two_pictures_in_a_message_are_named_in_both_orders(qapp: QApplication, model: Path, tmp_path: Path) -> None:
    files = {colour: noisy(tmp_path / f"{colour}.png", colour, seed) for seed, colour in enumerate(tiny_eyes.COLOURS)}
    pairs, answers = list(itertools.permutations(files, 2)), list[str]()
    with run_of(qapp, model) as (frame, desk):
        for first, second in pairs:
            answers.append(ask_about(frame, desk, files[first], files[second], asked=ASKED_BOTH)[1])
    named = [sorted(filter(said.count, files), key=said.find) for said in answers]
    begun = sum(colours[:1] == [first] for colours, (first, _) in zip(named, pairs, strict=True))
    whole = sum(colours == [first, second] for colours, (first, second) in zip(named, pairs, strict=True))
    print(
        f"of {len(pairs)} answers {begun} begin with the first picture's colour, and {whole} name both, in their order"
    )
    assert begun >= 0.7 * len(pairs), dict(zip(pairs, answers, strict=True))  # by chance a sixth
    assert whole >= 0.3 * len(pairs), dict(zip(pairs, answers, strict=True))  # by chance one in thirty
