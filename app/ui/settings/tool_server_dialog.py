"""Details of a tool server: what it is, what it may use, what its cage holds, and its tools once it was checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import shorten
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.visible import visible_name
from app.features.mcp.server_cage import server_cage_sentence
from app.features.mcp.server_config import ServerConfig, suggested_folders
from app.features.mcp.server_session import ServerTool
from app.ui.i18n import breakable, tr
from app.ui.settings.folder_list import FolderList
from app.ui.settings.settings_pages import SettingsSection
from app.ui.settings.tool_server_actions import EDITED, ToolServerActions
from app.ui.settings.tool_server_adding import EDIT_SERVER, AddServerDialog
from app.ui.settings.tool_server_texts import command_line, secret_words, state_words
from app.ui.shared_labels import REMOVE
from app.ui.shell.settings_index import label_of
from app.ui.theme import Theme
from app.ui.theme_fonts import CODE_PX
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.dialogs import Dialog, QuestionDialog, ScrollBox
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.input_fields import Switch
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import fill_layout, within_screen

WIDTH_PX, HEIGHT_PX = 540, 620
MOST_DESCRIPTION = 240
CHECK, STOP_CHECK = "Check", "Stop"
MAY_READ, MAY_CHANGE = "Folders it can read", "Folders it can change"
ALLOW_NETWORK = "Network access"
CHANGES_THINGS = "Can change things. You’re asked each time unless you always allow it."
CLOSE = "Close"
EDIT = "Edit…"
REMOVE_SERVER = "Remove…"
REMOVE_QUESTION = "Remove {name}?"
FOLDER_GOES = "Everything it stored in its own folder is deleted, and what you allowed its tools is forgotten."
REMOTE_GOES = "What you allowed its tools is forgotten."


class ToolServerDialog(Dialog):
    """Shows a server as long as there is one of that name; changes are made at once."""

    def __init__(self, theme: Theme, actions: ToolServerActions, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._actions, self._name = theme, actions, name
        self.setObjectName("tool_server_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.name_by_heading(name)
        config = self._config
        assert config is not None
        inside = QWidget()
        column = theme.dress(QVBoxLayout(inside), margins=(0, 0, 12, 0), spacing=4)
        column.addWidget(theme.dress(plain_label(name, wraps=True), font="section"))
        self.uses = self._make_access(config)
        self.tools = ServerToolList(theme, lambda: self._toggle_check())  # noqa: PLW0108 - a method of what is being made
        self._column = fill_layout(column, self.uses, self.tools, 1)
        around = theme.dress(QVBoxLayout(self), margins=(24, 22, 12, 20), spacing=14)
        box = ScrollBox(inside, around.contentsMargins())
        fade_ends(box, theme)
        around.addWidget(box, 1)
        self.remove = text_button(tr(REMOVE_SERVER), "quiet", on_click=lambda _=False: self._ask_to_remove())
        close = text_button(tr(CLOSE), "plain", on_click=self.accept)
        row = fill_layout(QHBoxLayout(), self.remove, 1, close)
        row.setContentsMargins(0, 0, theme.px(12), 0)
        around.addLayout(row)
        self.resize(within_screen(self, QSize(theme.px(WIDTH_PX), theme.px(HEIGHT_PX))))
        actions.changed.connect(self._show)
        self._show()

    @property
    def _config(self) -> ServerConfig | None:
        return next((known for known in self._actions.servers.configs if known.name == self._name), None)

    def _show(self) -> None:
        if (config := self._config) is None:
            self.accept()
            return
        if self.uses.shows_other(config):
            shown, self.uses = self.uses, self._make_access(config)
            self._column.replaceWidget(shown, self.uses)
            shown.hide()
            shown.deleteLater()
        state, is_busy = self._actions.servers.state_of(self._name), self._actions.is_busy(self._name)
        self.uses.cage.setText(server_cage_sentence(config, state.cage))
        self.tools.show_state(*state_words(config, state, is_busy=is_busy), is_busy=is_busy)
        self.tools.show_tools(state.tools or ())

    def _make_access(self, config: ServerConfig) -> ServerAccess:
        return ServerAccess(
            self._theme, config, lambda **values: self._actions.change(self._name, **values), self.open_editing
        )

    def open_editing(self) -> AddServerDialog:
        """Open the form that the server was added with."""
        dialog = AddServerDialog(self._theme, self._actions.edit, self, self._config)
        dialog.open()
        return dialog

    def _toggle_check(self) -> None:
        (self._actions.stop if self._actions.is_busy(self._name) else self._actions.check)(self._name)

    def _ask_to_remove(self) -> None:
        config = self._config
        words = tr(REMOTE_GOES if config is not None and config.is_remote else FOLDER_GOES)
        question = QuestionDialog(self._theme, tr(REMOVE_QUESTION, name=self._name), words, self)
        question.setObjectName("settings_question")
        question.add_choice(tr(REMOVE), lambda: self._actions.remove(self._name), "primary")
        question.open()


class ServerAccess(SettingsSection):
    """Command or address with the button that edits it, and what the server may use; `on_change` stores fields of its
    configuration.
    """

    def __init__(self, theme: Theme, config: ServerConfig, on_change: Any, on_edit: Callable[[], object]) -> None:
        super().__init__(theme, tr("Address") if config.is_remote else tr("Command"))
        self._shown = what_is_edited(config)
        self.edit = text_button(tr(EDIT), "plain", on_click=lambda _=False: on_edit())
        self.edit.setAccessibleName(tr(EDIT_SERVER, name=config.name))
        line = plain_label(breakable(command_line(config)), wraps=True)
        line.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # a command reads so in every language
        line.setFont(theme.fonts.code(CODE_PX))
        given = secret_words(config)
        row = fill_layout(QHBoxLayout(), self.edit, 1)
        self.add_content(line, *([self.muted(given)] if given else []), row)
        self.cage = self.muted("")
        if not config.is_remote:
            self._add_grants(config, on_change)
        self.add_heading(label_of("protection"))
        self.add_content(self.cage)

    def shows_other(self, config: ServerConfig) -> bool:
        """Return whether the command, the address or what goes with them is another by now."""
        return what_is_edited(config) != self._shown

    def _add_grants(self, config: ServerConfig, on_change: Any) -> None:
        self.add_heading(tr("Access"))
        granted = (*config.readable, *config.writable)
        suggested = [
            folder
            for folder in suggested_folders(config)
            if not any(Path(folder).is_relative_to(known) for known in granted)
        ]
        self.readable = FolderList(
            self._theme, tr(MAY_READ), config.readable, lambda folders: on_change(readable=folders), suggested
        )
        self.writable = FolderList(
            self._theme, tr(MAY_CHANGE), config.writable, lambda folders: on_change(writable=folders)
        )
        self.network = Switch(
            self._theme, tr(ALLOW_NETWORK), on=config.has_network, on_change=lambda is_on: on_change(has_network=is_on)
        )
        self.card.add_block(tr(MAY_READ), tr("Besides its own folder and its program."), self.readable)
        self.card.add_block(tr(MAY_CHANGE), "", self.writable)
        self.add_row(tr(ALLOW_NETWORK), tr("Without it, it can’t connect to anything."), self.network)


def what_is_edited(config: ServerConfig) -> tuple[object, ...]:
    """Return the fields that the form changes."""
    return tuple(getattr(config, name) for name in EDITED)


class ServerToolList(SettingsSection):
    """The button that checks a server, what came of it, and its tools with what they say of themselves."""

    def __init__(self, theme: Theme, on_check: Any) -> None:
        super().__init__(theme, tr("Tools"))
        self.said = self.muted("")
        self.said.setObjectName("tool_server_state")
        self.check = text_button(tr(CHECK), "plain", on_click=lambda _=False: on_check())
        row = fill_layout(QHBoxLayout(), (self.said, 1), (self.check, 0, Qt.AlignmentFlag.AlignTop))
        theme.dress(row, spacing=8)
        self._list = theme.dress(QVBoxLayout(), spacing=12)
        self._shown: tuple[ServerTool, ...] = ()
        self.rows: list[QWidget] = []
        self.add_content(row, self._list)

    def show_state(self, words: str, is_problem: bool, *, is_busy: bool) -> None:
        """Show how the server is, and what the button does now."""
        self.said.setText(words)
        set_mark(self.said, "kind", "danger" if is_problem else "muted")
        self.check.setText(tr(STOP_CHECK) if is_busy else tr(CHECK))
        self.check.setAccessibleName(self.check.text())

    def show_tools(self, tools: tuple[ServerTool, ...]) -> None:
        """List the tools; what they say of themselves is text from outside."""
        if tools == self._shown:
            return
        self._shown = tools
        for row in self.rows:
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = [self._row(tool) for tool in tools]
        fill_layout(self._list, *self.rows)

    def _row(self, tool: ServerTool) -> QWidget:
        about = shorten(visible_name(" ".join(tool.description.split())), MOST_DESCRIPTION, placeholder="…")
        texts = [self.label(visible_name(tool.name), "row")]
        texts += [self.muted(text) for text in (about, "" if tool.only_reads else tr(CHANGES_THINGS)) if text]
        row = QWidget()
        self._theme.dress(fill_layout(QVBoxLayout(row), *texts), margins=(0, 0, 0, 0), spacing=2)
        row.setAccessibleName(texts[0].text())
        return row
