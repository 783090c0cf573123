"""Files that a person saves or brings: asked for by name, read and written on a thread; what goes wrong is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from app.core.events import CancelToken
from app.ui.shell import tasks
from app.ui.shell.notify import Notify
from app.ui.widgets.dialogs import SAVED, file_dialog


class SavedFiles(QObject):
    """Dialogs over a window; `take` is called with the file that was named."""

    def __init__(self, notify: Notify, window: QWidget) -> None:
        super().__init__(window)
        self._notify, self._window = notify, window

    def _ask_to_save(
        self, title: str, name: str, *, kind: str, offered: str, take: Callable[[Path], object]
    ) -> QFileDialog:
        """Asks where to; `offered` is a file's name with its ending, `kind` says what such files are."""
        ending = Path(offered).suffix
        dialog = self._dialog(title, name, f"{kind} (*{ending})", take)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(ending.removeprefix("."))
        dialog.selectFile(offered)
        dialog.open()
        return dialog

    def _ask_to_open(self, title: str, name: str, *, filter_: str, take: Callable[[Path], object]) -> QFileDialog:
        """Asks which one."""
        dialog = self._dialog(title, name, filter_, take)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.open()
        return dialog

    def _read(self, do: Callable[[], object], take: Callable[[object], object]) -> tasks.Task:
        """Does something off the window's thread, and passes on what it returns."""

        def work(_cancel: CancelToken) -> Iterator[object]:
            yield do()

        task = tasks.run(work, self)
        task.event.connect(take)
        task.failed.connect(self._notify.error)
        return task

    def _write(self, path: Path, do: Callable[[], object]) -> tasks.Task:
        """Writes a file off the window's thread; where that fails it can be tried again."""

        def work(_cancel: CancelToken) -> Iterator[object]:
            do()
            yield from ()

        task = tasks.run(work, self)
        task.finished.connect(lambda: self._notify.saved(path))
        again: Callable[[], object] = lambda: self._write(path, do)  # noqa: E731
        task.failed.connect(lambda error: self._notify.error(error, action=again))
        return task

    def _dialog(self, title: str, name: str, filter_: str, take: Callable[[Path], object]) -> QFileDialog:
        dialog = file_dialog(self._window, title, SAVED)
        dialog.setObjectName(name)
        dialog.setNameFilters([filter_])
        dialog.fileSelected.connect(lambda file: take(Path(file)))
        return dialog
