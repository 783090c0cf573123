"""A server that cannot be reached is asked again without another word; Enter asks, too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.ui.settings.servers import ServerDialog, ServersPage
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame
from tests.helpers.fake_server import FakeServer


@pytest.fixture
def desk(frame: Frame) -> Iterator[SettingsDesk]:
    opened = SettingsDesk(frame, "servers")
    yield opened
    opened.close()


def test_one_that_does_not_answer_can_be_asked_again(desk: SettingsDesk) -> None:
    with FakeServer() as server:
        host = server.host
    page = desk.find(ServersPage)
    desk.click(page.add)
    dialog = page.findChild(ServerDialog)
    assert dialog is not None
    QTest.keyClicks(dialog.address, host)
    QTest.keyClick(dialog.address, Qt.Key.Key_Return)
    desk.wait(lambda: "does not take connections" in dialog.note.text())
    assert dialog.isVisible() and dialog.ask.isEnabled()
    desk.click(dialog.ask)
    assert not dialog.ask.isEnabled()
    desk.wait(dialog.ask.isEnabled)
    dialog.reject()
