"""Every screen has names, true roles and states, and a way for the keyboard: what a screen reader can say of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.chat.chat_view import ChatView
from app.ui.models.model_card import ModelCard
from app.ui.models.models_tab import SuggestedPage
from app.ui.settings.dialog import SettingsDialog
from app.ui.shell.settings_index import PAGES
from app.ui.text.code_view import CODE_IN
from tests.helpers.accessible_tree import Role, name_of, screen_reader_on, taken_back, tree_faults, tree_of
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script
from tests.ui.chat.conftest import Open, open_chat  # noqa: F401 - a fixture

ANSWER = """# Weather

It is **outside**, says [a page](https://example.org).

- Rain
- Wind

> It never rains.

| Kind | Dry spells |
| --- | --- |
| Sun | 3 |

```python
print(1)
```
"""
TABS = ("chat", "summarize", "translate", "write", "models")
COMMANDS = (
    "palette", "find", "search", "inside", "context", "choose_model", "prompts", "assistants", "chat_settings",
    "help", "shortcuts", "new_project", "temporary_chat", "sidebar",
)  # fmt: skip
MODELS_PAGES = ("installed", "search", "storage", "compare", "blind")


@pytest.fixture
def whole(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frame]:
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script")))
    with screen_reader_on(), open_window(qapp, make_chat=ChatView) as frame:
        yield frame


def faults(place: str) -> list[str]:
    """What a reader would miss in any open window."""
    for _ in range(3):
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    windows = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    return [f"{place}: {line}" for window in windows for line in tree_faults(window)]


def test_every_tab_can_be_read(whole: Frame, qtbot: QtBot) -> None:
    found = []
    with taken_back() as gone:
        whole.window.show_tab("models")
        (page,) = whole.window.findChildren(SuggestedPage)
        qtbot.waitUntil(lambda: bool(page.findChildren(ModelCard)) or page.empty.isVisible(), timeout=60_000)
        for name in TABS:
            whole.window.show_tab(name)
            found += faults(name)
        for name in MODELS_PAGES:
            whole.window.open_models(name)
            found += faults(name)
    assert not found + gone, "\n".join(found + gone)


def test_answer_has_its_structure(open_chat: Open) -> None:  # noqa: F811
    with screen_reader_on():
        desk = open_chat({"text": ANSWER})
        desk.ask("What is weather?")
        nodes = [(node.role(), name_of(node)) for node in tree_of(desk.chat)]
        assert not tree_faults(desk.chat)
    for expected in (
        (Role.Heading, "Weather"),
        (Role.Paragraph, "It is outside, says a page."),
        (Role.Link, "a page"),
        (Role.ListItem, "Rain"),
        (Role.BlockQuote, "It never rains."),
        (Role.ColumnHeader, "Dry spells"),
        (Role.Cell, "Sun"),
        (Role.Section, CODE_IN.format(language="python")),
    ):
        assert expected in nodes, nodes
    assert [role for role, name in nodes if name.startswith("Answer: Weather It is")] == [Role.Section]


def test_every_page_of_the_settings_can_be_read(whole: Frame) -> None:
    found = []
    for page in PAGES:
        whole.window.open_settings(page.name)
        found += faults(page.name)
        for dialog in whole.window.findChildren(SettingsDialog):
            dialog.close()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_command_opens_can_be_read(whole: Frame, command: str) -> None:
    whole.activate()
    whole.do(command)
    found = faults(command)
    for window in [widget for widget in QApplication.topLevelWidgets() if widget is not whole.window]:
        window.close()
    assert not found, "\n".join(found)
