"""Translation of all visible texts (`app.core.catalogue`), and what the window adds to it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app import APP_NAME
from app.core import catalogue
from app.core.catalogue import InContext, Translatable, tr, tr_count
from app.core.visible import visible_line
from app.features.error_messages import sentence_for
from app.ui.locale_formats import format_size as size_text
from app.ui.shown_texts import remember_joined, remember_text

__all__ = [
    "InContext",
    "Translatable",
    "breakable",
    "join_lines",
    "join_sentences",
    "label_value",
    "number_suffix",
    "sentence_for",
    "size_text",
    "tr",
    "tr_count",
    "translated_choices",
    "window_title",
    "with_key",
]


# A change of language writes anew what the window shows, whoever translated it.
catalogue.use_text_memory(remember_text)


def translated_choices(choices: Iterable[tuple[str, Translatable]]) -> list[tuple[str, str]]:
    """Translate the labels of the values that a choice offers."""
    return [(value, tr(label)) for value, label in choices]


def number_suffix(unit: Translatable) -> str:
    """Return a unit as it follows the number in its field."""
    return remember_text(f" {tr(unit)}", number_suffix, unit)


def window_title(words: str) -> str:
    """Return a window title; without words it is the program's name."""
    words = visible_line(words)
    return remember_text(f"{words} – {APP_NAME}", window_title, words=words) if words else APP_NAME


def label_value(label: str, value: str) -> str:
    """Return a label with its value, such as "Language: English"."""
    return remember_text(f"{label}: {value}", label_value, label=label, value=value)


def with_key(words: str, keys: str) -> str:
    """Return words with the keys that do the same, such as "Send (Enter)"."""
    return remember_text(f"{words} ({keys})", with_key, words=words, keys=keys)


def join_sentences(sentences: Iterable[str]) -> str:
    """Join whole sentences, which stand behind each other; empty ones are left out."""
    found = [sentence for sentence in sentences if sentence]
    return remember_joined(" ".join(found), join_sentences, found)


def join_lines(lines: Iterable[str]) -> str:
    """Join lines of a text; empty ones are left out."""
    found = [line for line in lines if line]
    return remember_joined("\n".join(found), join_lines, found)


def breakable(text: str) -> str:
    """Insert invisible break opportunities into paths, for wrapping labels."""
    return re.sub(r"(?<=\S)([/\\])(?=\S)", "\\1\u200b", text)
