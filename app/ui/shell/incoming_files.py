"""Files that come into the window: dropped, named on the command line, or asked for; each goes where it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from app.features.messages import NO_FILE, NO_PICTURES
from app.ui.i18n import tr
from app.ui.shell.tab_spec import MODELS, TabSpec, UiContext
from app.ui.shell.tabs import Tabs
from app.ui.widgets.dialogs import MODELS as MODEL_FILES
from app.ui.widgets.dialogs import file_dialog
from app.ui.widgets.file_drop import DropZone, FileDrop

if TYPE_CHECKING:
    from app.bootstrap import Fireside


class IncomingFiles(QObject):
    """A model is opened or added; any other file is a document, for the tab that is open or the one it is let go on."""

    model_chosen = Signal(object)
    """A model's path, for the tab that is open."""

    def __init__(self, app: Fireside, ui: UiContext, tabs: Tabs) -> None:
        super().__init__(ui.window)
        self._app, self._ui, self._tabs = app, ui, tabs
        drop = FileDrop(ui.theme, self._zones, ui.window)
        drop.dropped.connect(self._on_dropped)
        drop.refused.connect(lambda is_picture: ui.notify.tell(NO_PICTURES if is_picture else NO_FILE))

    def open(self, files: list[str]) -> None:
        """Files from the command line or a second start: the first model is opened, documents are attached."""
        models, documents = _sorted(files)
        if models:
            self._ui.loader.load(models[0])
        elif self._ui.loader.state == "asleep":
            self._ui.loader.start()
        self._tabs.send(self._tabs.home, documents)

    def ask_for_model(self) -> None:
        """Asks for a model file to use where it is, in the tab that is open."""
        # What the person names is opened, whatever it is called: the engine says what is wrong with it.
        dialog = self._ask_for_file("open_model_dialog", tr("Open a model file"))
        dialog.fileSelected.connect(lambda file: self.model_chosen.emit(Path(file)))

    def ask_for_file(self) -> None:
        """Asks for a model file to make one of Fireside's."""
        dialog = self._ask_for_file("add_file_dialog", tr("Add a model file"))
        dialog.fileSelected.connect(lambda file: self._add(Path(file)))

    def _zones(self, files: list[str]) -> Sequence[DropZone]:
        _, documents = _sorted(files)
        if not files:
            return [DropZone("", tr("Only files of this computer can be dropped here"))]
        if not documents:
            return [DropZone("", tr("Drop to add a model"))]
        specs, current = self._tabs.specs, self._tabs.current
        drops = specs[current].drops
        if drops is not None and current != self._tabs.home:
            return [DropZone(current, tr(drops.alone))]
        return [_zone(spec) for spec in specs.values() if spec.drops is not None]

    def _on_dropped(self, files: list[str], zone: str) -> None:
        """A model becomes one of Fireside's and is chosen; documents go where they were let go."""
        models, documents = _sorted(files)
        if models:
            path = models[0]
            ours = Path(self._app.settings.models.folder or self._app.paths.models)
            if path in dict(self._app.known_models()) or path.is_relative_to(ours):
                self.model_chosen.emit(path)
            else:
                self._add(path)
        self._tabs.send(zone or self._tabs.home, documents)

    def _add(self, path: Path) -> None:
        self._tabs.made(MODELS).take_files([path])

    def _ask_for_file(self, name: str, title: str) -> QFileDialog:
        """Begins where the last one was chosen, else in the folder of the model that is open."""
        path = self._ui.loader.path
        dialog = file_dialog(self._ui.window, title, MODEL_FILES, first=path.parent if path else None)
        dialog.setObjectName(name)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([tr("Models (*.gguf)"), tr("All files (*)")])
        dialog.open()
        return dialog


def _zone(spec: TabSpec) -> DropZone:
    """One of several places to let files go on."""
    assert spec.drops is not None
    return DropZone(spec.name, tr(spec.drops.title), tr(spec.drops.note), spec.icon)


def _sorted(files: list[str]) -> tuple[list[Path], list[Path]]:
    """Model files, and everything else."""
    paths = [Path(file) for file in files]
    models = [path for path in paths if path.suffix.lower() == ".gguf"]
    return models, [path for path in paths if path not in models]
