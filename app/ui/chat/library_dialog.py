"""Base class of dialogs for saved items: a list, and an editor that saves while typing."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QSize, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.ui.i18n import tr
from app.ui.shared_labels import DELETE, DUPLICATE
from app.ui.shell.keyboard import move_focus
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.dialogs import Dialog
from app.ui.widgets.layouts import name_widgets, within_screen
from app.ui.widgets.row_list import GroupedListModel, RowList

LIST_PX = 236
SAVE_MS = 400


class LibraryDialog(Dialog):
    """Dialog with a list in `side` and an editor in `page`; subclasses fill both and define the buttons' actions.

    `kind` prefixes the widgets' names; `new` and `use` are the labels of the buttons.
    """

    def __init__(
        self, theme: Theme, parent: QWidget, rows: GroupedListModel[Any], *, kind: str, title: str, new: str, use: str
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.set_up_window(f"{kind}_dialog", title)
        # Notices of the window would be behind this dialog.
        self.notify = Notify(theme, self)
        self.rows = rows
        self.rows.setParent(self)
        self.list = RowList(theme, self.rows, title)
        self.name = QLineEdit(placeholderText=tr("Name"))
        self.name.setAccessibleName(tr("Name"))
        self.new = text_button(new, "quiet")
        self.copy = text_button(tr(DUPLICATE), "plain")
        self.delete = text_button(tr(DELETE), "plain")
        self.use = text_button(use, "primary")
        self._save_later = QTimer(self, singleShot=True, interval=SAVE_MS)
        self.side, self.page, self.buttons = QVBoxLayout(), QVBoxLayout(), QHBoxLayout()
        self._lay_out_sides()
        self._listen()
        name_widgets(**{
            f"{kind}_name": self.name, f"{kind}_new": self.new, f"{kind}_copy": self.copy,
            f"{kind}_delete": self.delete, f"{kind}_use": self.use,
        })  # fmt: skip

    def reload_list(self) -> None:
        """Reload the list, keeping the open item."""
        raise NotImplementedError

    def _save(self) -> None:
        """Store the open item if its fields differ from what is stored."""
        raise NotImplementedError

    def _lay_out_sides(self) -> None:
        row, side, page = QHBoxLayout(self), QWidget(), QFrame()
        side.setLayout(self.side)
        page.setLayout(self.page)
        for button in (self.copy, self.delete):
            self.buttons.addWidget(button)
        self.buttons.addStretch(1)
        self.buttons.addWidget(self.use)
        row.addWidget(side)
        row.addWidget(page, 1)
        side.setObjectName("settings_nav")
        side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.list.setObjectName("chats")
        self.notify.bar.float_over(self, page)
        dress = self._theme.dress
        dress(row, margins=(0, 0, 0, 0), spacing=0)
        dress(self.side, margins=(12, 16, 8, 12), spacing=8)
        dress(side, width=LIST_PX)
        dress(self.name, font="body")
        dress(self.copy, self.delete, self.use, self.new, font="control")
        dress(self.new, glyph=("plus", "muted", 16))

    def _listen(self) -> None:
        self._save_later.timeout.connect(self._on_saved)
        self.list.clicked.connect(self._on_row)
        self.list.moved.connect(self._on_row)
        self.list.doubleClicked.connect(lambda _index: self._on_use())
        self.list.delete_wanted.connect(lambda _number: self._on_delete())
        self.rows.renamed.connect(self._on_renamed)
        self.name.textEdited.connect(lambda _text: self._on_typed())
        for button, do in (
            (self.new, self._on_new),
            (self.copy, self._on_copy),
            (self.delete, self._on_delete),
            (self.use, self._on_use),
        ):
            button.clicked.connect(lambda _=False, do=do: do())

    def _fit_screen(self, width: int, height: int) -> None:
        """Resize to the given size before zoom, but not beyond the screen."""
        self.resize(within_screen(self, QSize(self._theme.px(width), self._theme.px(height))))

    def _on_saved(self) -> None:
        """Save and update the list without moving the focus."""
        # Saved first, or the list would show the old name.
        self._save()
        self.reload_list()

    def _on_row(self, index: QModelIndex) -> None:
        raise NotImplementedError

    def _on_typed(self) -> None:
        raise NotImplementedError

    def _on_renamed(self, number: int, name: str) -> None:
        raise NotImplementedError

    def _on_new(self) -> None:
        raise NotImplementedError

    def _on_copy(self) -> None:
        raise NotImplementedError

    def _on_delete(self) -> None:
        raise NotImplementedError

    def _on_use(self) -> None:
        raise NotImplementedError

    def focusNextPrevChild(self, is_next: bool) -> bool:
        return move_focus(self, is_next)

    def done(self, result: int) -> None:
        # However it is closed, what was typed is kept.
        self._save()
        super().done(result)
