"""Settings as an administrator may set them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app.core.settings import Settings
from app.ui.shell.settings_index import STORED_AS


def lockable() -> dict[str, Any]:
    """A file that sets all that has a row, as it is without one."""
    everything, found = asdict(Settings()), dict[str, Any]()
    for name in STORED_AS.values():
        section, _, key = name.partition(".")
        found.setdefault(section, {})[key] = everything[section][key]
    return found
