"""What leaves the program and what comes back, in pictures: export with its preview, the trash, other programs."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QScrollArea

from app.core.catalogue import tr
from app.core.events import Role
from app.features.trash import DAY_S
from app.store.snapshots import KEPT, SnapshotFolder
from app.ui.exchange.export_dialog import ExportDialog, PrintPreview
from app.ui.exchange.snapshot_dialog import SnapshotDialog, ask_for_day
from app.ui.settings.data import TrashPage
from app.ui.settings.dialog import SettingsDialog
from app.ui.settings.programs import ProgramsSection
from app.ui.shared_labels import EXPORT_OR_PRINT
from tests.helpers.desks.window import Frame

DELETED = ("Names for a boat", "What is a Roth IRA?", "Dinner for six, one of them vegan")
TIMEOUT_MS = 60_000
Step = Callable[[], object]


def asked_by(agent: str, address: str, key: str) -> subprocess.Popen[bytes]:
    """A question by curl, under the way."""
    body = json.dumps({"messages": [{"role": "user", "content": "Three words about rain."}], "max_tokens": 12})
    headers = (f"Authorization: Bearer {key}", f"User-Agent: {agent}", "Content-Type: application/json")
    told = [part for header in headers for part in ("--header", header)]
    command = ["curl", "--silent", "--fail", f"{address}/chat/completions", "--data", body, *told]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def _has_ended(asking: subprocess.Popen[bytes]) -> bool:
    return asking.poll() is not None


def show_daily_copies(frame: Frame) -> None:
    """Seven days, of which the chosen one has a chat that is gone since."""
    lost = frame.conversations.create(title="Names for a boat")
    frame.app.pages.create("A letter to the landlord")
    for day in range(KEPT, 0, -1):
        taken_s = time.time() - day * DAY_S
        SnapshotFolder(frame.app.paths.snapshots, frame.app.database, partial(float, taken_s)).take_daily()
    frame.conversations.delete(lost.id)
    frame.app.pages.create("A speech for Ada")
    frame.wait(ask_for_day(frame.app, frame.window.ui).restore.isEnabled, TIMEOUT_MS)


def close_daily_copies(frame: Frame) -> None:
    frame.find_step(SnapshotDialog).close()
    for copy in frame.app.snapshots.list_snapshots():
        copy.path.unlink()
    for page in frame.app.pages.find():
        frame.app.pages.delete(page.id)
    frame.app.trash.remove_all()


def screens(frame: Frame, told: int) -> list[tuple[str, Step, Step]]:
    """Name, what to do before the picture, what to do after it; `told` is a chat with an answer."""
    window, programs = frame.window, frame.window.ui.programs
    assert programs is not None

    def show() -> None:
        frame.show_tab("chat")
        frame.show_chat(told)

    def export() -> None:
        show()
        frame.chats.choose_for(told, tr(EXPORT_OR_PRINT))

    def export_all() -> None:
        show()
        frame.do("export_chats")

    def preview() -> None:
        show()
        frame.do("print")
        frame.wait(lambda: frame.has(PrintPreview), TIMEOUT_MS)
        shown = frame.find_step(PrintPreview)
        frame.wait(lambda: shown.pane.area.paper.shown is not None, TIMEOUT_MS)

    def trash() -> None:
        show()
        for title in DELETED:
            number = frame.conversations.create(title=title).id
            frame.conversations.add_message(number, None, Role.USER, title)
            frame.conversations.delete(number)
        window.open_settings("trash")
        frame.find_step(TrashPage).list.item(1).setSelected(True)

    def empty() -> None:
        frame.find_step(SettingsDialog).close()
        frame.app.trash.remove_all()

    def serve() -> None:
        show()
        with socket.create_server(("127.0.0.1", 0)) as found:
            frame.app.change_settings("serving", port=int(found.getsockname()[1]))
        window.open_settings("connections/programs")
        frame.find_step(ProgramsSection).switch.click()
        frame.wait(lambda: not programs.is_turning, TIMEOUT_MS)

    def asked() -> None:
        serve()
        door = programs.door
        assert door is not None
        for agent in ("Zed/0.212.1", "Continue/1.4"):
            asking = asked_by(agent, door.address, door.key)
            frame.wait(partial(_has_ended, asking), TIMEOUT_MS)
        frame.find_step(ProgramsSection).journal.reload()
        QCoreApplication.processEvents()
        areas = frame.find_step(SettingsDialog).findChildren(QScrollArea)
        bar = next(area for area in areas if area.isVisible()).verticalScrollBar()
        bar.setValue(bar.maximum())

    def end() -> None:
        frame.find_step(ProgramsSection).switch.click()
        frame.wait(lambda: not programs.is_turning, TIMEOUT_MS)
        frame.find_step(SettingsDialog).close()

    return [
        ("export", export, lambda: frame.find_step(ExportDialog).close()),
        ("export-chats", export_all, lambda: frame.find_step(ExportDialog).close()),
        ("print-preview", preview, lambda: frame.find_step(PrintPreview).close()),
        ("settings-trash", trash, empty),
        ("daily-copies", partial(show_daily_copies, frame), partial(close_daily_copies, frame)),
        ("settings-programs", serve, end),
        ("settings-programs-asked", asked, end),
    ]
