"""The frame: left column, tabs, model picker, views, notices, status line; no feature logic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QSplitter, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.ui.shell import tasks
from app.ui.shell.context_panel import ContextPanel
from app.ui.shell.desktop import open_folder
from app.ui.shell.i18n import tr, window_title
from app.ui.shell.incoming_files import IncomingFiles
from app.ui.shell.left_column import LeftColumn
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.model_picker import ModelPicker
from app.ui.shell.notify import Notify
from app.ui.shell.shortcuts import ShortcutSheet, add_shortcuts, with_keys
from app.ui.shell.sidebar import Sidebar
from app.ui.shell.status_line import StatusLine
from app.ui.shell.tab_order import move_focus
from app.ui.shell.tabs import CHAT, SUMMARIZE, TRANSLATE
from app.ui.shell.top_row import TopRow
from app.ui.shell.views import Views
from app.ui.shell.window_geometry import WindowGeometry
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.dialogs import last_folders

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.ui.chat.chat_view import ChatView


REMEMBER_MS = 200
"""After the last change: arrows pass many chats in a list."""
LOW_PX = 200
"""A window as low as that, as drawn, has no room for the status line."""


class MainWindow(QMainWindow):
    """Puts the parts together and passes their signals on."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, loader: ModelLoader, chat: ChatView) -> None:
        super().__init__()
        self._app, self._theme, self._notify, self.loader, self.chat = app, theme, notify, loader, chat
        self._deleted: list[int] = []
        self._remember_later = QTimer(self, singleShot=True, interval=REMEMBER_MS)
        self._remember_later.timeout.connect(self._remember)
        self.setObjectName("main_window")
        self.sidebar = Sidebar(theme, app.conversations, notify)
        self.left = LeftColumn(theme)
        self.views = Views(app, theme, notify, loader, chat=chat, left=self.left)
        self.status = StatusLine(theme)
        self.picker = ModelPicker(app, theme, loader, notify)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(1)  # Qt makes such a fine one wider for the pointer
        self._splitter.addWidget(self.left)
        self._splitter.addWidget(self._content())
        self._splitter.setCollapsible(0, False)
        self._splitter.setCollapsible(1, False)
        self._splitter.setStretchFactor(1, 1)
        self.setCentralWidget(self._splitter)
        self.left.add(self.sidebar)
        self.sizes = WindowGeometry(self, self._splitter, self.left, theme)
        self._is_painted = False
        self.files = IncomingFiles(app, theme, notify, loader, views=self.views, window=self)
        self.actions_by_name = self._add_actions()
        self._connect()
        last_folders.use(app.settings.window.last_folders, lambda lines: self._save("window", last_folders=lines))
        self._restore()

    def _content(self) -> QWidget:
        content = QWidget()
        content.setObjectName("content")
        content.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._toggle = IconButton(self._theme, "square-half", tr("Show or hide the list"))
        self._toggle.setObjectName("toggle_sidebar")
        self._toggle.setToolTip(with_keys(tr("Show or hide the list"), "sidebar"))
        self._toggle.clicked.connect(self.toggle_sidebar)
        top = TopRow(self._theme, self._toggle, self.views.tabs, self.picker)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.views.content, 1)
        column.addWidget(self.status)
        self._notify.bar.float_over(content, self.views.content)
        return content

    def _add_actions(self) -> dict[str, QAction]:
        theme = self._theme
        return add_shortcuts(
            self,
            {
                "tab_chat": lambda: self.views.show_tab(CHAT),
                "tab_summarize": lambda: self.views.show_tab(SUMMARIZE),
                "tab_translate": lambda: self.views.show_tab(TRANSLATE),
                "new": self._new,
                "temporary_chat": self.temporary_chat,
                "search": self._search,
                "sidebar": self.toggle_sidebar,
                "choose_model": self.picker.show_menu,
                "attach": self.views.ask_for_documents,
                "open_model": self.files.ask_for_model,
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
            "open_model": self.files.ask_for_model,
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
        self.views.add_wanted.connect(self.files.ask_for_file)
        self.views.network_switched.connect(self._on_network_changed)
        self.views.changed.connect(self._on_view_changed)
        self.views.chat_made.connect(self._on_chat_made)
        self.views.work_changed.connect(self.status.show_work)
        self.views.work_changed.connect(lambda _: self.picker.show_task(self.picker.task))
        self.picker.is_at_work = self.views.is_tab_at_work
        self.sidebar.chat_chosen.connect(self.show_chat)
        self.sidebar.left.connect(self.chat.focus_composer)
        self.sidebar.chat_gone.connect(self._on_chat_gone)
        self.sidebar.chat_renamed.connect(lambda _: self._update_title())
        self.picker.open_wanted.connect(self.files.ask_for_model)
        self.files.model_chosen.connect(self.picker.use)
        self.picker.task_model_changed.connect(self.views.on_model_changed)
        self.views.model_changed.connect(lambda: self.picker.show_task(self.picker.task))
        self.picker.models_wanted.connect(self.views.show_models)
        self.chat.model_wanted.connect(self.files.ask_for_model)
        self.chat.wake_wanted.connect(self._on_wake_wanted)
        self.chat.title_changed.connect(self._on_title_changed)
        self.chat.context_changed.connect(self.status.gauge.show_used)
        self.chat.parts_changed.connect(lambda parts: self.status.gauge.show_used(parts.used_tokens))
        self.status.gauge.clicked.connect(self.show_context)
        self.status.network_wanted.connect(self._on_network_wanted)
        self.status.show_network(is_on=self._app.settings.network.allowed)
        self.chat.answer_started.connect(lambda _: self.loader.expect())
        self.chat.answer_grew.connect(self.loader.look_during_answer)
        self.chat.answer_finished.connect(self._on_answer_finished)
        self.loader.changed.connect(self._on_model_changed)
        self._theme.changed.connect(self.sizes.fit_zoom)
        self._theme.changed.connect(self._fit_status)
        self._on_model_changed()

    def show_chat(self, conversation_id: int | None) -> None:
        """Opens a chat; None is a new one."""
        self.status.gauge.show_used(0)
        self.sizes.put_away()
        self.chat.show_conversation(conversation_id)
        self.sidebar.show_open(conversation_id)
        self._update_title()
        self._remember_later.start()

    def new_chat(self) -> None:
        """An empty chat, ready to type into."""
        self.show_chat(None)
        self.views.show_chat()

    def _new(self) -> None:
        """What is new in the tab that is open."""
        if not self.views.new_in_tab():
            self.new_chat()

    def temporary_chat(self) -> None:
        """A chat of which nothing is kept."""
        self.status.gauge.show_used(0)
        self.sizes.put_away()
        self.chat.show_temporary()
        self.sidebar.show_open(None)
        self._update_title()
        self._remember_later.start()
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

    def _on_wake_wanted(self) -> None:
        self.loader.look()
        self.loader.wake()

    def bring_to_front(self) -> None:
        """Shows the window above the others, also out of the task bar."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def show_settings(self, page: str = "") -> None:
        """Opens the settings above the window, on the page that is named."""
        from app.ui.settings.dialog import SettingsDialog  # not needed at start

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
        self.sizes.show_column(shown=self.left.isHidden())

    def _search(self) -> None:
        if self.views.current not in (SUMMARIZE, TRANSLATE):
            self.views.show_chat()
        self.sizes.show_column(shown=True)
        if self.views.search_in_tab():
            return
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
        is_open = conversation_id == self.chat.conversation_id
        if is_open and conversation_id != self.sidebar.open_id:
            self.sidebar.show_new(conversation_id)
            self._remember_later.start()
        else:
            self.sidebar.refresh(conversation_id)
        if is_open:
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

    def _on_view_changed(self) -> None:
        self.sizes.put_away()
        task = self.views.tab
        if task != self.picker.task:
            self.picker.show_task(task)
        self.status.gauge.show_wanted(wanted=self.views.current == CHAT)
        self._update_title()
        self._remember_later.start()

    def _on_chat_made(self, conversation_id: int) -> None:
        self.show_chat(conversation_id)
        self.sidebar.show_new(conversation_id)

    def _update_title(self) -> None:
        open_id = self.chat.conversation_id
        conversation = None if open_id is None else self._app.conversations.get(open_id)
        title = tr("Temporary chat") if self.chat.is_temporary else conversation.title if conversation else ""
        if self.views.current != CHAT:
            title = self.views.work_title
        self.setWindowTitle(window_title(title))

    def _restore(self) -> None:
        self.sizes.restore(self._app.settings.window)
        self.sizes.fit_zoom()
        self.sidebar.reload()
        known_id = self._app.settings.window.conversation_id
        known = self._app.conversations.get(known_id) if known_id else None
        self.show_chat(known.id if known else None)
        self.chat.focus_composer()
        if self._app.settings.window.tab in (SUMMARIZE, TRANSLATE):
            self.views.show_soon(self._app.settings.window.tab)

    @property
    def _in_use(self) -> dict[str, object]:
        """What is open, as it comes back after a restart."""
        chat_id = 0 if self.chat.is_temporary else self.chat.conversation_id or 0
        return {"conversation_id": chat_id, "tab": self.views.tab, **self.views.open_ids}

    def _remember(self) -> None:
        """What is in use comes back after a kill, too."""
        kept = self._app.settings.window
        if any(getattr(kept, name) != value for name, value in self._in_use.items()):
            self._save("window", **self._in_use)

    def _save(self, section: str, **values: object) -> None:
        try:
            self._app.change(section, **values)
        except AppError as error:
            self._notify.error(error)

    def _fit_status(self) -> None:
        self.status.setVisible(self.height() >= self._theme.px(LOW_PX))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_status()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._is_painted:  # the frame around the window is known from now on
            self._is_painted = True
            QTimer.singleShot(0, self, self.sizes.fit_screen)

    def focusNextPrevChild(self, is_next: bool) -> bool:
        return move_focus(self, is_next)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.chat.save_draft()
        self.views.close()
        self._remember_later.stop()
        self._save("window", **self.sizes.describe(), **self._in_use)
        self.chat.stop()
        event.accept()
