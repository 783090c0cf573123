"""A server that cannot be reached is asked again without another word; Enter asks, too; who vouches for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.core.errors.hub_errors import CertificateUnreadable
from app.core.errors.server_errors import ServerUnreachable
from app.features.error_messages import sentence_for
from app.ui.settings.servers_page import ServerDialog, ServersSection
from tests.helpers.authority import Authority
from tests.helpers.desks.settings import SettingsDesk
from tests.helpers.desks.window import Frame
from tests.helpers.fake_server import FakeServer


@pytest.fixture
def desk(frame: Frame) -> Iterator[SettingsDesk]:
    opened = SettingsDesk(frame, "connections/servers")
    yield opened
    opened.close()


def test_one_that_does_not_answer_can_be_asked_again(desk: SettingsDesk) -> None:
    with FakeServer() as server:
        host = server.host
    page = desk.find_step(ServersSection)
    desk.click(page.add)
    dialog = page.findChild(ServerDialog)
    assert dialog is not None
    QTest.keyClicks(dialog.address, host)
    QTest.keyClick(dialog.address, Qt.Key.Key_Return)
    desk.wait(lambda: sentence_for(ServerUnreachable(host, "refused")).text in dialog.note.text())
    assert dialog.isVisible() and dialog.ask.isEnabled()
    desk.click(dialog.ask)
    assert not dialog.ask.isEnabled()
    desk.wait(dialog.ask.isEnabled)
    dialog.reject()


def test_an_authority_of_ones_own_vouches_for_a_server(desk: SettingsDesk, frame: Frame, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = FakeServer(kind="vllm")
    server.be_secure(*authority.certificate("127.0.0.1"))
    page = desk.find_step(ServersSection)
    with server:
        desk.click(page.add)
        dialog = page.findChild(ServerDialog)
        assert dialog is not None
        QTest.keyClicks(dialog.address, server.host)
        assert not dialog.trust.choose.isVisible(), "nothing is to be vouched for without https"
        dialog.address.clear()
        QTest.keyClicks(dialog.address, f"https://{server.host}")
        QTest.keyClick(dialog.address, Qt.Key.Key_Return)
        desk.wait(lambda: sentence_for(ServerUnreachable(server.host, "certificate")).text in dialog.note.text())
        (tmp_path / "notes.txt").write_text("none")
        for file, said in (
            (tmp_path / "notes.txt", sentence_for(CertificateUnreadable("notes.txt")).text),
            (authority.path, ""),
        ):
            desk.click(dialog.trust.choose)
            desk.choose_file(file)
            desk.wait(lambda said=said: said in dialog.note.text() and dialog.ask.isEnabled())  # type: ignore[misc]
        assert "Our own authority" in dialog.trust.vouches.text()
        desk.click(dialog.ask)
        desk.wait(dialog.save.isEnabled)
        desk.click(dialog.save)
        desk.wait(lambda: bool(page.rows))
        (kept,) = frame.app.servers.all()
        assert "BEGIN CERTIFICATE" in kept.authorities
        dialog = page.open_dialog(kept)
        desk.click(dialog.trust.drop)
        desk.click(dialog.ask)
        desk.wait(lambda: sentence_for(ServerUnreachable(server.host, "certificate")).text in dialog.note.text())
        dialog.reject()
