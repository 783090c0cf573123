"""Names of models: one for window, answers, lists and terminal."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from app.core.paths import runs_elsewhere, starter_model
from app.core.visible import visible_name

STARTER_NAME = "Starter"


def display_name(path: Path, label: str = "") -> str:
    """Return the user's `label`, else the catalog's name, else the file's name without quantization.

    Reads only the file's size, so that lists can be drawn quickly.
    """
    if label:
        return visible_name(label)
    # Its name in the file is that of a training run.
    if path == starter_model():
        return STARTER_NAME
    if runs_elsewhere(path):
        return visible_name(path.stem).rpartition("--")[2]  # without who published it
    from app.hub.model_library import display_name as file_title  # who has the starter alone does without

    return _suggested_name(path) or visible_name(file_title(path))


def _suggested_name(path: Path) -> str:
    """Return its catalog name; "" for other models, or a missing file."""
    try:
        size_bytes = path.stat().st_size
    except OSError:
        return ""
    return _name_of_file(path.name, size_bytes)


@lru_cache(maxsize=256)
def _name_of_file(name: str, size_bytes: int) -> str:
    from app.hub.catalog import load_catalog

    return next((entry.name for entry in load_catalog() if entry.is_file(name, size_bytes)), "")
