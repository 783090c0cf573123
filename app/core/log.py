"""Rotating log file. No message text at INFO: what the user writes stays out of it."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import sys
from io import TextIOWrapper
from pathlib import Path

from app.core.paths import make_folder, private_opener

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# With two older ones beside it.
MAX_BYTES = 1_000_000


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """A log file that is as private as its folder, and says nothing about a full disk."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Ignore write errors: with a full disk, every line would add a traceback on standard error."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        """Close the file, ignoring lines that found no room."""
        with contextlib.suppress(OSError):
            super().close()

    def _open(self) -> TextIOWrapper:
        return open(  # type: ignore[return-value]
            self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=private_opener
        )


def start_log(folder: Path) -> logging.Handler | None:
    """Attach a rotating file to the root logger; return it, or None if the folder isn't writable."""
    try:
        make_folder(folder)
        handler = _PrivateFile(
            # "backslashreplace": file names need not be UTF-8, and a log line must not fail.
            folder / "fireside.log",
            maxBytes=MAX_BYTES,
            backupCount=2,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except OSError:
        return None
    handler.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return handler


def end_log(handler: logging.Handler | None) -> None:
    if handler is not None:
        # Left there, a second start in this process would write each line twice.
        logging.getLogger().removeHandler(handler)
        handler.close()
