"""A file that a person asked for, written beside its place and put there in one step, when it is whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.core.disk import disk_problem


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """The file to write to; what was there before is replaced at the end. Raises DiskFull or FolderNotWritable."""
    try:
        handle, name = tempfile.mkstemp(prefix=".fireside-", dir=path.parent)
    except OSError as error:
        raise disk_problem(error, path.parent) from error
    scratch = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        put(scratch, path)
    except OSError as error:
        raise disk_problem(error, path.parent) from error
    finally:
        scratch.unlink(missing_ok=True)


def put(scratch: Path, path: Path) -> None:
    """A whole file takes its place, with the mode of the file it replaces, or of any new file. Raises OSError."""
    if path.exists():
        scratch.chmod(path.stat().st_mode & 0o777)
    else:
        mask = os.umask(0)
        os.umask(mask)
        scratch.chmod(0o666 & ~mask)
    scratch.replace(path)
