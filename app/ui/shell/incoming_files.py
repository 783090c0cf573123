"""Files that come into the window: dropped, named on the command line, or asked for; each goes where it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.features.messages import NO_FILE, NO_PICTURES
from app.ui.shell.i18n import tr
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify
from app.ui.shell.tabs import SUMMARIZE, TRANSLATE
from app.ui.shell.views import Views
from app.ui.theme import Theme
from app.ui.widgets.dialogs import MODELS, file_dialog
from app.ui.widgets.file_drop import DropZone, FileDrop

if TYPE_CHECKING:
    from app.bootstrap import Fireside

ASK = "ask"


class IncomingFiles(QObject):
    """A model is opened or added; any other file is a document, asked about in the chat, summarized or translated."""

    model_chosen = Signal(object)
    """A model's path, for the tab that is open."""

    def __init__(
        self, app: Fireside, theme: Theme, notify: Notify, loader: ModelLoader, *, views: Views, window: QWidget
    ) -> None:
        super().__init__(window)
        self._app, self._theme, self._notify, self._loader = app, theme, notify, loader
        self._views, self._window = views, window
        drop = FileDrop(theme, self._zones, window)
        drop.dropped.connect(self._on_dropped)
        drop.refused.connect(lambda is_picture: notify.tell(NO_PICTURES if is_picture else NO_FILE))

    def open(self, files: list[str]) -> None:
        """Files from the command line or a second start: the first model is opened, documents are attached."""
        models, documents = _sorted(files)
        if models:
            self._loader.load(models[0])
        elif self._loader.state == "asleep":
            self._loader.start()
        self._views.attach(documents)

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
        if self._views.current == SUMMARIZE:
            return [DropZone(SUMMARIZE, tr("Drop to summarize"))]
        if self._views.current == TRANSLATE:
            return [DropZone(TRANSLATE, tr("Drop to translate"))]
        return [
            DropZone(ASK, tr("Ask about it"), tr("Goes to your next message"), "chat-circle-text"),
            DropZone(SUMMARIZE, tr("Summarize"), tr("Every page is read"), "article"),
            DropZone(TRANSLATE, tr("Translate"), tr("Comes back looking the same"), "translate"),
        ]

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
        if zone == SUMMARIZE:
            self._views.summarize(documents)
        elif zone == TRANSLATE:
            self._views.translate(documents)
        else:
            self._views.attach(documents)

    def _add(self, path: Path) -> None:
        from app.ui.models.add_dialog import FileAdding  # not needed at start

        FileAdding(self._app, self._theme, self._notify, self._window).add_file(path, self.model_chosen.emit)

    def _ask_for_file(self, name: str, title: str) -> QFileDialog:
        """Begins where the last one was chosen, else in the folder of the model that is open."""
        dialog = file_dialog(self._window, title, MODELS, first=self._loader.path.parent if self._loader.path else None)
        dialog.setObjectName(name)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([tr("Models (*.gguf)"), tr("All files (*)")])
        dialog.open()
        return dialog


def _sorted(files: list[str]) -> tuple[list[Path], list[Path]]:
    """Model files, and everything else."""
    paths = [Path(file) for file in files]
    models = [path for path in paths if path.suffix.lower() == ".gguf"]
    return models, [path for path in paths if path not in models]
