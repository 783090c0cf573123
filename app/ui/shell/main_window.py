"""Main window: left column, top row, tab views, notices, status line, and routing of files. No feature logic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QImage, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QFileDialog, QMainWindow, QSplitter, QVBoxLayout, QWidget

from app.core.visible import visible_name
from app.features.error_messages import NO_FILE
from app.ui.i18n import tr, window_title
from app.ui.shell import tasks
from app.ui.shell.api_programs import OtherPrograms
from app.ui.shell.desktop import open_folder
from app.ui.shell.keyboard import WINDOW_SHORTCUTS, ShortcutSheet, add_shortcuts, lines_of, move_focus, with_keys
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.model_picker import ModelPicker
from app.ui.shell.notify import Notify
from app.ui.shell.passage_indexing import PassageIndexing
from app.ui.shell.picture_reading import PictureReading
from app.ui.shell.status_line import StatusLine
from app.ui.shell.tab_spec import CHAT, MODELS, Tab, TabSpec, UiContext
from app.ui.shell.tabs import LeftColumn, TabRow, Tabs
from app.ui.shell.window_geometry import WindowGeometry
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.dialogs import MODELS as MODEL_FILES
from app.ui.widgets.dialogs import file_dialog, last_folders
from app.ui.widgets.file_drop import FileDrop, FileDropAction
from app.ui.widgets.layouts import ItemsLayout
from app.ui.widgets.notice_bar import Notice

if TYPE_CHECKING:
    from app.bootstrap import Fireside

IMPORT_LABEL = "Import"
ASK_ABOUT_IT = "Ask about it"
LOOK_INSIDE = "Look inside the model"
TOGGLE_LIST = "Show or hide the list"
DROP_TO_ADD_MODEL = "Drop to add a model"
CHATS_IN_FILES = "{names} contains chats."


IMPORT = ":import"
"""Suffix of a tab's name that marks its drop zone for importing into its list."""
REMEMBER_MS = 200
"""Delay after the last change before it is saved: arrow keys pass many chats quickly."""


