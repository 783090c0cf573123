"""The row of the claim checker: what it costs is said before, it comes by a click and goes by another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.bootstrap import Fireside, build_program
from app.core.settings import load_settings
from app.features.claim_checker.fetching import OFFER_LIMITS, OFFER_WORDS, REPOSITORY
from app.hub.model_files import UNCONVERTED
from app.ui.settings.claim_checker import GET_MODEL, CheckerField
from app.ui.settings.shared_sections import DocumentsSection
from app.ui.shared_labels import REMOVE_NAMED
from app.ui.theme import Theme
from app.ui.widgets.setting_rows import HelpMark
from tests.helpers.fake_hub import FakeHub
from tests.helpers.tiny_checker import make_checker


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with FakeHub() as started:
        monkeypatch.setenv("HF_ENDPOINT", started.url)
        yield started


@pytest.fixture
def app(hub: FakeHub) -> Iterator[Fireside]:
    app = build_program()
    yield app
    app.close()


def chosen(app: Fireside) -> str:
    return load_settings(app.paths.settings)[0].models.checker_path


def test_it_is_off_says_what_it_costs_and_comes_and_goes_by_a_click(
    app: Fireside, hub: FakeHub, qtbot: QtBot, tmp_path: Path
) -> None:
    page = DocumentsSection(app, Theme("light"), app.change_settings)
    qtbot.addWidget(page)
    page.show()
    field = page.findChild(CheckerField)
    assert any(one.text() == OFFER_WORDS for one in page.findChildren(QLabel))
    assert "75 of 100" in OFFER_LIMITS
    assert OFFER_LIMITS in {mark.accessibleDescription() for mark in page.findChildren(HelpMark)}
    assert (field.button.accessibleName(), chosen(app)) == (GET_MODEL.format(name="TinyLettuce 68M", size="275 MB"), "")
    qtbot.mouseClick(field.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(field.said.text()) and field.button.text().startswith("Download "), timeout=60_000)
    assert chosen(app) == "", "the Hub has no such repository here"
    folder = make_checker(tmp_path / "made")
    hub.add(REPOSITORY, {name: (folder / name).read_bytes() for name in UNCONVERTED})
    qtbot.mouseClick(field.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: field.button.accessibleName() == REMOVE_NAMED.format(name="TinyLettuce 68M"), timeout=60_000
    )
    assert Path(chosen(app)).is_file()
    Path(chosen(app)).rename(tmp_path / "elsewhere.gguf")
    assert CheckerField(app, Theme("light"), app.change_settings).button.text().startswith("Download "), (
        "of another computer"
    )
    (tmp_path / "elsewhere.gguf").rename(chosen(app))
    qtbot.mouseClick(field.button, Qt.MouseButton.LeftButton)
    assert (field.button.accessibleName(), chosen(app)) == (GET_MODEL.format(name="TinyLettuce 68M", size="275 MB"), "")
    assert not app.paths.checker.exists()
