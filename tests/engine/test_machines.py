"""Asking other computers what they lend: who answers, who does not, and who must not be asked at all."""

from __future__ import annotations

import socket
import struct
import threading

import pytest

from app.core.errors.engine_errors import MachineUnusable
from app.engine import rpc_machines
from app.engine.rpc_machines import ask_all, is_private, parse_address, query_machine, watch_connections
from tests.helpers.lenders import HELLO_LENGTH, Answer, a_server, listening


def reason(address: str) -> str:
    with pytest.raises(MachineUnusable) as caught:
        query_machine(address)
    return caught.value.reason


def test_a_machine_says_what_its_devices_have() -> None:
    with listening(a_server(memory=((3, 4), (5, 6)))) as address:
        machine = query_machine(address)
    assert [(one.name, one.free_bytes, one.total_bytes) for one in machine.devices] == [
        (address, 3, 4),
        (f"{address} #2", 5, 6),
    ]
    assert machine.endpoint == address
    assert machine.is_here


@pytest.mark.parametrize(
    "answer",
    [
        lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9),
        lambda connection: connection.sendall(struct.pack("<Q", 1 << 60)),
        lambda connection: connection.recv(HELLO_LENGTH),
        a_server(memory=()),
        a_server(memory=((1, 1),) * 17),
    ],
    ids=["a web server", "a huge answer", "hangs up", "no devices", "too many devices"],
)
def test_what_answers_otherwise_is_no_machine(answer: Answer) -> None:
    with listening(answer) as address:
        assert reason(address) == "other"


def test_another_version_is_told_apart() -> None:
    with listening(a_server(version=(rpc_machines.VERSION[0], rpc_machines.VERSION[1] + 1))) as newer:
        assert reason(newer) == "version"
    with listening(a_server(version=(rpc_machines.VERSION[0] - 1, 0))) as older:
        assert reason(older) == "version"


def test_one_that_takes_the_call_and_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_machines, "ANSWER_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as busy:
        assert reason(f"127.0.0.1:{busy.getsockname()[1]}") == "busy"

    def drip(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"\0")
            threading.Event().wait(0.05)

    with listening(drip) as address:
        assert reason(address) == "busy"


def test_those_that_answer_are_found_among_those_that_do_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        closed = f"127.0.0.1:{found.getsockname()[1]}"
    with listening(a_server()) as first, listening(a_server()) as second:
        good, bad = ask_all([first, closed, "8.8.8.8:1", second])
    assert [machine.address for machine in good] == [first, second]
    assert [(problem.address, problem.reason) for problem in bad] == [(closed, "refused"), ("8.8.8.8:1", "public")]


@pytest.mark.parametrize(
    ("number", "private"),
    [
        *(
            (number, True)
            for number in ("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.7", "169.254.3.4", "100.64.0.9")
        ),
        *((number, False) for number in ("8.8.8.8", "172.32.0.1", "0.0.0.0", "224.0.0.1", "::1")),
    ],
)
def test_only_private_numbers_are_private(number: str, private: bool) -> None:
    assert is_private(number) is private


@pytest.mark.parametrize(
    "address", ["", ":50052", "host:", "host:0", "host:65536", "host:x", "a b", "u@h:1", "[::1]:1"]
)
def test_what_is_no_address_is_told_before_anything_is_asked(address: str) -> None:
    assert reason(address) == "address"


def test_an_address_may_leave_the_port_out() -> None:
    assert parse_address(" gpu-box.local ") == ("gpu-box.local", rpc_machines.DEFAULT_PORT)


def test_a_silent_end_of_a_connection_is_noticed_by_the_system() -> None:
    before = watch_connections()
    with socket.create_server(("127.0.0.1", 0)) as door, socket.create_connection(door.getsockname()) as connection:
        other, _ = door.accept()
        with other:
            assert watch_connections() == before + 2
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            connection.sendall(b"still ours")
            assert other.recv(10) == b"still ours"
