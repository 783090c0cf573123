"""Folders that a tool may use: added by a dialog or one press where they are suggested, and removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.core.visible import visible_name
from app.ui.i18n import tr
from app.ui.shared_labels import REMOVE_NAMED
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button
from app.ui.widgets.dialogs import file_dialog
from app.ui.widgets.labels import ElidedLabel
from app.ui.widgets.layouts import drop_margins, fill_layout

ADD_FOLDER = "Add a folder…"
ALLOW_FOLDER = "Allow {folder}"
PURPOSE = "tools"
"""Of the dialog, which begins where the last folder was chosen."""


class FolderList(QWidget):
    """Holds `folders` and calls `on_change` with them; `suggested` ones that are not in it are offered."""

    def __init__(
        self,
        theme: Theme,
        title: str,
        folders: Sequence[str],
        on_change: Callable[[tuple[str, ...]], object],
        suggested: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._theme, self._title, self._on_change, self._suggested = theme, title, on_change, suggested
        self.folders = tuple(folders)
        self._rows = theme.dress(QVBoxLayout(), spacing=4)
        self.add = text_button(tr(ADD_FOLDER), "plain", on_click=lambda _=False: self._choose())
        self.add.setAccessibleName(f"{title}: {tr(ADD_FOLDER)}")
        theme.dress(self.add, font="control")
        column = drop_margins(QVBoxLayout(self))
        fill_layout(column, self._rows, fill_layout(QHBoxLayout(), self.add, 1))
        theme.dress(column, spacing=6)
        self._show()

    def use(self, folders: Sequence[str]) -> None:
        """Hold other folders, and hand them to `on_change` without doubles."""
        self.folders = tuple(dict.fromkeys(folders))
        self._show()
        self._on_change(self.folders)

    def _choose(self) -> None:
        mode = QFileDialog.FileMode.Directory
        dialog = file_dialog(
            self, self._title, PURPOSE, lambda paths: self.use((*self.folders, str(paths[0]))), mode=mode
        )
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.open()

    def _show(self) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            if (row := item.widget()) is not None:
                if row.isAncestorOf(self.focusWidget() or self):
                    self.add.setFocus(Qt.FocusReason.OtherFocusReason)
                row.hide()
                row.deleteLater()
        for folder in self.folders:
            self._rows.addWidget(self._row(folder))
        for folder in self._suggested:
            if folder not in self.folders:
                words = tr(ALLOW_FOLDER, folder=visible_name(Path(folder).name or folder))
                offer = text_button(words, "link", on_click=lambda _=False, f=folder: self.use((*self.folders, f)))
                offer.setToolTip(visible_name(folder))
                self._rows.addWidget(offer, 0, Qt.AlignmentFlag.AlignLeading)

    def _row(self, folder: str) -> QWidget:
        shown = visible_name(folder)
        name = self._theme.dress(ElidedLabel(shown, Qt.TextElideMode.ElideMiddle), font="body")
        name.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # a path reads so in every language
        remove = IconButton(self._theme, "x", tr(REMOVE_NAMED, name=shown), size_px=16)
        remove.clicked.connect(lambda: self.use([kept for kept in self.folders if kept != folder]))
        row = QWidget()
        self._theme.dress(fill_layout(QHBoxLayout(row), (name, 1), remove), margins=(0, 0, 0, 0), spacing=8)
        return row
