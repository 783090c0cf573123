"""Check for updates in the settings: a click asks, everything else stays with the person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QMessageBox, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from app import __version__
from app.core.errors.hub_errors import ReleaseRefused
from app.features.error_messages import sentence_for
from app.features.updates import ReleaseUpdates
from app.hub.access import access_to
from app.hub.network import Network
from app.ui.settings.about import CHECK_FOR_UPDATES, UpdateCheck
from app.ui.shared_labels import OPEN, OPEN_ITS_PAGE
from app.ui.widgets.setting_rows import HelpMark
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame
from tests.helpers.release_host import FILE, ReleaseHost, facts, release_host
from tests.helpers.texts import end_of


@pytest.fixture
def host() -> Iterator[ReleaseHost]:
    with release_host() as made:
        yield made


@pytest.fixture
def about(frame: Frame, host: ReleaseHost) -> Iterator[SettingsDesk]:
    """The page, in a program that knows a home of releases."""
    app = frame.app
    network = Network(lambda: access_to(host.home.address, app.settings, app.token), app.ledger)
    app.updates = ReleaseUpdates(host.home, network, lambda: app.settings, app.change_settings)  # type: ignore[method-assign]
    opened = SettingsDesk(frame, "about")
    yield opened
    opened.close()


def check_of(desk: SettingsDesk) -> UpdateCheck:
    return desk.find_step(UpdateCheck)


def test_a_click_tells_of_a_newer_release_and_leads_to_its_page(about: SettingsDesk, host: ReleaseHost) -> None:
    host.release(facts())
    assert host.asked == []
    assert any(f"one small file from {host.netloc}." in mark.toolTip() for mark in about.every(HelpMark))
    about.click_name(QPushButton, CHECK_FOR_UPDATES)
    about.wait_for_words(f"Fireside 9.1.0 is available. You have {__version__}.")
    notes = about.find_step(QPlainTextEdit, "release_notes")
    assert notes.isVisible()
    assert notes.toPlainText() == "Faster.\n<b>Not bold</b>"
    about.click_name(QPushButton, OPEN_ITS_PAGE)
    box = about.find_step(QMessageBox)
    assert box.informativeText() == "https://fireside.example/9.1.0"
    box.reject()


def test_the_page_opens_after_its_address_was_seen(frame: Frame, host: ReleaseHost, qtbot: QtBot) -> None:
    opened: list[QUrl] = []
    host.release(facts())
    network = Network(lambda: access_to(host.home.address, frame.app.settings, frame.app.token), frame.app.ledger)
    updates = ReleaseUpdates(host.home, network, lambda: frame.app.settings, frame.app.change_settings)
    check = UpdateCheck(updates, frame.theme, lambda url: opened.append(url) is None)
    qtbot.addWidget(check)
    check.button.click()
    qtbot.waitUntil(lambda: not check.page.isHidden())
    box = check.ask_to_open()
    assert box is not None
    assert opened == []
    next(button for button in box.buttons() if button.text() == OPEN).click()
    assert opened == [QUrl("https://fireside.example/9.1.0")]


def test_what_is_not_believed_is_said_and_shows_nothing_of_it(about: SettingsDesk, host: ReleaseHost) -> None:
    host.release(facts())
    host.answer(FILE, b"{}")
    about.click_name(QPushButton, CHECK_FOR_UPDATES)
    about.wait_for_words(end_of(sentence_for(ReleaseRefused("{host}", "signature")).text))
    assert not check_of(about).notes.isVisible()
    assert not check_of(about).page.isVisible()
