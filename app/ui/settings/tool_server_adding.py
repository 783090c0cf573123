"""Dialog that adds a tool server: the command that starts it, or its address."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.features.mcp.server_config import ServerConfig
from app.features.mcp.typed_server import read_typed_server
from app.ui.i18n import tr
from app.ui.shared_labels import ADD
from app.ui.theme import Theme
from app.ui.widgets.dialogs import Dialog, cancel_or
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import fill_layout

COMMAND_OR_ADDRESS = "Command or address"
SERVER_NAME = "Name (optional)"
SERVER_KEY = "Key, if the server requires one"
NEITHER = "Enter a command like “uvx mcp-server-time”, or an address like https://example.com/mcp."
EXAMPLE = "uvx mcp-server-time"
WIDTH_PX = 460


class AddServerDialog(Dialog):
    """Asks for a server and hands it to `on_add`; a key is asked for only with an address."""

    def __init__(self, theme: Theme, on_add: Callable[[ServerConfig], object], parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._on_add = theme, on_add
        self.setObjectName("add_tool_server")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        title = tr("Add a tool server")
        self.name_by_heading(title)
        self.setMinimumWidth(min(theme.px(WIDTH_PX), self.screen().availableSize().width() - theme.px(48)))
        self.line = QLineEdit(placeholderText=EXAMPLE)
        self.name = QLineEdit()
        self.key = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
        self.line.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # a command reads so in every language
        self.note = theme.dress(plain_label(kind="danger", wraps=True), font="small")
        self.note.hide()
        self._column = theme.dress(QVBoxLayout(self), margins=(24, 22, 24, 20), spacing=12)
        self._column.addWidget(theme.dress(plain_label(title), font="section"))
        self._add_field(tr(COMMAND_OR_ADDRESS), self.line)
        self._column.addWidget(self.note)
        self._key_block = self._add_field(tr(SERVER_KEY), self.key)
        self._add_field(tr(SERVER_NAME), self.name)
        self._column.addLayout(cancel_or(self, tr(ADD)))
        self.line.textChanged.connect(self._on_edited)
        self._on_edited()

    def _add_field(self, name: str, field: QLineEdit) -> QWidget:
        field.setAccessibleName(name)
        label = self._theme.dress(plain_label(name, wraps=True), font="control")
        block = QWidget()
        self._theme.dress(fill_layout(QVBoxLayout(block), label, field), margins=(0, 0, 0, 0), spacing=4)
        self._column.addWidget(block)
        return block

    def _on_edited(self) -> None:
        self.note.hide()
        self._key_block.setVisible(self.line.text().strip().startswith(("http://", "https://")))

    def accept(self) -> None:
        """Add the server, or say what is missing and stay."""
        config = read_typed_server(self.line.text(), self.name.text().strip(), self.key.text().strip())
        if config is None:
            self.note.setText(tr(NEITHER))
            self.note.show()
            self.line.setFocus()
            return
        self._on_add(config)
        super().accept()
