"""The icon beside the clock: what is at work at a glance, a menu, and where the window goes that keeps running."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from app import APP_NAME
from app.ui.i18n import tr
from app.ui.icons import app_icon

SIZES_PX = (16, 22, 24, 32, 48, 64)
CLICKS = (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick)


class Tray(QObject):
    """Absent where the system has no place for it, and where nobody wants it.

    `work` says what is at work, in words, by the name of its tab. `entries` are the lines of the menu above Quit: names
    of `chosen`, and their words. `has_place` asks the system.
    """

    chosen = Signal(str)
    """A line of the menu; "show" also by a click on the icon."""
    tab_wanted = Signal(str)
    """Where something is at work."""

    def __init__(
        self,
        work: Callable[[], Mapping[str, str]],
        entries: Mapping[str, str],
        parent: QObject,
        *,
        is_wanted: bool,
        has_place: Callable[[], bool] = QSystemTrayIcon.isSystemTrayAvailable,
    ) -> None:
        super().__init__(parent)
        self._work, self._entries, self._is_wanted, self._has_place = work, entries, is_wanted, has_place
        self._icon: QSystemTrayIcon | None = None
        self._menu: QMenu | None = None
        self._said: tuple[str, ...] | None = None

    def begin(self) -> None:
        """Looks for its place, which takes a moment."""
        self._find_place()

    @property
    def is_there(self) -> bool:
        """Whether somebody could come back to the program by it."""
        self._find_place()
        return self._icon is not None and self._has_place()

    def show_wanted(self, *, wanted: bool) -> None:
        """Whether the person wants it."""
        self._is_wanted = wanted
        if not wanted:
            self.close()
        self._find_place()

    def look(self) -> None:
        """Something else may be at work."""
        if self._icon is None:
            return
        words = tuple(self._work().values())
        if words != self._said:
            self._said = words
            self._icon.setIcon(app_icon(SIZES_PX, is_at_work=bool(words)))
            self._icon.setToolTip("\n".join([APP_NAME, *words]))

    def close(self) -> None:
        """Takes it away."""
        if self._icon is not None and self._menu is not None:
            self._icon.hide()
            self._icon.deleteLater()
            self._menu.deleteLater()
            self._icon, self._menu, self._said = None, None, None

    def _find_place(self) -> None:
        """A tray may come later than the program: what begins with a session begins in any order."""
        if self._icon is not None or not self._is_wanted or not self._has_place():
            return
        self._menu = QMenu()
        self._menu.aboutToShow.connect(self._fill)
        self._icon = QSystemTrayIcon(self)
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._on_activated)
        self._fill()
        self.look()
        self._icon.show()

    def _fill(self) -> None:
        menu = self._menu
        if menu is None:
            return
        menu.clear()
        for name, words in self._entries.items():
            menu.addAction(tr(words)).triggered.connect(lambda _=False, name=name: self.chosen.emit(name))
        work = self._work()
        if work:
            menu.addSeparator()
        for tab, words in work.items():
            menu.addAction(words).triggered.connect(lambda _=False, tab=tab: self.tab_wanted.emit(tab))
        menu.addSeparator()
        menu.addAction(tr("Quit")).triggered.connect(lambda _=False: self.chosen.emit("quit"))

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in CLICKS:
            self.chosen.emit("show")
