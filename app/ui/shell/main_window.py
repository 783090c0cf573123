"""Main window: left column, top row, tab views, notices, status line, and routing of files. No feature logic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QMainWindow, QSplitter, QVBoxLayout, QWidget

from app.features.help_pages import CHANGES
from app.ui.i18n import tr, window_title
from app.ui.shell.api_programs import OtherPrograms
from app.ui.shell.desktop import open_folder
from app.ui.shell.field_dictation import FieldDictation
from app.ui.shell.incoming_files import IncomingFiles
from app.ui.shell.keyboard import ShortcutSheet, move_focus, with_keys
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.model_picker import ModelPicker
from app.ui.shell.notify import Notify
from app.ui.shell.passage_indexing import PassageIndexing
from app.ui.shell.picture_reading import PictureReading
from app.ui.shell.status_facts import StatusFacts
from app.ui.shell.status_line import StatusLine
from app.ui.shell.tab_spec import CHAT, MODELS, Tab, TabSpec, UiContext
from app.ui.shell.tabs import LeftColumn, Tabs
from app.ui.shell.text_reading import TextReading, can_read_aloud
from app.ui.shell.tool_scoring import ToolScoring
from app.ui.shell.top_row import PanelButton, TopRow
from app.ui.shell.window_commands import WindowCommands
from app.ui.shell.window_geometry import WindowGeometry
from app.ui.shown_texts import keep_words
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.dialogs import last_folders
from app.ui.widgets.layouts import drop_margins, fill_layout
from app.ui.widgets.timers import new_timer

if TYPE_CHECKING:
    from app.bootstrap import Fireside

LOOK_INSIDE = "Look inside the model"
INSIDE = "Inside"
TOGGLE_LIST = "Show or hide the list"


REMEMBER_MS = 200
"""Delay after the last change before it is saved: arrow keys pass many chats quickly."""


class MainWindow(QMainWindow):
    """Assembles the parts of the window and implements `Navigation` for them.

    `open_settings` shows the settings over the window, at the given page or row, or the first page; `open_help` shows
    the help page about a screen over a window.
    """

    def __init__(
        self,
        app: Fireside,
        theme: Theme,
        notify: Notify,
        loader: ModelLoader,
        specs: Sequence[TabSpec],
        *,
        open_settings: Callable[[Fireside, MainWindow, str], None],
        open_help: Callable[[Theme, str, QWidget], object],
    ) -> None:
        super().__init__()
        self._open_settings, self._open_help = open_settings, open_help
        self._app, self._theme, self._notify, self.loader = app, theme, notify, loader
        self._remember_later = new_timer(self, REMEMBER_MS, self._remember)
        keep_words(self, "windowTitle").setObjectName("main_window")  # it says it anew by itself
        self.status = StatusLine(theme)
        self.scoring = ToolScoring(app, notify, self)
        dictation = FieldDictation(app, theme, notify, self)
        reading = TextReading(app, theme, notify, self, dictation, with_keys=with_keys) if can_read_aloud() else None
        self.ui = UiContext(
            theme, notify, loader, self.status, self, self,
            programs=OtherPrograms(app, notify, self), pictures=PictureReading(app, notify, self),
            passages=PassageIndexing(app, notify, self), scoring=self.scoring,
            dictation=dictation, reading=reading,
        )  # fmt: skip
        with theme.without_sheet():
            self.left = LeftColumn(
                theme,
                [spec for spec in specs if spec.is_at_foot],
                choose=lambda name: self.tabs.show(name),  # noqa: PLW0108 - made next
            )
            self.tabs: Tabs = Tabs(app, self.ui, self.left, specs)
            self.picker = ModelPicker(
                app,
                theme,
                loader,
                notify,
                scoring=self.scoring,
                on_task_model=self.tabs.on_model_chosen,
                ask_for_file=self.ask_for_model,
                show_models=self.open_models,
            )
            # A handle of one pixel is drawn as a line; Qt enlarges the area that can be grabbed.
            self._splitter = QSplitter(Qt.Orientation.Horizontal, handleWidth=1, childrenCollapsible=False)
            fill_layout(self._splitter, self.left, self._content())
            self.setCentralWidget(self._splitter)
        self._splitter.setStretchFactor(1, 1)
        self.sizes = WindowGeometry(self, self._splitter, self.left, theme, self.status)
        self.files = IncomingFiles(app, self.ui, self.tabs, use_model=self.picker.use)
        self.closing = WindowClosing(self)
        self.commands = WindowCommands(
            app, self.ui, self.tabs, self.sizes, choose_model=self.picker.show_menu, quit_program=self.closing.quit
        )
        self._connect()
        last_folders.use(app.settings.window.last_folders, lambda lines: self._save("window", last_folders=lines))
        self.sizes.restore(app.settings.window)
        self.sizes.fit_zoom()
        self.tabs.restore()

    def _content(self) -> QWidget:
        content = QWidget()
        content.setObjectName("content")
        # Without it a plain widget ignores the background of the style sheet.
        content.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._toggle = IconButton(
            self._theme,
            "sidebar-simple",
            tr(TOGGLE_LIST),
            name="toggle_sidebar",
            on_click=lambda: self.sizes.toggle_column(),  # noqa: PLW0108 - made next
        )
        self._toggle.setToolTip(with_keys(tr(TOGGLE_LIST), "sidebar"))
        self._inside = PanelButton(self._theme, "eye", tr(LOOK_INSIDE), tr(INSIDE), name="toggle_inside")
        self._inside.setToolTip(with_keys(tr(LOOK_INSIDE), "inside"))
        self._inside.clicked.connect(self.tabs.toggle_inside)
        self._top = TopRow(self._theme, self._toggle, self.tabs.row, self.picker, self._inside)
        bars = [self.ui.reading.bar] if self.ui.reading is not None else []
        fill_layout(drop_margins(QVBoxLayout(content), 0), self._top, (self.tabs.content, 1), *bars, self.status)
        self._notify.bar.float_over(content, self.tabs.content)
        return content

    def _connect(self) -> None:
        self._notify.actions |= {
            "open_model": self.ask_for_model,
            "new_chat": lambda: self.commands.begin_in(self.tabs.home),
            "settings": self.open_settings,
            "restart": self.closing.restart,
            "models": self.open_models,
            "storage": lambda: self.open_models("storage"),
            "help": self.open_help,
            "whats_new": lambda: self.open_help(CHANGES),
            "network": lambda: self.open_settings("network"),
            "servers": lambda: self.open_settings("connections/servers"),
            "open_folder": lambda: open_folder(self._app.paths.data),
        }
        if self.ui.reading is not None:
            self._notify.actions["read_aloud"] = self.ui.reading.read_here
        self.left.settings.clicked.connect(lambda _=False: self.open_settings())
        self.tabs.changed.connect(self._on_view_changed)
        self.tabs.title_changed.connect(self._on_title_changed)
        self.tabs.inside_changed.connect(self._on_inside_changed)
        self.tabs.work.changed.connect(self.status.show_work)
        self.scoring.changed.connect(lambda: self.tabs.work.show_activity(MODELS, self.scoring.activity))
        for signal in (self.tabs.work.changed, self.tabs.model_changed):
            signal.connect(lambda *_: self.picker.refresh())
        self.picker.is_at_work, self.picker.engine_of = self.tabs.work.has_task, self.tabs.work.engine_of
        self.picker.of_chat = self.tabs.made(CHAT).own_model
        self._theme.changed.connect(self.sizes.fit_zoom)
        self._status_facts = StatusFacts(self._app, self.ui, self.status)
        self._status_facts.network_changed.connect(self.picker.refresh)
        self.picker.refresh()

    def show_tab(self, name: str) -> Tab:
        return self.tabs.show(name)

    def tab(self, name: str) -> Tab:
        return self.tabs.seen(name)

    def open_models(self, page: str = "suggested") -> None:
        # The page first, or the tab would show another one for a moment.
        self.tabs.seen(MODELS).do(page)
        self.tabs.show(MODELS)

    def open_settings(self, page: str = "") -> None:
        self._open_settings(self._app, self, page)

    def ask_for_model(self) -> None:
        self.files.ask_for_model()

    def add_model(self) -> None:
        self.files.ask_for_file()

    def use_model(self, path: Path) -> None:
        self.picker.use(path)

    def show_network(self) -> None:
        self._status_facts.show_network()
        self.picker.refresh()

    def open_help(self, screen: str = "", above: QWidget | None = None) -> None:
        self._open_help(self._theme, screen or self.tabs.help_screen, above or self)

    def open_shortcuts(self, above: QWidget) -> None:
        ShortcutSheet(self._theme, list(self.tabs.specs.values()), above).show()

    def _on_view_changed(self) -> None:
        self.sizes.put_away()
        if self.tabs.task != self.picker.task:
            self.picker.show_task(self.tabs.task)
        self._on_inside_changed()
        self._on_title_changed()

    def _on_inside_changed(self) -> None:
        self._top.show_panel_button(shown=self.tabs.has_inside)
        self._inside.setChecked(self.tabs.is_inside_open)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._on_title_changed()

    def _on_title_changed(self) -> None:
        self.setWindowTitle(window_title(self.tabs.title))
        self._remember_later.start()

    def _remember(self) -> None:
        # At once, so that they come back even after a kill.
        kept, now = self._app.settings.window, self.tabs.in_use
        # Titles change with every answer; most changes are nothing to write into a file.
        if any(getattr(kept, name) != value for name, value in now.items()):
            self._save("window", **now)

    def _save(self, section: str, **values: object) -> None:
        with self._notify.guard():
            self._app.change_settings(section, **values)

    def focusNextPrevChild(self, is_next: bool) -> bool:
        return move_focus(self, is_next)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Undo the last deletion for a Ctrl+Z that no text field used."""
        if not (event.matches(QKeySequence.StandardKey.Undo) and self._notify.undo_last()):
            super().keyPressEvent(event)

    def store(self) -> None:
        """Save drafts, window state and open items immediately, without ending any work."""
        self.tabs.store()
        self._remember_later.stop()
        self._save("window", **self.sizes.describe(), **self.tabs.in_use)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closing.handle_close(event)


