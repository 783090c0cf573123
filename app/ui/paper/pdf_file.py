"""PDF file, moved to its place once complete."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QEventLoop, QFile, QIODevice
from PySide6.QtGui import QPdfWriter

from app import APP_NAME, __version__
from app.core.paths import disk_problem
from app.features.work.saved_file import replace_file, scratch_beside
from app.ui.paper.sheets import page_layout

DPI = 1200
"""Resolution of text positions; nothing is rasterized, so it costs no size."""


@contextmanager
def pdf_file(path: Path, title: str) -> Iterator[QPdfWriter]:
    """Yield a PDF writer; the file at `path` is replaced at the end.

    Works on any thread. Raises DiskFull or FolderNotWritable.
    """
    timers = QEventLoop()  # noqa: F841 - gives the thread what a long text wants that lays itself out bit by bit
    try:
        with scratch_beside(path, ".pdf") as scratch:
            # Private from the start: Qt would create the file by the user's umask.
            os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            file = QFile(str(scratch))
            if not file.open(QIODevice.OpenModeFlag.WriteOnly):
                raise PermissionError(errno.EACCES, file.errorString())
            try:
                writer = QPdfWriter(file)
                writer.setResolution(DPI)
                writer.setTitle(title)
                writer.setCreator(f"{APP_NAME} {__version__}")
                writer.setPageLayout(page_layout())
                yield writer
                del writer  # its destructor writes the end of the file
                if not file.flush() or file.error() != QFile.FileError.NoError:
                    raise OSError(errno.ENOSPC, file.errorString())  # it could be opened, so the disk is full
                os.fsync(file.handle())
            finally:
                file.close()
            replace_file(scratch, path)
    except OSError as error:
        raise disk_problem(error, path.parent) from error
