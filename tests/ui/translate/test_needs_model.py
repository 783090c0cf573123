"""Where no model here knows both languages: what is said, the download from a Hub of our own, and what it changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import app.features.models.collection as facade
from app.core.errors.hub_errors import NetworkOff
from app.features.error_messages import sentence_for
from app.hub.catalog import CatalogEntry
from app.ui.translate.language_row import LANGUAGE_UNKNOWN
from tests.helpers.clipping import clipped_texts
from tests.helpers.desks.translate import TranslateDesk
from tests.helpers.fake_hub import FakeHub
from tests.helpers.models_on_disk import model_bytes
from tests.ui.translate.conftest import ENGLISH, PORTUGUESE, Open

GB = 10**9
OFFER = "Translating needs a model that knows both languages: Hy-MT2 1.8B, 1.1 GB, 38 languages"
TEMPLATE = {"tokenizer.chat_template": "{{ messages }}"}


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A computer of 4 GB, and a Hub that it can ask."""
    monkeypatch.setattr(facade, "total_memory_bytes", lambda: 4 * GB)
    monkeypatch.setattr(facade, "free_memory_bytes", lambda: 3 * GB)
    with FakeHub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def entry_of(desk: TranslateDesk) -> CatalogEntry:
    return next(each for each in desk.models.entries if each.id == "hy-mt2-1.8b")


def test_with_the_starter_no_answer_is_given_and_a_model_is_named(open_tab: Open) -> None:
    desk = open_tab(model="")
    desk.type(ENGLISH)
    desk.wait(lambda: desk.needed == OFFER and not desk.is_waiting)
    assert desk.is_model_missing
    assert desk.asked == []
    assert desk.hint.isVisible(), "what can be dropped is still said"
    assert desk.needs.accessibleName() == OFFER
    assert clipped_texts(desk.view) == []


def test_the_model_is_fetched_and_then_translates(open_tab: Open, hub: FakeHub) -> None:
    desk = open_tab(model="")
    entry = entry_of(desk)
    hub.add(entry.repo, {entry.file: model_bytes("hy", **TEMPLATE)})
    desk.paste(ENGLISH)
    desk.wait(lambda: desk.needed == OFFER)
    with desk.hears(desk.view.model_changed):
        desk.click(desk.download)
    path = desk.models.models_folder() / entry.repo / entry.file
    assert desk.models.for_task("translate") == path
    assert Path(desk.settings.models.translate_path) == path
    desk.translated(PORTUGUESE)
    assert not desk.is_model_missing


def test_how_far_the_download_is_is_shown_and_it_is_not_asked_for_twice(open_tab: Open, hub: FakeHub) -> None:
    desk = open_tab(model="")
    entry = entry_of(desk)
    hub.add(entry.repo, {entry.file: bytes(3_000_000)})
    hub.bytes_per_s, hub.never_ends = 400_000, True
    desk.paste(ENGLISH)
    desk.wait(lambda: desk.needed == OFFER)
    desk.click(desk.download)
    desk.wait(lambda: desk.needs_line.isVisible() and " of 3.0 MB" in desk.needs_state.text())
    assert not desk.download.isVisible()
    desk.click(desk.other_models)
    assert desk.sent == ["downloads"]
    (running,) = desk.models.downloads.all()
    desk.models.downloads.cancel(running.id)


def test_what_the_hub_refuses_is_a_sentence_and_the_offer_stays(open_tab: Open) -> None:
    desk = open_tab(model="")
    desk.app.change_settings("network", allowed=False)
    desk.paste(ENGLISH)
    desk.wait(lambda: desk.needed == OFFER)
    desk.click(desk.download)
    desk.wait(lambda: any(sentence_for(NetworkOff()).text in text for text in desk.notices))
    assert desk.download.isEnabled()


def test_a_language_that_the_model_does_not_know_is_named(open_tab: Open) -> None:
    desk = open_tab()
    desk.choose_target("sv")
    desk.paste(ENGLISH)
    desk.wait(lambda: desk.needed == LANGUAGE_UNKNOWN.format(model="Hy MT2 1.8B", language="Swedish"))
    assert desk.is_model_missing
    assert desk.other_models.isVisible()
    assert not desk.download.isVisible()
    desk.choose_target("pt-BR")
    desk.translated(PORTUGUESE)
