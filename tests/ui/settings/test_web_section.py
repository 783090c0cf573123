"""What models may ask of the web, in the settings: off at first, pages and a search engine apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.hub.web_fetcher import DUCKDUCKGO
from app.ui.settings.address_field import NOT_SAVED
from app.ui.settings.network_page import NEEDS_QUERY, SEARCH_OFF, SEARCH_OWN
from app.ui.shell.settings_index import label_of
from app.ui.widgets.buttons import TextButton
from app.ui.widgets.input_fields import Switch
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame

OWN = "https://searx.example/search?q={query}&format=json"


@pytest.fixture
def dialog(frame: Frame) -> Iterator[SettingsDesk]:
    opened = SettingsDesk(frame, "network")
    yield opened
    opened.close()


def test_pages_are_off_until_they_are_switched_on(dialog: SettingsDesk, frame: Frame) -> None:
    assert not frame.app.web.is_on
    dialog.click_name(Switch, label_of("web_pages"))
    assert frame.app.web.is_on
    frame.app.change_settings("network", internet=False)
    assert not frame.app.web.is_on


def test_a_search_engine_is_chosen_or_named(dialog: SettingsDesk, frame: Frame, qtbot: QtBot) -> None:
    def choose(word: str) -> str:
        dialog.click_name(TextButton, f"{label_of('search_engine')}: {word}")
        return frame.app.settings.tools.search_address

    field = dialog.line(label_of("search_address"))
    assert not field.isVisible()
    assert choose("DuckDuckGo") == DUCKDUCKGO
    assert choose(SEARCH_OWN) == "", "none before there is an address"
    assert field.isVisible()
    qtbot.keyClicks(field, "https://searx.example/")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert NOT_SAVED.format(why=NEEDS_QUERY) in dialog.said
    field.clear()
    qtbot.keyClicks(field, OWN)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert frame.app.web.search_address == OWN
    assert choose(SEARCH_OFF) == ""
    assert not field.isVisible()
    assert choose(SEARCH_OWN) == OWN, "it is not forgotten"
