"""Lending this computer's memory in the settings: off until it is switched on, and off with the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.bootstrap import Fireside, build_program
from app.core.errors.hub_errors import NetworkOff
from app.engine.rpc_machines import query_machine
from app.features.error_messages import sentence_for
from app.ui.settings import lending_section as lending_page
from app.ui.settings.lending_section import LENDING_OFF, NO_PRIVATE_NETWORK, LendingSection
from app.ui.theme import Theme


@pytest.fixture
def app(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fireside]:
    monkeypatch.setattr(lending_page, "find_private_address", lambda: "127.0.0.1")
    app = build_program()
    yield app
    app.close()


@pytest.fixture
def page(qtbot: QtBot, app: Fireside) -> LendingSection:
    page = LendingSection(app, Theme("light"))
    qtbot.addWidget(page)
    page.show()
    return page


@pytest.mark.model
def test_it_is_lent_where_it_says_until_the_network_is_switched_off(
    qtbot: QtBot, app: Fireside, page: LendingSection
) -> None:
    assert (page.switch.isChecked(), page.said.text()) == (False, LENDING_OFF)
    assert page.copy.isHidden()
    page.switch.click()
    qtbot.waitUntil(lambda: "127.0.0.1:" in page.said.text(), timeout=60_000)
    address = app.lending.state.address
    assert address in page.said.text()
    assert query_machine(address).devices
    app.change_settings("network", allowed=False)
    qtbot.waitUntil(lambda: not page.switch.isChecked())
    assert page.said.text() == LENDING_OFF


def test_it_says_why_it_cannot_be_switched_on(
    app: Fireside, page: LendingSection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lending_page, "find_private_address", lambda: "")
    page.switch.click()
    assert (page.switch.isChecked(), page.said.text()) == (False, NO_PRIVATE_NETWORK)
    app.change_settings("network", allowed=False)
    page.switch.click()
    assert (page.switch.isChecked(), page.said.text()) == (False, sentence_for(NetworkOff()).text)
    assert not app.lending.state.host
