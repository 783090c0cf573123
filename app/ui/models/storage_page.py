"""What takes room on the disk: models, deleted ones, unfinished downloads, saved states and jobs, each with Clear."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout

from app import APP_NAME
from app.core.errors import AppError
from app.core.events import CopyProgress
from app.ui.models.folder_row import FolderRow
from app.ui.models.page import ModelsPage
from app.ui.models.space_bar import SpaceBar
from app.ui.models.storage_row import StorageRow
from app.ui.shell import tasks
from app.ui.shell.i18n import size_text, tr
from app.ui.shell.notify import Notify
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.model_storage import StorageReport

# What, its name, what it is, the button, the question before it is cleared, and the button that does it.
_ROWS = (
    ("models", "Models", "Everything in the folder of the models.", "Show", "", ""),
    (
        "trash", "Deleted models", "They can be brought back until this is cleared.", "Clear",
        "Cleared models cannot be brought back.", "Delete for good",
    ),
    (
        "parts", "Unfinished downloads", "Left over from downloads that are not in the list any more.", "Clear",
        "Fetching the same file again will begin at its beginning.", "Delete parts",
    ),
    (
        "states", "Saved states", "What models have read of chats, so that they go on at once.", "Clear",
        "The next answer in each chat begins later, once.", "Delete states",
    ),
    (
        "memory", "Translation memory", "What was translated, to be used again for the same text.", "Show", "", "",
    ),
    (
        "jobs", "Jobs", "The list of finished downloads and other jobs.", "Clear",
        "The list is emptied; models and chats stay.", "Empty the list",
    ),
)  # fmt: skip


class StoragePage(ModelsPage):
    """Sizes are read on a thread; moving the folder goes on while other pages are shown."""

    page_wanted = Signal(str)
    changed = Signal()
    """Something was cleared or moved."""
    moved = Signal(object, object)
    """The folder of the models, before and now."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify) -> None:
        super().__init__(theme, tr("Storage"))
        self._app, self._notify = app, notify
        self._move: tasks.Task | None = None
        self._stopped: list[bool] = []
        self.bar = SpaceBar(theme)
        self.rows.addWidget(self.bar)
        self.storage: dict[str, StorageRow] = {}
        frame = QFrame()
        frame.setProperty("kind", "model")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(1, 1, 1, 1)
        inside.setSpacing(0)
        for number, (key, name, explanation, button, question, yes) in enumerate(_ROWS):
            if number:
                rule = QFrame()
                rule.setProperty("kind", "rule")
                inside.addWidget(rule)
            row = StorageRow(
                theme, number, tr(name), tr(explanation), button=tr(button), question=tr(question), yes=tr(yes)
            )
            row.wanted.connect(lambda key=key: self._on_wanted(key))
            self.storage[key] = row
            inside.addWidget(row)
        self.rows.addWidget(frame)
        self.folder = FolderRow(theme)
        self.folder.move_wanted.connect(self.move_to)
        self.folder.cancel_wanted.connect(self._cancel_move)
        self.rows.addWidget(self.folder)
        self.say(self.lead, tr("Reading sizes…"))

    def reload(self) -> tasks.Task:
        """Reads the sizes again."""
        task = self.ask_anew(lambda _: self._app.models.storage(), self.show_report)
        task.failed.connect(self._notify.error)
        return task

    def show_report(self, report: StorageReport) -> None:
        """The sizes as they are."""
        sizes = {
            "models": report.models_bytes, "trash": report.trash_bytes, "parts": report.parts_bytes,
            "states": report.states_bytes, "memory": report.memory_bytes, "jobs": report.jobs_bytes,
        }  # fmt: skip
        for key, size in sizes.items():
            self.storage[key].show_size(_size_words(size), is_empty=not size and key != "models")
        self.bar.show_parts(list(sizes.values()), report.free_bytes)
        used, free = sum(sizes.values()), size_text(report.free_bytes)
        lead = tr("{used} used, {free} free on this disk.", used=_size_words(used), free=free)
        self.say(self.lead, lead if used else tr("Nothing is stored yet, {free} free on this disk.", free=free))
        self.bar.setAccessibleName(self.lead.text())
        if self._move is None:
            self.folder.show_folder(report.folder, report.free_bytes)

    def move_to(self, chosen: Path) -> None:
        """Moves the models into a folder of their own in the chosen one; a second try finds what the first one left."""
        old, folder = self.folder.folder, own_folder(chosen)
        if self._move is not None or folder == old:
            return
        task = tasks.run(lambda token: self._app.models.move_folder(folder, token), self)
        self._move = task
        stopped = self._stopped = []
        self.folder.show_moving(CopyProgress(0, 0))
        task.event.connect(self._on_moving)
        task.finished.connect(lambda: self._on_moved(old, folder, stopped=bool(stopped)))
        task.failed.connect(self._on_move_failed)

    def _on_moving(self, event: object) -> None:
        if isinstance(event, CopyProgress):
            self.folder.show_moving(event)

    def _cancel_move(self) -> None:
        if self._move is not None:
            self._stopped.append(True)
            self._move.cancel()

    def _on_moved(self, old: Path, folder: Path, *, stopped: bool) -> None:
        self._move = None
        if stopped:
            self._notify.mention(tr("Stopped. The models are where they were."))
        else:
            self._notify.mention(tr("The models are now in {folder}.", folder=folder))
            self.moved.emit(old, folder)
        self.reload()
        self.changed.emit()

    def _on_move_failed(self, error: AppError) -> None:
        self._move = None
        self._notify.error(error)
        self.reload()

    def _on_wanted(self, key: str) -> None:
        if key == "models":
            self.page_wanted.emit("installed")
            return
        if key == "memory":
            self.show_memory()
            return
        models = self._app.models
        clears: dict[str, Callable[[], object]] = {
            "trash": models.clear_trash, "parts": models.clear_parts, "states": models.clear_states,
            "jobs": models.clear_jobs,
        }  # fmt: skip
        self.ask(lambda _: clears[key](), lambda _: self._on_cleared()).failed.connect(self._notify.error)

    def show_memory(self) -> None:
        """What is kept of translations, to be deleted as a whole or in part."""
        from app.ui.settings.translation_memory import MemoryDialog  # needs the translations, which models do not

        dialog = MemoryDialog(self._app.translations, self._theme, self._notify, self)
        dialog.changed.connect(self._on_cleared)
        dialog.open()

    def _on_cleared(self) -> None:
        self.reload()
        self.changed.emit()


def _size_words(size_bytes: int) -> str:
    return size_text(size_bytes) if size_bytes else tr("Empty")


def own_folder(chosen: Path) -> Path:
    """The models' own folder in one that a person chose: nothing is spread among other files."""
    name = f"{APP_NAME} models"
    return chosen if chosen.name == name else chosen / name
