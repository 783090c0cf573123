"""A rotating log file. No message text at INFO: what a person writes stays out of it."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
MAX_BYTES = 1_000_000


def start_log(folder: Path, name: str = "fireside.log") -> logging.Handler | None:
    """Attaches a rotating file to the root logger; returns it, or None when the folder refuses."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            folder / name, maxBytes=MAX_BYTES, backupCount=2, encoding="utf-8", errors="backslashreplace"
        )
    except OSError:
        return None
    handler.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return handler
