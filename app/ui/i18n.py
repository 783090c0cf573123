"""Translation of all visible texts (`app.core.catalogue`), and what the window adds to it."""

from __future__ import annotations

import re

from app import APP_NAME
from app.core.catalogue import InContext, Translatable, tr, tr_count
from app.core.visible import visible_line
from app.features import error_messages
from app.features.error_messages import PersonMessage
from app.ui.locale_formats import format_size as size_text

__all__ = [
    "InContext",
    "Translatable",
    "breakable",
    "sentence_for",
    "size_text",
    "tr",
    "tr_count",
    "window_title",
]


def sentence_for(error: BaseException) -> PersonMessage:
    """Return what to tell of an exception, in the user's language."""
    return error_messages.sentence_for(error, tr)


def window_title(words: str) -> str:
    """Return a window title; without words it is the program's name."""
    words = visible_line(words)
    return f"{words} – {APP_NAME}" if words else APP_NAME


def breakable(text: str) -> str:
    """Insert invisible break opportunities into paths, for wrapping labels."""
    return re.sub(r"(?<=\S)([/\\])(?=\S)", "\\1\u200b", text)
