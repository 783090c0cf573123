"""No program that is at work outlives the test that began it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.harness import BusyProgram


@pytest.fixture(autouse=True)
def ended_programs() -> Iterator[None]:
    """Ends what a failed test left at work."""
    yield
    for program in BusyProgram.begun:
        if program.process.poll() is None:
            program.kill()
    BusyProgram.begun.clear()
