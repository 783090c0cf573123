"""Dialog that imports tool servers: from other programs found here, from a file, or from pasted JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.core.errors.tool_errors import ToolServersUnreadable
from app.core.visible import visible_name
from app.features.mcp.known_files import ServerFile, find_server_files
from app.features.mcp.server_config import ServerConfig, parse_servers, read_servers
from app.ui.i18n import sentence_for, tr
from app.ui.locale_formats import join_facts
from app.ui.screen_reader import read_as
from app.ui.settings.tool_server_texts import command_line, secret_words
from app.ui.shared_labels import CANCEL
from app.ui.shell import tasks
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_text_font, text_button
from app.ui.widgets.dialogs import Dialog, ScrollBox, file_dialog
from app.ui.widgets.edge_fade import fade_ends
from app.ui.widgets.input_fields import CheckRow
from app.ui.widgets.labels import plain_label, show_problem
from app.ui.widgets.layouts import FlowLayout, fill_layout, within_screen

if TYPE_CHECKING:
    from app.core.events import CancelToken

CHOOSE_FILE = "Choose a file…"
PASTE_HERE = "Or paste JSON with “mcpServers” here"
FROM_PROGRAM = "{program}: {count}"
IMPORTED_OFF = "Imported servers stay off until you turn them on."
ADD_CHOSEN = "Add servers"
PASTED = "pasted text"
WIDTH_PX, HEIGHT_PX, PASTE_PX = 520, 560, 72
MOST_DETAIL = 120


class ImportServersDialog(Dialog):
    """Shows the servers that were found with a box each, and hands those that are ticked to `on_add`."""

    def __init__(self, theme: Theme, on_add: Callable[[Sequence[ServerConfig]], object], parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._on_add = theme, on_add
        self.boxes: list[tuple[CheckRow, ServerConfig]] = []
        self.setObjectName("import_tool_servers")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        title = tr("Import tool servers")
        self.name_by_heading(title)
        inside = QWidget()
        self._column = theme.dress(QVBoxLayout(inside), margins=(0, 0, 12, 0), spacing=12)
        fill_layout(self._column, theme.dress(plain_label(title), font="section"))
        self._column.addWidget(theme.dress(plain_label(tr(IMPORTED_OFF), kind="muted", wraps=True), font="small"))
        self._add_sources()
        self.note = theme.dress(plain_label(kind="danger", wraps=True), font="small")
        self.note.hide()
        self._list = theme.dress(QVBoxLayout(), spacing=2)
        fill_layout(self._column, self.note, self._list, 1)
        around = theme.dress(QVBoxLayout(self), margins=(24, 22, 12, 20), spacing=14)
        box = ScrollBox(inside, around.contentsMargins())
        fade_ends(box, theme)
        around.addWidget(box, 1)
        self.add = text_button(tr(ADD_CHOSEN), "primary", on_click=lambda _=False: self.accept())
        self.add.setDefault(True)
        row = fill_layout(QHBoxLayout(), 1, text_button(tr(CANCEL), "plain", on_click=self.reject), self.add)
        row.setContentsMargins(0, 0, theme.px(12), 0)
        around.addLayout(row)
        self.resize(within_screen(self, QSize(theme.px(WIDTH_PX), theme.px(HEIGHT_PX))))
        self._update()
        # Other programs' folders may lie on a slow disk.
        tasks.ask(_find_files, self, self.offer_files)

    def accept(self) -> None:
        """Hand the servers that are ticked to `on_add` and close."""
        self._on_add([config for box, config in self.boxes if box.isChecked()])
        super().accept()

    def _add_sources(self) -> None:
        holder = QWidget()
        self.sources = FlowLayout(holder)
        self.choose = text_button(tr(CHOOSE_FILE), "plain", on_click=lambda _=False: self._choose())
        self._theme.dress(self.choose, font="control")
        self.sources.addWidget(self.choose)
        self.sources.setSpacing(self._theme.px(8))
        self.pasted = read_as(QPlainTextEdit(placeholderText=tr(PASTE_HERE)))
        self.pasted.setAccessibleName(tr(PASTE_HERE))
        self.pasted.setTabChangesFocus(True)
        set_text_font(self.pasted, self._theme.fonts.code(12.5))
        self._theme.dress(self.pasted, height=PASTE_PX)
        self.pasted.textChanged.connect(self._read_pasted)
        fill_layout(self._column, holder, self.pasted)

    def offer_files(self, files: Sequence[ServerFile]) -> None:
        """Offer the servers of other programs' files, a button each."""
        for file in files:
            words = tr(FROM_PROGRAM, program=file.program, count=len(file.servers))
            offer = text_button(words, "plain", on_click=lambda _=False, file=file: self.show_servers(file.servers))
            offer.setToolTip(str(file.path))
            self._theme.dress(offer, font="control")
            self.sources.addWidget(offer)

    def _choose(self) -> None:
        mode, filters = QFileDialog.FileMode.ExistingFile, ["JSON (*.json)", tr("All files (*)")]
        take: Callable[[list[Path]], object] = lambda paths: self._read(lambda: read_servers(paths[0]))  # noqa: E731
        file_dialog(self, tr("Import tool servers"), "tools", take, mode=mode, filters=filters).open()

    def _read_pasted(self) -> None:
        text = self.pasted.toPlainText()
        if text.strip():
            self._read(lambda: parse_servers(text, tr(PASTED)))
        else:
            self.show_servers([])

    def _read(self, read: Callable[[], Sequence[ServerConfig]]) -> None:
        try:
            self.show_servers(read())
        except ToolServersUnreadable as error:
            self.show_servers([])
            show_problem(self.note, self.pasted, sentence_for(error).text)

    def show_servers(self, servers: Sequence[ServerConfig]) -> None:
        """Show servers to choose from, all ticked to begin with."""
        show_problem(self.note, self.pasted, "")
        for box, _ in self.boxes:
            self._list.removeWidget(box)
            box.hide()
            box.deleteLater()
        self.boxes = []
        for config in servers:
            line = command_line(config)
            detail = join_facts((line[:MOST_DETAIL], secret_words(config).replace("\n", ", ")))
            box = CheckRow(self._theme, visible_name(config.name), detail)
            box.setChecked(True)
            box.toggled.connect(lambda _: self._update())
            self._list.addWidget(box)
            self.boxes.append((box, config))
        self._update()

    def _update(self) -> None:
        self.add.setEnabled(any(box.isChecked() for box, _ in self.boxes))


def _find_files(_cancel: CancelToken) -> list[ServerFile]:
    return find_server_files()
