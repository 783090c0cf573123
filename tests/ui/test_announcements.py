"""What screen readers announce by themselves: each thing that happens, once, in words without markup."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QDialog, QWidget
from pytestqt.qtbot import QtBot

from app.core.errors.model_errors import ModelUnreadable
from app.core.errors.request_errors import TemplateFailed
from app.ui.chat.answering import ANSWER_COMPLETE
from app.ui.i18n import sentence_for
from app.ui.shared_labels import NAME_DELETED, THINKING, UNDO, WRITING_AN_ANSWER
from app.ui.shell import notify
from app.ui.shell.model_picker import MODEL_IS_LOADING, MODEL_IS_READY
from app.ui.shell.palette import Offers, Palette
from app.ui.text.code_view import CODE_IN
from app.ui.widgets.labels import announce
from tests.helpers.accessible_tree import announcements, is_busy, screen_reader_on
from tests.helpers.desks.desk import WAIT_MS
from tests.helpers.desks.window import Frame
from tests.ui.chat.conftest import Open, open_chat  # noqa: F401 - a fixture
from tests.ui.chat.test_column import add_chats

ANSWER = (
    "Sound needs **three seconds** for a `kilometre`. Then it thunders.\n\n- Count [slowly](https://example.org).\n"
)


def test_answer_is_announced_from_its_beginning_to_its_end_without_markup(open_chat: Open) -> None:  # noqa: F811
    desk = open_chat({"text": ANSWER})
    with announcements() as heard:
        desk.ask("How far away is the storm?")
    assert heard == [
        WRITING_AN_ANSWER,
        "Sound needs three seconds for a kilometre.",
        "Then it thunders.",
        "Count slowly.",
        ANSWER_COMPLETE,
    ]


STRUCTURED = """# Storms

| Seconds | A `way` |
| --- | ---: |
| 3. No more. | 1 |

```python
# *far*
print(9 / 3)
```

Stay inside."""


def test_tables_and_code_are_announced_line_by_line_without_their_marks(open_chat: Open) -> None:  # noqa: F811
    desk = open_chat({"text": STRUCTURED})
    with announcements() as heard:
        desk.ask("How far away is the storm?")
    assert heard[1:-1] == [
        "Storms",
        "Seconds, A way",
        "3. No more., 1",
        CODE_IN.format(language="python"),
        "# *far*",
        "print(9 / 3)",
        "Stay inside.",
    ]


def test_answer_is_busy_until_all_of_it_is_written(open_chat: Open) -> None:  # noqa: F811
    desk = open_chat({"text": "One two three.", "held_after": 2, "until": "go"})
    with screen_reader_on():
        desk.type("Count.")
        desk.press(Qt.Key.Key_Return)
        desk.wait(lambda: "One" in desk.last_text)
        assert is_busy(desk.last)
        desk.press(Qt.Key.Key_Escape)
        desk.wait(lambda: not desk.chat.busy)
        assert not is_busy(desk.last)


def test_thinking_is_announced_once_and_read_to_nobody(open_chat: Open) -> None:  # noqa: F811
    desk = open_chat({"text": "Far.", "thinking": "Thunder. It comes late. Count.", "delay_s": 0.05})
    with announcements() as heard:
        desk.ask("How far away is the storm?")
    assert heard == [WRITING_AN_ANSWER, THINKING, "Far.", ANSWER_COMPLETE]


def test_failure_is_announced_once_and_not_as_an_end(open_chat: Open) -> None:  # noqa: F811
    desk = open_chat({"error": "TemplateFailed", "fields": {"path": "/m.gguf", "detail": "x"}})
    with announcements() as heard:
        desk.ask("How far away is the storm?")
    failed = str(sentence_for(TemplateFailed("/m.gguf", "x")))
    assert [line for line in heard if failed in line] == heard[-1:]
    assert ANSWER_COMPLETE not in heard


def test_everything_is_announced_by_the_main_window(frame: Frame) -> None:
    """Orca leaves out what another widget announces within a tenth of a second of something else."""
    dialog = QDialog(frame.window)
    inside, sources = QWidget(dialog), list[QObject]()
    tell = QAccessible.updateAccessibility
    with screen_reader_on(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(QAccessible, "updateAccessibility", lambda event: (sources.append(event.object()), tell(event)))
        announce(inside, "Saved.")
        announce(frame.chats.list, "Opened.")
    assert sources == [frame.window, frame.window]


def test_deleted_chat_and_its_way_back_are_announced_once(frame: Frame) -> None:
    first, _ = add_chats(frame, "Letter", "Garden")
    frame.show_chat(first)
    with announcements() as heard:
        frame.chats.press_in_list(Qt.Key.Key_Delete)
    assert heard == [f"{NAME_DELETED.format(name='Letter')} · {UNDO}"]


def test_undo_waits_while_a_screen_reader_runs(frame: Frame, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "UNDO_MS", 1)
    with announcements():
        frame.notify.mention("Saved.")
        qtbot.waitUntil(lambda: not frame.notices)
        frame.notify.undo("Deleted.", lambda: None)
        frame.notify.mention("Saved.")
        qtbot.waitUntil(lambda: frame.notices == ["Deleted."])
    qtbot.waitUntil(lambda: not frame.notices)


def test_error_is_announced_once(frame: Frame) -> None:
    error = ModelUnreadable("/models/novel.gguf", "truncated")
    with announcements() as heard:
        frame.notify.error(error)
    assert [line.partition(" · ")[0] for line in heard] == [str(sentence_for(error))]


def test_model_is_announced_when_it_loads_and_when_it_is_ready(frame: Frame, tmp_path: Path) -> None:
    with announcements() as heard:
        frame.loader.load(tmp_path / "novel-4B-Q4_K_M.gguf")
        assert is_busy(frame.picker)
        frame.wait(lambda: frame.loader.state == "ready")
        assert not is_busy(frame.picker)
    model = frame.loader.name
    assert heard == [MODEL_IS_LOADING.format(model=model), MODEL_IS_READY.format(model=model)]


def test_palette_says_the_entry_once_that_typing_ends_at(frame: Frame, qtbot: QtBot) -> None:
    with announcements() as heard:
        frame.do("palette")
        palette = frame.find_step(Palette)
        qtbot.waitUntil(lambda: bool(heard))
        heard.clear()
        qtbot.keyClicks(palette.field, "sett")
        qtbot.waitUntil(lambda: bool(heard))
        first = palette.chosen
        qtbot.keyClick(palette.field, Qt.Key.Key_Down)
        qtbot.keyClick(palette.field, Qt.Key.Key_Down)
        third = palette.chosen
        qtbot.waitUntil(lambda: len(heard) == 2)
    assert first is not None
    assert third is not None
    assert heard == [first.spoken, third.spoken]


def test_palette_says_an_entry_once_though_more_is_found_below_it(
    frame: Frame, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard_first, load = Event(), Offers.load
    monkeypatch.setattr(Offers, "load", lambda offers: (heard_first.wait(WAIT_MS / 1000), load(offers)))
    with announcements() as heard:
        frame.do("palette")
        palette = frame.find_step(Palette)
        qtbot.waitUntil(lambda: bool(heard))
        count = palette.entries.rowCount()
        heard_first.set()
        qtbot.waitUntil(lambda: palette.entries.rowCount() > count)
        qtbot.waitUntil(lambda: not palette._settled.isActive())
    assert palette.chosen is not None
    assert heard == [palette.chosen.spoken]
