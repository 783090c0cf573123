"""Files that come into the window: dropped, named on the command line, or asked for; each goes where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog

from app.core.visible import visible_name
from app.features.error_messages import NO_FILE
from app.ui.i18n import tr
from app.ui.locale_formats import join_list
from app.ui.shell import tasks
from app.ui.shell.tab_spec import CHAT, MODELS, UiContext
from app.ui.shell.tabs import Tabs
from app.ui.widgets.dialogs import MODELS as MODEL_FILES
from app.ui.widgets.dialogs import file_dialog
from app.ui.widgets.file_drop import FileDrop, FileDropAction
from app.ui.widgets.notice_bar import Notice

if TYPE_CHECKING:
    from app.bootstrap import Fireside


IMPORT_LABEL = "Import"
ASK_ABOUT_IT = "Ask about it"
DROP_TO_ADD_MODEL = "Drop to add a model"
DROP_TO_ADD_MODELS = "Drop to add the models in it"
CHATS_IN_FILES = "{names} contains chats."
IMPORT = ":import"
"""Suffix of a tab's name that marks its drop zone for importing into its list."""


class IncomingFiles(QObject):
    """Routes incoming files: models are opened or added, other files go to the open tab or the one they are
    dropped on.
    """

    def __init__(self, app: Fireside, ui: UiContext, tabs: Tabs, *, use_model: Callable[[Any], object]) -> None:
        super().__init__(ui.window)
        self.use_model = use_model
        """A model was chosen for the open tab; carries its path."""
        self._app, self._ui, self._tabs = app, ui, tabs
        drop = FileDrop(ui.theme, self._drop_zones, ui.window)
        drop.dropped.connect(self._on_dropped)
        drop.refused.connect(lambda: ui.notify.show_notice(NO_FILE))
        drop.picture_dropped.connect(self._on_picture)

    def open(self, files: Sequence[str], tab: str = "") -> None:
        """Open files from the command line or a second start: the first model is loaded, documents go to the named tab,
        or else the home tab.
        """
        models, documents = _split_models(files)
        if models:
            self._ui.loader.load(models[0])
        # Only documents were named; whoever opens one wants to ask about it.
        elif self._ui.loader.state == "asleep":
            self._ui.loader.start()
        if tab in self._tabs.specs:
            self._tabs.show(tab)
            self._tabs.send(tab, documents)
            return
        imports = self._tabs.specs[self._tabs.home].imports
        # Whether an archive holds chats is seen only inside it.
        looked_at = [path for path in documents if imports is not None and imports.suits([path])]
        self._tabs.send(self._tabs.home, [path for path in documents if path not in looked_at])
        if looked_at:
            tasks.ask(
                lambda _token: _with_chats(looked_at), self._ui.window, lambda found: self._sort(looked_at, found)
            )

    def _sort(self, files: Sequence[Path], chats: Sequence[Path]) -> None:
        """Send documents to the home tab, and ask whether files with chats should be imported instead."""
        home = self._tabs.home
        self._tabs.send(home, [path for path in files if path not in chats])
        if chats:
            names = join_list(visible_name(path.name) for path in chats)
            notice = Notice(self._ui.theme, tr(CHATS_IN_FILES, names=names))
            notice.add_button(tr(IMPORT_LABEL), lambda: self._tabs.show(home).import_files(chats))
            notice.add_button(tr(ASK_ABOUT_IT), lambda: self._tabs.send(home, chats))
            self._ui.notify.bar.add(notice)

    def ask_for_model(self) -> None:
        """Let the user pick a model file for the open tab, used from where it is."""
        # Any file the user picks is opened, whatever its suffix: the engine reports what is wrong with it.
        self._ask_for_file("open_model_dialog", tr("Open a model file"), self.use_model)

    def ask_for_file(self) -> None:
        """Let the user pick a model file to be added to Fireside's models."""
        self._ask_for_file("add_file_dialog", tr("Add a model file"), self._add)

    def _drop_zones(self, files: list[str]) -> Sequence[FileDropAction]:
        _, documents = _split_models(files)
        if not files:
            return [FileDropAction("", tr("You can only drop files from this computer"))]
        if not documents:
            return [FileDropAction("", tr(DROP_TO_ADD_MODEL))]
        specs, current = self._tabs.specs, self._tabs.current
        if current == MODELS and all(path.is_dir() for path in documents):
            return [FileDropAction(MODELS, tr(DROP_TO_ADD_MODELS))]
        if (drops := specs[current].drops) is not None and current != self._tabs.home:
            return [FileDropAction(current, tr(drops.alone))]
        ways = [(name, spec.drops, spec.icon) for name, spec in specs.items()]
        ways += [(name + IMPORT, spec.imports, "download-simple") for name, spec in specs.items()]
        return [
            FileDropAction(name, tr(drops.title), tr(drops.note_of(documents)), glyph)
            for name, drops, glyph in ways
            if drops is not None and drops.suits(documents)
        ]

    def _on_dropped(self, files: list[str], zone: str) -> None:
        """Add and choose a dropped model; send documents to the zone they were dropped on."""
        models, documents = _split_models(files)
        if models:
            path = models[0]
            ours = Path(self._app.settings.models.folder or self._app.paths.models)
            # Models that are listed are used where they are; others are added first.
            if path in dict(self._app.names.list_choices()) or path.is_relative_to(ours):
                self.use_model(path)
            else:
                self._add(path)
        if zone.endswith(IMPORT):
            self._tabs.show(zone.removesuffix(IMPORT)).import_files(documents)
        else:
            self._tabs.send(zone or self._tabs.home, documents)

    def _on_picture(self, picture: bytes | QImage, ending: str) -> None:
        self._tabs.show(CHAT).take_picture(picture, f"{tr('Dropped picture')}{ending}")

    def _add(self, path: Path) -> None:
        self._tabs.made(MODELS).take_files([path])

    def _ask_for_file(self, name: str, title: str, take: Callable[[Path], object]) -> None:
        """Open a file dialog in the last used folder, or else that of the current model."""
        path = self._ui.loader.path
        file_dialog(
            self._ui.window,
            title,
            MODEL_FILES,
            lambda paths: take(paths[0]),
            name=name,
            mode=QFileDialog.FileMode.ExistingFile,
            filters=[tr("Models (*.gguf)"), tr("All files (*)")],
            first=path.parent if path else None,
        ).open()


def _with_chats(files: Sequence[Path]) -> list[Path]:
    """Return the files that contain exported chats. Reads them, so call it on a thread."""
    from app.core.errors.exchange_errors import ChatsUnreadable
    from app.features.exchange.chat_import import recognize_format

    def has_chats(path: Path) -> bool:
        try:
            return bool(recognize_format(path))
        except ChatsUnreadable as error:
            # The import says where a backup is restored.
            return error.reason == "backup"

    return [path for path in files if has_chats(path)]


def _split_models(files: Sequence[str]) -> tuple[list[Path], list[Path]]:
    paths = [Path(file) for file in files]
    models = [path for path in paths if path.suffix.lower() == ".gguf"]
    return models, [path for path in paths if path not in models]
