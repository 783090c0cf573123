"""Languages that there are texts in: with the program, or in a file of the person's own, which comes first."""

from __future__ import annotations

import locale
import logging
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from app.core.catalogue import TextCatalogue, read_catalogue
from app.core.paths import AppPaths, resource_path
from app.core.po_file import format_messages, read_messages
from app.core.translation_faults import message_faults

log = logging.getLogger(__name__)
ENGLISH = "en"
SYSTEM = ""
OWN_NAMES = {
    ENGLISH: "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "pt": "Português",
    "it": "Italiano",
    "pl": "Polski",
    "ru": "Русский",
    "ar": "العربية",
    "zh": "中文",
    "ja": "日本語",
}
"""By their codes, in the order they are offered; none is translated, or nobody would find the way back."""


_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


def own_file(language: str) -> Path:
    """Return where a translation of the person's own is kept; it may not exist."""
    return AppPaths.from_environment().own_texts / f"{language}.po"


def built_in_file(language: str) -> Path:
    """Return the program's translation into a language; it may not exist."""
    return resource_path(f"translations/{language}.po")


def texts_file(language: str) -> Path:
    """Return the translation to use, the person's own before the built-in."""
    own = own_file(language)
    return own if own.is_file() else built_in_file(language)


def has_texts(language: str) -> bool:
    """Return whether the window can be shown in a language."""
    return language == ENGLISH or (language in OWN_NAMES and texts_file(language).is_file())


def choose_language(choice: str, of_system: Iterable[str]) -> str:
    """Return the code of the language to use for a choice in the settings; English where there are no texts.

    `of_system` are names such as "de_DE", most wanted first.
    """
    wanted = [choice] if choice != SYSTEM else [name.partition("_")[0].partition("-")[0].lower() for name in of_system]
    return next((code for code in wanted if has_texts(code)), ENGLISH)


def load_texts(language: str) -> TextCatalogue:
    """Return the catalogue of a language; an empty one for English, and where its file can't be read."""
    path = texts_file(language)
    try:
        po_text = path.read_text("utf-8")
    except FileNotFoundError:  # English, whose texts stand in the code
        return TextCatalogue(ENGLISH)
    except (OSError, ValueError) as error:
        log.warning("the texts in %s cannot be read: %s", language, error)
        return TextCatalogue(ENGLISH)
    if path == own_file(language):
        # Somebody may have edited it where it lies, and a text that can't be filled in would end a view.
        messages = read_messages(po_text)
        po_text = format_messages(message for message in messages if not [*message_faults(message, language)])
    return read_catalogue(po_text, language)


def system_languages() -> list[str]:
    """Return the languages of the system as a terminal has them, such as "de_DE", most wanted first."""
    values = ":".join(os.environ.get(name, "") for name in _VARIABLES)
    found = [name.partition(".")[0] for name in values.split(":") if name]
    if sys.platform == "win32" and not found:
        import ctypes

        found = [locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")]
    return found
