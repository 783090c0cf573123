"""Languages of the window: which there are, their catalogues, and the change from one to another."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QLibraryInfo, QLocale, Qt, QTranslator
from PySide6.QtWidgets import QApplication

from app.core.catalogue import TextCatalogue, read_catalogue, tr, use_catalogue
from app.core.paths import resource_path
from app.ui.locale_formats import ENGLISH, is_right_to_left, use_formats
from app.ui.pseudo_language import PseudoEntries
from app.ui.shown_texts import rewrite_window

log = logging.getLogger(__name__)
OWN_NAMES = {
    "en": "English",
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
SYSTEM = ""
PSEUDO, MIRRORED = "pseudo", "pseudo-mirrored"
PSEUDO_NAMES = {PSEUDO: "[Ŵöŕðš]", MIRRORED: "[Ŵöŕðš] ←"}
PSEUDO_VARIABLE = "FIRESIDE_PSEUDO_LANGUAGE"
"""Offers the pseudo-language in the settings, for those who change the program."""
_OF_QT = "texts_of_qt"
_QT_CODES = {"pt": "pt_BR", "zh": "zh_CN"}


def offered_languages() -> dict[str, str]:
    """Return the languages that there are texts in, by their codes, with their own names."""
    offered = {code: name for code, name in OWN_NAMES.items() if _has_texts(code)}
    return offered | (PSEUDO_NAMES if os.environ.get(PSEUDO_VARIABLE) else {})


def language_of(choice: str) -> str:
    """Return the code of the language to use for a choice in the settings; English where there are no texts."""
    if choice in PSEUDO_NAMES:
        return choice
    wanted = [choice] if choice != SYSTEM else [QLocale(name).name()[:2] for name in QLocale.system().uiLanguages()]
    return next((code for code in wanted if code in OWN_NAMES and _has_texts(code)), ENGLISH)


def load_texts(language: str) -> TextCatalogue:
    """Return the catalogue of a language; an empty one for English, and where its file can't be read."""
    if language in PSEUDO_NAMES:
        return TextCatalogue(ENGLISH, PseudoEntries())
    try:
        catalogue = read_catalogue(_catalogue_path(language).read_text("utf-8"))
    except FileNotFoundError:  # English, whose texts stand in the code
        return TextCatalogue(ENGLISH)
    except (OSError, ValueError) as error:
        log.warning("the texts in %s cannot be read: %s", language, error)
        return TextCatalogue(ENGLISH)
    return replace(catalogue, language=language)


def use_language(application: QApplication, choice: str) -> None:
    """Show everything in the language of this choice, in windows that are open, too; what runs there goes on."""
    language = language_of(choice)
    use_catalogue(load_texts(language))
    use_formats(ENGLISH if language in PSEUDO_NAMES else language, is_mirrored=language == MIRRORED)
    _load_texts_of_qt(application, language)
    direction = Qt.LayoutDirection.RightToLeft if is_right_to_left() else Qt.LayoutDirection.LeftToRight
    application.setLayoutDirection(direction)
    rewrite_window()


def is_pseudo_language() -> bool:
    """Return whether texts are those of the pseudo-language now, mirrored or not."""
    return tr("") != ""


def _load_texts_of_qt(application: QApplication, language: str) -> None:
    """Load what Qt itself shows, such as the menus of text fields, from the files that come with it."""
    translator = application.findChild(QTranslator, _OF_QT)
    if translator is not None:
        application.removeTranslator(translator)
        translator.setParent(None)
    translator, folder = QTranslator(application), QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    translator.setObjectName(_OF_QT)
    if language != ENGLISH and translator.load(f"qtbase_{_QT_CODES.get(language, language)}", folder):
        application.installTranslator(translator)


def _catalogue_path(language: str) -> Path:
    return resource_path(f"translations/{language}.po")


def _has_texts(language: str) -> bool:
    return language == ENGLISH or _catalogue_path(language).is_file()
