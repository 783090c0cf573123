"""Translation of all visible texts; catalogues of other languages are set here."""

from __future__ import annotations

import re
from collections.abc import Mapping

from app import APP_NAME
from app.core.visible import settle_directions, size_words, visible_line, visible_name
from app.features import error_messages
from app.features.error_messages import PersonMessage

_catalogue: dict[str, str] = {}


def tr(text: str, **values: object) -> str:
    """Translate a text and fill in `{names}`; a value called `name`, such as a file name, is cleaned."""
    found = _catalogue.get(text, text)
    for key, value in values.items():
        # No value may change the direction of the text after it.
        if isinstance(value, str):
            values[key] = visible_name(value) if key == "name" else settle_directions(value)
    return found.format(**values) if values else found


def sentence_for(error: BaseException) -> PersonMessage:
    """Return what to tell of an exception, in the user's language."""
    return error_messages.sentence_for(error, tr)


def size_text(size_bytes: float) -> str:
    """Format a file size in the user's language, such as 1.2 GB."""
    return size_words(size_bytes, tr)


def window_title(words: str) -> str:
    """Return a window title; without words it is the program's name."""
    words = visible_line(words)
    return f"{words} – {APP_NAME}" if words else APP_NAME


def breakable(text: str) -> str:
    """Insert invisible break opportunities into paths, for wrapping labels."""
    return re.sub(r"(?<=\S)([/\\])(?=\S)", "\\1\u200b", text)


def use_catalogue(entries: Mapping[str, str]) -> None:
    """Replace the translations of all texts; an empty mapping is English."""
    _catalogue.clear()
    _catalogue.update(entries)
