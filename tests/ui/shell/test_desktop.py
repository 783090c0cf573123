"""The task bar and notifications, on a bus of the test's own where the system has one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from jeepney import DBusAddress, HeaderFields, MatchRule, Message, MessageType, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QSystemTrayIcon, QWidget
from pytestqt.qtbot import QtBot

from app.ui.shared_labels import OPEN
from app.ui.shell.desktop import NOTIFICATIONS, BusDesktop, Click, TaskBar, TrayOnly
from tests.helpers.bus import private_bus


class Noted:
    """A desktop that notes what it is told."""

    def __init__(self) -> None:
        self.bars: list[float | None] = []
        self.told: list[tuple[str, str]] = []
        self.is_closed = False
        self.click: Click = None

    def show_progress(self, fraction: float | None) -> None:
        self.bars.append(fraction)

    def notify_user(self, title: str, text: str, on_click: Click = None) -> None:
        self.told.append((title, text))
        self.click = on_click

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DBusConnection]:
    """Another program on a private bus, which takes notifications and hears the launchers' signals."""
    with private_bus(tmp_path, monkeypatch), closing(open_dbus_connection("SESSION")) as other:
        other.send_and_get_reply(message_bus.RequestName("org.freedesktop.Notifications", 0), timeout=5)
        rule = MatchRule(type="signal", interface="com.canonical.Unity.LauncherEntry")
        other.send_and_get_reply(message_bus.AddMatch(rule), timeout=5)
        yield other


def heard(other: DBusConnection, kind: MessageType, member: str) -> tuple[Any, ...]:
    """The next message of that name, as the other program gets it."""
    while True:
        message = other.receive(timeout=10)
        fields = message.header.fields
        if message.header.message_type == kind and fields[HeaderFields.member] == member:
            return tuple(message.body)


def test_the_dock_hears_how_far_it_is_and_when_it_ends(bus: DBusConnection) -> None:
    desktop = BusDesktop()
    desktop.show_progress(0.37)
    entry, values = heard(bus, MessageType.signal, "Update")
    assert entry == "application://fireside.desktop"
    assert values == {"progress": ("d", 0.37), "progress-visible": ("b", True)}
    desktop.show_progress(None)
    assert heard(bus, MessageType.signal, "Update")[1]["progress-visible"] == ("b", False)
    desktop.close()


def test_a_notification_arrives_as_the_standard_wants_it(bus: DBusConnection) -> None:
    desktop = BusDesktop()
    desktop.notify_user("Fireside", "Qwen3.5 9B is here.")
    name, replaces, icon, title, text, actions, hints, _ = heard(bus, MessageType.method_call, "Notify")
    assert (name, replaces, icon, title, text, actions) == (
        "Fireside", 0, "fireside", "Fireside", "Qwen3.5 9B is here.", [],
    )  # fmt: skip
    assert hints["desktop-entry"] == ("s", "fireside")
    desktop.close()


def test_a_click_on_a_notification_does_what_it_is_for(bus: DBusConnection, qtbot: QtBot) -> None:
    desktop, clicked = BusDesktop(), []
    desktop.notify_user("Fireside", "The first <one> & only.", lambda: clicked.append("first"))
    asked = next_call(bus)
    assert asked.body[4:6] == ("The first &lt;one&gt; &amp; only.", ["default", OPEN])
    bus.send(new_method_return(asked, "u", (7,)))
    desktop.notify_user("Fireside", "Another.", lambda: clicked.append("second"))
    bus.send(new_method_return(next_call(bus), "u", (8,)))
    place = DBusAddress("/org/freedesktop/Notifications", interface=NOTIFICATIONS)
    for name, kind, body in (
        ("ActionInvoked", "us", (99, "default")),
        ("NotificationClosed", "uu", (7, 1)),
        ("ActionInvoked", "us", (7, "default")),
        ("ActionInvoked", "us", (8, "default")),
    ):
        bus.send(new_signal(place, name, kind, body))
    qtbot.waitUntil(lambda: bool(clicked))
    assert clicked == ["second"]
    assert heard(bus, MessageType.method_call, "CloseNotification") == (8,)
    desktop.close()


def next_call(other: DBusConnection) -> Message:
    """The next notification that is asked for."""
    while True:
        message = other.receive(timeout=10)
        if message.header.fields.get(HeaderFields.member) == "Notify":
            return message


def test_a_bus_that_dies_is_no_problem(bus: DBusConnection) -> None:
    desktop = BusDesktop()
    desktop.show_progress(0.1)
    assert desktop._bus is not None
    desktop._bus.sock.close()
    desktop.show_progress(0.2)
    desktop.show_progress(0.3)
    desktop.close()


@pytest.mark.parametrize("address", ["", "disabled:", "unix:path=/nowhere/bus", "unix:nonsense"])
def test_without_a_bus_nothing_happens(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    desktop = BusDesktop()
    desktop.show_progress(0.5)
    desktop.notify_user("Fireside", "It is here.")
    desktop.close()


def test_a_bus_that_does_not_answer_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "silent"))
        server.listen()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'silent'}")
        desktop = BusDesktop()
        desktop.show_progress(0.5)
        desktop.show_progress(0.6)
        server.accept()[0].close()
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()  # it is not asked again each time
        desktop.close()


def test_the_bar_is_told_of_each_percent_once_and_taken_away(qtbot: QtBot) -> None:
    window, noted = QWidget(), Noted()
    qtbot.addWidget(window)
    bar = TaskBar(window, lambda _: noted)
    for fraction in (None, 0.101, 0.102, 0.109, 0.11, 0.9999, 1.5, None, None):
        bar.show_progress(fraction)
    assert noted.bars == [0.1, 0.11, 0.99, 1.0, None]
    bar.close()
    assert noted.is_closed


def test_a_notification_comes_only_when_the_window_is_not_looked_at(qtbot: QtBot) -> None:
    window, noted = QWidget(), Noted()
    qtbot.addWidget(window)
    bar = TaskBar(window, lambda _: noted)
    bar.tell_system("Fireside", "It is here.")
    assert noted.told == [("Fireside", "It is here.")]
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    bar.tell_system("Fireside", "And another one.")
    assert len(noted.told) == 1


def test_where_there_is_no_bus_the_icon_in_the_tray_says_it(qtbot: QtBot) -> None:
    window, clicked = QWidget(), []
    qtbot.addWidget(window)
    desktop = TrayOnly(window)
    desktop.notify_user("Fireside", "The first.", lambda: clicked.append("first"))
    assert desktop._own.isVisible()
    desktop.close()
    icon = QSystemTrayIcon(QObject(window))
    icon.show()
    desktop.notify_user("Fireside", "The second.", lambda: clicked.append("second"))
    assert not desktop._own.isVisible(), "one icon is enough"
    icon.messageClicked.emit()
    assert clicked == ["second"]
    icon.hide()
    desktop.notify_user("Fireside", "The third.", lambda: clicked.append("third"))
    desktop._own.messageClicked.emit()
    assert clicked == ["second", "third"], "the icon that spoke before is heard once"
    desktop.close()
