"""Dialog of all assistants: create, edit, copy, and delete with undo. Changes are saved at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from PySide6.QtCore import QModelIndex, QRect, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QHBoxLayout, QStyle, QStyleOptionViewItem, QWidget

from app.features.assistants import ICONS, AssistantChoice, chosen_of, icon_of, in_assistant
from app.store.assistant_store import Assistant, AssistantStore
from app.ui.chat.chat_options import ChatFields, Choices
from app.ui.chat.library_dialog import LibraryDialog
from app.ui.focus_ring import shown_state
from app.ui.i18n import Translatable, tr
from app.ui.icons import icon
from app.ui.locale_formats import isolate
from app.ui.screen_reader import read_as
from app.ui.shared_labels import CHOOSE_AN_ICON, COPY_OF, NAME_DELETED, NEW_ASSISTANT
from app.ui.theme import Theme
from app.ui.widgets.buttons import ICON_PX, IconButton, IconPopup, text_button
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import fill_layout, name_widgets, scrolled
from app.ui.widgets.row_list import GroupedListModel, Index, RowDelegate

NEW_CHAT_WITH_IT = "Start a chat"

SIZE_PX = (800, 600)
ROW_ICON_PX = 16
EXAMPLES: tuple[tuple[Translatable, Translatable], ...] = (
    ("Proofreader", "Correct spelling and grammar in what I send. Keep my words and tone. Answer with the text only."),
    ("Patient teacher", "Explain one step at a time in simple words. Check that it’s clear before you continue."),
)
"""Names and instructions of example assistants, offered while there is none."""
ICON_ROLE = Qt.ItemDataRole.UserRole + 7


class AssistantListModel(GroupedListModel[Assistant]):
    """List of assistants, most recently used first."""

    groups: ClassVar[tuple[Translatable, ...]] = ("Your assistants",)

    def group_of(self, _row: Assistant, _now: datetime) -> Translatable:
        return self.groups[0]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row_at(index) if role == ICON_ROLE else None
        return super().data(index, role) if row is None else icon_of(row)


class AssistantDelegate(RowDelegate):
    """Row with the assistant's icon before its name."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        if (glyph := index.data(ICON_ROLE)) is None:
            super().paint(painter, option, index)
            return
        painter.save()
        px, tokens = self._theme.px, self._theme.tokens
        state: QStyle.StateFlag = option.state
        is_mirrored = option.direction == Qt.LayoutDirection.RightToLeft
        card, size = self.paint_card(painter, QRect(option.rect), shown_state(option)), px(ROW_ICON_PX)
        x = card.right() - px(14) - size if is_mirrored else card.x() + px(14)
        place = QRect(x, card.center().y() - size // 2 + 1, size, size)
        icon(glyph, tokens.muted, size).paint(painter, place)
        painter.setFont(self._theme.font("strong" if state & QStyle.StateFlag.State_Selected else "row"))
        painter.setPen(QColor(tokens.text))
        leading, trailing = px(14) + size + px(9), px(10)
        room = card.adjusted(trailing if is_mirrored else leading, 0, -(leading if is_mirrored else trailing), 0)
        name = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, room.width())
        side = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeading)
        painter.drawText(room, side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter, isolate(name))
        painter.restore()