class WindowClosing(QObject):
    """Decides what closing the window means: quitting, or hiding while the program keeps running."""

    begun = Signal()
    """The window closes for good; nothing may be started in it."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._is_quitting = self._is_over = False
        self.is_restarting = False
        """True if the program should start again after it quit."""
        self.stays: Callable[[], bool] = lambda: False
        """Asked at each close: True if the window should only be hidden, or the user is asked first."""

    def quit(self) -> None:
        """Quit the program, even if its window is hidden."""
        self.go_for_good()
        self._window.close()
        # Closing a hidden window doesn't quit the program.
        QTimer.singleShot(0, QApplication.quit)

    def restart(self) -> None:
        """Quit the program and start it again."""
        self.is_restarting = True
        self.quit()

    def go_for_good(self) -> None:
        """Make the next close final and unasked, because the program quits or the session ends."""
        self._is_quitting = True

    def handle_close(self, event: QCloseEvent) -> None:
        """Handle the window's close event: refuse it, hide the window, or end the program."""
        # Quitting closes all windows once more.
        if self._is_over:
            return
        if not self._is_quitting and self.stays():
            event.ignore()
            return
        self._is_over = True
        # The last window, whatever kept the program running before.
        QApplication.setQuitOnLastWindowClosed(True)
        self.begun.emit()
        if self._window.ui.dictation is not None:
            self._window.ui.dictation.close()
        if self._window.ui.reading is not None:
            self._window.ui.reading.close()
        self._window.tabs.close()
        self._window.store()
