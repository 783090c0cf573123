"""`lend` in the terminal: it says where it listens and warns, answers there until Ctrl+C, and refuses open networks."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pytest

from app.cli.lend import LOCAL_WARNING, WARNING
from app.engine.rpc_machines import query_machine
from tests.helpers import warm
from tests.helpers.terminal import ROOT, command, fireside


@pytest.mark.model
def test_it_lends_at_the_address_it_says_until_it_is_interrupted(fresh_home: Path) -> None:
    with warm.Process(
        command(["lend", "--port", "0", "--memory", "0.5"]),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stderr is not None
        address = re.search(r"127\.0\.0\.1:\d+", process.stderr.readline())
        assert address is not None
        assert "0.5 of 0.5 GB" in process.stderr.readline()
        said = "".join(process.stderr.readline() for _ in range(4))
        assert LOCAL_WARNING in said
        assert WARNING in said
        (device,) = query_machine(address[0]).devices
        assert 0 < device.free_bytes <= device.total_bytes == 500_000_000
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""


@pytest.mark.parametrize("host", ["8.8.8.8", "0.0.0.0", "::", "example.org"])
def test_an_open_network_is_refused(host: str) -> None:
    result = fireside("lend", "--host", host)
    assert (result.returncode, result.stdout) == (2, "")
    assert "--host" in result.stderr
