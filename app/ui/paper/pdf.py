"""A PDF file: put in its place in one step, when it is whole."""

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
from app.features.work.saved_file import put, scratch_beside
from app.ui.paper.sheets import page_layout

DPI = 1200
"""Nothing on the paper has to be a picture: this is how exactly lines and letters stand."""


@contextmanager
def pdf_file(path: Path, title: str) -> Iterator[QPdfWriter]:
    """What is to be painted on; what was there before is replaced at the end. From any thread.

    Raises DiskFull or FolderNotWritable.
    """
    timers = QEventLoop()  # noqa: F841 - gives the thread what a long text wants that lays itself out bit by bit
    try:
        with scratch_beside(path, ".pdf") as scratch:
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
                del writer  # it writes the end of the file
                if not file.flush() or file.error() != QFile.FileError.NoError:
                    raise OSError(errno.ENOSPC, file.errorString())  # it was open: there is no room for more
                os.fsync(file.handle())
            finally:
                file.close()
            put(scratch, path)
    except OSError as error:
        raise disk_problem(error, path.parent) from error