class AssistantDialog(LibraryDialog):
    """Manages assistants. `models` are the choices of a model; `in_settings` names the numbers fixed in the
    settings.
    """

    def __init__(
        self,
        store: AssistantStore,
        theme: Theme,
        parent: QWidget,
        *,
        models: Choices,
        in_settings: list[str],
        on_change: Callable[[], object],
        begin_chat: Callable[[Assistant], object],
    ) -> None:
        super().__init__(
            theme, parent, AssistantListModel(),
            kind="assistant", title=tr("Assistants"), new=tr(NEW_ASSISTANT), use=tr(NEW_CHAT_WITH_IT),
        )  # fmt: skip
        self._begin_chat, self.on_change = begin_chat, on_change
        """Assistants were added, removed or changed."""
        self._store, self._models, self._in_settings = store, models, in_settings
        self._shown: Assistant | None = None
        self._fields: ChatFields | None = None
        self.list.setItemDelegate(AssistantDelegate(theme, self.list))
        self.icon = IconButton(theme, ICONS[0], tr(CHOOSE_AN_ICON), size_px=ICON_PX, on_click=self._on_icon)
        read_as(self.icon, has_menu=True)
        self.nothing = plain_label(
            tr("An assistant saves instructions, a model and settings under one name, ready for new chats."),
            kind="muted",
            wraps=True,
        )
        self.examples = QWidget()
        self._lay_out()
        self.reload_list()

    def reload_list(self, number: int = 0) -> None:
        """Reload the list and open this assistant, or else the one that was open, or the first."""
        # What was typed goes first, or the list would show what was there before.
        with self.notify.guard():
            self._save()
            number = number or (self._shown.id if self._shown else 0)
            found = self._store.all()
            self.rows.show(found)
            opened = next((assistant for assistant in found if assistant.id == number), found[0] if found else None)
            self.list.mark(self.rows.index_of(opened.id if opened else None))
            self._open(opened)

    def add(self, name: str, chosen: AssistantChoice, icon_name: str = "") -> None:
        """Create an assistant and open it with the focus on its name."""
        with self.notify.guard():
            self._save()
            made = self._store.create(name, icon_name, **in_assistant(chosen))
            self.on_change()
            self.reload_list(made.id)
            self.name.setFocus(Qt.FocusReason.OtherFocusReason)
            self.name.selectAll()

    def _open(self, assistant: Assistant | None) -> None:
        # The fields hold what was typed since and stay.
        if assistant is not None and self._shown is not None and assistant.id == self._shown.id:
            self._shown = assistant
            return
        # Filling the fields is no typing.
        self._shown = None
        self.name.setText(assistant.name if assistant is not None else "")
        self.icon.set_glyph(icon_of(assistant) if assistant is not None else ICONS[0])
        self._fields = ChatFields(
            self._theme,
            chosen_of(assistant) if assistant is not None else AssistantChoice(),
            models=self._models,
            in_settings=self._in_settings,
            is_assistant=True,
        )
        self._fields.setObjectName("page")
        self._fields.setContentsMargins(0, 0, self._theme.px(14), 0)
        self._fields.changed.connect(self._on_typed)
        self._page.setWidget(self._fields)
        self._shown = assistant
        for widget in (self.name, self.icon, self._page, self.copy, self.delete, self.use):
            widget.setVisible(assistant is not None)
        self.nothing.setVisible(assistant is None)
        self.examples.setVisible(assistant is None)

    def _on_typed(self) -> None:
        if self._shown is not None:
            self._save_later.start()

    def _save(self) -> None:
        self._save_later.stop()
        before, fields = self._shown, self._fields
        if before is None or fields is None:
            return
        values = in_assistant(fields.chosen) | {"name": self.name.text().strip() or before.name}
        # Written only if something differs, as this runs at every pause and every close.
        changed = {name: value for name, value in values.items() if getattr(before, name) != value}
        if changed:
            self._change(**changed)

    def _change(self, **values: Any) -> None:
        assert self._shown is not None
        with self.notify.guard():
            self._store.update(self._shown.id, **values)
            self._shown = self._store.get(self._shown.id)
            self.on_change()

    def _on_renamed(self, number: int, name: str) -> None:
        with self.notify.guard():
            self._store.update(number, name=name)
        if self._shown is not None and self._shown.id == number:
            self.name.setText(name)
        self.on_change()
        self.reload_list(number)

    def _on_icon(self) -> None:
        popup = IconPopup(self._theme, ICONS, self.icon)
        popup.chosen.connect(self._on_icon_chosen)
        popup.show_below(self.icon)

    def _on_icon_chosen(self, name: str) -> None:
        self.icon.set_glyph(name)
        self._change(icon=name)
        self.reload_list()

    def _on_new(self) -> None:
        self.add(tr(NEW_ASSISTANT), AssistantChoice())

    def _on_copy(self) -> None:
        self._save()
        if (assistant := self._shown) is not None:
            self.add(tr(COPY_OF, name=assistant.name), chosen_of(assistant), assistant.icon)

    def _on_delete(self) -> None:
        self._save()
        if (assistant := self._shown) is None:
            return
        with self.notify.guard():
            self._store.delete(assistant.id)
            self._shown = None
            self.on_change()
            self.notify.undo(tr(NAME_DELETED, name=assistant.name), partial(self._restore, assistant.id))
            self.reload_list()
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _restore(self, number: int) -> None:
        with self.notify.guard():
            self._store.restore(number)
            self.on_change()
            self.reload_list(number)

    def _on_use(self) -> None:
        self._save()
        if (assistant := self._shown) is not None:
            self.close()
            self._begin_chat(assistant)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        self.side.addWidget(self.list, 1)
        self.side.addWidget(self.new)
        fill_layout(head, self.icon, (self.name, 1))
        self._page = scrolled(QWidget())
        self.page.addLayout(head)
        self.page.addWidget(self.nothing, 1, Qt.AlignmentFlag.AlignBottom)
        self.page.addWidget(self.examples, 1, Qt.AlignmentFlag.AlignTop)
        row = QHBoxLayout(self.examples)
        for name, instructions in EXAMPLES:
            choice = AssistantChoice(system_prompt=tr(instructions))
            button = text_button(
                tr(name), on_click=lambda _=False, name=name, choice=choice: self.add(tr(name), choice)
            )
            row.addWidget(button)
        row.addStretch(1)
        self.page.addWidget(self._page, 1)
        self.page.addLayout(self.buttons)
        dress = self._theme.dress
        dress(self.page, margins=(24, 20, 10, 18), spacing=12)
        dress(head, self.buttons, margins=(0, 0, 14, 0), spacing=8)
        dress(row, margins=(0, 0, 14, 0), spacing=8)
        dress(self.nothing, font="row")
        name_widgets(assistant_icon=self.icon, assistant_nothing=self.nothing)
        self._fit_screen(*SIZE_PX)

    def _on_row(self, index: QModelIndex) -> None:
        if (row := self.rows.row_at(index)) is not None and (self._shown is None or row.id != self._shown.id):
            self.reload_list(row.id)
