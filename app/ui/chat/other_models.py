"""Another model than the one that is in: a menu of those that are known."""

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

    more_wanted = Signal()
    """None of these: the models are to be shown."""

    def __init__(self, loaded: Callable[[], ModelLoaded | None], parent: QObject) -> None:
        super().__init__(parent)
        self._loaded = loaded
        self.known: Callable[[], Sequence[tuple[Path, str]]] = list

    @property
    def path(self) -> Path | None:
        """The one that is in."""
        loaded = self._loaded()
        return Path(loaded.path) if loaded is not None else None

    def menu(self, title: str, then: Callable[[Path], object], parent: QWidget) -> QMenu:
        """Of all that are there, for what `title` says; `then` is told which one was chosen."""
        menu = QMenu(parent)
        menu.setObjectName("other_models")
        menu.setAccessibleName(title)
        menu.aboutToHide.connect(menu.deleteLater)
        here = self.path
        for path, name in self.known():
            shown = tr("{name} (this one)", name=name) if path == here else visible_name(name)
            action = QAction(shown.replace("&", "&&"), menu)
            action.setToolTip(str(path))
            action.triggered.connect(partial(_tell, then, path))
            menu.addAction(action)
        menu.addSeparator()
        menu.addAction(tr("Find more models…"), self.more_wanted.emit)
        return menu


def _tell(then: Callable[[Path], object], path: Path, _checked: bool = False) -> None:
    then(path)
