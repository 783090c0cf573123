"""Settings of an administrator for every person of this computer, in a file that is theirs: JSON like settings.json."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from app.core.lazy_dataclasses import dataclass, field

VARIABLE = "FIRESIDE_POLICY"
"""Names another file, such as one that an administrator tries."""


@dataclass(frozen=True)
class AdminPolicy:
    """`sections` holds values by section and key, unchecked. `is_broken`: the file is there and can't be used."""

    path: Path
    sections: dict[str, Any] = field(default_factory=dict)
    is_broken: bool = False


def policy_path() -> Path:
    """Return where the file of an administrator is looked for on this system."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "Fireside" / "settings.json"
    if sys.platform == "darwin":
        return Path("/Library/Application Support/Fireside/settings.json")
    return Path("/etc/fireside/settings.json")


def read_policy() -> AdminPolicy:
    """Read the administrator's file; without one nothing is set."""
    path = policy_path()
    try:
        raw = json.loads(path.read_text("utf-8-sig"))  # Windows editors put a mark in front
    except (FileNotFoundError, NotADirectoryError):
        return AdminPolicy(path)
    except (OSError, ValueError, RecursionError):
        raw = None
    return AdminPolicy(path, raw) if isinstance(raw, dict) else AdminPolicy(path, is_broken=True)
