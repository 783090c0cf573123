"""The door for every text a person reads; catalogues of other languages come in here."""

from __future__ import annotations

import re
from collections.abc import Mapping

from app import APP_NAME
from app.core.visible import settle_directions, size_words, visible_name

_catalogue: dict[str, str] = {}


def tr(text: str, **values: object) -> str:
    """The text in the person's language, with `{names}` filled in when values are given.

    A value called `name` is one from outside, such as a file's, and is made safe to show. None turns what follows it
    around.
    """
    found = _catalogue.get(text, text)
    for key, value in values.items():
        if isinstance(value, str):
            values[key] = visible_name(value) if key == "name" else settle_directions(value)
    return found.format(**values) if values else found


def size_text(size_bytes: float) -> str:
    """The size of a file in the person's language."""
    return size_words(size_bytes, tr)


def window_title(words: str) -> str:
    """What a window of the program is called; no words: by the program's name alone."""
    words = settle_directions(words)
    return f"{words} – {APP_NAME}" if words else APP_NAME


def breakable(text: str) -> str:
    """The text with places to break long paths at, for labels that wrap; nothing of it can be seen."""
    return re.sub(r"(?<=\S)([/\\])(?=\S)", "\\1\u200b", text)


def use_catalogue(entries: Mapping[str, str]) -> None:
    """Replaces the translations; an empty mapping is English."""
    _catalogue.clear()
    _catalogue.update(entries)
