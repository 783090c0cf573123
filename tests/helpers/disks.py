"""Another disk than that of the tests, and one that is too small, where the system lets us have them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SHARED_MEMORY = Path("/dev/shm")


@contextmanager
def other_disk(beside: Path) -> Iterator[Path]:
    """A folder on another volume than `beside`; skips where there is none."""
    if not SHARED_MEMORY.is_dir() or SHARED_MEMORY.stat().st_dev == beside.stat().st_dev:
        pytest.skip("no second volume at /dev/shm")
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY, prefix="fireside-test-") as name:
        yield Path(name)


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """A volume of this size, mounted at `folder`; skips where we may not mount one."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small tmpfs cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
