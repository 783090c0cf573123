"""What is shown, compared with a text of the program that has fields: whatever they were filled in with."""

from __future__ import annotations

import re

FIELD = re.compile(r"\{[^{}]*\}")


def shows(text: str, shown: str) -> bool:
    """Return whether a text of the program stands in what is shown, its fields filled in with anything."""
    return re.search(".*?".join(map(re.escape, FIELD.split(text))), shown, re.DOTALL) is not None


def start_of(text: str) -> str:
    """Return what a text begins with, up to its first field."""
    return FIELD.split(text)[0]


def end_of(text: str) -> str:
    """Return what a text ends with, after its last field."""
    return FIELD.split(text)[-1]
