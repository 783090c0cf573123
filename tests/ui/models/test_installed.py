"""Models on this computer: their facts, use, names, deletion with a way back, and what is never changed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QToolButton
from pytestqt.qtbot import QtBot

from app.core.errors.saving_errors import FolderNotWritable
from app.ui.models.installed_page import (
    COPY_TO_DISK,
    DELETE_IN_USE,
    DOWNLOAD_IMAGE_SUPPORT,
    FINDS_PASSAGES,
    INSTALLED,
    MODEL_IN_USE,
    MODEL_LEFT_LIST,
    MORE_ABOUT_MODEL,
    NOT_USED_YET,
    SHOW_IN_FOLDER,
    STOP_FINDING_PASSAGES,
    USE_TO_FIND_PASSAGES,
    USED_OVER_A_YEAR_AGO,
    USED_TODAY,
    used_words,
)
from app.ui.models.model_card import ModelCard
from app.ui.shared_labels import IN_USE, NAME_DELETED, REMOVE_FROM_LIST, STARTER, UNDO, USE_IN_CHAT
from app.ui.shell.model_picker import STARTER_DESCRIPTION
from tests.helpers.texts import shows
from tests.ui.models.stand_in import Pages, installed

NAMES = [STARTER, "Mistral Small 3.2 24B Instruct", "Letters of my grandmother", "Phi 4 mini"]


def shown(pages: Pages) -> list[str]:
    return [card.name.text() for card in pages.cards("installed")]


def open_page(pages: Pages, qtbot: QtBot) -> None:
    pages.show("installed")
    qtbot.waitUntil(lambda: shown(pages) == NAMES)


def press(pages: Pages, qtbot: QtBot, name: str, key: Qt.Key) -> None:
    pages.window.activateWindow()
    card = pages.card(name)
    card.setFocus()
    qtbot.keyClick(card, key)


def editor_of(card: ModelCard) -> QLineEdit:
    return next(editor for editor in card.findChildren(QLineEdit) if editor.isVisible())


def test_size_quantization_last_use_and_origin_in_words(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    card = pages.card("Letters of my grandmother")
    assert card.accessibleDescription() == "4.9 GB · balanced (Q4_K_M) · used 2 weeks ago · added by you"
    assert pages.card(STARTER).badge.text == IN_USE
    assert shows(STARTER_DESCRIPTION[1:], pages.card(STARTER).accessibleDescription())
    assert pages.link("installed").text() == f"{INSTALLED} · 4"


def test_use_loads_it_and_goes_to_the_chat(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    qtbot.mouseClick(pages.card("Phi 4 mini").buttons["use"], Qt.MouseButton.LeftButton)
    assert pages.ways.sent == [("show_tab", "chat")]
    assert pages.loader.loaded == [pages.models.ours[3].model.path]
    assert [name for name in NAMES if pages.card(name).badge.text] == ["Phi 4 mini"]


def test_f2_renames_and_an_empty_name_takes_it_back(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    press(pages, qtbot, "Phi 4 mini", Qt.Key.Key_F2)
    editor = editor_of(pages.card("Phi 4 mini"))
    editor.selectAll()
    qtbot.keyClicks(editor, "Quick answers")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "Quick answers" in shown(pages) and pages.models.ours[3].label == "Quick answers")
    press(pages, qtbot, "Quick answers", Qt.Key.Key_F2)
    editor = editor_of(pages.card("Quick answers"))
    editor.clear()
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shown(pages) == NAMES)
    assert [call[2] for call in pages.models.calls if call[0] == "rename"] == ["Quick answers", ""]


def test_delete_takes_it_away_at_once_and_undo_brings_it_back(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    press(pages, qtbot, "Letters of my grandmother", Qt.Key.Key_Delete)
    assert "Letters of my grandmother" not in shown(pages)
    qtbot.waitUntil(lambda: pages.notices == [NAME_DELETED.format(name="Letters of my grandmother")])
    pages.press_notice(UNDO)
    qtbot.waitUntil(lambda: "Letters of my grandmother" in shown(pages))
    assert len(pages.models.ours) == 4


def test_what_is_in_use_is_not_deleted(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    pages.loader.load(pages.models.ours[2].model.path)
    press(pages, qtbot, "Letters of my grandmother", Qt.Key.Key_Delete)
    assert shown(pages) == NAMES
    assert pages.notices == [MODEL_IN_USE.format(name="Letters of my grandmother")]
    menu = pages.page("installed").menu_for(pages.card("Letters of my grandmother"))
    assert [action.text() for action in menu.actions() if not action.isEnabled() and action.text()] == [
        USE_IN_CHAT,
        DELETE_IN_USE,
    ]


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        (STARTER, [USE_IN_CHAT, SHOW_IN_FOLDER, COPY_TO_DISK]),
        (
            "Mistral Small 3.2 24B Instruct",
            [USE_IN_CHAT, "Rename\tF2", SHOW_IN_FOLDER, COPY_TO_DISK, DOWNLOAD_IMAGE_SUPPORT, "", "Delete\tDel"],
        ),
        ("Phi 4 mini", [USE_IN_CHAT, "Rename\tF2", SHOW_IN_FOLDER, COPY_TO_DISK, REMOVE_FROM_LIST]),
    ],
)
def test_the_menu_offers_what_can_be_done(pages: Pages, qtbot: QtBot, name: str, texts: list[str]) -> None:
    open_page(pages, qtbot)
    menu = pages.page("installed").menu_for(pages.card(name))
    assert [action.text() for action in menu.actions()] == texts


def test_a_model_for_vectors_finds_passages_and_does_not_chat(
    pages: Pages, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = SimpleNamespace(passages_path="")
    monkeypatch.setattr(pages.page("installed")._app.settings, "models", chosen, raising=False)
    vectors = replace(installed("Vectors", 1.0, "added"), embeds=True)
    pages.models.ours = [*pages.models.ours, vectors]
    used: list[tuple[str, Path]] = []

    def use(task: str, path: Path) -> None:
        used.append((task, path))
        chosen.passages_path = str(path)

    monkeypatch.setattr(pages.models, "choose_model", use)
    pages.show("installed")
    qtbot.waitUntil(lambda: "Vectors" in shown(pages))
    card = pages.card("Vectors")
    assert [name for name, button in card.buttons.items() if not button.isHidden()] == ["inside", "use_passages"]
    assert pages.page("installed").menu_for(card).actions()[0].text() == USE_TO_FIND_PASSAGES
    qtbot.mouseClick(card.buttons["use_passages"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: pages.card("Vectors").badge.text == FINDS_PASSAGES)
    assert used == [("passages", vectors.model.path)]
    assert pages.page("installed").menu_for(pages.card("Vectors")).actions()[0].text() == STOP_FINDING_PASSAGES


def test_a_file_elsewhere_leaves_the_list_only(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    menu = pages.page("installed").menu_for(pages.card("Phi 4 mini"))
    next(action for action in menu.actions() if action.text() == REMOVE_FROM_LIST).trigger()
    qtbot.waitUntil(lambda: shown(pages) == NAMES[:3])
    assert pages.notices == [MODEL_LEFT_LIST.format(name="Phi 4 mini")]
    pages.press_notice(UNDO)
    qtbot.waitUntil(lambda: shown(pages) == NAMES)


def test_those_of_other_programs_can_be_used_and_nothing_else(pages: Pages, qtbot: QtBot) -> None:
    pages.show("others")
    qtbot.waitUntil(lambda: len(pages.cards("others")) == 2)
    card = pages.card("Llama 3.2 3B")
    assert card.accessibleDescription() == f"2.0 GB · balanced (Q4_K_M) · {NOT_USED_YET} · from Ollama"
    menu = pages.page("others").menu_for(card)
    assert [action.text() for action in menu.actions()] == [USE_IN_CHAT, SHOW_IN_FOLDER, COPY_TO_DISK]
    press(pages, qtbot, "Llama 3.2 3B", Qt.Key.Key_F2)
    press(pages, qtbot, "Llama 3.2 3B", Qt.Key.Key_Delete)
    assert card.findChild(QLineEdit, "model_name_editor") is None
    assert len(pages.models.theirs) == 2
    press(pages, qtbot, "Llama 3.2 3B", Qt.Key.Key_Return)
    assert pages.loader.loaded == [pages.models.theirs[0].model.path]


def test_every_button_says_which_model_it_is_about(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    card = pages.card("Phi 4 mini")
    assert card.buttons["use"].accessibleName() == "Use in chat: Phi 4 mini"
    more = card.findChild(QToolButton, "more")
    assert more is not None
    assert more.accessibleName() == MORE_ABOUT_MODEL.format(name="Phi 4 mini")


def test_the_last_use_in_words() -> None:
    noon = time.mktime((2026, 11, 24, 12, 0, 0, 0, 0, -1))
    day = 86_400
    said = [used_words(noon - days * day, noon) for days in (0, 0.45, 0.6, 1.4, 2, 13, 20, 100, 400)]
    assert said == [
        USED_TODAY,
        USED_TODAY,
        "used yesterday",
        "used yesterday",
        "used 2 days ago",
        "used 13 days ago",
        "used 2 weeks ago",
        "used 3 months ago",
        USED_OVER_A_YEAR_AGO,
    ]
    assert used_words(None, noon) == NOT_USED_YET


def test_what_could_not_be_deleted_comes_back(pages: Pages, qtbot: QtBot) -> None:
    open_page(pages, qtbot)
    pages.models.problem = FolderNotWritable("/models")
    press(pages, qtbot, "Letters of my grandmother", Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: len(pages.notices) == 1)
    qtbot.waitUntil(lambda: shown(pages) == NAMES)
