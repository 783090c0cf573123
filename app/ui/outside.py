"""The program outside its window: its icon beside the clock, what is told of work that ends while nobody looks, and
what closing the window means while work goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from app.ui.i18n import tr
from app.ui.shell.desktop import TaskBar, bring_to_front
from app.ui.shell.main_window import MainWindow
from app.ui.shell.tab_spec import EndOfWork
from app.ui.shell.tray import Tray
from app.ui.widgets.dialogs import QuestionDialog

if TYPE_CHECKING:
    from app.bootstrap import Fireside

ENTRIES = {"show": "Show Fireside", "new": "New chat"}


class Outside(QObject):
    """Made when the window has been seen. What the settings say is in force at once."""

    def __init__(
        self,
        app: Fireside,
        window: MainWindow,
        task_bar: TaskBar,
        *,
        has_tray: Callable[[], bool] = QSystemTrayIcon.isSystemTrayAvailable,
    ) -> None:
        super().__init__(window)
        self._app, self._window, self._task_bar = app, window, task_bar
        is_wanted = app.settings.system.tray
        self.tray = Tray(lambda: window.tabs.work, ENTRIES, self, is_wanted=is_wanted, has_place=has_tray)
        self.tray.chosen.connect(self._on_chosen)
        self.tray.tab_wanted.connect(self._on_tab_wanted)
        window.ui.system.changed.connect(self._on_changed)
        window.closing.stays = self._stays
        window.closing.begun.connect(self.tray.close)
        window.tabs.work_changed.connect(lambda _: self.tray.look())
        window.tabs.work_ended.connect(self._on_work_ended)
        window.ui.notify.actions["downloads"] = self._show_downloads

    def show_window(self) -> None:
        """Also from where it went when it was closed."""
        QApplication.setQuitOnLastWindowClosed(True)
        bring_to_front(self._window)

    def _on_changed(self) -> None:
        self.tray.show_wanted(wanted=self._app.settings.system.tray)

    def _on_chosen(self, name: str) -> None:
        if name == "quit":
            self._window.closing.quit()
            return
        self.show_window()
        if name == "new":
            self._window.ui.notify.actions["new_chat"]()

    def _on_tab_wanted(self, name: str) -> None:
        self.show_window()
        self._window.show_tab(name)

    # What ends while nobody looks.

    def _on_work_ended(self, tab: str, end: EndOfWork) -> None:
        about = end.about if self._app.settings.system.notifies_with_words else ""
        self._task_bar.tell_system(end.words, about, lambda: self._show_end(tab, end))

    def _show_end(self, tab: str, end: EndOfWork) -> None:
        self.show_window()
        shown = self._window.show_tab(tab)
        if end.number:
            shown.show_stored(end.number)

    def _show_downloads(self) -> None:
        self.show_window()
        self._window.open_models("downloads")

    # Closing the window.

    def _stays(self) -> bool:
        system = self._app.settings.system
        if not self.tray.is_there:
            return False
        if system.keeps_running:
            self._hide()
            return True
        if self._window.tabs.work and not system.asked_to_keep:
            self._ask()
            return True
        return False

    def _hide(self) -> None:
        self._window.store()
        QApplication.setQuitOnLastWindowClosed(False)  # a dialog or a small window may be closed meanwhile
        self._window.hide()

    def _ask(self) -> None:
        work = ", ".join(self._window.tabs.work.values())
        words = tr(
            "{work}. Fireside can finish it in the tray, beside the clock, where its window comes back with a click. "
            "If you quit, what is there is kept: documents go on at the next start, an answer stays as it is.",
            work=work,
        )
        dialog = QuestionDialog(self._window.ui.theme, tr("Work is still going on"), words, self._window)
        dialog.setObjectName("keep_running_question")
        dialog.add_choice(tr("Quit"), lambda: self._on_answer(keeps_running=False))
        dialog.add_choice(tr("Keep running"), lambda: self._on_answer(keeps_running=True), "primary")
        dialog.open()

    def _on_answer(self, *, keeps_running: bool) -> None:
        with self._window.ui.notify.guard():
            self._app.change("system", asked_to_keep=True, keeps_running=keeps_running)
        self._window.close()
