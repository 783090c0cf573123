"""Dialog that adds a tool server or edits one: the command that starts it, or its address, and what goes with it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from app.features.mcp.server_config import ServerConfig
from app.features.mcp.typed_server import TypedServer, fields_of, is_address, read_typed_server
from app.ui.i18n import tr
from app.ui.screen_reader import read_as
from app.ui.shared_labels import ADD, SAVE
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_text_font
from app.ui.widgets.dialogs import Dialog, cancel_or
from app.ui.widgets.labels import plain_label, show_problem, tell_problem
from app.ui.widgets.layouts import fill_layout

COMMAND_OR_ADDRESS = "Command or address"
SERVER_NAME = "Name (optional)"
SERVER_KEY = "Key, if the server requires one"
CLIENT_ID = "Client ID, if the server gave you one"
CLIENT_SECRET = "Client secret"
ENVIRONMENT = "Environment variables (optional)"
ENVIRONMENT_EXAMPLE = "API_KEY=…"
REDIRECT_NOTE = "If the server asks for a redirect address, enter http://127.0.0.1/"
EDIT_SERVER = "Edit {name}"
NEITHER = "Enter a command like “uvx mcp-server-time”, or an address like https://example.com/mcp."
NO_VARIABLES = "Enter each environment variable as NAME=value, one per line."
SECRET_KEPT = "Leave empty to keep the current one"
EXAMPLE = "uvx mcp-server-time"
WIDTH_PX, ENVIRONMENT_PX = 460, 72


class AddServerDialog(Dialog):
    """Asks for a server and hands it to `on_done` with a client's secret, "" where none was typed.

    Only an address has a key and a client, only a command an environment. Hidden values of `before` stay as they are.
    """

    def __init__(
        self,
        theme: Theme,
        on_done: Callable[[ServerConfig, str], object],
        parent: QWidget,
        before: ServerConfig | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._on_done, self._before = theme, on_done, before
        self.setObjectName("add_tool_server")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        title = tr(EDIT_SERVER, name=before.name) if before is not None else tr("Add a tool server")
        self.name_by_heading(title)
        self.setMinimumWidth(min(theme.px(WIDTH_PX), self.screen().availableSize().width() - theme.px(48)))
        self.line = QLineEdit(placeholderText=EXAMPLE)
        self.name = QLineEdit()
        self.key = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self.client = QLineEdit()
        self.secret = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self.environment = read_as(QPlainTextEdit(placeholderText=ENVIRONMENT_EXAMPLE))
        self.environment.setTabChangesFocus(True)
        set_text_font(self.environment, theme.fonts.code(12.5))
        theme.dress(self.environment, height=ENVIRONMENT_PX)
        for field in (self.line, self.environment):
            field.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # a command reads so in every language
        self.note = theme.dress(plain_label(kind="danger", wraps=True), font="small")
        self.note.hide()
        self._column = theme.dress(QVBoxLayout(self), margins=(24, 22, 24, 20), spacing=12)
        self._column.addWidget(theme.dress(plain_label(title, wraps=True), font="section"))
        self._add_field(tr(COMMAND_OR_ADDRESS), self.line)
        self._column.addWidget(self.note)
        self._of_command = [self._add_field(tr(ENVIRONMENT), self.environment)]
        self._of_address = [self._add_field(tr(SERVER_KEY), self.key), self._add_field(tr(CLIENT_ID), self.client)]
        note = theme.dress(plain_label(tr(REDIRECT_NOTE), kind="muted", wraps=True), font="small")
        self._secret_block = self._add_field(tr(CLIENT_SECRET), self.secret, note)
        name = self._add_field(tr(SERVER_NAME), self.name)
        self._column.addLayout(cancel_or(self, tr(ADD if before is None else SAVE)))
        if before is not None:
            self._fill_fields(before)
            name.hide()
        for signal in (self.line.textChanged, self.client.textChanged, self.environment.textChanged):
            signal.connect(self._on_edited)
        self._on_edited()

    def _fill_fields(self, before: ServerConfig) -> None:
        fields = fields_of(before)
        for field, text in ((self.line, fields.line), (self.key, fields.key), (self.client, fields.client_id)):
            field.setText(text)
            field.setCursorPosition(0)
        self.environment.setPlainText(fields.environment)
        self.secret.setPlaceholderText(tr(SECRET_KEPT) if before.client_id else "")

    def _add_field(self, name: str, field: QWidget, *below: QWidget) -> QWidget:
        field.setAccessibleName(name)
        label = self._theme.dress(plain_label(name, wraps=True), font="control")
        block = QWidget()
        self._theme.dress(fill_layout(QVBoxLayout(block), label, field, *below), margins=(0, 0, 0, 0), spacing=4)
        self._column.addWidget(block)
        return block

    def _on_edited(self) -> None:
        self.note.hide()
        for field in (self.line, self.environment):
            tell_problem(field, "")
        is_remote = is_address(self.line.text())
        for blocks, is_shown in ((self._of_address, is_remote), (self._of_command, not is_remote)):
            for block in blocks:
                block.setVisible(is_shown)
        self._secret_block.setVisible(is_remote and bool(self.client.text().strip()))
        self._column.activate()  # else it keeps the height of fields that are hidden by now
        self.adjustSize()

    def accept(self) -> None:
        """Hand the server over, or say what is missing and stay."""
        line, name, key, client = (field.text().strip() for field in (self.line, self.name, self.key, self.client))
        typed = TypedServer(line, name, key, self.environment.toPlainText(), client)
        try:
            config = read_typed_server(typed, self._before)
        except ValueError:
            self._show_problem(tr(NO_VARIABLES), self.environment)
            return
        if config is None:
            self._show_problem(tr(NEITHER), self.line)
            return
        self._on_done(config, self.secret.text().strip() if config.client_id else "")
        super().accept()

    def _show_problem(self, words: str, field: QWidget) -> None:
        show_problem(self.note, field, words)
        field.setFocus()
