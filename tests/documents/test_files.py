"""The file that is written to: made once, never over another one, and what a full disk is called."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from app.core.errors.document_errors import DocumentUnreadable
from app.core.errors.engine_errors import ProtocolViolation
from app.core.errors.saving_errors import DiskFull, FolderNotWritable
from app.documents.child_files import OutputFile, make_output, problem


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The file that is read."""
    path = tmp_path / "source"
    path.write_text("source")
    return path


def test_what_is_written_is_there(tmp_path: Path, source: Path) -> None:
    make_output(tmp_path / "out")
    with OutputFile(tmp_path / "out", source) as out:
        out.write(b"words, and more")
        out.seek(0)
        out.write(b"W")
    assert (tmp_path / "out").read_bytes() == b"Words, and more"


def test_an_output_is_made_where_nothing_is(tmp_path: Path, source: Path) -> None:
    with pytest.raises(FileExistsError):
        make_output(source)
    with pytest.raises(FolderNotWritable):
        make_output(tmp_path / "none" / "out")
    assert source.read_text() == "source"


def test_no_file_with_something_in_it_is_written_to(tmp_path: Path, source: Path) -> None:
    (tmp_path / "full").write_text("mine")
    (tmp_path / "same").hardlink_to(source)
    for path in (tmp_path / "full", source, tmp_path / "same"):
        with pytest.raises(ProtocolViolation):
            OutputFile(path, source)


@pytest.mark.skipif(os.name != "posix", reason="the limit is POSIX's")
def test_a_disk_that_takes_no_more_is_told(tmp_path: Path, source: Path) -> None:
    import resource

    make_output(tmp_path / "out")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(DocumentUnreadable) as caught, OutputFile(tmp_path / "out", source) as out:
            out.write(b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.reason == "inflates"


def test_what_a_failed_write_means(tmp_path: Path) -> None:
    assert isinstance(problem(OSError(errno.ENOSPC, ""), tmp_path / "f"), DiskFull)
    assert isinstance(problem(OSError(errno.EROFS, ""), tmp_path / "f"), FolderNotWritable)


def test_what_fails_while_it_is_written_is_raised_as_it_is(tmp_path: Path, source: Path) -> None:
    make_output(tmp_path / "out")
    with pytest.raises(KeyError), OutputFile(tmp_path / "out", source) as out:
        out.write(b"x")
        raise KeyError
