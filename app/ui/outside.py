"""Program outside its window: tray icon, notifications of finished work, and running on after the window closes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from app import APP_NAME
from app.core.visible import visible_line
from app.features.chat.session_messages import ChooseModel, ContinueAnswer
from app.ui.chat.chat_tab import ChatTab
from app.ui.i18n import Translatable, tr
from app.ui.icons import app_icon
from app.ui.locale_formats import join_list
from app.ui.shared_labels import QUIT, WRITING_AN_ANSWER
from app.ui.shell.desktop import TaskBar, bring_to_front
from app.ui.shell.main_window import MainWindow
from app.ui.shell.tab_spec import CHAT, TRANSLATE, EndOfWork
from app.ui.widgets.dialogs import QuestionDialog

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.chat.quick_ask import QuickAsk
    from app.ui.shell.global_shortcut import GlobalShortcut

KEEP_RUNNING = "Keep running"


SIZES_PX = (16, 22, 24, 32, 48, 64)
CLICKS = (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick)


class Tray(QObject):
    """Tray icon, if the system has a tray and the user wants it.

    `work` returns texts of running work by tab; `entries` are menu entries above Quit, by the name `chosen` carries;
    `has_place` asks the system.
    """

    chosen = Signal(str)
    """Name of a menu entry; "show" also on a click on the icon."""
    tab_wanted = Signal(str)
    """Carries the name of a tab with running work."""

    def __init__(
        self,
        work: Callable[[], Mapping[str, str]],
        entries: Mapping[str, Translatable],
        parent: QObject,
        *,
        is_wanted: bool,
        has_place: Callable[[], bool] = QSystemTrayIcon.isSystemTrayAvailable,
    ) -> None:
        super().__init__(parent)
        self._work, self._entries, self._is_wanted, self._has_place = work, entries, is_wanted, has_place
        self._icon: QSystemTrayIcon | None = None
        self._menu: QMenu | None = None
        self._shown_words: tuple[str, ...] | None = None

    def begin(self) -> None:
        """Look for a tray, which asks the system and takes a moment."""
        self._find_place()

    @property
    def is_there(self) -> bool:
        """True if the user could return to the program by the icon."""
        self._find_place()
        return self._icon is not None and self._has_place()

    def show_wanted(self, *, wanted: bool) -> None:
        """Show or remove the icon by the user's setting."""
        self._is_wanted = wanted
        if not wanted:
            self.close()
        self._find_place()

    def refresh_work(self) -> None:
        if self._icon is not None and (words := tuple(self._work().values())) != self._shown_words:
            self._shown_words = words
            self._icon.setIcon(app_icon(SIZES_PX, is_at_work=bool(words)))
            self._icon.setToolTip("\n".join([APP_NAME, *map(visible_line, words)]))

    def close(self) -> None:
        if self._icon is not None and self._menu is not None:
            self._icon.hide()
            self._icon.deleteLater()
            self._menu.deleteLater()
            self._icon, self._menu, self._shown_words = None, None, None

    def _find_place(self) -> None:
        # The tray may start after the program: at login the order is arbitrary.
        if self._icon is not None or not self._is_wanted or not self._has_place():
            return
        # Kept here, as a tray icon doesn't own its menu.
        self._menu = QMenu()
        self._menu.aboutToShow.connect(self._fill)
        self._icon = QSystemTrayIcon(self)
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._on_activated)
        self._fill()
        self.refresh_work()
        self._icon.show()

    def _fill(self) -> None:
        if (menu := self._menu) is None:
            return
        menu.clear()
        for name, words in self._entries.items():
            menu.addAction(tr(words)).triggered.connect(lambda _=False, name=name: self.chosen.emit(name))
        if work := self._work():
            menu.addSeparator()
        for tab, running in work.items():
            menu.addAction(running).triggered.connect(lambda _=False, tab=tab: self.tab_wanted.emit(tab))
        menu.addSeparator()
        menu.addAction(tr(QUIT)).triggered.connect(lambda _=False: self.chosen.emit("quit"))

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in CLICKS:
            self.chosen.emit("show")


ENTRIES = {"show": "Show Fireside", "new": "New chat", "ask": "Quick ask"}


