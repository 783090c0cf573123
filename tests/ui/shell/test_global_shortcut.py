"""Keys that are heard from any program: X11's own, and the desktop's portal on a bus of the test's own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from jeepney.io.blocking import DBusConnection
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.ui.shell import global_shortcut
from app.ui.shell.global_shortcut import (
    KEYS_ALLOWED,
    KEYS_ANSWERED,
    KEYS_OPEN_IT,
    KEYS_REFUSED,
    KEYS_TAKEN,
    KEYS_WITHDRAWN,
    GlobalShortcut,
    Keys,
    NotPossible,
    PortalKeys,
    X11Keys,
    portal_trigger,
)
from tests.helpers.fake_portal import SESSION, FakePortal
from tests.helpers.program import xdotool
from tests.ui.shell.test_desktop import bus

__all__ = ["bus"]


@pytest.fixture
def parent(qtbot: QtBot) -> Iterator[QObject]:
    yield QObject()


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("Ctrl+Alt+Space", "CTRL+ALT+space"),
        ("Meta+Shift+A", "SHIFT+LOGO+a"),
        ("Ctrl+7", "CTRL+7"),
        ("F9", "F9"),
        ("Shift+F24", "SHIFT+F24"),
    ],
)
def test_keys_are_written_as_the_standard_has_it(text: str, trigger: str) -> None:
    assert portal_trigger(Keys(text)) == trigger


@pytest.mark.parametrize("text", ["", "A", "Shift+A", "Ctrl+K, Ctrl+B", "Ctrl+Up", "Ctrl+Ä", "Nonsense+Q"])
def test_keys_that_somebody_types_with_are_not_taken(text: str) -> None:
    with pytest.raises(NotPossible):
        Keys(text)


def test_where_no_system_can_be_asked_the_settings_say_what_else_can_be_done(
    parent: QObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(global_shortcut.QGuiApplication, "platformName", lambda: "offscreen")
    shortcut = GlobalShortcut(parent)
    shortcut.want("Ctrl+Alt+K")
    assert "fireside --ask" in shortcut.words
    shortcut.want("")
    assert shortcut.words == ""


# X11.


@pytest.mark.display
def test_the_grab_hears_its_keys_whatever_lock_is_on_and_gives_them_back(parent: QObject, qtbot: QtBot) -> None:
    shortcut = GlobalShortcut(parent, X11Keys)
    heard: list[bool] = []
    shortcut.pressed.connect(lambda: heard.append(True))
    shortcut.want("Ctrl+Alt+K")
    qtbot.waitUntil(lambda: shortcut.words == KEYS_OPEN_IT.format(keys="Ctrl+Alt+K"))
    xdotool("key", "ctrl+alt+k")
    qtbot.waitUntil(lambda: heard == [True])
    xdotool("key", "Caps_Lock", "ctrl+alt+k", "Caps_Lock")
    qtbot.waitUntil(lambda: heard == [True] * 2)
    shortcut.want("Meta+F9")
    xdotool("key", "ctrl+alt+k")
    xdotool("key", "super+F9")
    qtbot.waitUntil(lambda: heard == [True] * 3)
    shortcut.close()


@pytest.mark.display
def test_keys_of_another_program_are_not_taken(parent: QObject, qtbot: QtBot) -> None:
    first, second = GlobalShortcut(parent, X11Keys), GlobalShortcut(parent, X11Keys)
    first.want("Ctrl+Alt+K")
    second.want("Ctrl+Alt+K")
    assert second.words == KEYS_TAKEN
    first.close()
    second.want("Ctrl+Alt+K")
    qtbot.waitUntil(lambda: second.words == KEYS_OPEN_IT.format(keys="Ctrl+Alt+K"))
    second.close()


# The portal.


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((0, "Ctrl+Alt+Space"), KEYS_ANSWERED.format(keys="Ctrl+Alt+Space")),
        ((0, ""), KEYS_ALLOWED),
        ((1, ""), KEYS_REFUSED),
    ],
)
def test_the_settings_say_what_the_portal_answered(
    bus: DBusConnection, parent: QObject, qtbot: QtBot, answer: tuple[int, str], words: str
) -> None:
    portal, shortcut = FakePortal(code=answer[0], trigger=answer[1]), GlobalShortcut(parent, PortalKeys)
    shortcut.want("Ctrl+Alt+Space")
    qtbot.waitUntil(lambda: shortcut.words == words)
    names = [name for name, _ in portal.calls]
    assert names == ["Register", "CreateSession", "BindShortcuts"]
    assert portal.calls[0][1][0] == "fireside"
    assert portal.calls[2][1][1][0][1]["preferred_trigger"] == ("s", "CTRL+ALT+space")
    shortcut.close()
    portal.close()


def test_the_portals_keys_are_heard_with_the_right_to_come_to_the_front(
    bus: DBusConnection, parent: QObject, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_ACTIVATION_TOKEN", raising=False)
    portal, shortcut = FakePortal(), GlobalShortcut(parent, PortalKeys)
    heard: list[bool] = []
    shortcut.pressed.connect(lambda: heard.append(True))
    shortcut.want("Ctrl+Alt+Space")
    qtbot.waitUntil(lambda: shortcut.words.endswith("Ctrl+Alt+Space"))
    portal.press(session=f"{SESSION}2")
    portal.press(shortcut="another")
    portal.press(token="a-token")
    qtbot.waitUntil(lambda: heard == [True])
    assert os.environ.pop("XDG_ACTIVATION_TOKEN") == "a-token"
    portal.change("Super+J")
    qtbot.waitUntil(lambda: shortcut.words == KEYS_ANSWERED.format(keys="Super+J"))
    portal.end_session()
    qtbot.waitUntil(lambda: shortcut.words == KEYS_WITHDRAWN)
    shortcut.close()
    portal.close()
