"""The translation memory out of other programs, and into them: TMX."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.widgets.file_dialog import SAVED, file_dialog


class MemoryFiles(QObject):
    """`bring` takes a file's translations in and says how many, `write` writes all of them; both are called off the
    window's thread."""

    def __init__(
        self, notify: Notify, window: QWidget, bring: Callable[[Path], int], write: Callable[[Path], object]
    ) -> None:
        super().__init__(window)
        self._notify, self._window, self._bring, self._write = notify, window, bring, write

    def ask_to_import(self) -> QFileDialog:
        """Which file."""
        dialog = self._dialog(tr("Import translations"), "import_memory")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda file: self.read(Path(file)))
        dialog.open()
        return dialog

    def ask_to_export(self) -> QFileDialog:
        """Where to."""
        dialog = self._dialog(tr("Export all translations"), "export_memory")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("tmx")
        dialog.selectFile("translations.tmx")
        dialog.fileSelected.connect(lambda file: self.write(Path(file)))
        dialog.open()
        return dialog

    def read(self, path: Path) -> tasks.Task:
        """Takes the translations of a file into the memory."""

        def work() -> Iterator[int]:
            yield self._bring(path)

        task = tasks.run(lambda _token: work(), self)
        task.event.connect(self._on_read)
        task.failed.connect(self._notify.error)
        return task

    def write(self, path: Path) -> tasks.Task:
        """Writes all of the memory."""

        def work() -> Iterator[object]:
            self._write(path)
            yield from ()

        task = tasks.run(lambda _token: work(), self)
        task.finished.connect(lambda: self._notify.saved(path))
        again: Callable[[], object] = lambda: self.write(path)  # noqa: E731
        task.failed.connect(lambda error: self._notify.error(error, action=again))
        return task

    def _on_read(self, count: int) -> None:
        words = tr("1 translation was imported.") if count == 1 else tr("{count} translations were imported.")
        self._notify.mention(f"{words.format(count=f'{count:,}')} {tr('They are used from the next start on.')}")

    def _dialog(self, title: str, name: str) -> QFileDialog:
        dialog = file_dialog(self._window, title, SAVED)
        dialog.setObjectName(name)
        dialog.setNameFilters([f"{tr('Translation memory')} (*.tmx)"])
        return dialog
