"""What is put back after a power cut: whatever was synced, and of the rest anything that a disk may hold."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.write_record import WriteRecord, recorded

MOMENTS = 60
OLD, NEW = b"old " * 500, b"new " * 500
CAREFUL = "with open('new', 'wb') as file: file.write(NEW); file.flush(); os.fsync(file.fileno())"
HASTY = "with open('new', 'wb') as file: file.write(NEW)"
IN_PLACE = "with open('kept', 'rb+') as file: file.write(NEW)"
RENAME = "os.rename(os.path.abspath('new'), os.path.abspath('kept'))"
SYNC = "handle = os.open('.', os.O_RDONLY); os.fsync(handle)"
pytestmark = pytest.mark.skipif(sys.platform != "linux" or shutil.which("strace") is None, reason="no strace here")


def record_steps(folder: Path, *steps: str) -> tuple[WriteRecord, Path]:
    """What a program does in a folder where one file lies already."""
    disk = folder / "disk"
    disk.mkdir()
    (disk / "kept").write_bytes(OLD)
    record, trace = WriteRecord(disk), folder / "trace"
    program = "\n".join(["import os", f"os.chdir({str(disk)!r})", f"NEW = {NEW!r}", *steps])
    around = [part for part in recorded(trace) if part != "-D"]
    subprocess.run([*around, sys.executable, "-S", "-c", program], check=True)
    record.read_trace(trace)
    return record, disk


def contents_after(record: WriteRecord, disk: Path, *, is_over: bool) -> set[bytes]:
    """What the file holds after power went somewhere, or when all was done."""
    found = set()
    for moment, chance in record.moments(MOMENTS, "write record"):
        record.put_back(len(record.calls) if is_over else moment, chance)
        found.add((disk / "kept").read_bytes())
    return found


def test_a_file_that_is_synced_and_renamed_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    record, disk = record_steps(tmp_path, CAREFUL, RENAME, SYNC)
    assert contents_after(record, disk, is_over=False) == {OLD, NEW}
    assert contents_after(record, disk, is_over=True) == {NEW}


def test_a_name_that_is_not_synced_may_be_the_old_one(tmp_path: Path) -> None:
    record, disk = record_steps(tmp_path, CAREFUL, RENAME)
    assert contents_after(record, disk, is_over=True) == {OLD, NEW}


@pytest.mark.parametrize("steps", [(HASTY, RENAME, SYNC), (IN_PLACE,)], ids=["renamed", "in place"])
def test_what_is_not_synced_may_be_torn(tmp_path: Path, steps: tuple[str, ...]) -> None:
    record, disk = record_steps(tmp_path, *steps)
    found = contents_after(record, disk, is_over=True)
    assert NEW in found
    assert found - {OLD, NEW}
