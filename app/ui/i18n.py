"""Translation of all visible texts (`app.core.catalogue`), and what the window adds to it."""

from __future__ import annotations

import re

from app import APP_NAME
from app.core import catalogue
from app.core.catalogue import InContext, Translatable
from app.core.visible import visible_line
from app.features import error_messages
from app.features.error_messages import PersonMessage
from app.ui.locale_formats import format_size as size_text
from app.ui.shown_texts import remember_text

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


def tr(text: Translatable, /, **values: object) -> str:
    """Translate a text and fill in `{names}`, as `catalogue.tr`; it is written anew when the language changes."""
    return remember_text(catalogue.tr(text, **values), catalogue.tr, text, **values)


def tr_count(one: Translatable, other: Translatable, count: int, /, **values: object) -> str:
    """Translate a text for a count, as `catalogue.tr_count`; it is written anew when the language changes."""
    shown = catalogue.tr_count(one, other, count, **values)
    return remember_text(shown, catalogue.tr_count, one, other, count, **values)


def sentence_for(error: BaseException) -> PersonMessage:
    """Return what to tell of an exception, in the user's language."""
    return error_messages.sentence_for(error, tr)


def window_title(words: str) -> str:
    """Return a window title; without words it is the program's name."""
    words = visible_line(words)
    return remember_text(f"{words} – {APP_NAME}", window_title, words=words) if words else APP_NAME


def breakable(text: str) -> str:
    """Insert invisible break opportunities into paths, for wrapping labels."""
    return re.sub(r"(?<=\S)([/\\])(?=\S)", "\\1\u200b", text)
