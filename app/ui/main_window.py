"""The frame: left column, tab, model picker, chat, notices, status line; no feature logic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMainWindow, QSplitter, QVBoxLayout, QWidget

from app import APP_NAME
from app.core.errors import AppError
from app.ui import tasks, window_memory
from app.ui.context_panel import ContextPanel
from app.ui.desktop import open_folder
from app.ui.i18n import tr
from app.ui.left_column import LeftColumn
from app.ui.model_loader import ModelLoader
from app.ui.model_picker import ModelPicker
from app.ui.notify import Notify
from app.ui.shortcuts import ShortcutSheet, add_shortcuts
from app.ui.sidebar import Sidebar
from app.ui.status_line import StatusLine
from app.ui.theme import Theme
from app.ui.views import Views
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.file_drop import FileDrop

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.chat.chat_view import ChatView

SMALLEST_PX = (640, 480)
SIDEBAR_PX = (200, 420)


class MainWindow(QMainWindow):
    """Puts the parts together and passes their signals on."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, loader: ModelLoader, chat: ChatView) -> None:
        super().__init__()
        self._app, self._theme, self._notify, self.loader, self.chat = app, theme, notify, loader, chat
        self._deleted: list[int] = []
        self.setObjectName("main_window")
        self.sidebar = Sidebar(theme, app.conversations, notify)
        self.left = LeftColumn(theme)
        self.views = Views(app, theme, notify, loader, chat=chat, left=self.left)
        self.status = StatusLine(theme)
        self.picker = ModelPicker(app, theme, loader)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(1)  # Qt makes such a fine one wider for the pointer
        self._splitter.addWidget(self.left)
        self._splitter.addWidget(self._content())
        self._splitter.setCollapsible(0, False)
        self._splitter.setCollapsible(1, False)
        self._splitter.setStretchFactor(1, 1)
        self.setCentralWidget(self._splitter)
        self.left.add(self.sidebar)
        FileDrop(theme, tr("Drop to attach documents, or to add a model"), self).dropped.connect(self.add_files)
        self.actions_by_name = self._add_actions()
        self._connect()
        self._restore()

    def _content(self) -> QWidget:
        content = QWidget()
        content.setObjectName("content")
        content.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._toggle = IconButton(self._theme, "square-half", tr("Show or hide the list of chats"))
        self._toggle.setObjectName("toggle_sidebar")
        self._toggle.clicked.connect(self.toggle_sidebar)
        self._tab = text_button(tr("Chat"), "tab")
        self._tab.setObjectName("tab_chat")
        self._tab.setCheckable(True)
        self._tab.setChecked(True)
        self._tab.clicked.connect(self.views.show_chat)
        self.views.tab = self._tab
        self._top = QHBoxLayout()
        self._top.addWidget(self._toggle)
        self._top.addWidget(self._tab)
        self._top.addStretch(1)
        self._top.addWidget(self.picker)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._top)
        column.addWidget(self.views.content, 1)
        column.addWidget(self._notify.bar)
        column.addWidget(self.status)
        return content

    def _add_actions(self) -> dict[str, QAction]:
        theme = self._theme
        return add_shortcuts(
            self,
            {
                "new_chat": self.new_chat,
                "temporary_chat": self.temporary_chat,
                "search": self._search,
                "sidebar": self.toggle_sidebar,
                "attach": self._ask_for_documents,
                "open_model": self.ask_for_model,
                "models": self.views.show_models,
                "settings": self.show_settings,
                "zoom_in": lambda: self._zoom(theme.zoom_by, 1),
                "zoom_out": lambda: self._zoom(theme.zoom_by, -1),
                "zoom_reset": lambda: self._zoom(lambda zoom: setattr(theme, "zoom", zoom), 1.0),
                "shortcuts": lambda: ShortcutSheet(theme, self).show(),
                "quit": self.close,
            },
        )

    def _connect(self) -> None:
        self._notify.actions |= {
            "open_model": self.ask_for_model,
            "new_chat": self.new_chat,
            "settings": self.show_settings,
            "models": self.views.show_models,
            "storage": lambda: self.views.show_models("storage"),
            "network": lambda: self.show_settings("network"),
            "open_folder": lambda: open_folder(self._app.paths.data),
        }
        self.sidebar.new_chat_wanted.connect(self.new_chat)
        self.sidebar.temporary_chat_wanted.connect(self.temporary_chat)
        self.left.settings_wanted.connect(self.show_settings)
        self.left.models_wanted.connect(self.views.show_models)
        self.views.add_wanted.connect(self.ask_for_file)
        self.views.network_switched.connect(self._on_network_changed)
        self.sidebar.chat_chosen.connect(self.show_chat)
        self.sidebar.chat_gone.connect(self._on_chat_gone)
        self.sidebar.chat_renamed.connect(lambda _: self._update_title())
        self.picker.open_wanted.connect(self.ask_for_model)
        self.picker.models_wanted.connect(self.views.show_models)
        self.chat.model_wanted.connect(self.ask_for_model)
        self.chat.wake_wanted.connect(self._on_wake_wanted)
        self.chat.title_changed.connect(self._on_title_changed)
        self.chat.context_changed.connect(self.status.gauge.show_used)
        self.chat.parts_changed.connect(lambda parts: self.status.gauge.show_used(parts.used_tokens))
        self.status.gauge.clicked.connect(self.show_context)
        self.status.network_wanted.connect(self._on_network_wanted)
        self.status.show_network(is_on=self._app.settings.network.allowed)
        self.chat.answer_finished.connect(self._on_answer_finished)
        self.loader.changed.connect(self._on_model_changed)
        self._theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._on_model_changed()

    def show_chat(self, conversation_id: int | None) -> None:
        """Opens a chat; None is a new one."""
        self.status.gauge.show_used(0)
        self.chat.show_conversation(conversation_id)
        self.sidebar.show_open(conversation_id)
        self._update_title()

    def new_chat(self) -> None:
        """An empty chat, ready to type into."""
        self.show_chat(None)
        self.views.show_chat()

    def temporary_chat(self) -> None:
        """A chat of which nothing is kept."""
        self.status.gauge.show_used(0)
        self.chat.show_temporary()
        self.sidebar.show_open(None)
        self._update_title()
        self.views.show_chat()

    def show_context(self) -> None:
        """What the model sees, above the gauge."""
        panel = ContextPanel(self._theme, self.status.gauge)
        self.chat.parts_changed.connect(panel.show_parts)
        panel.place_above(self.status.gauge)
        panel.show()
        panel.setFocus(Qt.FocusReason.PopupFocusReason)
        if not self.chat.count_context():
            panel.say(tr("The model is at work. The numbers come when it is done."))

    def open_files(self, files: list[str]) -> None:
        """Files from the command line or a second start: the first model is opened, documents are attached."""
        models, documents = _sorted(files)
        if models:
            self.loader.load(models[0])
        elif self.loader.state == "asleep":
            self.loader.start()
        self._attach(documents)

    def add_files(self, files: list[str]) -> None:
        """Files dropped on the window: a model becomes one of Fireside's and is opened, documents are attached."""
        models, documents = _sorted(files)
        if models:
            path = models[0]
            ours = Path(self._app.settings.models.folder or self._app.paths.models)
            if path in dict(self._app.known_models()) or path.is_relative_to(ours):
                self.loader.load(path)
            else:
                self._add(path)
        self._attach(documents)

    def _attach(self, files: list[Path]) -> None:
        if files:
            self.views.show_chat()
            self.chat.attaching.add(files)

    def _ask_for_documents(self) -> None:
        self.views.show_chat()
        self.chat.attaching.ask()

    def _on_wake_wanted(self) -> None:
        self.loader.look()
        self.loader.wake()

    def _add(self, path: Path) -> None:
        from app.ui.models.add_dialog import FileAdding  # not needed at start

        FileAdding(self._app, self._theme, self._notify, self).add_file(path, self.loader.load)

    def bring_to_front(self) -> None:
        """Shows the window above the others, also out of the task bar."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def ask_for_model(self) -> None:
        """Asks for a model file to open where it is."""
        # What the person names is opened, whatever it is called: the engine says what is wrong with it.
        self._ask_for_file("open_model_dialog", tr("Open a model file")).fileSelected.connect(
            lambda file: self.loader.load(Path(file))
        )

    def ask_for_file(self) -> None:
        """Asks for a model file to make one of Fireside's."""
        dialog = self._ask_for_file("add_file_dialog", tr("Add a model file"))
        dialog.fileSelected.connect(lambda file: self._add(Path(file)))

    def _ask_for_file(self, name: str, title: str) -> QFileDialog:
        """Begins in the folder of the model that is open."""
        dialog = QFileDialog(self, title, str(self.loader.path.parent if self.loader.path else Path.home()))
        dialog.setObjectName(name)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([tr("Models (*.gguf)"), tr("All files (*)")])
        dialog.open()
        return dialog

    def show_settings(self, page: str = "") -> None:
        """Opens the settings above the window, on the page that is named."""
        from app.ui.settings_dialog import SettingsDialog  # not needed at start

        dialog = SettingsDialog(self._app, self._theme, self._notify, self)
        dialog.reload_wanted.connect(self.loader.reload)
        dialog.network_changed.connect(self._on_network_changed)
        if page:
            dialog.show_page_named(page)
        dialog.open()

    def _on_network_wanted(self, wanted: bool) -> None:
        self._save("network", allowed=wanted)
        self._on_network_changed()

    def _on_network_changed(self) -> None:
        self.status.show_network(is_on=self._app.settings.network.allowed)

    def toggle_sidebar(self) -> None:
        """Shows or hides the left column."""
        self.left.setVisible(self.left.isHidden())

    def _search(self) -> None:
        self.left.show()
        self.views.show_chat()
        self.sidebar.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.sidebar.search.selectAll()

    def _zoom(self, change: object, value: float) -> None:
        change(value)  # type: ignore[operator]
        self._save("appearance", zoom=self._theme.zoom)

    def _on_chat_gone(self, conversation_id: int) -> None:
        is_running = self.chat.stop_in(conversation_id)
        if self.chat.conversation_id == conversation_id:
            self.show_chat(None)
        self._deleted.append(conversation_id)
        if not is_running:  # else the answer's end would be kept after all
            self._forget_deleted()

    def _forget_deleted(self) -> None:
        """What the engine keeps of deleted chats goes, too."""
        gone, self._deleted = self._deleted, []

        def forget() -> Iterator[object]:
            for conversation_id in gone:
                self._app.chat.forget(conversation_id)
            yield from ()

        if gone:
            tasks.run(lambda _token: forget(), self)

    def _on_title_changed(self, conversation_id: int) -> None:
        if self.chat.is_temporary and conversation_id == self.chat.conversation_id:
            self._update_waiting()
            return
        self.sidebar.refresh(conversation_id)
        if conversation_id == self.chat.conversation_id:
            self.sidebar.show_open(conversation_id)
            self._update_title()
        self._update_waiting()

    def _on_answer_finished(self, _message_id: int) -> None:
        self.loader.look()
        self._update_waiting()
        self._forget_deleted()

    def _update_waiting(self) -> None:
        waits = self.chat.busy and self.loader.state == "loading"
        self.status.show_waiting(tr("1 message waits for the model") if waits else "")

    def _on_model_changed(self) -> None:
        loader = self.loader
        self.status.show_model(loader.model)
        self.chat.set_model_state(loader.state, f"{loader.name}: {loader.word}")
        self._update_waiting()

    def _update_title(self) -> None:
        open_id = self.chat.conversation_id
        conversation = None if open_id is None else self._app.conversations.get(open_id)
        title = tr("Temporary chat") if self.chat.is_temporary else conversation.title if conversation else ""
        self.setWindowTitle(f"{title} – {APP_NAME}" if title else APP_NAME)

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._top.setContentsMargins(px(13), px(12), px(18), px(8))
        self._top.setSpacing(px(6))
        self._tab.setFont(self._theme.font(14, 600))
        self.setMinimumSize(px(SMALLEST_PX[0]), px(SMALLEST_PX[1]))
        self.left.setMinimumWidth(px(SIDEBAR_PX[0]))
        self.left.setMaximumWidth(px(SIDEBAR_PX[1]))

    def _restore(self) -> None:
        window_memory.restore(self, self._splitter, self.left, self._theme, self._app.settings.window)
        self.sidebar.reload()
        known_id = self._app.settings.window.conversation_id
        known = self._app.conversations.get(known_id) if known_id else None
        self.show_chat(known.id if known else None)
        self.chat.focus_composer()

    def _save(self, section: str, **values: object) -> None:
        try:
            self._app.change(section, **values)
        except AppError as error:
            self._notify.error(error)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.chat.save_draft()
        self.views.document.close_document()
        kept = window_memory.describe(self, self.left, self._theme)
        kept_id = 0 if self.chat.is_temporary else self.chat.conversation_id or 0
        self._save("window", conversation_id=kept_id, **kept)
        self.chat.stop()
        event.accept()


def _sorted(files: list[str]) -> tuple[list[Path], list[Path]]:
    """Model files, and everything else."""
    paths = [Path(file) for file in files]
    models = [path for path in paths if path.suffix.lower() == ".gguf"]
    return models, [path for path in paths if path not in models]
