"""Names of models: one for window, answers, lists and terminal."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from app.core.catalogue import Translatable
from app.core.paths import runs_elsewhere, starter_model
from app.core.visible import visible_name

STARTER_NAME = "Starter"
_TOTAL = re.compile(r"(?<![a-z0-9.])(\d+x)?(\d+(?:\.\d+)?)([bm])(?![a-z0-9])", re.IGNORECASE)
_ACTIVE = re.compile(r"(?<![a-z0-9.])a(\d+(?:\.\d+)?)b(?![a-z0-9])", re.IGNORECASE)


def stated_parameters(name: str) -> tuple[int, int]:
    """Return a model's parameters and those read per token, as its name says: 35B-A3B. 0 where it doesn't."""
    total, active = _TOTAL.search(name), _ACTIVE.search(name)
    if total is None:
        return 0, 0
    experts = int(total[1][:-1]) if total[1] else 1
    count = round(experts * float(total[2]) * (10**9 if total[3].lower() == "b" else 10**6))
    if active is not None:
        return count, min(count, round(float(active[1]) * 10**9))
    # Of 8x7B only some experts are read, and the name doesn't say how many.
    return count, 0 if total[1] else count


def display_name(path: Path, label: str = "") -> Translatable:
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
