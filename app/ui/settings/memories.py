"""Memories page: facts that are given to models, each with its cost in tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from app.core.errors.app_error import expected_error
from app.core.visible import clean_text
from app.features.projects import PreambleCosts
from app.store.projects import Memory, Project
from app.ui.i18n import tr, tr_count
from app.ui.locale_formats import format_number
from app.ui.settings.settings_pages import Save, SettingsPage
from app.ui.shared_labels import ABOUT_A_TOKEN, ABOUT_TOKENS, ADD, ONE_MEMORY, ONE_TOKEN, TOKEN_COUNT, UNDO
from app.ui.shell import tasks
from app.ui.shell.notify import UNDO_MS, Notify
from app.ui.shell.settings_index import label_of, page_label
from app.ui.theme import Theme
from app.ui.widgets.buttons import ChoiceButton, IconButton, text_button
from app.ui.widgets.input_fields import Switch
from app.ui.widgets.labels import plain_label, plain_tip
from app.ui.widgets.layouts import fill_layout
from app.ui.widgets.notice_bar import Notice

if TYPE_CHECKING:
    from app.bootstrap import Fireside

EVERY_CHAT = "0"
MOST_NAME = 24
MEMORIES_OFF = "Memories are off."


class MemoryRow(QWidget):
    """Row of a memory: its text, where it is used, its tokens, Delete."""

    def __init__(
        self, theme: Theme, memory: Memory, scopes: Sequence[tuple[str, str]], *, edit: Callable[[str], object]
    ) -> None:
        super().__init__()
        self.edit, self.memory = edit, memory
        self.field = MemoryField(memory.text)
        self.scope = ChoiceButton(theme, tr("Used in"), scopes, shows_change=False)
        self.scope.show_value(str(memory.project_id or 0))
        self.scope.setVisible(len(scopes) > 1)
        self.tokens = theme.dress(plain_label(kind="muted"), font="small", least_width=34)
        self.remove = IconButton(theme, "trash", tr("Delete this memory"), size_px=16)
        row = theme.dress(fill_layout(QHBoxLayout(self), (self.field, 1)), margins=(0, 0, 0, 0), spacing=8)
        for widget in (self.scope, self.tokens, self.remove):
            row.addWidget(widget)
        theme.dress(self.field, font="body")
        theme.dress(self.scope.button, least_width=120)
        self.field.editingFinished.connect(self._on_edited)

    def show_tokens(self, tokens: int, *, is_exact: bool) -> None:
        """Show the cost in tokens, marked "~" if it is an estimate."""
        count = format_number(tokens)
        self.tokens.setText(count if is_exact else f"~{count}")
        words = tr_count(*((ONE_TOKEN, TOKEN_COUNT) if is_exact else (ABOUT_A_TOKEN, ABOUT_TOKENS)), tokens)
        self.tokens.setAccessibleName(words)
        self.tokens.setToolTip(words)

    def _on_edited(self) -> None:
        if (text := " ".join(clean_text(self.field.text()).split())) and text != self.memory.text:
            self.edit(text)
        # Emptying the field deletes nothing; the button does.
        elif not text:
            self.field.setText(self.memory.text)


class MemoryField(QLineEdit):
    """Text field that shows the start of a long memory."""

    def __init__(self, text: str) -> None:
        super().__init__(" ".join(text.split()))
        self.setAccessibleName(tr(ONE_MEMORY))
        self.setToolTip(plain_tip(text))
        self.setCursorPosition(0)
        # A long memory must not make the page wider.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):  # keep it from the dialog
            self.editingFinished.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.setCursorPosition(0)


class MemoriesPage(SettingsPage):
    """Memories page. Changes are saved at once; a deleted one can be restored for ten seconds, and from the trash."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, save: Save) -> None:
        super().__init__(theme, page_label("memories"))
        self._app, self._notify, self._save = app, notify, save
        self._memories, self._projects = app.preambles.memories, app.preambles.projects
        self._costs = PreambleCosts(lambda: app.engine)
        self._counting: tasks.BackgroundTask | None = None
        self.rows: list[MemoryRow] = []
        words = tr("Facts the model sees in every chat. Only what you add is remembered.")
        self.column.addWidget(self.muted(words))
        on = Switch(theme, label_of("use_memories"), on=app.settings.chat.memory, on_change=self._on_switched)
        explanation = tr("You can turn memories off for a chat.")
        more = tr("Temporary chats don’t use them unless you choose to.")
        self.add_setting("use_memories", explanation, on, more)
        suggests = app.settings.chat.suggest_memories
        offer = Switch(theme, label_of("suggest_memories"), on=suggests, on_change=self._on_suggesting_switched)
        words = tr("The model may ask to remember one fact after a chat.")
        self.add_setting("suggest_memories", words, offer, tr("Only models over two billion parameters are asked."))
        self.new = QLineEdit(placeholderText=tr("Something to remember"))
        self.new.setAccessibleName(tr("Something to remember"))
        self.add = text_button(tr(ADD), on_click=lambda _=False: self._on_add())
        self.add.setAccessibleName(tr("Add a memory"))
        self.add.setEnabled(False)
        line = theme.dress(fill_layout(QHBoxLayout(), (self.new, 1), self.add), spacing=8)
        theme.dress(self.new, font="body")
        self._list = theme.dress(QVBoxLayout(), spacing=6)
        self.add_heading(tr("Your memories"))
        self.add_content(line, self._list, spacing_px=6)
        self.cost = self.muted("")
        self.cost.setObjectName("memories_cost")
        self.column.addWidget(self.cost)
        self.finish()
        self.new.textChanged.connect(lambda text: self.add.setEnabled(bool(text.strip())))
        self.new.returnPressed.connect(self._on_add)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.reload_memories()

    def reload_memories(self) -> None:
        found: list[Memory] = []
        projects: list[Project] = []
        with self._notify.guard():
            found, projects = self._memories.all(), self._projects.all()
        for row in self.rows:
            row.hide()
            self._list.removeWidget(row)
            row.deleteLater()
        scopes = [(EVERY_CHAT, tr("Every chat")), *((str(project.id), _short(project.name)) for project in projects)]
        self.rows = [self._new_row(memory, scopes) for memory in found]
        self._count()

    def _new_row(self, memory: Memory, scopes: Sequence[tuple[str, str]]) -> MemoryRow:
        row: MemoryRow = MemoryRow(self._theme, memory, scopes, edit=lambda text: self._on_edited(row, text))
        row.scope.changed.connect(partial(self._on_moved, row))
        row.remove.clicked.connect(lambda _=False: self._on_delete(row))
        self._list.addWidget(row)
        return row

    def _on_switched(self, wanted: bool) -> None:
        self._save("chat", memory=wanted)
        self._count()

    def _on_suggesting_switched(self, wanted: bool) -> None:
        self._save("chat", suggest_memories=wanted)

    def _on_add(self) -> None:
        if text := " ".join(clean_text(self.new.text()).split()):
            with self._notify.guard():
                self._memories.add(text)
                self.new.clear()
            self.reload_memories()
            self.new.setFocus()

    def _on_edited(self, row: MemoryRow, text: str) -> None:
        with self._notify.guard():
            self._memories.update(row.memory.id, text=text)
            row.memory = self._memories.get(row.memory.id) or row.memory
        self._count()

    def _on_moved(self, row: MemoryRow, scope: str) -> None:
        with self._notify.guard():
            self._memories.update(row.memory.id, project_id=None if scope == EVERY_CHAT else int(scope))
        self.reload_memories()

    def _on_delete(self, row: MemoryRow) -> None:
        number, text = row.memory.id, " ".join(row.memory.text.split())

        def bring_back() -> None:
            with self._notify.guard():
                self._memories.restore(number)
            self.reload_memories()

        with self._notify.guard():
            self._memories.delete(number)
            short = text if len(text) <= 2 * MOST_NAME else text[: 2 * MOST_NAME - 1] + "…"
            # In the page: notices of the window are behind this dialog.
            notice = Notice(self._theme, tr("“{title}” was deleted.", title=short), UNDO_MS)
            notice.add_button(tr(UNDO), bring_back)
            notice.left.connect(notice.deleteLater)
            self.foot.addWidget(notice)
        self.reload_memories()
        self.new.setFocus()

    def _count(self) -> None:
        """Count the tokens of each memory, in place of an earlier count."""
        if self._counting is not None:
            self._counting.abandon()
        # Counted as they stand in a prompt: a list with a line for each.
        texts, tokens_of = [f"- {row.memory.text}" for row in self.rows], self._costs.tokens_of
        # On a thread, as the model may be busy.
        self._counting = tasks.ask(lambda _token: tokens_of(texts), self, self._on_counted, self._on_failed)

    def _on_counted(self, counted: tuple[list[int], bool]) -> None:
        self._counting = None
        counts, is_exact = counted
        # Rows may have come or gone since the count began.
        for row, tokens in zip(self.rows, counts, strict=False):
            row.show_tokens(tokens, is_exact=is_exact)
        everywhere = sum(
            tokens for row, tokens in zip(self.rows, counts, strict=False) if row.memory.project_id is None
        )
        self.cost.setText(self._cost_words(everywhere, is_exact=is_exact))

    def _cost_words(self, tokens: int, *, is_exact: bool) -> str:
        if not self._app.settings.chat.memory:
            return tr(MEMORIES_OFF)
        if not self.rows:
            return tr(
                "No memories yet. Add one, such as “I live in Cologne”, or choose “Remember this” in the menu of "
                "a message or selection."
            )
        words = tr_count(
            "Memories use {count} token of every chat.", "Memories use {count} tokens of every chat.", tokens
        )
        if not is_exact:
            words = tr_count(
                "Memories use about {count} token of every chat. Estimated, because no model is loaded.",
                "Memories use about {count} tokens of every chat. Estimated, because no model is loaded.",
                tokens,
            )
        return f"{words} {tr('After a change, the next answer rereads its chat.')}"

    def _on_failed(self, error: BaseException) -> None:
        # The count was not asked for, so an engine that ended isn't reported here; only defects are raised.
        self._counting = None
        expected_error(error)


def _short(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= MOST_NAME else line[: MOST_NAME - 1] + "…"
