"""Languages of the window: which there are, their catalogues, and the change from one to another."""

from __future__ import annotations

import os

from PySide6.QtCore import QLibraryInfo, QLocale, Qt, QTranslator
from PySide6.QtWidgets import QApplication

from app.core.catalogue import TextCatalogue, tr, use_catalogue
from app.core.installed_languages import ENGLISH, OWN_NAMES, choose_language, has_texts, load_texts
from app.ui.locale_formats import is_right_to_left, use_formats
from app.ui.pseudo_language import PseudoEntries
from app.ui.shown_texts import rewrite_window

PSEUDO, MIRRORED = "pseudo", "pseudo-mirrored"
PSEUDO_NAMES = {PSEUDO: "[Ŵöŕðš]", MIRRORED: "[Ŵöŕðš] ←"}
PSEUDO_VARIABLE = "FIRESIDE_PSEUDO_LANGUAGE"
"""Offers the pseudo-language in the settings, for those who change the program."""
_OF_QT = "texts_of_qt"
_QT_CODES = {"pt": "pt_BR", "zh": "zh_CN"}


def offered_languages() -> dict[str, str]:
    """Return the languages that there are texts in, by their codes, with their own names."""
    offered = {code: name for code, name in OWN_NAMES.items() if has_texts(code)}
    return offered | (PSEUDO_NAMES if os.environ.get(PSEUDO_VARIABLE) else {})


def language_of(choice: str) -> str:
    """Return the code of the language to use for a choice in the settings; English where there are no texts."""
    return choice if choice in PSEUDO_NAMES else choose_language(choice, QLocale.system().uiLanguages())


def use_language(application: QApplication, choice: str) -> None:
    """Show everything in the language of this choice, in windows that are open, too; what runs there goes on."""
    language = language_of(choice)
    pseudo = TextCatalogue(ENGLISH, PseudoEntries())
    use_catalogue(pseudo if language in PSEUDO_NAMES else load_texts(language))
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
    if (translator := application.findChild(QTranslator, _OF_QT)) is not None:
        application.removeTranslator(translator)
        translator.setParent(None)
    translator, folder = QTranslator(application), QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    translator.setObjectName(_OF_QT)
    if language != ENGLISH and translator.load(f"qtbase_{_QT_CODES.get(language, language)}", folder):
        application.installTranslator(translator)
