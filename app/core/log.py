"""A rotating log file. No message text at INFO: what a person writes stays out of it."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import sys
from io import TextIOWrapper
from pathlib import Path

from app.core.paths import make_folder, private_opener

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
MAX_BYTES = 1_000_000


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """As closed to others as its folder, from the first byte."""

    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk has no log; nothing is said of that on standard error with every line."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        """Let go of the file, whatever of the last lines found no room."""
        with contextlib.suppress(OSError):
            super().close()

    def _open(self) -> TextIOWrapper:
        return open(  # type: ignore[return-value]
            self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=private_opener
        )


def start_log(folder: Path, name: str = "fireside.log") -> logging.Handler | None:
    """Attach a rotating file to the root logger; returns it, or None when the folder refuses."""
    try:
        make_folder(folder)
        handler = _PrivateFile(
            folder / name, maxBytes=MAX_BYTES, backupCount=2, encoding="utf-8", errors="backslashreplace"
        )
    except OSError:
        return None
    handler.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return handler
