"""The log file: bounded, readable, and never a reason to stop."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.log import MAX_BYTES, start_log


@pytest.fixture
def handler(tmp_path: Path) -> Iterator[logging.Handler]:
    level = logging.getLogger().level
    started = start_log(tmp_path / "deep" / "logs")
    assert started is not None
    yield started
    logging.getLogger().removeHandler(started)
    logging.getLogger().setLevel(level)
    started.close()


def written(tmp_path: Path) -> str:
    return (tmp_path / "deep" / "logs" / "fireside.log").read_text("utf-8")


def test_records_from_info_on_reach_the_file(tmp_path: Path, handler: logging.Handler) -> None:
    logging.getLogger("app.test").info("started %d", 1)
    logging.getLogger("app.test").debug("details")
    text = written(tmp_path)
    assert "INFO app.test: started 1" in text
    assert "details" not in text


def test_any_text_can_be_written(tmp_path: Path, handler: logging.Handler, capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("app.test").info("a file called %s", "caf\udce9 🔥 مرحبا")
    assert "🔥 مرحبا" in written(tmp_path)
    assert capsys.readouterr().err == ""


def test_the_file_stays_small_and_two_older_ones_are_kept(tmp_path: Path, handler: logging.Handler) -> None:
    for _ in range(45):
        logging.getLogger("app.test").info("x" * (MAX_BYTES // 10))
    files = sorted(file.name for file in (tmp_path / "deep" / "logs").iterdir())
    assert files == ["fireside.log", "fireside.log.1", "fireside.log.2"]
    assert all(file.stat().st_size <= MAX_BYTES for file in (tmp_path / "deep" / "logs").iterdir())


def test_a_folder_that_refuses_leaves_the_program_without_a_log(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    before = list(logging.getLogger().handlers)
    assert start_log(tmp_path / "file" / "logs") is None
    assert logging.getLogger().handlers == before
