"""A model without what lets it see: fetched from a Hub of our own beside it, it sees; a wrong one is told of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.bootstrap import Fireside
from app.core.errors.model_errors import ProjectorRefused
from app.core.events import Message, ModelLoaded, Role, TextDelta
from app.engine.protocol import Sampling
from app.features.error_messages import sentence_for
from app.features.models.model_messages import surprise_words
from app.ui.model_texts import SEES_PICTURES
from app.ui.models.installed_page import DOWNLOAD_IMAGE_SUPPORT, SEES_WHEN_RELOADED, InstalledPage
from app.ui.models.model_card import ModelCard
from tests.helpers import tiny_eyes
from tests.helpers.fake_hub import FakeHub
from tests.helpers.models_on_disk import write_sidecar
from tests.helpers.texts import shows
from tests.ui.models.rooms import Room, open_room

pytestmark = [pytest.mark.model, pytest.mark.timeout(240)]

REPO, FILE, EYE = "hearth/Seeing-GGUF", "Seeing-Q8_0.gguf", "mmproj-Seeing-f16.gguf"
FETCH = DOWNLOAD_IMAGE_SUPPORT


@pytest.fixture
def room(qapp: QApplication, hub: FakeHub) -> Iterator[Room]:
    with open_room(qapp, InstalledPage) as opened:
        yield opened


def blind_model(room: Room, starter: Path) -> Path:
    """The starter as if it had been fetched without its eyes."""
    path = Path(room.models.models_folder()) / REPO / FILE
    path.parent.mkdir(parents=True)
    shutil.copyfile(starter, path)
    write_sidecar(path, repo=REPO, file=FILE, commit="c" * 40, size_bytes=path.stat().st_size)
    return path


def card_of(room: Room, model: Path) -> ModelCard:
    found: ModelCard = next(card for card, one in room.page._by_card.items() if one.model.path == model)
    return found


def fetch_eyes(room: Room, model: Path) -> None:
    """By the menu of the model's card, until the file is there."""
    room.page.reload()
    room.wait(lambda: any(one.model.path == model for one in room.page._by_card.values()))
    room.choose(room.page.menu_for(card_of(room, model)), FETCH)
    room.wait(lambda: any(shows(SEES_WHEN_RELOADED, text) for text in room.notices))
    room.wait(lambda: [one.state for one in room.models.downloads.all()] == ["done"])


def loaded(app: Fireside, model: Path) -> ModelLoaded:
    (*_, event) = app.engine.load(model)
    assert isinstance(event, ModelLoaded)
    return event


def said_of(app: Fireside, colour: str) -> str:
    media = (tiny_eyes.noisy(app.paths.decoded, colour, 3),) if colour else ()
    message = Message(Role.USER, "The colour of the picture is", media)
    answer = app.engine.generate([message], max_tokens=12, task_sampling=Sampling(0.0, seed=1))
    return "".join(event.text for event in answer if isinstance(event, TextDelta))


def test_what_lets_it_see_is_fetched_beside_the_model(room: Room, hub: FakeHub, starter: Path, tmp_path: Path) -> None:
    model = blind_model(room, starter)
    hub.add(REPO, {FILE: starter, EYE: tiny_eyes.make_eye(starter, tmp_path / "eye.gguf")})
    assert not loaded(room.app, model).sees
    fetch_eyes(room, model)
    assert hub.sent_of(FILE) == 0, "the model itself was here"
    assert (model.parent / EYE).is_file()
    assert loaded(room.app, model).sees
    for colour in ("yellow", "red"):
        assert colour in said_of(room.app, colour)
    assert surprise_words(loaded(room.app, model)) is None
    room.page.reload()
    room.wait(lambda: SEES_PICTURES in card_of(room, model).accessibleDescription())
    assert FETCH not in [action.text() for action in room.page.menu_for(card_of(room, model)).actions()]


@pytest.mark.slow
def test_a_wrong_one_is_named_and_the_model_goes_on_without_eyes(
    room: Room, hub: FakeHub, starter: Path, tmp_path: Path
) -> None:
    model = blind_model(room, starter)
    wrong = tiny_eyes.make_random_eye("llava", tmp_path / "eye.gguf", 64)
    hub.add(REPO, {FILE: starter, EYE: wrong})
    fetch_eyes(room, model)
    event = loaded(room.app, model)
    assert not event.sees
    assert str(surprise_words(event)) == str(sentence_for(ProjectorRefused(EYE, FILE, "other_model")))
    assert said_of(room.app, "")
