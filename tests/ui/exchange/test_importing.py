"""Chats come by a dialog, by dropping a file; of each it is said what came, and of what could not be read why."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from app.core.errors.exchange_errors import ChatsUnreadable
from app.core.events import CancelToken
from app.features.error_messages import sentence_for
from app.features.exchange.chat_export import export_chats
from app.features.exchange.chat_file import ChatArchive
from app.features.exchange.chat_import import ChatImported, import_chats, left_out_words
from app.ui.exchange import import_dialog
from app.ui.exchange.import_dialog import MESSAGE_COUNT, ONE_CHAT_IMPORTED, WAS_HERE_ALREADY, ImportDialog
from app.ui.shared_labels import RESTORE
from tests.helpers.desks.window import Frame
from tests.ui.exchange.conftest import add_chat

OLD = {
    "title": "From the old computer",
    "created_at": 1_600_000_000,
    "messages": [
        {"id": 1, "role": "user", "text": "hi", "attachments": [{"name": "lease.pdf", "sha256": "x"}]},
        {"id": 2, "parent": 1, "role": "assistant", "text": "hello"},
    ],
}


def exported(frame: Frame, path: Path, *more: dict[str, object]) -> Path:
    """What is here as JSON, and more chats behind it."""
    list(export_chats(path, frame.app.conversations.find(), frame.app.shelf, CancelToken()))
    body = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(body | {"chats": [*body["chats"], *more]}), "utf-8")
    return path


def test_each_chat_is_told_with_what_did_not_come(frame: Frame, tmp_path: Path) -> None:
    add_chat(frame, "Rent", "How high?", "High.")
    path = exported(frame, tmp_path / "all.json", OLD)
    bad = tmp_path / "bad.json"
    bad.write_text('{"what": 1}')
    frame.do("import_chats")
    dialog = frame.find_step(QFileDialog, "import_chats")
    dialog.filesSelected.emit([str(path), str(bad)])
    dialog.close()
    told = frame.find_step(ImportDialog)
    frame.wait(lambda: not told.is_reading)
    assert told.head.text() == "1 chat imported, 1 already here, 1 couldn’t be read"
    assert told.rows == [
        ("Rent", WAS_HERE_ALREADY),
        ("From the old computer", f"Fireside · {MESSAGE_COUNT.format(count=2)} · {left_out_words({'file': 1})}"),
        ("bad.json", sentence_for(ChatsUnreadable("bad.json", "unknown")).text),
    ]
    assert "From the old computer" in frame.chats.rows
    told.list.setCurrentRow(1)
    frame.click(told.open_button)
    assert frame.chats.row_of(frame.chats.current) == "From the old computer"


def test_cancel_keeps_the_chats_that_are_whole(frame: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(path: Path, shelf: ChatArchive, cancel: CancelToken) -> Iterator[Any]:
        for event in import_chats(path, shelf, cancel):
            yield event
            while isinstance(event, ChatImported) and not cancel.cancelled:
                passed.wait(0.01)

    passed = threading.Event()
    monkeypatch.setattr(import_dialog, "import_chats", held)
    chats = [OLD | {"title": f"Chat {number}", "created_at": 1.6e9 + number} for number in range(20)]
    path = exported(frame, tmp_path / "many.json", *chats)
    frame.drop(path, share=0.99)
    told = frame.find_step(ImportDialog)
    frame.wait(lambda: told.rows)
    told.setFocus()
    frame.press(Qt.Key.Key_Escape)
    frame.wait(lambda: not told.is_reading)
    assert told.isVisible(), "what came is still to be read"
    assert len(frame.app.conversations.find()) == 1
    assert told.head.text() == ONE_CHAT_IMPORTED


def test_a_backup_that_is_dropped_leads_to_restoring(frame: Frame, tmp_path: Path) -> None:
    path = tmp_path / "backup.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", "{}")
        archive.writestr("fireside.db", "")
    frame.drop(path, share=0.99)
    told = frame.find_step(ImportDialog)
    frame.wait(lambda: not told.is_reading)
    assert frame.button(RESTORE).isVisible()
    frame.click(frame.button(RESTORE))
    frame.wait(lambda: any("backup.zip" in notice for notice in frame.notices))
