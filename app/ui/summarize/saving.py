"""Saves a summary as a file that the person names: Markdown, Word, a web page, PDF or JSON."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QIODevice, QMarginsF, QSaveFile, Qt
from PySide6.QtGui import QFont, QPageLayout, QPageSize, QPdfWriter, QTextDocument
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.core.errors import DiskFull, FolderNotWritable
from app.features.summary.messages import DIGEST_WORDS
from app.features.summary.result import Method, Summary
from app.ui.i18n import tr
from app.ui.shell import tasks
from app.ui.shell.desktop import copy_text
from app.ui.shell.notify import Notify
from app.ui.work.doing import SavedFiles

if TYPE_CHECKING:
    from app.bootstrap import Fireside

FORMATS = (
    (".md", "Markdown"),
    (".docx", "Word document"),
    (".html", "Web page"),
    (".pdf", "PDF"),
    (".json", "JSON, with sources"),
)
PDF_DPI = 300
PDF_MARGIN_MM = 4
"""Beside the two centimetres that Qt leaves around a printed text."""
PDF_POINTS = 10.5
LITTLE_BYTES = 1_000_000
MOST_NAME = 80
_NO_NAME = dict.fromkeys(map(ord, '<>:"/\\|?*\n\r\t'), " ")


class Saving(SavedFiles):
    """Everything that takes time is done on a thread; what goes wrong is told in words."""

    def __init__(self, app: Fireside, notify: Notify, window: QWidget) -> None:
        super().__init__(notify, window)
        self._app = app

    def menu(self, summary: Summary) -> QMenu:
        """The formats."""
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for ending, name in FORMATS:
            menu.addAction(f"{tr(name)}\t{ending}", partial(self.ask, summary, ending))
        return menu

    def ask(self, summary: Summary, ending: str, name: str = "") -> QFileDialog:
        """Asks where, and saves there; `name` is offered, else the title."""
        return self._ask_to_save(
            tr("Save the summary"),
            "save_summary",
            kind=tr(dict(FORMATS)[ending]),
            offered=name or f"{file_name(summary.title)}{ending}",
            take=lambda path: self._on_file(summary, path, ending),
        )

    def _on_file(self, summary: Summary, path: Path, ending: str) -> None:
        """To the dialog "lease v1.2" has an ending, though none of ours."""
        if path.suffix.lower() not in dict(FORMATS):
            path = path.with_name(path.name + ending)
            if path.exists():  # nobody was asked about that one
                self.ask(summary, ending, path.name)
                return
        self.save(summary, path)

    def save(self, summary: Summary, path: Path) -> tasks.Task:
        """Writes it, in the format of the file's ending."""

        def write() -> None:
            from app.features.summary import export  # not needed before somebody saves

            paths = [self._path_of(one.id) for one in summary.documents]
            if path.suffix.lower() == ".pdf":
                write_pdf(export.as_html(summary, paths), summary.title, path)
            else:
                export.save(summary, path, paths)

        return self._write(path, write)

    def copy(self, summary: Summary) -> None:
        """Puts the summary on the clipboard, with its pages; a digest says what it is."""
        from app.features.summary import export

        is_digest = summary.method is Method.DIGEST
        copy_text("\n\n".join(filter(None, (export.as_text(summary), tr(DIGEST_WORDS) if is_digest else ""))))
        self._notify.mention(tr("The sentences were copied") if is_digest else tr("The summary was copied"))

    def _path_of(self, document_id: int) -> Path | None:
        document = self._app.documents.store.get(document_id)
        return document.path if document is not None else None


def write_pdf(html: str, title: str, path: Path) -> None:
    """Prints a summary's HTML, from any thread; what was there before is replaced at the end.

    Raises DiskFull or FolderNotWritable.
    """
    timers = QEventLoop()  # noqa: F841 - gives the thread what a long text wants that lays itself out bit by bit
    document = QTextDocument()
    font = QFont("Inter")
    font.setPointSizeF(PDF_POINTS)
    document.setDefaultFont(font)
    document.setHtml(html)
    file = QSaveFile(str(path))
    if not file.open(QIODevice.OpenModeFlag.WriteOnly):
        raise _problem(path)
    writer = QPdfWriter(file)
    writer.setResolution(PDF_DPI)
    writer.setTitle(title)
    margins = QMarginsF(PDF_MARGIN_MM, PDF_MARGIN_MM, PDF_MARGIN_MM, PDF_MARGIN_MM)
    writer.setPageLayout(
        QPageLayout(
            QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, margins, QPageLayout.Unit.Millimeter
        )
    )
    document.print_(writer)
    del writer  # it writes the end of the file
    if not file.commit():
        raise _problem(path)


def file_name(title: str) -> str:
    """A title as the name of a file, without its ending."""
    name = " ".join(title.translate(_NO_NAME).split())[:MOST_NAME].strip(" .")
    return name or "summary"


def _problem(path: Path) -> DiskFull | FolderNotWritable:
    folder = path.parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return FolderNotWritable(str(folder))
    return DiskFull(str(folder)) if free < LITTLE_BYTES else FolderNotWritable(str(folder))
