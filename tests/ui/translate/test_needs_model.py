"""Where no model here knows both languages: what is said, the download from a Hub of our own, and what it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import app.features.models as facade
from app.hub.catalog import Entry
from tests.helpers.clipping import clipped_texts
from tests.helpers.fake_hub import FakeHub
from tests.helpers.models_on_disk import model_bytes, write_model
from tests.ui.translate.conftest import ENGLISH, PORTUGUESE, Desk

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


def entry_of(desk: Desk) -> Entry:
    return next(each for each in desk.app.models.entries if each.id == "hy-mt2-1.8b")


def said(desk: Desk) -> str:
    return desk.page.needs.words.text().replace("\u2011", "-")


def test_with_the_starter_no_answer_is_given_and_a_model_is_named(open_tab: Callable[..., Desk]) -> None:
    desk = open_tab(model="")
    desk.type(ENGLISH)
    desk.wait(lambda: said(desk) == OFFER and not desk.page.pause.isActive())
    assert desk.page.panes.are_needs_shown
    assert desk.asked == []
    assert desk.page.panes.hint.isVisible(), "what can be dropped is still said"
    assert desk.page.needs.accessibleName() == OFFER
    assert clipped_texts(desk.view) == []


def test_the_model_is_fetched_and_then_translates(open_tab: Callable[..., Desk], hub: FakeHub) -> None:
    desk = open_tab(model="")
    entry = entry_of(desk)
    hub.add(entry.repo, {entry.file: model_bytes("hy", **TEMPLATE)})
    desk.paste(ENGLISH)
    desk.wait(lambda: said(desk) == OFFER)
    came: list[bool] = []
    desk.view.model_changed.connect(lambda: came.append(True))
    desk.click(desk.page.needs.download)
    desk.wait(lambda: bool(came))
    path = desk.app.models.folder() / entry.repo / entry.file
    assert desk.app.models.for_task("translate") == path
    assert Path(desk.app.settings.models.translate_path) == path
    desk.translated(PORTUGUESE)
    assert not desk.page.panes.are_needs_shown


def test_how_far_the_download_is_is_shown_and_it_is_not_asked_for_twice(
    open_tab: Callable[..., Desk], hub: FakeHub
) -> None:
    desk = open_tab(model="")
    entry = entry_of(desk)
    hub.add(entry.repo, {entry.file: bytes(3_000_000)})
    hub.bytes_per_s = 400_000
    desk.paste(ENGLISH)
    desk.wait(lambda: said(desk) == OFFER)
    desk.click(desk.page.needs.download)
    desk.wait(lambda: desk.page.needs.line.isVisible() and " of 3.0 MB" in desk.page.needs.state.text())
    assert not desk.page.needs.download.isVisible()
    with desk.qtbot.waitSignal(desk.view.models_wanted) as wanted:
        desk.click(desk.page.needs.others)
    assert wanted.args == ["downloads"]
    assert len(desk.app.models.downloads.all()) == 1
    desk.app.models.downloads.cancel(desk.app.models.downloads.all()[0].id)


def test_what_the_hub_refuses_is_a_sentence_and_the_offer_stays(open_tab: Callable[..., Desk]) -> None:
    desk = open_tab(model="")
    desk.app.change("network", allowed=False)
    desk.paste(ENGLISH)
    desk.wait(lambda: said(desk) == OFFER)
    desk.click(desk.page.needs.download)
    desk.wait(lambda: any("switched off" in text for text in desk.notices))
    assert desk.page.needs.download.isEnabled()


def test_a_model_that_is_here_already_is_used_without_a_download(open_tab: Callable[..., Desk]) -> None:
    desk = open_tab(model="")
    entry = entry_of(desk)
    path = desk.app.models.folder() / entry.repo / entry.file
    size_bytes = len(write_model(path, **TEMPLATE))
    desk.app.models.entries = (replace(entry, size_bytes=size_bytes, sha256_prefix=""),)
    starter = desk.app.model_path()
    assert starter is not None
    desk.app.models.use("translate", starter)  # a person may well choose it
    desk.view.on_model_changed()
    desk.paste(ENGLISH)
    desk.wait(lambda: desk.page.needs.download.text() == "Use it")
    desk.click(desk.page.needs.download)
    assert Path(desk.app.settings.models.translate_path) == path
    desk.translated(PORTUGUESE)


def test_a_language_that_the_model_does_not_know_is_named(open_tab: Callable[..., Desk]) -> None:
    desk = open_tab()
    desk.page.choice.target.choose("sv")
    desk.paste(ENGLISH)
    desk.wait(lambda: said(desk) == "Hy MT2 1.8B does not know Swedish.")
    assert desk.page.panes.are_needs_shown
    assert desk.page.needs.others.isVisible()
    assert not desk.page.needs.download.isVisible()
    desk.page.choice.target.choose("pt-BR")
    desk.translated(PORTUGUESE)


def test_in_a_small_window_nothing_of_the_offer_is_cut(open_tab: Callable[..., Desk], tmp_path: Path) -> None:
    """What a window of 640 by 480 leaves to the tab beside the list."""
    desk = open_tab(model="", size=(438, 420))
    path = tmp_path / "lease.txt"
    path.write_text(f"{ENGLISH}\n\nKeys: two.\n", "utf-8")
    desk.view.add_files([path])
    page = desk.view.document.page
    desk.wait(lambda: page.needs.isVisible() and page.needs.words.text().count("Hy") == 1)
    assert clipped_texts(desk.view) == []
    assert page.head.glossary.toolTip() == "Glossary", "its icon alone is shown"
