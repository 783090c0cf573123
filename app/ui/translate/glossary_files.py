"""A glossary out of a CSV file, and into one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.core.errors import DocumentUnreadable
from app.core.paths import disk_problem
from app.features.translation.result import Term
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.widgets.file_dialog import SAVED, file_dialog


class GlossaryFiles(QObject):
    """`imported` carries the terms of a file."""

    imported = Signal(object)

    def __init__(self, notify: Notify, window: QWidget) -> None:
        super().__init__(window)
        self._notify, self._window = notify, window

    def ask_to_import(self) -> QFileDialog:
        """Which file."""
        dialog = self._dialog(tr("Import a glossary"), "import_glossary")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda file: self.read(Path(file)))
        dialog.open()
        return dialog

    def ask_to_export(self, terms: Sequence[Term], pair: str) -> QFileDialog:
        """Where to."""
        dialog = self._dialog(tr("Export the glossary"), "export_glossary")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.selectFile(f"glossary {pair}.csv")
        dialog.fileSelected.connect(lambda file: self.write(Path(file), terms))
        dialog.open()
        return dialog

    def read(self, path: Path) -> tasks.Task:
        """Reads a file on a thread."""

        def work() -> Iterator[object]:
            from app.features.translation.glossary import read_csv

            try:
                yield list(read_csv(path))
            except OSError as error:
                denied = isinstance(error, PermissionError)
                raise DocumentUnreadable(str(path), "denied" if denied else "missing") from error
            except ValueError as error:
                raise DocumentUnreadable(str(path), "not_text") from error

        task = tasks.run(lambda _token: work(), self)
        task.event.connect(self.imported)
        task.failed.connect(self._notify.error)
        return task

    def write(self, path: Path, terms: Sequence[Term]) -> tasks.Task:
        """Writes a file on a thread."""

        def work() -> Iterator[object]:
            from app.features.translation.glossary import write_csv

            try:
                write_csv(path, tuple(terms))
            except OSError as error:
                raise disk_problem(error, path.parent) from error
            yield from ()

        task = tasks.run(lambda _token: work(), self)
        task.finished.connect(lambda: self._notify.saved(path))
        retry: Callable[[], object] = lambda: self.write(path, terms)  # noqa: E731
        task.failed.connect(lambda error: self._notify.error(error, action=retry))
        return task

    def _dialog(self, title: str, name: str) -> QFileDialog:
        dialog = file_dialog(self._window, title, SAVED)
        dialog.setObjectName(name)
        dialog.setNameFilters([f"{tr('Table')} (*.csv)"])
        return dialog
