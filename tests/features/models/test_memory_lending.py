"""Lending memory from the window's process: where it listens, a port that is taken, and the end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors.engine_errors import MachineUnusable
from app.engine.rpc_machines import query_machine
from app.features.models.memory_lending import LendingState, MemoryLending, is_lendable
from tests.helpers.program import wait_until


@pytest.fixture
def lending(fresh_home: Path) -> Iterator[MemoryLending]:
    lending = MemoryLending(fresh_home)
    yield lending
    lending.close()


@pytest.mark.model
def test_a_port_that_is_taken_becomes_a_free_one(lending: MemoryLending) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        lending.start("127.0.0.1", port)
        assert lending.state == LendingState("127.0.0.1")
        wait_until(lambda: lending.state.address or lending.state.error, "an address")
        assert lending.state.address not in ("", f"127.0.0.1:{port}")
    address = lending.state.address
    assert [device.free_bytes for device in query_machine(address).devices]
    wait_until(lambda: not lending.state.is_used, "nobody to use it")
    lending.close()
    assert lending.state == LendingState()
    with pytest.raises(MachineUnusable):
        query_machine(address)


@pytest.mark.parametrize("host", ["8.8.8.8", "0.0.0.0", "::1", "example.org", ""])
def test_nothing_is_lent_to_an_open_network(lending: MemoryLending, host: str) -> None:
    assert not is_lendable(host)
    with pytest.raises(ValueError):
        lending.start(host)
    assert lending.state == LendingState()
