"""The translation memory in its dialog: found by words, languages and document, and deleted for good."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.documents.segments import content_of
from app.features.translate.translation_memory import own_entry
from app.store.translation_store import LanguagePair, TranslationMemory
from app.ui.models.models_tab import ModelsView
from app.ui.models.storage import EMPTY
from app.ui.settings.translation_memory import NOTHING_FOUND, TRANSLATION_COUNT, MemoryDialog
from tests.helpers.desks.models import ModelsDesk
from tests.helpers.desks.window import Frame

GERMAN, FRENCH = LanguagePair("en", "de"), LanguagePair("en", "fr")


@pytest.fixture
def dialog(frame: Frame, qtbot: QtBot) -> Iterator[MemoryDialog]:
    memory = TranslationMemory(frame.database)
    for pair, words in ((GERMAN, ("house", "garden", "wall")), (FRENCH, ("house", "door"))):
        memory.save_entries(
            own_entry(pair, content_of([f"The {word}"]), content_of([f"{word} {pair.target}"])) for word in words
        )
    shown = MemoryDialog(frame.translations, frame.theme, frame.notify, frame.window)
    shown.open()
    qtbot.waitUntil(lambda: len(shown.found.ids) == 5)
    yield shown
    if isValid(shown):
        shown.close()


def sources(dialog: MemoryDialog) -> list[str]:
    return [one.source for one in dialog.model.shown]


def test_entries_are_found_by_words_and_languages_and_deleted_one_pair_and_all(
    frame: Frame, dialog: MemoryDialog, qtbot: QtBot
) -> None:
    assert sources(dialog) == ["The door", "The house", "The wall", "The garden", "The house"]
    assert dialog.count.text() == TRANSLATION_COUNT.format(count=5)
    qtbot.keyClicks(dialog.search, "house fr")
    qtbot.waitUntil(lambda: sources(dialog) == ["The house"])
    dialog.table.selectRow(0)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Delete)
    assert dialog.question.text() == "1 translation will be permanently deleted."
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible(), "Escape only takes the question back"
    qtbot.mouseClick(dialog.delete_chosen, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(dialog.yes, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog.count.text() == NOTHING_FOUND)
    dialog.search.clear()
    qtbot.waitUntil(lambda: len(dialog.found.ids) == 4)
    dialog.scope.choose("en de")
    qtbot.waitUntil(lambda: len(dialog.found.ids) == 3)
    assert dialog.scope.button.text() == "English → German · 3"
    qtbot.mouseClick(dialog.delete_all, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(dialog.yes, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: sources(dialog) == ["The door"] and dialog.scope.value == "")
    assert frame.translations.words.count_pairs() == {FRENCH: 1}


def test_the_storage_page_says_what_the_memory_takes_and_shows_it(
    frame: Frame, dialog: MemoryDialog, qtbot: QtBot
) -> None:
    dialog.close()
    frame.show_models("storage")
    models = ModelsDesk(frame.find_step(ModelsView))
    row = models.storage_rows["memory"]
    qtbot.waitUntil(lambda: row.amount.text() not in ("", EMPTY))
    qtbot.mouseClick(row.button, Qt.MouseButton.LeftButton)
    again = models.find_step(MemoryDialog)
    qtbot.waitUntil(lambda: len(again.found.ids) == 5)
    qtbot.mouseClick(again.delete_all, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(again.yes, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: row.amount.text() == EMPTY)
    again.close()
