"""Other computers in the settings: only one that answers is kept, its memory is said, and off means off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.errors.engine_errors import MachineUnusable
from app.core.paths import AppPaths
from app.core.settings import Settings, load_settings, save_settings
from app.engine.protocol import MACHINE, Device, DevicesDescribed
from app.features.error_messages import sentence_for
from app.features.models.remote_machines import build_machines
from app.hub.connection_ledger import ConnectionLedger
from app.ui.settings.computers import DEVICES_FREE_MEMORY, FREE_MEMORY, NOT_ASKED, ComputersSection
from app.ui.theme import Theme
from tests.helpers.lenders import a_server, listening

GB = 10**9


class App:
    """What the page wants of the program, on real settings; `described` is what the engine would say."""

    def __init__(self, paths: AppPaths) -> None:
        self.paths = paths
        self.described = DevicesDescribed(1, "", (), (), 2)
        self.machines = build_machines(paths, self.change)
        self.engine = SimpleNamespace(describe_devices=lambda: self.described)

    @property
    def settings(self) -> Settings:
        return load_settings(self.paths.settings)[0]

    def change(self, section: str, **values: object) -> None:
        save_settings(self.paths.settings, self.settings.changed(section, **values))


@pytest.fixture
def app(fresh_home: Path) -> App:
    return App(AppPaths.from_environment())


@pytest.fixture
def page(qtbot: QtBot, app: App) -> Iterator[ComputersSection]:
    yield open_page(qtbot, app)


def open_page(qtbot: QtBot, app: App) -> ComputersSection:
    made = ComputersSection(app, Theme("light"), SimpleNamespace(guard=nullcontext))  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.show()
    return made


def add(qtbot: QtBot, page: ComputersSection, address: str) -> str:
    """Types an address and presses Return; what is said then."""
    page.line.clear()
    QTest.keyClicks(page.line, address)
    QTest.keyClick(page.line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not page.line.isReadOnly())
    return page.note.text()


def unusable(address: str, reason: str) -> str:
    """What is said of a computer that cannot be used."""
    return sentence_for(MachineUnusable(address, reason)).text


def test_only_one_that_answers_is_kept_with_what_it_has(qtbot: QtBot, app: App, page: ComputersSection) -> None:
    assert unusable("not an address", "address") in add(qtbot, page, "not an address")
    assert unusable("8.8.8.8:50052", "public") in add(qtbot, page, "8.8.8.8:50052")
    with listening(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n" * 9)) as web:
        assert unusable(web, "other") in add(qtbot, page, web)
    assert (page.rows, app.settings.engine.machines) == ([], ())
    with listening(a_server(memory=((3 * GB, 4 * GB), (5 * GB, 8 * GB)))) as address:
        assert f"{address} is ready" in add(qtbot, page, address)
        add(qtbot, page, address)
    assert app.settings.engine.machines == (address,), "once"
    (row,) = page.rows
    assert row.said.text() == DEVICES_FREE_MEMORY.format(count=2, free="8.0", total="12.0")
    noted = [(one.host, one.why) for one in ConnectionLedger(app.paths.connections).connections()]
    assert noted[0] == ("127.0.0.1", "lent memory")


def test_kept_ones_say_what_they_have_or_why_they_are_of_no_use(qtbot: QtBot, app: App) -> None:
    app.change("engine", machines=("box:1", "gone:2"), devices=("gone:2", "gone:2 #2"))
    device, missed = Device("box:1", "box:1", MACHINE, GB, 2 * GB), MachineUnusable("gone:2", "silent")
    app.described = DevicesDescribed(1, "", (device,), (), 2, missed=(missed,))
    page = open_page(qtbot, app)
    there, gone = page.rows
    qtbot.waitUntil(lambda: there.said.text() == FREE_MEMORY.format(free="1.0", total="2.0"))
    assert gone.said.text() == sentence_for(missed).text
    QTest.mouseClick(gone.remove, Qt.MouseButton.LeftButton)
    assert [row.address for row in page.rows] == ["box:1"]
    assert app.settings.engine.machines == ("box:1",)
    assert app.settings.engine.devices == (), "it is no device to choose any more, either"


def test_with_the_network_off_none_is_asked_or_used(qtbot: QtBot, app: App) -> None:
    app.change("engine", machines=("box:1",))
    app.change("network", allowed=False)
    assert app.machines.usable_addresses() == ()
    page = open_page(qtbot, app)
    qtbot.waitUntil(lambda: page.rows[0].said.text() == NOT_ASKED)
    assert "network" in add(qtbot, page, "10.0.0.1")
    assert not app.paths.connections.exists()
    app.change("network", allowed=True)
    assert app.machines.usable_addresses() == ("box:1",)
    assert [one.host for one in ConnectionLedger(app.paths.connections).connections()] == ["box"]
