"""Where the keyboard goes when a key sends it: there at once, as screen readers say everything it passes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.ui.chat.chat_view import ChatView
from app.ui.inside.tokens import TOKENS
from app.ui.models.installed_page import InstalledPage
from app.ui.settings.tool_server_dialog import CLOSE
from app.ui.shared_labels import CHAT_LABEL, SYSTEM_PROMPT
from app.ui.shell.main_window import TOGGLE_LIST
from app.ui.shell.palette import Palette
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def frame(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frame]:
    """The whole window, its model ready."""
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", {"text": "Yes."})))
    with open_window(qapp, make_chat=ChatView) as made:
        made.loader.load(tmp_path / "novel-4B-Q4_K_M.gguf")
        made.wait(lambda: made.loader.state == "ready")
        yield made


@contextmanager
def arrivals(qapp: QApplication) -> Iterator[list[QWidget]]:
    """Every widget that gets the focus meanwhile."""
    passed: list[QWidget] = []

    def note(_old: QWidget | None, now: QWidget | None) -> None:
        if now is not None:
            passed.append(now)

    qapp.focusChanged.connect(note)
    try:
        yield passed
    finally:
        qapp.focusChanged.disconnect(note)


NO_KEYS = Qt.KeyboardModifier.NoModifier
MOVES: tuple[tuple[Qt.Key, Qt.KeyboardModifier, str], ...] = (
    (Qt.Key.Key_K, CONTROL, "palette_field"),
    (Qt.Key.Key_Escape, NO_KEYS, "message"),
    (Qt.Key.Key_F, CONTROL, "search_field"),
    (Qt.Key.Key_Escape, NO_KEYS, "message"),
    (Qt.Key.Key_F, CONTROL | SHIFT, "search"),
    (Qt.Key.Key_Escape, NO_KEYS, "message"),
    (Qt.Key.Key_I, CONTROL, f"Page: {TOKENS}"),
    (Qt.Key.Key_I, CONTROL, "message"),
    (Qt.Key.Key_2, CONTROL, "drop_zone"),
    (Qt.Key.Key_3, CONTROL, "text_source"),
    (Qt.Key.Key_4, CONTROL, "page_text"),
    (Qt.Key.Key_M, CONTROL, "search"),
    (Qt.Key.Key_1, CONTROL, "message"),
    (Qt.Key.Key_M, CONTROL, "search"),
    (Qt.Key.Key_2, CONTROL, "drop_zone"),
    (Qt.Key.Key_1, CONTROL, "message"),
)
"""Keys, and the name of what they send the keyboard to: that of the object, or the one that readers say."""
DIALOGS: tuple[tuple[Qt.Key, Qt.KeyboardModifier, str], ...] = (
    (Qt.Key.Key_F, CONTROL | SHIFT, "search"),
    (Qt.Key.Key_E, CONTROL | SHIFT, SYSTEM_PROMPT),
    (Qt.Key.Key_Escape, NO_KEYS, "message"),
    (Qt.Key.Key_3, CONTROL, "text_source"),
    (Qt.Key.Key_A, CONTROL | SHIFT, "Assistants"),
    (Qt.Key.Key_Escape, NO_KEYS, "message"),
    (Qt.Key.Key_4, CONTROL, "page_text"),
    (Qt.Key.Key_P, CONTROL | SHIFT, "search"),
    (Qt.Key.Key_Escape, NO_KEYS, "message"),
    (Qt.Key.Key_E, CONTROL | SHIFT, SYSTEM_PROMPT),
    (Qt.Key.Key_Escape, NO_KEYS, "message"),
    (Qt.Key.Key_Comma, CONTROL, "Appearance"),
    (Qt.Key.Key_Escape, NO_KEYS, "message"),
    (Qt.Key.Key_F1, NO_KEYS, CHAT_LABEL),
    (Qt.Key.Key_Escape, NO_KEYS, "message"),
    (Qt.Key.Key_Slash, CONTROL, CLOSE),
    (Qt.Key.Key_Escape, NO_KEYS, "message"),
)


def names_of(widget: QWidget) -> tuple[str, str]:
    return widget.objectName(), widget.accessibleName()


def arrives(frame: Frame, qapp: QApplication, key: Qt.Key, modifier: Qt.KeyboardModifier, name: str) -> None:
    """Press a key where the keyboard is; fail unless it goes to what has this name, and to nothing else."""
    with arrivals(qapp) as passed:
        QTest.keyClick(QApplication.focusWidget() or frame.window, key, modifier)
        frame.wait(lambda: bool(passed) and name in names_of(passed[-1]))
        for _ in range(3):
            qapp.processEvents()
    assert len(passed) == 1, (key, [(type(widget), *names_of(widget)) for widget in passed])


def test_keyboard_goes_where_keys_send_it_and_nowhere_else(frame: Frame, qapp: QApplication) -> None:
    frame.activate()
    frame.new_chat()
    with arrivals(qapp) as passed:
        QTest.keyClicks(frame.focus, "Is it?")
        QTest.keyClick(frame.focus, Qt.Key.Key_Return)
        frame.wait(lambda: frame.chat.transcript.places.count == 2 and not frame.chat.busy)
    assert passed == [], "it stays in the message field while an answer comes"
    for key, modifier, name in MOVES:
        arrives(frame, qapp, key, modifier, name)


def choose_in_palette(frame: Frame, qapp: QApplication, words: str, name: str) -> None:
    frame.do("palette")
    palette = frame.find_step(Palette)
    QTest.keyClicks(palette.field, words)
    frame.wait(lambda: palette.chosen is not None and palette.chosen.title == words)
    arrives(frame, qapp, Qt.Key.Key_Return, NO_KEYS, name)


@pytest.mark.parametrize(
    ("words", "name"), [("Summarize", "drop_zone"), ("Models", "search"), (TOGGLE_LIST, "message")]
)
def test_keyboard_goes_from_the_palette_to_what_was_chosen(
    frame: Frame, qapp: QApplication, words: str, name: str
) -> None:
    frame.activate()
    frame.new_chat()
    choose_in_palette(frame, qapp, words, name)


@pytest.mark.display
def test_keyboard_goes_into_dialogs_and_back_and_nowhere_else(frame: Frame, qapp: QApplication) -> None:
    frame.activate()
    frame.new_chat()
    for key, modifier, name in DIALOGS:
        arrives(frame, qapp, key, modifier, name)
    choose_in_palette(frame, qapp, "Network", "Network")
    arrives(frame, qapp, Qt.Key.Key_Escape, NO_KEYS, "message")


def test_keyboard_goes_to_the_models_again_from_a_list_of_theirs(frame: Frame, qapp: QApplication) -> None:
    """What has it is hidden with its page."""
    frame.activate()
    frame.show_models("installed")
    page = frame.find_step(InstalledPage)
    page.setFocus()
    arrives(frame, qapp, Qt.Key.Key_M, CONTROL, "search")
