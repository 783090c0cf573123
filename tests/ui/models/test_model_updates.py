"""Newer versions of installed models in the window: looked for at a click, fetched, and in the older one's place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from app.core.events import Role
from app.store.message_rows import MessageState
from app.ui.models.installed_page import InstalledPage
from app.ui.models.model_card import ModelCard
from app.ui.models.model_updates import (
    DELETED_IN_USE,
    LOOK_FOR_NEWER,
    NEWER_FOUND,
    NEWER_IS_HERE,
    NEWER_ON_HUB,
    NONE_NEWER,
)
from app.ui.shared_labels import DELETE, UNDO
from app.ui.shell.version_handover import NEWER_TOOK_OVER, VersionHandover
from tests.helpers.fake_hub import FakeHub
from tests.helpers.models_on_disk import model_bytes, write_model, write_sidecar
from tests.helpers.texts import shows
from tests.ui.models.rooms import Room, open_room

REPO, FILE = "hearth/Ember-GGUF", "Ember-Q4_K_M.gguf"
NEW = model_bytes("new", 6000)


@pytest.fixture
def room(qapp: QApplication, hub: FakeHub) -> Iterator[Room]:
    with open_room(qapp, InstalledPage) as opened:
        yield opened


@pytest.fixture
def old(room: Room, hub: FakeHub) -> Path:
    """An installed model of which the Hub has a newer version."""
    path = Path(room.models.models_folder()) / REPO / FILE
    write_model(path, "old")
    write_sidecar(
        path, repo=REPO, file=FILE, commit="c" * 40, sha256="0" * 64, downloaded_at="2026-01-01T00:00:00+00:00"
    )
    hub.add(REPO, {FILE: NEW}, commit="d" * 40).changed_at[FILE] = "2026-11-20T08:00:00.000Z"
    room.page.reload()
    room.wait(lambda: card_of(room, path) is not None)
    return path


def card_of(room: Room, model: Path) -> ModelCard | None:
    return next((card for card, installed in room.page._by_card.items() if installed.model.path == model), None)


def sentence(room: Room, model: Path) -> str:
    card = card_of(room, model)
    return card.sentence.text() if card is not None else ""


def test_nothing_is_asked_before_somebody_looks(room: Room, old: Path, hub: FakeHub) -> None:
    assert hub.requests == []
    assert room.page.updates.button.isVisible()
    assert sentence(room, old) == ""


def test_a_newer_version_is_shown_fetched_and_takes_over_after_an_answer(room: Room, old: Path, hub: FakeHub) -> None:
    room.page.updates.button.click()
    room.wait(lambda: shows(NEWER_ON_HUB, sentence(room, old)))
    assert any(shows(NEWER_FOUND[0], text) for text in room.notices)
    card = card_of(room, old)
    assert card is not None
    room.wait(card.buttons["update"].isVisible)
    card.buttons["update"].click()
    room.wait(lambda: [item.state for item in room.models.downloads.all()] == ["done"])
    room.page.reload()
    room.wait(lambda: sentence(room, old) == NEWER_IS_HERE)
    new = old.parent / "dddddddd" / FILE
    assert new.read_bytes() == NEW

    handover = VersionHandover(room.app, room.loader, room.notify)
    room.loader.path = new
    conversations = room.app.conversations
    chat = conversations.create(title="Ember")
    question = conversations.add_message(chat.id, None, Role.USER, "Hello")
    answers = {
        state: conversations.add_message(chat.id, question.id, Role.ASSISTANT, "Hi", state=state)
        for state in (MessageState.FAILED, MessageState.COMPLETE)
    }
    handover.on_answer(answers[MessageState.FAILED].id)
    assert old.exists(), "that was no answer"
    handover.on_answer(answers[MessageState.COMPLETE].id)
    room.wait(lambda: any(shows(NEWER_TOOK_OVER, text) for text in room.notices))
    assert not old.exists()
    room.press_notice(UNDO)
    room.wait(old.exists)


def test_the_menu_looks_for_one_and_says_when_there_is_none(room: Room, old: Path, hub: FakeHub) -> None:
    write_model(old, "old")
    hub.add(REPO, {FILE: old.read_bytes()}, commit="e" * 40)
    sha256 = hub.repos[REPO].files[FILE].sha256
    write_sidecar(old, repo=REPO, file=FILE, commit="c" * 40, sha256=sha256)
    card = card_of(room, old)
    assert card is not None
    room.choose(room.page.menu_for(card), LOOK_FOR_NEWER)
    room.wait(lambda: any(shows(NONE_NEWER, text) for text in room.notices))


def test_deleting_says_what_used_the_model(room: Room, old: Path) -> None:
    room.app.change_settings("models", translate_path=str(old))
    for title in ("One", "Two"):
        room.app.conversations.create(title=title, model=str(old))
    card = card_of(room, old)
    assert card is not None
    room.choose(room.page.menu_for(card), DELETE)
    told = DELETED_IN_USE.format(name="Ember", users="Translate, 2 chats")
    room.wait(lambda: told in room.notices)
