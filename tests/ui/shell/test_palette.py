"""The palette: everything a person has and can do, by keys alone, what was used last first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from app.core.events import Role
from app.features.chat import session_messages as m
from app.store.projects import Tags
from app.ui.chat.answer_view import ASK_ANOTHER_MODEL
from app.ui.chat.chat_view import ChatView
from app.ui.chat.pasted import SCREEN_PICTURE
from app.ui.models.models_page import WAYS_TO_COMPARE
from app.ui.models.storage import STORAGE
from app.ui.settings.dialog import SettingsDialog
from app.ui.settings.settings_pages import SettingsPage
from app.ui.shared_labels import (
    DOWNLOADS,
    KEYBOARD_SHORTCUTS,
    LARGER,
    MEMORIES_LABEL,
    PROMPT_LABEL,
    PROMPTS,
    QUIT,
    SETTINGS,
    SUMMARIZE,
    TEMPORARY_CHAT,
    TRANSLATE,
)
from app.ui.shell import tasks
from app.ui.shell.keyboard import WINDOW_SHORTCUTS
from app.ui.shell.main_window import LOOK_INSIDE, TOGGLE_LIST
from app.ui.shell.palette import Palette
from app.ui.shell.settings_index import PAGES, label_of
from app.ui.tab_list import TABS
from app.ui.widgets.labels import Marks
from tests.helpers.accessible_tree import screen_reader_on
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script
from tests.helpers.summaries import begin

Key = Qt.Key


def opened(frame: Frame) -> Palette:
    """The palette, once what takes a moment is in it, too."""
    frame.key(Key.Key_K)
    palette = frame.find_step(Palette)
    assert palette.field.hasFocus()
    settle(frame, palette)
    return palette


def settle(frame: Frame, palette: Palette) -> None:
    frame.wait(lambda: not palette._delay.isActive() and palette._task is None)


def typed(frame: Frame, palette: Palette, words: str) -> list[str]:
    """The titles that are offered for what is typed."""
    palette.field.clear()
    QTest.keyClicks(palette.field, words)
    settle(frame, palette)
    return titles(palette)


def titles(palette: Palette) -> list[str]:
    return [entry.title for entry in palette.entries.entries]


def chosen(palette: Palette) -> str:
    return palette.chosen.title if palette.chosen is not None else ""


def cut(text: str, marks: Marks) -> list[str]:
    return [text[start:end] for start, end in marks]


@pytest.fixture
def stored(frame: Frame) -> Iterator[Frame]:
    """A window with a chat, a page and a summary."""
    chat = frame.conversations.create(title="Firing the kiln").id
    frame.conversations.add_message(chat, None, Role.USER, "How hot is a raku oven?")
    frame.app.pages.create("The potter's year\nIn spring wood is stacked.")
    yield frame
    frame.wait(lambda: len(tasks.running) == 0)


def test_entry_that_stays_is_the_same_object_to_readers(stored: Frame) -> None:
    with screen_reader_on():
        palette = opened(stored)
        typed(stored, palette, "larg")
        before = object_of(palette, LARGER)
        QTest.keyClicks(palette.field, "e")
        settle(stored, palette)
        assert object_of(palette, LARGER) == before


def object_of(palette: Palette, title: str) -> int:
    told = QAccessible.queryAccessibleInterface(palette.list)
    return QAccessible.uniqueId(told.child(titles(palette).index(title)))


def test_every_action_every_settings_page_and_what_is_stored_is_offered_with_its_keys(stored: Frame) -> None:
    palette = opened(stored)
    offered = titles(palette)
    assert offered[:2] == ["The potter's year", "Firing the kiln"], "the newest of what is kept"
    lines = {line.words for line in WINDOW_SHORTCUTS if line.name != "palette"}
    assert lines | {spec.label for spec in TABS if spec.keys} | {page.label for page in PAGES} <= set(offered)
    assert typed(stored, palette, "qqq") == []
    assert palette.nothing.isVisible()
    assert "qqq" in palette.nothing.text()
    assert typed(stored, palette, "larg")[0] == LARGER
    assert palette.chosen is not None
    assert (palette.chosen.note, palette.chosen.spoken) == ("Ctrl++", "Larger, Ctrl++")
    QTest.keyClick(palette.field, Key.Key_Return)
    assert stored.theme.zoom > 1
    assert not stored.has(Palette)


def test_words_fit_as_beginnings_inside_and_by_their_letters_and_contents_come_last(stored: Frame) -> None:
    palette = opened(stored)
    for words, first in (
        ("kil fir", "Firing the kiln"),
        ("iln", "Firing the kiln"),
        ("ptr", "The potter's year"),
        ("pot page", "The potter's year"),
        ("sett netw", "Network"),
    ):
        assert typed(stored, palette, words)[0] == first, words
    assert typed(stored, palette, "raku ov") == ["Firing the kiln"]
    entry = palette.chosen
    assert entry is not None
    assert cut(entry.snippet, entry.marks) == ["raku", "ov"]
    assert typed(stored, palette, "stacked")[-1] == "The potter's year"
    assert typed(stored, palette, "fir") and (entry := palette.chosen) is not None
    assert cut(entry.title, entry.title_marks) == ["Fir"]


def test_a_place_in_a_chat_and_a_page_open_where_they_belong(stored: Frame) -> None:
    palette = opened(stored)
    typed(stored, palette, "raku")
    QTest.keyClick(palette.field, Key.Key_Return)
    assert stored.chat.conversation_id == stored.conversations.find()[0].id
    assert stored.chat.shown_message[1] == "raku"
    palette = opened(stored)
    typed(stored, palette, "potter")
    QTest.keyClick(palette.field, Key.Key_Return)
    assert (stored.current_tab, stored.window.tab("write").open_id) == ("write", stored.app.pages.find()[0].id)
    summary = begin(stored.app, "Report.pdf")
    palette = opened(stored)
    typed(stored, palette, "repo")
    QTest.keyClick(palette.field, Key.Key_Return)
    assert (stored.current_tab, stored.open_summary) == ("summarize", summary.id)
    palette = opened(stored)
    assert titles(palette)[1:3] == ["The potter's year", "Firing the kiln"], "what was used last comes first"
    assert stored.settings.window.palette_recent == (f"summary:{summary.id}", "page:1", "chat:1")


def test_the_next_palette_begins_with_what_is_known_and_learns_what_changed(stored: Frame) -> None:
    before = titles(opened(stored))
    stored.key(Key.Key_Escape)
    stored.key(Key.Key_K)
    palette = stored.find_step(Palette)
    assert titles(palette) == before, "at once, so that no row changes while it fades in"
    palette.close_palette()
    begin(stored.app, "Later")
    palette = opened(stored)
    assert "Later" in titles(palette)
    assert "Later" not in before


def test_keys_move_round_the_list_and_escape_gives_the_keyboard_back(stored: Frame) -> None:
    stored.chat.focus_composer()
    palette = opened(stored)
    found = titles(palette)
    for key, at in (
        (Key.Key_Down, 1),
        (Key.Key_Tab, 2),
        (Key.Key_Up, 1),
        (Key.Key_Backtab, 0),
        (Key.Key_Up, -1),
        (Key.Key_Down, 0),
        (Key.Key_PageDown, 9),
        (Key.Key_PageUp, 0),
    ):
        QTest.keyClick(palette.field, key)
        assert chosen(palette) == found[at], key
    QTest.keyClick(palette.field, Key.Key_Escape)
    assert (stored.has(Palette), stored.is_typing) == (False, True)
    opened(stored)
    stored.key(Key.Key_K)
    assert (stored.has(Palette), stored.is_typing) == (False, True), "the same keys close it"
    palette = opened(stored)
    QTest.mouseClick(palette, Qt.MouseButton.LeftButton, pos=palette.rect().bottomLeft())
    assert (stored.has(Palette), stored.is_typing) == (False, True)


WANTED = {
    "dark": label_of("scheme"),
    "theme": label_of("scheme"),
    "colour": label_of("scheme"),
    "color": label_of("scheme"),
    "night": label_of("scheme"),
    "font": label_of("system_font"),
    "text size": label_of("zoom"),
    "bigger": LARGER,
    "zoom": label_of("zoom"),
    "language": label_of("interface_language"),
    "locale": label_of("interface_language"),
    "temperature": label_of("temperature"),
    "creative": label_of("temperature"),
    "max tokens": label_of("max_tokens"),
    "system prompt": label_of("system_prompt"),
    "instructions": label_of("system_prompt"),
    "persona": label_of("system_prompt"),
    "reasoning": label_of("thinking"),
    "spelling": label_of("check_spelling"),
    "dictionary": label_of("check_spelling"),
    "microphone": "Record with the microphone",
    "voice": "Record with the microphone",
    "backup": label_of("back_up"),
    "restore": label_of("restore"),
    "chatgpt": label_of("import_chats"),
    "fork": "Fork this chat",
    "branch": "Fork this chat",
    "map": "Versions of the last message",
    "blind": WAYS_TO_COMPARE["blind"],
    "duel": WAYS_TO_COMPARE["blind"],
    "arena": WAYS_TO_COMPARE["blind"],
    "benchmark": WAYS_TO_COMPARE["compare"],
    "compare": ASK_ANOTHER_MODEL,
    "lend": label_of("lending"),
    "cluster": label_of("computers"),
    "tags": "Tags of this chat…",
    "label": "Tags of this chat…",
    "picture": "Attach pictures…",
    "screenshot": SCREEN_PICTURE,
    "memory": MEMORIES_LABEL,
    "memories": MEMORIES_LABEL,
    "about me": MEMORIES_LABEL,
    "server": label_of("programs"),
    "api": label_of("programs"),
    "openai": label_of("servers"),
    "ollama": "Models from other programs",
    "port": label_of("port"),
    "version": "About",
    "update": label_of("updates"),
    "license": label_of("licences"),
    "gpu": label_of("device"),
    "threads": label_of("threads"),
    "unload": label_of("unload_after"),
    "context": label_of("context_tokens"),
    "proxy": label_of("proxy"),
    "offline": label_of("allow_network"),
    "hugging face": label_of("mirror"),
    "token": label_of("access_token"),
    "trash": "Trash",
    "undelete": "Trash",
    "notifications": label_of("notifies"),
    "hotkey": label_of("shortcut_on"),
    "tray": label_of("tray"),
    "ocr": label_of("read_scans"),
    "incognito": TEMPORARY_CHAT,
    "private": TEMPORARY_CHAT,
    "template": PROMPTS,
    "download": DOWNLOADS,
    "disk": STORAGE,
    "help": KEYBOARD_SHORTCUTS,
    "pdf": "Export this chat",
    "upload": "Attach or add files",
    "summary": SUMMARIZE,
    "glossary": TRANSLATE,
    "exit": QUIT,
    "preferences": SETTINGS,
    "sidebar": TOGGLE_LIST,
    "probabilities": LOOK_INSIDE,
    "log": label_of("folder_log"),
    "bug": label_of("diagnostics"),
    "privacy": label_of("allow_network"),
}
"""What people type, and what must then be among the first three."""


def test_what_people_type_finds_the_setting_the_page_or_the_action(frame: Frame) -> None:
    palette = opened(frame)
    missed = {}
    for words, title in WANTED.items():
        found = [entry.title for entry in palette._offers.fitting(words, ())]
        if title not in found[:3]:
            missed[words] = found[:6]
    assert missed == {}
    assert typed(frame, palette, "dark")[0] == WANTED["dark"], "and so it does when it is typed"
    QTest.keyClick(palette.field, Key.Key_Return)
    page = frame.find_step(SettingsDialog).pages.currentWidget()
    assert isinstance(page, SettingsPage)
    frame.wait(lambda: page.marked_row is not None and page.marked_row is page.row_of("scheme"))
    frame.find_step(SettingsDialog).close()


@pytest.fixture
def chatting(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frame]:
    """A window with the real chat."""
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    with open_window(qapp, make_chat=ChatView) as frame:
        yield frame


def test_ctrl_z_takes_a_deletion_back_where_no_text_has_a_use_for_it(chatting: Frame) -> None:
    chat = chatting.conversations.create(title="Kilns").id
    chatting.chats.reload()
    chatting.window.tab("chat").show_stored(chat)
    chatting.window.tab("chat").sidebar.delete(chat)
    assert chatting.conversations.find() == []
    chatting.chat.focus_composer()
    field = chatting.chat.composer.field.edit
    QTest.keyClicks(field, "word")
    QTest.keyClick(field, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (field.toPlainText(), chatting.conversations.find()) == ("", []), "first what was typed"
    QTest.keyClick(field, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert [one.title for one in chatting.conversations.find()] == ["Kilns"]


def test_commands_of_the_chat_work_with_its_last_answer_or_say_why_not(chatting: Frame) -> None:
    frame = chatting
    chat = frame.conversations.create(title="Kilns").id
    question = frame.conversations.add_message(chat, None, Role.USER, "How hot?")
    frame.conversations.add_message(chat, question.id, Role.ASSISTANT, "Very.")
    tab = frame.window.tab("chat")
    for command in ("fork", "map", "tags"):
        tab.do(command)  # in a new chat there is nothing to do it with
        assert frame.notify.bar.notices, command
    tab.show_stored(chat)
    tab.do("tags")
    menu = frame.window.findChild(QMenu, "tags_menu")
    assert menu is not None
    menu.close()
    tab.do("fork")
    frame.wait(lambda: len(frame.conversations.find()) == 2)


def test_prompts_are_offered_by_name_and_go_to_the_chat(stored: Frame) -> None:
    taken: list[str] = []
    opened_library: list[object] = []
    stored.chat.session.serve(
        {m.TakePrompt: lambda asked: taken.append(asked.key), m.OpenPrompts: opened_library.append}
    )
    mine = stored.app.chats.prompts().store.create("Glaze recipe", "A glaze of {colour}")
    palette = opened(stored)
    assert typed(stored, palette, "glaze rec")[0] == "Glaze recipe"
    assert palette.chosen is not None
    assert palette.chosen.note == PROMPT_LABEL
    QTest.keyClick(palette.field, Key.Key_Return)
    assert taken == [str(mine.id)]
    stored.key(Key.Key_P, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert opened_library == [m.OpenPrompts()]


def test_it_is_limited_to_a_tag_and_begins_a_chat_in_a_project(stored: Frame) -> None:
    chat = stored.conversations.create(title="Pottery")
    stored.conversations.create(title="Pots and pans")
    tags = Tags(stored.app.database)
    tags.set_tag(tags.create("Work").id, chat.id)
    flat = stored.app.preambles.projects.create("Flat")
    palette = opened(stored)
    assert typed(stored, palette, "pot tag:work") == ["Pottery"]
    assert typed(stored, palette, "flat")[0] == "Flat"
    QTest.keyClick(palette.field, Key.Key_Return)
    assert stored.chat.session.state.project_id == flat.id
