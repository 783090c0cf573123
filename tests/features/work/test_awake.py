"""The computer is kept awake on a bus of the test's own, where a stand-in for the session takes the request."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from jeepney import HeaderFields, MessageType, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from app.features.work import keep_awake as module
from app.features.work.keep_awake import LOOK_EVERY_S, has_mains_power, keep_awake
from tests.features.summarize.test_pace import Clock
from tests.helpers.bus import private_bus

SESSION = "org.gnome.SessionManager"
COOKIE, SUSPEND = 77, 4

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a bus is a matter of Linux")


class Session:
    """GNOME's session manager, as far as it is asked here; notes what is held."""

    def __init__(self, connection: DBusConnection) -> None:
        self._connection = connection
        self.held: list[int] = []
        self.taken: list[tuple[object, ...]] = []
        connection.send_and_get_reply(message_bus.RequestName(SESSION, 0), timeout=5)
        self._thread = threading.Thread(target=self._serve, name="session manager")
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                message = self._connection.receive(timeout=30)
            except (OSError, ConnectionError, ValueError):
                return
            member = message.header.fields.get(HeaderFields.member)
            if message.header.message_type is not MessageType.method_call:
                continue
            if member == "Inhibit":
                self.taken.append(tuple(message.body))
                self.held.append(COOKIE)
                self._connection.send(new_method_return(message, "u", (COOKIE,)))
            elif member == "Uninhibit":
                self.held.remove(message.body[0])
                self._connection.send(new_method_return(message))

    def close(self) -> None:
        self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._connection.close()


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    with private_bus(tmp_path, monkeypatch), closing(Session(open_dbus_connection("SESSION"))) as session:
        yield session


def plugged_in() -> bool:
    return True


def test_the_system_is_asked_not_to_sleep_and_let_go_afterwards(session: Session) -> None:
    with keep_awake(lambda: True, has_mains=plugged_in):
        assert session.held == [COOKIE]
        assert session.taken[0][3] == SUSPEND, "the screen may go dark"
    assert (session.held, len(session.taken)) == ([], 1)


def test_it_is_let_go_also_when_the_work_fails(session: Session) -> None:
    with pytest.raises(ZeroDivisionError), keep_awake(lambda: True, has_mains=plugged_in):
        assert session.held == [COOKIE]
        _ = 1 / 0
    assert session.held == []


@pytest.mark.parametrize(("wanted", "mains"), [(False, True), (True, False)])
def test_nobody_is_asked_where_it_is_not_wanted_or_on_battery(session: Session, wanted: bool, mains: bool) -> None:
    with keep_awake(lambda: wanted, has_mains=lambda: mains) as look:
        look()
    assert session.taken == []


def test_work_may_be_watched_from_other_threads(session: Session) -> None:
    with keep_awake(lambda: True, has_mains=plugged_in) as look:
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert session.held == [COOKIE]


def test_pulling_the_plug_and_the_setting_count_within_ten_seconds(session: Session) -> None:
    clock, mains, wanted = Clock(), [True], [True]
    with keep_awake(lambda: wanted[0], has_mains=lambda: mains[0], clock=clock) as look:
        mains[0] = False
        look()
        assert session.held == [COOKIE], "looking costs something"
        clock.now_s += LOOK_EVERY_S
        look()
        assert session.held == []
        mains[0] = True
        clock.now_s += LOOK_EVERY_S
        look()
        look()
        assert session.held == [COOKIE]
        wanted[0] = False
        clock.now_s += LOOK_EVERY_S
        look()
        assert session.held == []
    assert len(session.taken) == 2


@pytest.mark.parametrize("address", ["", "disabled:", "unix:path=/nowhere/bus", "unix:nonsense"])
def test_without_a_bus_the_work_goes_on(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    done = False
    with keep_awake(lambda: True, has_mains=plugged_in) as look:
        look()
        done = True
    assert done


def test_a_bus_that_does_not_answer_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_TIMEOUT_S", 0.2)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "silent"))
        server.listen()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'silent'}")
        with keep_awake(lambda: True, has_mains=plugged_in):
            pass  # the test ends although the bus never says anything


class Battery:
    """As psutil tells it."""

    def __init__(self, *, power_plugged: bool | None) -> None:
        self.power_plugged = power_plugged


@pytest.mark.parametrize(
    ("battery", "expected"),
    [
        (None, True),
        (Battery(power_plugged=True), True),
        (Battery(power_plugged=False), False),
        (Battery(power_plugged=None), True),
    ],
)
def test_no_battery_is_mains_power(battery: Battery | None, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    assert has_mains_power() is expected


def test_a_system_that_does_not_know_batteries_is_on_mains_power(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(psutil, "sensors_battery", raising=False)
    assert has_mains_power()