class Outside(QObject):
    """Tray, global shortcut and quick window, made after the main window is shown.

    Settings apply at once.
    """

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
        self._wanted_keys = ""
        is_wanted = app.settings.system.tray
        self.tray = Tray(lambda: self.work, ENTRIES, self, is_wanted=is_wanted, has_place=has_tray)
        self.tray.chosen.connect(self._on_chosen)
        self.tray.tab_wanted.connect(self._on_tab_wanted)
        window.ui.system.changed.connect(self._on_changed)
        window.closing.stays = self._stays
        window.closing.begun.connect(self._on_closing)
        window.ui.system.ask_wanted.connect(self.ask)
        window.tabs.work.changed.connect(lambda _: self.tray.refresh_work())
        window.tabs.work.ended.connect(self._on_work_ended)
        window.ui.notify.actions["downloads"] = self._show_downloads

    def begin(self) -> None:
        """Set up the parts that ask the system: tray and global shortcut."""
        self.tray.begin()
        self._update_shortcut()

    @cached_property
    def quick(self) -> QuickAsk:
        """The window for quick questions, built and connected on first use."""
        # Many never open it.
        from app.ui.chat.quick_ask import QuickAsk

        ui = self._window.ui
        quick = QuickAsk(
            self._app.chats,
            ui.theme,
            ui.loader,
            ui.notify.actions,
            keep=self._on_kept,
            on_close=self._on_quick_closed,
            translate=self._on_translate_wanted,
        )
        if ui.pictures is not None:
            quick.chat.attaching.scans.watch(ui.pictures, ui.go.open_models)
        quick.chat.models.others.known = self._app.names.list_choices
        quick.chat.models.own.name_of = lambda path: tr(self._app.names.name_of(path))
        quick.chat.models.others.more_wanted.connect(self._on_model_wanted)
        quick.chat.session.serve({ChooseModel: lambda _asked: self._on_model_wanted()})
        for signal in (quick.chat.answer_started, quick.chat.answer_finished):
            signal.connect(lambda _: self.tray.refresh_work())
        return quick

    @property
    def work(self) -> dict[str, str]:
        """Texts of running work by the name of its tab."""
        # Asking must not build the quick window.
        is_answering = "quick" in self.__dict__ and self.quick.chat.busy
        return ({CHAT: tr(WRITING_AN_ANSWER)} if is_answering else {}) | self._window.tabs.work.words

    def ask(self, words: str = "") -> None:
        """Open the quick window with a text, such as what is selected elsewhere."""
        if not self._window.isVisible():
            QApplication.setQuitOnLastWindowClosed(False)  # see `_on_quick_closed`
        self.quick.open(words)

    def show_window(self) -> None:
        """Show the main window, also after it was closed to the tray."""
        # Hiding the window had turned it off.
        QApplication.setQuitOnLastWindowClosed(True)
        bring_to_front(self._window)

    def _on_changed(self) -> None:
        self._update_shortcut()
        self.tray.show_wanted(wanted=self._app.settings.system.tray)

    def _on_chosen(self, name: str) -> None:
        if name == "quit":
            self._window.closing.quit()
            return
        if name == "ask":
            self.ask()
            return
        self.show_window()
        if name == "new":
            self._window.ui.notify.actions["new_chat"]()

    def _on_tab_wanted(self, name: str) -> None:
        self.show_window()
        self._window.show_tab(name)

    @cached_property
    def keys(self) -> GlobalShortcut:
        """Global shortcut that opens the quick window, made on first use."""
        from app.ui.shell.global_shortcut import GlobalShortcut  # most users never need it

        keys = GlobalShortcut(self)
        keys.pressed.connect(self.ask)
        keys.said.connect(self._on_keys_said)
        return keys

    def _update_shortcut(self) -> None:
        system = self._app.settings.system
        wanted = system.shortcut if system.shortcut_on else ""
        if wanted != self._wanted_keys:
            self._wanted_keys = wanted
            self.keys.want(wanted)

    def _on_keys_said(self) -> None:
        link = self._window.ui.system
        link.shortcut_words = self.keys.words
        link.shortcut_said.emit()

    def _on_kept(self, number: int, goes_on: bool) -> None:
        self.show_window()
        tab = self._window.show_tab(CHAT)
        assert isinstance(tab, ChatTab)
        tab.show_chat(number)
        tab.sidebar.show_new(number)
        branch = tab.chat.session.state.branch
        if goes_on and branch and not tab.chat.busy:
            tab.chat.session.dispatch(ContinueAnswer(branch[-1].id))

    def _on_translate_wanted(self, text: str) -> None:
        self.show_window()
        self._window.show_tab(TRANSLATE).take_text(text)

    def _on_model_wanted(self) -> None:
        self.show_window()
        self._window.open_models()

    def _on_quick_closed(self) -> None:
        """Quit a program that was started for one question, unless it should keep running."""
        keeps = self._app.settings.system.keeps_running and self.tray.is_there
        if not self._window.isVisible() and not keeps:
            self._window.closing.quit()

    def _on_closing(self) -> None:
        self.tray.close()
        if "keys" in self.__dict__:
            self.keys.close()
        if "quick" in self.__dict__:
            self.quick.close()

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

    def _stays(self) -> bool:
        system = self._app.settings.system
        if not self.tray.is_there:
            return False
        if system.keeps_running:
            self._hide()
            return True
        if self.work and not system.asked_to_keep:
            self._ask()
            return True
        return False

    def _hide(self) -> None:
        self._window.store()
        QApplication.setQuitOnLastWindowClosed(False)  # a dialog or the quick window may be closed meanwhile
        self._window.hide()

    def _ask(self) -> None:
        work = join_list(self.work.values())
        words = tr(
            "{work}. Fireside can finish in the background; click its tray icon to reopen the window. If you "
            "quit, the work so far is kept: documents continue next time, an answer stays unfinished.",
            work=work,
        )
        dialog = QuestionDialog(self._window.ui.theme, tr("Fireside is still working"), words, self._window)
        dialog.setObjectName("keep_running_question")
        dialog.add_choice(tr(QUIT), lambda: self._on_answer(keeps_running=False))
        dialog.add_choice(tr(KEEP_RUNNING), lambda: self._on_answer(keeps_running=True), "primary")
        dialog.open()

    def _on_answer(self, *, keeps_running: bool) -> None:
        with self._window.ui.notify.guard():
            self._app.change_settings("system", asked_to_keep=True, keeps_running=keeps_running)
        self._window.close()
