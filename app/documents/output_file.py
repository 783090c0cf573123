"""The file that a translated document is written to: made by the parent, filled by the child, over no other file."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from app.core.errors import AppError, DiskFull, DocumentUnreadable, FolderNotWritable, ProtocolViolation

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def make_output(path: Path) -> None:
    """Makes an empty file for the child; raises FolderNotWritable, DiskFull, and FileExistsError where there is one."""
    try:
        path.open("xb").close()
    except FileExistsError:
        raise
    except OSError as error:
        raise problem(error, path) from error


def problem(error: OSError, path: Path) -> AppError:
    """What became of writing; EFBIG is the child's own limit."""
    if error.errno == errno.EFBIG:
        return DocumentUnreadable(str(path), "inflates")
    return DiskFull(str(path.parent)) if error.errno in _FULL else FolderNotWritable(str(path.parent))


class OutputFile:
    """Within the block, the file to write to; behind it, all of it is on the disk. Raises what `problem` tells."""

    def __init__(self, path: Path, source: Path) -> None:
        """`path` is what `make_output` made; raises ProtocolViolation for any other file."""
        if path.samefile(source) or path.stat().st_size or not path.is_file():
            raise ProtocolViolation("the output is no empty file")
        self._path = path
        self._file = io.BufferedRandom(_Raw(path))

    def __enter__(self) -> BinaryIO:
        return cast(BinaryIO, self._file)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._file.raw.close()
            return
        with self._file:
            self._file.flush()
            try:
                os.fsync(self._file.fileno())
            except OSError as failed:
                raise problem(failed, self._path) from failed


class _Raw(io.FileIO):
    """Says of a failed write what it means, which the failed reading of a source does not mean."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "r+")
        self._path = path

    def write(self, data: object, /) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]
        except OSError as error:
            raise problem(error, self._path) from error
