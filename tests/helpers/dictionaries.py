"""Two small spelling dictionaries, in the place of those that the system may have, and what is seen of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QContextMenuEvent, QTextCharFormat
from PySide6.QtWidgets import QApplication, QMenu, QTextEdit

from app.features.spelling import load_library

ENGLISH = (
    "the quick brown fox jumps over lazy dog and is it's don't world hello a state of art thing you think receives "
    "this words in it message my with are an answer which of for that by from as be have to not they was were"
)
GERMAN = "das ist ein Haus und die Straße schön der Satz auf Deutsch mit einem Fehler nicht wir sind sich den für im zu"


def use_dictionaries(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """English and German are the only ones; skips where there is no Hunspell."""
    if load_library() is None:
        pytest.skip("the system has no Hunspell")
    folder.mkdir()
    for code, words, encoding in (("en_US", ENGLISH, "UTF-8"), ("de_DE", GERMAN, "ISO8859-1")):
        listed = words.split()
        (folder / f"{code}.aff").write_text(f"SET {encoding}\nTRY esianrtolcdugmphbyfvkwz\n", "utf-8")
        (folder / f"{code}.dic").write_text(f"{len(listed)}\n" + "\n".join(listed), encoding.replace("ISO", "iso-"))
    monkeypatch.setenv("DICPATH", str(folder))
    monkeypatch.setenv("XDG_DATA_DIRS", str(folder / "none"))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "none"))


def underlined(edit: QTextEdit) -> list[str]:
    """What is seen underlined in a field."""
    wave = QTextCharFormat.UnderlineStyle.SpellCheckUnderline
    marks = edit.extraSelections()
    return [mark.cursor.selectedText() for mark in marks if mark.format.underlineStyle() == wave]


def menu_at(edit: QTextEdit, word: str) -> QMenu:
    """The context menu of a field, opened with the pointer on a word."""
    cursor = edit.document().find(word)
    cursor.setPosition(cursor.selectionStart() + 1)
    place = edit.cursorRect(cursor).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, edit.viewport().mapToGlobal(place))
    QApplication.sendEvent(edit.viewport(), event)
    return next(menu for menu in reversed(edit.findChildren(QMenu)) if menu.isVisible())


def lines(menu: QMenu) -> list[str]:
    """What can be read in a menu."""
    return [action.text() for action in menu.actions() if action.isVisible() and not action.isSeparator()]
