"""The llama.cpp that models run in: the program's own, or one that the person built."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QWidget

from app.core.errors.app_error import expected_error
from app.core.events import CancelToken
from app.ui.i18n import breakable, sentence_for, tr
from app.ui.shell import tasks
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import file_dialog
from app.ui.widgets.labels import announce
from app.ui.widgets.layouts import drop_margins, fill_layout

if TYPE_CHECKING:
    from app.bootstrap import Fireside

CHOOSE_LIBRARY, USE_OWN = "Use your build…", "Use the built-in one"
LIBRARY_ABOUT = "For a model that’s too new for this version, or a build for your hardware. It’s tested first."
BUILT_IN, YOURS, TRYING = "Built in.", "Your build in {folder}.", "Testing…"


class LibraryField(QWidget):
    """Buttons of the choice; `state` says what is used, or why what was chosen can't be."""

    chosen = Signal(str)
    """A folder whose library was tried; "" for the program's own."""

    def __init__(self, app: Fireside, theme: Theme, state: QLabel) -> None:
        super().__init__()
        self._app, self.state = app, state
        self.choose = text_button(tr(CHOOSE_LIBRARY), on_click=self._ask_for_folder)
        self.use_own = text_button(tr(USE_OWN), on_click=lambda: self._store(""))
        theme.dress(fill_layout(drop_margins(QHBoxLayout(self)), self.choose, self.use_own), spacing=8)
        self._show()

    def _show(self, wrong: str = "") -> None:
        folder = self._app.settings.engine.library_folder
        now = tr(YOURS, folder=breakable(folder)) if folder else tr(BUILT_IN)
        self.state.setText(f"{wrong} {now}".strip())
        self.use_own.setVisible(bool(folder))
        self.choose.setEnabled(True)
        if wrong:
            announce(self.state, wrong)

    def _ask_for_folder(self) -> None:
        dialog = file_dialog(
            self,
            tr("Choose the folder of your llama.cpp"),
            "library",
            lambda folders: self._try(folders[0]),
            name="library_dialog",
            mode=QFileDialog.FileMode.Directory,
        )
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.open()

    def _try(self, chosen: Path) -> None:
        self.state.setText(tr(TRYING))
        self.choose.setEnabled(False)
        scratch = self._app.paths.engine

        def find(cancel: CancelToken) -> str:
            from app.engine.own_library import find_library_folder, try_library

            folder = find_library_folder(chosen)
            try_library(folder, scratch=scratch, cancelled=lambda: cancel.cancelled)
            return str(folder)

        tasks.ask(find, self, self._store, self._on_refused)

    def _store(self, folder: str) -> None:
        self.chosen.emit(folder)
        self._show()

    def _on_refused(self, error: Any) -> None:
        error = expected_error(error)
        self._show(sentence_for(error).text)
