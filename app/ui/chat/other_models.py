"""Another model for one answer: a menu of those that are known, and what is done once the chosen one is in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from app.core.events import ModelLoaded
from app.core.visible import visible_name
from app.ui.i18n import tr


class OtherModels(QObject):
    """`known` lists the models with their names; it is given by who knows them. `loaded` is what is in."""

    chosen = Signal(object)
    """The `Path` of a model that is to be the chat's."""
    more_wanted = Signal()
    """None of these: the models are to be shown."""

    def __init__(self, loaded: Callable[[], ModelLoaded | None], parent: QObject) -> None:
        super().__init__(parent)
        self._get_loaded = loaded
        self.known: Callable[[], Sequence[tuple[Path, str]]] = list
        self._next: tuple[Path, Callable[[], None]] | None = None

    @property
    def _loaded(self) -> Path | None:
        loaded = self._get_loaded()
        return Path(loaded.path) if loaded is not None else None

    def menu(self, then: Callable[[], None], parent: QWidget) -> QMenu:
        """Of all that are there; what is chosen becomes the chat's model, and `then` follows once it is in."""
        menu = QMenu(parent)
        menu.setObjectName("other_models")
        menu.setAccessibleName(tr("Regenerate with another model"))
        menu.aboutToHide.connect(menu.deleteLater)
        for path, name in self.known():
            action = QAction(visible_name(name).replace("&", "&&"), menu)
            if path == self._loaded:
                action.setText(tr("{name} (this one)", name=name).replace("&", "&&"))
            action.setToolTip(str(path))
            action.triggered.connect(partial(self._choose, path, then))
            menu.addAction(action)
        menu.addSeparator()
        menu.addAction(tr("Find more models…"), self.more_wanted.emit)
        return menu

    def look(self, state: str) -> None:
        """The model's state is another: what waited for it goes on, or does not where it failed."""
        if self._next is None:
            return
        path, then = self._next
        if state == "ready" and self._loaded == path:
            self._next = None
            then()
        elif state == "failed" or (state == "ready" and self._loaded != path):
            self._next = None

    def _choose(self, path: Path, then: Callable[[], None], _checked: bool = False) -> None:
        if path == self._loaded:
            then()
            return
        self._next = None
        self.chosen.emit(path)
        self._next = (path, then)
