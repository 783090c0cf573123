"""Every screen in every state says to a screen reader what it is, cuts nothing, and the keyboard comes to all of it.

In every dialog F1 opens the help about it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenu, QWidget
from shiboken6 import isValid

from app.core.policy import VARIABLE as POLICY_VARIABLE
from app.features.reading_aloud.voice_process import TRIAL_VARIABLE
from app.ui.chat.chat_view import ChatView
from app.ui.help.help_topics import PAGES
from app.ui.help.help_topics import SCREENS as HELP_SCREENS
from app.ui.help.help_window import HelpWindow
from app.ui.widgets import menus, popovers
from app.ui.widgets.dialogs import Dialog
from app.ui.widgets.popovers import place_beside
from tests.features.tools.lent_tools import OWN_WAY, written_call
from tests.helpers.accessible_tree import screen_reader_on, tree_faults
from tests.helpers.desks.chat import ChatDesk
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.every_screen import SCREENS, Visitor, classes_to_show
from tests.helpers.keyboard_way import way_faults
from tests.helpers.locked_settings import lockable
from tests.helpers.script import write_script
from tests.helpers.window_tour import cut_texts, open_windows, settle

RULES = (
    {"when": "read long", "text": "This sentence is read aloud, and it is not a short one at all. " * 4},
    {"when": "note down", "text": written_call("write_note", by_template=True, text="milk")},
    {"when": "Text to summarize", "text": "One two three four five", "held_after": 3, "until": "go"},
    {"when": "hold", "text": "One two three four five", "held_after": 3, "until": "go"},
    {"when": "fail", "error": "TemplateFailed", "fields": {"path": "/m.gguf", "detail": ""}},
    {"when": "plain", "text": "Just a few words."},
    {"text": "Just a few **bold** words."},
)
LOADS = [
    {"when": "slow", "until": "go"},
    {"when": "bad", "error": "ModelLoadFailed", "fields": {"path": "bad.gguf", "detail": "x"}},
    {"sees": True},
]


@pytest.fixture
def person(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Visitor]:
    script = write_script(tmp_path / "script", *RULES, load=LOADS, calls=OWN_WAY)
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(script))
    monkeypatch.setenv(TRIAL_VARIABLE, "mock")
    if request.node.callspec.params["names"][0].startswith("locked"):  # by an administrator, before the program starts
        (tmp_path / "policy.json").write_text(json.dumps(lockable()))
        monkeypatch.setenv(POLICY_VARIABLE, str(tmp_path / "policy.json"))
    with screen_reader_on(), open_window(qapp, make_chat=ChatView) as frame:
        frame.activate()
        yield Visitor(frame, ChatDesk(frame.chat, frame.app, frame.notify, frame.theme), tmp_path)


@pytest.fixture
def openers(monkeypatch: pytest.MonkeyPatch) -> list[QWidget]:
    """Whatever menus and popovers were opened at, in their order."""
    found: list[QWidget] = []

    def place(anchor: QWidget, size: QSize) -> QPoint:
        found.append(anchor)
        return place_beside(anchor, size)

    for module in (menus, popovers):
        monkeypatch.setattr(module, "place_beside", place)
    return found


def says_menu(opener: QWidget) -> bool:
    """Whether a button says that it opens something, or the one in what is around it."""
    buttons = [opener, *opener.findChildren(QAbstractButton)]
    return any(QAccessible.queryAccessibleInterface(button).state().hasPopup for button in buttons)


def help_faults(frame: Frame, dialog: Dialog) -> Iterator[str]:
    """What is wrong with F1 in a dialog, whose page is its own or that of what is behind it."""
    frame.wait(dialog.isActiveWindow)
    before, name = QApplication.focusWidget(), type(dialog).__name__
    QTest.keyClick(before or dialog, Qt.Key.Key_F1)
    frame.wait(lambda: any(one.isVisible() for one in dialog.findChildren(HelpWindow)))
    opened = next(one for one in dialog.findChildren(HelpWindow) if one.isVisible())
    frame.wait(opened.isActiveWindow)
    if opened.page not in PAGES or opened.page != HELP_SCREENS.get(name, opened.page):
        yield f"{name}: its help is {opened.page}"
    if not opened.screen().availableGeometry().contains(opened.frameGeometry()):
        yield f"{name}: the help of {opened.geometry()} is not on the screen"
    yield from cut_texts()
    opened.close()
    settle()
    # What a dialog still read may have taken the field away by now.
    if before and isValid(before) and before.isVisible() and QApplication.focusWidget() is not before:
        yield f"{name}: the focus does not return to {type(before).__name__}"


ALONE = ("settings trash", "models offline", "models how", "models on a disk")


def one_window_each() -> list[list[str]]:
    """Names of screens; pages that leave each other as they are share a window."""
    shared: dict[str, list[str]] = {}
    for name in SCREENS:
        kind = name.split()[0]
        is_page = kind in ("settings", "locked", "models") and name not in ALONE
        shared.setdefault(kind if is_page else f"{name}.", []).append(name)
    return list(shared.values())


@pytest.mark.parametrize("names", one_window_each(), ids=", ".join)
def test_it_can_be_read_and_gone_through_by_keyboard(person: Visitor, openers: list[QWidget], names: list[str]) -> None:
    found = [f"{name}: {line}" for name in names for line in faults_of(person, openers, name)]
    assert not found, "\n".join(found)


def faults_of(person: Visitor, openers: list[QWidget], name: str) -> list[str]:
    """What is wrong with a screen, which is closed again."""
    come, classes = SCREENS[name]
    come(person)
    settle()
    assert not [kind.__name__ for kind in classes if not person.seen(kind)]
    assert all(map(says_menu, openers)), openers
    found = [line for window in open_windows() for line in tree_faults(window)] + cut_texts()
    top = QApplication.activePopupWidget() or QApplication.activeWindow()
    assert top is not None
    if not isinstance(top, QMenu):  # Qt's own keys
        found += way_faults(top)
    if isinstance(top, Dialog) and not isinstance(top, HelpWindow):
        found += help_faults(person.frame, top)
    for window in open_windows():
        if window is not person.frame.window:
            window.close()
    openers.clear()
    return found


def test_every_class_of_a_screen_is_shown_by_a_step() -> None:
    shown = {kind for _, classes in SCREENS.values() for kind in classes}
    assert not sorted(kind.__name__ for kind in classes_to_show() - shown)
