"""File dialogs: each begins where the person was last for the same purpose, and filters by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from app.documents.formats.registry import formats
from app.ui.shell.i18n import tr

DOCUMENTS, SAVED, MODELS = "documents", "saved", "models"
"""What a dialog is for: to read from, to save results to, to bring models along."""


class LastFolders:
    """Where the person was last, by purpose; `use` hands over what an earlier run kept and who keeps it now."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._keep: Callable[[tuple[str, ...]], object] = lambda _lines: None

    def use(self, kept: Iterable[str], keep: Callable[[tuple[str, ...]], object]) -> None:
        """`kept` are lines such as "documents=/home/ada"; `keep` is given all of them after each change."""
        self._known = {purpose: path for purpose, found, path in (line.partition("=") for line in kept) if found}
        self._keep = keep

    def of(self, purpose: str, first: Path | None = None) -> str:
        """The nearest folder that is still there; as long as the person was nowhere, `first` or the home folder."""
        last = Path(self._known.get(purpose) or first or Path.home())
        return str(next((one for one in (last, *last.parents) if one.is_dir()), Path.home()))

    def remember(self, purpose: str, folder: Path) -> None:
        """The person was here."""
        if self._known.get(purpose) != str(folder):
            self._known[purpose] = str(folder)
            self._keep(tuple(f"{name}={path}" for name, path in self._known.items()))


last_folders = LastFolders()


def file_dialog(window: QWidget, title: str, purpose: str, *, first: Path | None = None) -> QFileDialog:
    """A dialog to be set up and opened; what is chosen in it is where the next one begins.

    `first` is where it begins as long as the person was nowhere.
    """
    dialog = QFileDialog(window, title, last_folders.of(purpose, first))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.filesSelected.connect(lambda files: _remember(dialog, purpose, files))
    return dialog


def document_filters() -> list[str]:
    """All that can be read, each kind of it, and everything."""
    kinds: dict[str, str] = {}
    for each in formats():
        if each.kind:
            kinds[each.kind] = f"{kinds.get(each.kind, '')} {each.endings}"
    lines = [(tr("Documents"), " ".join(kinds.values())), *((tr(kind), endings) for kind, endings in kinds.items())]
    return [*(f"{name} ({_patterns(endings)})" for name, endings in lines), tr("All files (*)")]


def _patterns(endings: str) -> str:
    return " ".join(f"*.{ending}" for ending in endings.split())


def _remember(dialog: QFileDialog, purpose: str, files: list[str]) -> None:
    chosen = Path(files[0])
    is_folder = dialog.fileMode() == QFileDialog.FileMode.Directory
    last_folders.remember(purpose, chosen if is_folder else chosen.parent)