class MainWindow(QMainWindow):
    """Assembles the parts of the window and implements `Navigation` for them.

    `open_settings` shows the settings over the window, at the given page or row, or the first page.
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
    ) -> None:
        super().__init__()
        self._open_settings = open_settings
        self._app, self._theme, self._notify, self.loader = app, theme, notify, loader
        self._remember_later = QTimer(self, singleShot=True, interval=REMEMBER_MS)
        self._remember_later.timeout.connect(self._remember)
        self.setObjectName("main_window")
        self.status = StatusLine(theme)
        self.ui = UiContext(
            theme, notify, loader, self.status, self, self,
            programs=OtherPrograms(app, notify, self), pictures=PictureReading(app, notify, self),
            passages=PassageIndexing(app, notify, self),
        )  # fmt: skip
        self.left = LeftColumn(theme, [spec for spec in specs if spec.is_at_foot])
        self.tabs = Tabs(app, self.ui, self.left, specs)
        self.picker = ModelPicker(app, theme, loader, notify)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        # A handle of one pixel is drawn as a line; Qt enlarges the area that can be grabbed.
        self._splitter.setHandleWidth(1)
        self._splitter.addWidget(self.left)
        self._splitter.addWidget(self._content())
        self._splitter.setCollapsible(0, False)
        self._splitter.setCollapsible(1, False)
        self._splitter.setStretchFactor(1, 1)
        self.setCentralWidget(self._splitter)
        self.sizes = WindowGeometry(self, self._splitter, self.left, theme, self.status)
        self.files = IncomingFiles(app, self.ui, self.tabs)
        self.closing = Closing(self)
        self.actions_by_name = self._add_actions()
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
        self._toggle = IconButton(self._theme, "square-half", tr(TOGGLE_LIST))
        self._toggle.setObjectName("toggle_sidebar")
        self._toggle.setToolTip(with_keys(tr(TOGGLE_LIST), "sidebar"))
        self._toggle.clicked.connect(self.toggle_sidebar)
        self._inside = IconButton(self._theme, "brain", tr(LOOK_INSIDE))
        self._inside.setObjectName("toggle_inside")
        self._inside.setToolTip(with_keys(tr(LOOK_INSIDE), "inside"))
        self._inside.setCheckable(True)
        self._inside.clicked.connect(self.tabs.toggle_inside)
        self._top = TopRow(self._theme, self._toggle, self.tabs.row, self.picker, self._inside)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._top)
        column.addWidget(self.tabs.content, 1)
        column.addWidget(self.status)
        self._notify.bar.float_over(content, self.tabs.content)
        return content

    def _add_actions(self) -> dict[str, QAction]:
        theme, specs = self._theme, list(self.tabs.specs.values())
        opening = {f"tab_{spec.name}": lambda name=spec.name: self.tabs.show(name) for spec in specs}
        return add_shortcuts(
            self,
            [*lines_of(specs), *WINDOW_SHORTCUTS],
            {
                **opening,
                "new": lambda: self._begin(self.tabs.tab if self.tabs.current == self.tabs.tab else self.tabs.home),
                "temporary_chat": lambda: self.tabs.seen(CHAT).do("temporary_chat"),
                "new_project": lambda: self.tabs.seen(CHAT).do("new_project"),
                "palette": self._open_palette,
                "quick_ask": lambda: self.ui.system.ask_wanted.emit(""),
                "find": self._find,
                "search": self._search,
                "sidebar": self.toggle_sidebar,
                "inside": self.tabs.toggle_inside,
                "context": lambda: self.tabs.show(CHAT).do("context"),
                "choose_model": self.picker.show_menu,
                "attach": lambda: self.tabs.for_files.ask_for_files(),  # noqa: PLW0108 - of the tab that is open then
                "prompts": lambda: self.tabs.show(CHAT).do("prompts"),
                "assistants": lambda: self.tabs.show(CHAT).do("assistants"),
                "export": lambda: self.tabs.seen(CHAT).do("export"),
                "print": lambda: self.tabs.seen(CHAT).do("print"),
                "export_chats": lambda: self.tabs.seen(CHAT).do("export_chats"),
                "import_chats": lambda: self.tabs.seen(CHAT).do("import_chats"),
                "open_model": self.ask_for_model,
                "models": self.open_models,
                "settings": self.open_settings,
                "zoom_in": lambda: self._zoom(theme.zoom_by, 1),
                "zoom_out": lambda: self._zoom(theme.zoom_by, -1),
                "zoom_reset": lambda: self._zoom(lambda zoom: setattr(theme, "zoom", zoom), 1.0),
                "shortcuts": lambda: self.open_shortcuts(self),
                "quit": lambda: self.closing.quit(),  # noqa: PLW0108 - made after the actions
            },
        )

    def _connect(self) -> None:
        self._notify.actions |= {
            "open_model": self.ask_for_model,
            "new_chat": lambda: self._begin(self.tabs.home),
            "settings": self.open_settings,
            "restart": lambda: self.closing.restart(),  # noqa: PLW0108 - made after the actions
            "models": self.open_models,
            "storage": lambda: self.open_models("storage"),
            "network": lambda: self.open_settings("network"),
            "servers": lambda: self.open_settings("connections/servers"),
            "open_folder": lambda: open_folder(self._app.paths.data),
        }
        self.left.settings_wanted.connect(self.open_settings)
        self.left.chosen.connect(self.tabs.show)
        self.tabs.changed.connect(self._on_view_changed)
        self.tabs.title_changed.connect(self._on_title_changed)
        self.tabs.inside_changed.connect(self._on_inside_changed)
        self.tabs.work.changed.connect(self.status.show_work)
        for signal in (self.tabs.work.changed, self.tabs.model_changed):
            signal.connect(lambda *_: self.picker.refresh())
        self.picker.is_at_work, self.picker.engine_of = self.tabs.work.has_task, self.tabs.work.engine_of
        self.picker.of_chat = self.tabs.made(CHAT).own_model
        self.picker.open_wanted.connect(self.ask_for_model)
        self.picker.models_wanted.connect(self.open_models)
        self.picker.task_model_changed.connect(self.tabs.on_model_chosen)
        self.files.model_chosen.connect(self.picker.use)
        self.status.network_wanted.connect(self._on_network_wanted)
        self.status.programs_wanted.connect(lambda: self.open_settings("connections/programs"))
        if (programs := self.ui.programs) is not None:
            for signal in (programs.changed, programs.used):
                signal.connect(self._show_programs)
        self.loader.changed.connect(lambda: self.status.show_model(self.loader.model))
        self._theme.changed.connect(self.sizes.fit_zoom)
        self.show_network()
        self.status.show_model(self.loader.model)

    # Navigation.

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
        network = self._app.settings.network
        self.status.show_network(is_on=network.allowed, has_internet=network.internet)
        self.picker.refresh()

    def _show_programs(self) -> None:
        programs = self.ui.programs
        if programs is not None:
            self.status.show_programs(is_open=programs.door is not None, users=programs.users)

    # The window's own commands.

    def open_shortcuts(self, above: QWidget) -> None:
        ShortcutSheet(self._theme, list(self.tabs.specs.values()), above).show()

    def toggle_sidebar(self) -> None:
        self.sizes.show_column(shown=self.left.isHidden())

    def _begin(self, name: str) -> None:
        self.tabs.seen(name).show_new()
        self.tabs.show(name)

    def _open_palette(self) -> None:
        from app.ui.shell.palette import toggle_palette  # not needed at start

        toggle_palette(self._app, self.ui, self.actions_by_name, self.tabs.specs.values())

    def _find(self) -> None:
        """Open the find bar; search the column instead if it has the focus, or if the tab has nothing to find in."""
        focus = QApplication.focusWidget()
        is_in_column = focus is not None and self.left.isAncestorOf(focus)
        if is_in_column or not self.tabs.seen(self.tabs.current).find():
            self._search()

    def _search(self) -> None:
        tab = self.tabs.for_search
        self.sizes.show_column(shown=True)
        tab.search_text()

    def _zoom(self, change: object, value: float) -> None:
        change(value)  # type: ignore[operator]
        self._save("appearance", zoom=self._theme.zoom)

    def _on_network_wanted(self, wanted: bool) -> None:
        self._save("network", allowed=wanted)
        self.show_network()

    def _on_view_changed(self) -> None:
        self.sizes.put_away()
        if self.tabs.task != self.picker.task:
            self.picker.show_task(self.tabs.task)
        self._on_inside_changed()
        self._on_title_changed()

    def _on_inside_changed(self) -> None:
        self._top.show_panel_button(shown=self.tabs.has_inside)
        self._inside.setChecked(self.tabs.is_inside_open)

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


class Closing(QObject):
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
        self._window.tabs.close()
        self._window.store()


# The top of the content: the button of the left column, the tabs, and at the other end the model picker and the button
# of the panel at the right, where the tab has one.


LEFT_PX, TOP_PX, RIGHT_PX, BOTTOM_PX, GAP_PX = 13, 12, 18, 8, 6
TIGHT_PX = 4
"""Margin in the tightest layout."""


class TopRow(ItemsLayout):
    """Layout of the top row. As room shrinks, first the picker narrows, then tabs show icons, and at last margins
    shrink and the picker and the panel button lose their text.
    """

    def __init__(self, theme: Theme, toggle: QWidget, tabs: TabRow, picker: ModelPicker, panel: QWidget) -> None:
        super().__init__()
        self._theme, self._toggle, self._tabs, self._picker, self._panel = theme, toggle, tabs, picker, panel
        self._has_panel = True
        for widget in (toggle, tabs, picker, panel):
            self.addWidget(widget)
        theme.changed.connect(self.invalidate)

    def show_panel_button(self, *, shown: bool) -> None:
        """Show the inspector button if the open tab has a panel."""
        self._has_panel = shown
        self._panel.setVisible(shown)
        self.invalidate()

    def sizeHint(self) -> QSize:
        return QSize(self._width(self._tabs.names_px, self._picker.sizeHint().width()), self._height)

    def minimumSize(self) -> QSize:
        return QSize(self._least_px, self._height)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        px = self._theme.px
        least = self._picker.minimumSizeHint().width()
        has_names = rect.width() >= self._width(self._tabs.names_px, least)
        if rect.width() < self._width(self._tabs.icons_px, least):
            self._place_tightly(rect)
            return
        self._tabs.show_names(shown=has_names)
        self._panel.setVisible(self._has_panel)
        tabs_px = self._tabs.names_px if has_names else self._tabs.icons_px
        picker_px = max(min(self._picker.sizeHint().width(), rect.width() - self._width(tabs_px, 0)), least)
        toggle_px = self._toggle.sizeHint().width()
        self._place_widget(self._toggle, px(LEFT_PX), toggle_px)
        self._place_widget(self._tabs, px(LEFT_PX) + toggle_px + px(GAP_PX), tabs_px)
        end = rect.width() - px(RIGHT_PX)
        self._place_widget(self._panel, end - self._panel.sizeHint().width(), self._panel.sizeHint().width())
        self._place_widget(self._picker, end - self._panel_px(px(GAP_PX)) - picker_px, picker_px)

    def _place_tightly(self, rect: QRect) -> None:
        gap, toggle_px = self._theme.px(TIGHT_PX), self._toggle.sizeHint().width()
        left = 2 * gap + toggle_px
        # In the tightest layout the panel's button goes before anything else.
        self._panel.setVisible(self._has_panel and rect.width() >= self._least_px + self._panel_px(gap))
        end = rect.width() - gap - (0 if self._panel.isHidden() else self._panel_px(gap))
        is_tight = end - left - self._tabs.icons_px - gap < self._picker.least_px
        self._tabs.show_names(shown=False, is_tight=is_tight)
        tabs_px = self._tabs.tight_px if is_tight else self._tabs.icons_px
        picker_px = max(end - left - tabs_px - gap, self._picker.least_px)
        self._place_widget(self._toggle, gap, toggle_px)
        self._place_widget(self._tabs, left, tabs_px)
        self._place_widget(self._picker, end - picker_px, picker_px)
        self._place_widget(
            self._panel, rect.width() - gap - self._panel.sizeHint().width(), self._panel.sizeHint().width()
        )

    @property
    def _least_px(self) -> int:
        widths = (self._toggle.sizeHint().width(), self._tabs.tight_px, self._picker.least_px)
        return sum(widths) + self._theme.px(TIGHT_PX) * 4

    @property
    def _height(self) -> int:
        px = self._theme.px
        return max(widget.sizeHint().height() for widget in (self._tabs, self._picker)) + px(TOP_PX) + px(BOTTOM_PX)

    def _width(self, tabs_px: int, picker_px: int) -> int:
        px = self._theme.px
        around = px(LEFT_PX) + 2 * px(GAP_PX) + px(RIGHT_PX) + self._panel_px(px(GAP_PX))
        return around + self._toggle.sizeHint().width() + tabs_px + picker_px

    def _panel_px(self, gap: int) -> int:
        """Return the width of the inspector button, including its gap."""
        return self._panel.sizeHint().width() + gap if self._has_panel else 0

    def _place_widget(self, widget: QWidget, x: int, width: int) -> None:
        rect, parent = self.geometry(), self.parentWidget()
        room = rect.height() - self._theme.px(TOP_PX) - self._theme.px(BOTTOM_PX)
        height = min(widget.sizeHint().height(), room)
        # Qt mirrors its own layouts, not what is placed by hand.
        if parent is not None and parent.isRightToLeft():
            x = rect.width() - x - width
        top = rect.y() + self._theme.px(TOP_PX) + (room - height) // 2
        widget.setGeometry(rect.x() + x, top, width, height)


# Files that come into the window: dropped, named on the command line, or asked for; each goes where it belongs.


class IncomingFiles(QObject):
    """Routes incoming files: models are opened or added, other files go to the open tab or the one they are
    dropped on.
    """

    model_chosen = Signal(object)
    """A model was chosen for the open tab; carries its path."""

    def __init__(self, app: Fireside, ui: UiContext, tabs: Tabs) -> None:
        super().__init__(ui.window)
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
            names = ", ".join(visible_name(path.name) for path in chats)
            notice = Notice(self._ui.theme, tr(CHATS_IN_FILES, names=names))
            notice.add_button(tr(IMPORT_LABEL), lambda: self._tabs.show(home).import_files(chats))
            notice.add_button(tr(ASK_ABOUT_IT), lambda: self._tabs.send(home, chats))
            self._ui.notify.bar.add(notice)

    def ask_for_model(self) -> None:
        """Let the user pick a model file for the open tab, used from where it is."""
        # Any file the user picks is opened, whatever its suffix: the engine reports what is wrong with it.
        dialog = self._ask_for_file("open_model_dialog", tr("Open a model file"))
        dialog.fileSelected.connect(lambda file: self.model_chosen.emit(Path(file)))

    def ask_for_file(self) -> None:
        """Let the user pick a model file to be added to Fireside's models."""
        dialog = self._ask_for_file("add_file_dialog", tr("Add a model file"))
        dialog.fileSelected.connect(lambda file: self._add(Path(file)))

    def _drop_zones(self, files: list[str]) -> Sequence[FileDropAction]:
        _, documents = _split_models(files)
        if not files:
            return [FileDropAction("", tr("You can only drop files from this computer"))]
        if not documents:
            return [FileDropAction("", tr(DROP_TO_ADD_MODEL))]
        specs, current = self._tabs.specs, self._tabs.current
        drops = specs[current].drops
        if drops is not None and current != self._tabs.home:
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
            if path in dict(self._app.known_models()) or path.is_relative_to(ours):
                self.model_chosen.emit(path)
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

    def _ask_for_file(self, name: str, title: str) -> QFileDialog:
        """Open a file dialog in the last used folder, or else that of the current model."""
        path = self._ui.loader.path
        dialog = file_dialog(self._ui.window, title, MODEL_FILES, first=path.parent if path else None)
        dialog.setObjectName(name)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([tr("Models (*.gguf)"), tr("All files (*)")])
        dialog.open()
        return dialog


def _with_chats(files: Sequence[Path]) -> list[Path]:
    """Return the files that contain exported chats. Reads them, so call it on a thread."""
    from app.core.errors import ChatsUnreadable
    from app.features.exchange.chat_import import recognize_format

    def has_chats(path: Path) -> bool:
        try:
            return bool(recognize_format(path))
        except ChatsUnreadable as error:
            # The import says where a backup is restored.
            return error.reason == "backup"

    return [path for path in files if has_chats(path)]


def _split_models(files: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """Split files into models and others."""
    paths = [Path(file) for file in files]
    models = [path for path in paths if path.suffix.lower() == ".gguf"]
    return models, [path for path in paths if path not in models]
