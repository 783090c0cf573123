"""Fetches the Debian Administrator's Handbook, which benchmarks make long chats of: the same text in many languages.

apt checks it by its signature. It goes into a folder of ``${XDG_CACHE_HOME:-~/.cache}/fireside``; nothing of it is
installed, committed or shipped.
"""

from __future__ import annotations

from pathlib import Path

from translation_data import made_folder, take_package

PACKAGE = "debian-handbook"
_INSIDE = "usr/share/doc/debian-handbook/html"


def handbook_folder() -> Path:
    """A folder for each language, such as "en-US"; fetched where it is not there yet."""

    def make(scratch: Path, folder: Path) -> None:
        take_package(scratch, PACKAGE, folder)

    return made_folder("handbook", PACKAGE, "Fetching a handbook in many languages (35 MB).", make) / _INSIDE
