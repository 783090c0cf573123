"""The queue of documents in the window: the list, the bottom line, stopping, and what a former run left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.events import CancelToken
from app.features.translate.translation_events import TranslationAdded, TranslationWish
from app.ui.shared_labels import GO_ON, STOP, STOPPED
from app.ui.translate.translation_texts import NOT_BEGUN
from tests.helpers.desks.window import Frame, open_window
from tests.helpers.script import write_script
from tests.ui.translate.test_window import use_translator

LINES = ("The tenant pays the rent.", "Cats are allowed.", "Keys: two.")
FURTHER = {"lease.txt · 1 of 3", "lease.txt · 2 of 3"}
SAID = ("O locatário paga o aluguel.", "Gatos são permitidos.", "Chaves: duas.")


@pytest.fixture
def frame(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frame]:
    """The window, with a model that translates a few sentences, of which the last waits until it may go on."""
    rules: list[dict[str, Any]] = [
        {"when": rf"{line[:-1]}\.[^\n]*\Z", "text": said} for line, said in zip(LINES, SAID, strict=True)
    ]
    rules[-1] |= {"held_after": 1, "until": "go"}
    monkeypatch.setenv("FIRESIDE_ENGINE_SCRIPT", str(write_script(tmp_path / "script", *rules)))
    with open_window(qapp) as parts:
        use_translator(parts, tmp_path)
        yield parts


def add(frame: Frame, folder: Path, name: str) -> int:
    """A document that waits for its start."""
    path = folder / name
    path.write_text("\n\n".join(LINES), "utf-8")
    events = list(frame.translations.add(path, TranslationWish("pt-BR", "en"), CancelToken()))
    return next(event.translation.id for event in events if isinstance(event, TranslationAdded))


def go_on(folder: Path) -> None:
    """The last sentence is written."""
    (folder / "script" / "go").touch()


def state(frame: Frame, number: int) -> str:
    stored = frame.translations.get(number)
    assert stored is not None
    return stored.state


def test_the_list_and_the_bottom_line_follow_the_work(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    lease, annex = add(frame, tmp_path, "lease.txt"), add(frame, tmp_path, "annex.txt")
    frame.key(Qt.Key.Key_3)
    told: list[str] = []
    seen: list[str] = []
    frame.work_changed.connect(told.append)
    column = frame.translation_list
    column.row_changes(lambda: seen.append(column.row_of(lease)))
    assert column.row_of(lease) == f"lease.txt · {NOT_BEGUN}"
    frame.translations.begin_translations([lease, annex])
    frame.work_off_translations()
    assert frame.is_at_work
    qtbot.waitUntil(lambda: bool(FURTHER & set(seen)))
    go_on(tmp_path)
    qtbot.waitUntil(lambda: state(frame, annex) == "done" and told[-1:] == [""])
    assert told == ["Translating 1 of 2", "Translating 2 of 2", ""]
    qtbot.waitUntil(lambda: column.row_of(lease) == "lease.txt")
    assert not frame.is_at_work
    rows = frame.translations.segments.read_rows(annex)
    assert [row.translated.content for row in rows if row.translated] == [(said,) for said in SAID]


def test_one_is_stopped_from_its_row_and_goes_on_from_there(frame: Frame, qtbot: QtBot, tmp_path: Path) -> None:
    lease = add(frame, tmp_path, "lease.txt")
    frame.key(Qt.Key.Key_3)
    column = frame.translation_list
    frame.translations.begin_translations([lease])
    frame.work_off_translations()
    qtbot.waitUntil(lambda: column.row_of(lease) in FURTHER)
    column.choose_for(lease, STOP)
    qtbot.waitUntil(lambda: column.row_of(lease) == f"lease.txt · {STOPPED}")
    qtbot.waitUntil(lambda: not frame.is_at_work)
    stored = frame.translations.get(lease)
    assert stored is not None
    assert stored.done >= 1
    go_on(tmp_path)
    column.choose_for(lease, GO_ON)
    qtbot.waitUntil(lambda: state(frame, lease) == "done")
