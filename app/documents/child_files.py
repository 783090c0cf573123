"""The files that a document child works on: the one it reads, the translations it is given, the one it writes."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO, cast

from app.core.errors.app_error import AppError
from app.core.errors.document_errors import DocumentUnreadable
from app.core.errors.engine_errors import ProtocolViolation
from app.core.paths import disk_problem
from app.documents.segments import Content, content_from_json

HASHED_BYTES = 1024 * 1024

_REASONS = {
    "missing": (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG),
    "denied": (errno.EACCES, errno.EPERM, errno.EIO, errno.EBUSY, errno.ETIMEDOUT),
    "folder": (errno.EISDIR,),
    "not_a_file": (errno.ELOOP, errno.ENXIO),
    "changed": (errno.ESTALE,),
}


def reason_of(error: OSError) -> str:
    """Return the reason for an OSError; `damaged` for errors that a reader caused with wrong offsets."""
    return next((reason for reason, numbers in _REASONS.items() if error.errno in numbers), "damaged")


def check_file(path: Path) -> os.stat_result:
    """Return the status of a regular file with content; raises DocumentUnreadable for anything else."""
    try:
        found = path.stat()
        # Nothing else is ever opened: reading a pipe or a device may never end, and has effects.
        if not stat.S_ISREG(found.st_mode):
            raise DocumentUnreadable(str(path), "folder" if stat.S_ISDIR(found.st_mode) else "not_a_file")
        # It may have become a pipe by now, which must not be waited for.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        os.close(descriptor)
    except OSError as error:
        reason = "missing" if error.errno == errno.EINVAL else reason_of(error)  # Windows, for a name it cannot have
        raise DocumentUnreadable(str(path), reason) from error
    except ValueError as error:  # a name that no system can have
        raise DocumentUnreadable(str(path), "missing") from error
    if found.st_size == 0:
        raise DocumentUnreadable(str(path), "empty")
    return found


def open_checked(path: Path, mode: str) -> IO[Any]:
    """Open a file in binary mode; for reading, raises as `check_file` does."""
    if mode == "rb":
        check_file(path)
    return path.open(mode)


def sha256_of(path: Path, on_part: Callable[[], None]) -> str:
    """Return the file's SHA-256; `on_part` is called after each megabyte. Raises OSError."""
    # Unbuffered: a megabyte a read is large enough, and Python's buffer would only copy it once more.
    import hashlib  # OpenSSL comes with it: 4 MB that a window without a document does without

    found = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while data := file.read(HASHED_BYTES):
            found.update(data)
            on_part()
    return found.hexdigest()


def require_unchanged(path: Path, before: os.stat_result) -> None:
    """Raise DocumentUnreadable ("changed") if the file was replaced or changed since `check_file`."""
    after = path.stat()
    # The inode tells a file that was replaced by one of the same size and time, as editors save.
    if any(getattr(before, name) != getattr(after, name) for name in ("st_size", "st_mtime_ns", "st_ino")):
        raise DocumentUnreadable(str(path), "changed")


def make_output(path: Path) -> None:
    """Create an empty output file for the child. Raises FolderNotWritable, DiskFull, or FileExistsError."""
    try:
        # "x": the name was chosen by a dialog some time ago, and a file that came meanwhile must not be overwritten.
        path.open("xb").close()
    except FileExistsError:
        raise
    except OSError as error:
        raise problem(error, path) from error


def problem(error: OSError, path: Path) -> AppError:
    """Return what became of writing; EFBIG is the child's own limit."""
    if error.errno == errno.EFBIG:
        return DocumentUnreadable(str(path), "inflates")
    return disk_problem(error, path.parent)


class OutputFile:
    """Within the block, the file to write to; behind it, all of it is on the disk. Raises what `problem` tells."""

    def __init__(self, path: Path, source: Path) -> None:
        """`path` must come from `make_output`; raises ProtocolViolation for any other file."""
        # The parent made it with `make_output`, and a request that names any other file would overwrite somebody's
        # work.
        if path.samefile(source) or path.stat().st_size or not path.is_file():
            raise ProtocolViolation("the output is no empty file")
        self._path = path
        self._file = io.BufferedRandom(_FailedWrite(path))

    def __enter__(self) -> BinaryIO:
        return cast(BinaryIO, self._file)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            # Only the descriptor is closed: flushing what is buffered would raise a second error and hide the first.
            self._file.raw.close()
            return
        with self._file:
            self._file.flush()
            try:
                # The parent renames it to its final name at once; without this a power cut could leave an empty file
                # there.
                os.fsync(self._file.fileno())
            except OSError as failed:
                raise problem(failed, self._path) from failed


class _FailedWrite(io.FileIO):
    """File that marks write errors, to tell them from errors reading the source."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "r+")
        self._path = path

    def write(self, data: object, /) -> int:
        try:
            # An error of writing surfaces in the middle of a reader otherwise, which takes every OSError for one of its
            # source.
            return super().write(data)  # type: ignore[arg-type]
        except OSError as error:
            raise problem(error, self._path) from error


# `write_translations` puts the id first, so that a line need not be parsed to be found again.
_ID = re.compile(rb'\{"id": (\d{1,18}),')


def write_translations(path: Path, translations: Iterable[tuple[int, Content]]) -> None:
    """Write translations by segment id, as they come. Raises OSError."""
    with path.open("wb") as file:
        for id_, content in translations:
            # ASCII with escapes: a lone surrogate or a line separator of Unicode could otherwise break a line or the
            # encoding.
            line = json.dumps({"id": id_, "content": content})
            file.write(line.encode("ascii") + b"\n")


class TranslationsFile:
    """Translations by segment id, kept as raw lines. The last of several for one id counts."""

    def __init__(self, path: Path) -> None:
        """Raise OSError, and ProtocolViolation where it is no such file."""
        self._lines: dict[int, bytes] = {}
        with path.open("rb") as file:
            for line in file:
                found = _ID.match(line)
                if found is None:
                    raise ProtocolViolation("not a line with a translation")
                # Lines stay bytes: parsed, 100,000 translations would take several times the memory, and each is needed
                # once.
                self._lines[int(found[1])] = line

    def find(self, id_: int) -> Content | None:
        """Return the translation of a segment, None without one; raises ProtocolViolation for a line that has none."""
        line = self._lines.get(id_)
        try:
            return None if line is None else content_from_json(json.loads(line)["content"])
        except (KeyError, TypeError, ValueError) as error:
            raise ProtocolViolation(f"no translation: {type(error).__name__}") from error
