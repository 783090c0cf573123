"""Every test runs once and is told once, also where one takes its process with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
import os, signal
from pathlib import Path
import pytest

RAN = Path(__file__).with_name("ran")

@pytest.fixture(scope="module", autouse=True)
def told_at_the_end():
    yield
    with RAN.open("a") as file:
        file.write("end\\n")

@pytest.mark.parametrize("number", range(60))
def test_it(number):
    with RAN.open("a") as file:
        file.write(f"{number}\\n")
    print("said by", number)
    if number == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    assert number != 20
    if number == 30:
        pytest.skip("not today")
"""


def pytest_of(folder: Path, *arguments: str) -> str:
    (folder / "test_some.py").write_text(TESTS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.helpers.workers",
        "--rootdir",
        str(folder),
        "-c",
        "/dev/null",
    ]
    environment = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [*command, *arguments, str(folder)],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert not done.stderr
    return done.stdout


def test_each_runs_once_and_one_that_takes_its_process_with_it_is_named(tmp_path: Path) -> None:
    said = pytest_of(tmp_path, "--workers", "3")
    assert "2 failed, 57 passed, 1 skipped" in said
    assert "the process that ran it has ended: -9" in said
    assert "test_it[7]" in said
    assert "said by 20" in said
    assert "said by 21" not in said
    ran = (tmp_path / "ran").read_text().split()
    assert sorted(int(one) for one in ran if one != "end") == list(range(60))
    assert "end" in ran


def test_it_ends_early_where_that_is_wanted(tmp_path: Path) -> None:
    said = pytest_of(tmp_path, "--workers", "1", "-x")
    assert "1 failed, 7 passed" in said
    assert "stopping after 1 failures" in said
