"""Dialog of all saved prompts: create, edit, copy, delete with undo, import and export."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPlainTextEdit, QWidget

from app.core.lazy_dataclasses import dataclass
from app.features.prompt_library import (
    LibraryPrompt,
    PromptLibrary,
    find_variables,
    read_file,
    write_json,
    write_markdown,
)
from app.ui.chat.library_dialog import LibraryDialog
from app.ui.i18n import Translatable, tr, tr_count
from app.ui.locale_formats import join_list
from app.ui.screen_reader import read_as
from app.ui.shared_labels import COPY_OF, DUPLICATE, MORE_LABEL, NAME_DELETED, PROMPT_LABEL, PROMPTS, PUT_INTO_MESSAGE
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.input_fields import SearchField
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import fill_layout, name_widgets
from app.ui.widgets.menus import Menu
from app.ui.widgets.row_list import GroupedListModel, Index
from app.ui.work.doing import SavedFiles

PROMPT_FIELDS = "Asks for: {names}"
OFFER_BUILT_IN_PROMPTS = "Show built-in prompts"
EXPORT_YOUR_PROMPTS = "Export your prompts"

SIZE_PX = (760, 520)
NAME_CHARACTERS = 40


@dataclass(frozen=True)
class _PromptRow:
    """A prompt in the list; `id` is the store's, or negative for a built-in one."""

    id: int
    title: str
    prompt: LibraryPrompt


class PromptListModel(GroupedListModel[_PromptRow]):
    """Saved prompts, followed by the built-in ones."""

    groups: ClassVar[tuple[Translatable, ...]] = ("Your prompts", "Built in")

    def group_of(self, row: _PromptRow, _now: datetime) -> Translatable:
        return self.groups[1 if row.prompt.is_builtin else 0]

    def flags(self, index: Index) -> Qt.ItemFlag:
        row, flags = self.row_at(index), super().flags(index)
        return flags & ~Qt.ItemFlag.ItemIsEditable if row is not None and row.prompt.is_builtin else flags


class PromptDialog(LibraryDialog):
    """Saves changes at once. `insert` puts a prompt into the message."""

    def __init__(
        self, library: PromptLibrary, theme: Theme, parent: QWidget, *, insert: Callable[[LibraryPrompt], object]
    ) -> None:
        super().__init__(
            theme, parent, PromptListModel(),
            kind="prompt", title=tr(PROMPTS), new=tr("New prompt"), use=tr(PUT_INTO_MESSAGE),
        )  # fmt: skip
        self._insert, self._library = insert, library
        self._shown: LibraryPrompt | None = None
        self._is_showing = False
        self._files = PromptFiles(self.notify, self, self._on_imported)
        self.search = SearchField(theme, tr("Search prompts"))
        self.more = IconButton(
            theme, "dots-three-bold", tr(MORE_LABEL), size_px=18, on_click=lambda _=False: self.show_menu()
        )
        read_as(self.more, has_menu=True)
        self.text = QPlainTextEdit(placeholderText=tr("Text to insert into your message"))
        self.text.setAccessibleName(tr("Text of the prompt"))
        self.text.setTabChangesFocus(True)
        self.about = plain_label(kind="muted", wraps=True)
        self._lay_out()
        self._connect()
        self.reload_list()

    def reload_list(self, key: str = "") -> None:
        """Reload the list and open the prompt with this key, or else the one that was open, or the first."""
        with self.notify.guard():
            # Saved first, or the list would show the old name.
            self._save()
            key = key or (self._shown.key if self._shown else "")
            found = self._library.find(self.search.text(), tr)
            self.rows.show(
                [
                    _PromptRow(
                        # Prompts that came with the program have no number in the store.
                        -n if library_prompt.is_builtin else library_prompt.number,
                        library_prompt.name,
                        library_prompt,
                    )
                    for n, library_prompt in enumerate(found, 1)
                ]
            )
            number = next((row.id for row in self.rows.found if row.prompt.key == key), None)
            index = self.rows.index_of(number)
            if not index.isValid() and found:
                # The first row is a heading.
                index = self.rows.index(1)
            self.list.mark(index)
            self._open(self.rows.row_at(index))

    def add(self, name: str = "", text: str = "") -> None:
        """Create a prompt and open it with the focus on its name."""
        with self.notify.guard():
            self.search.clear()
            made = self._library.store.create(name or _name_for(text), text)
            self.reload_list(str(made.id))
            self.name.setFocus(Qt.FocusReason.OtherFocusReason)
            self.name.selectAll()

    def _open(self, row: _PromptRow | None) -> None:
        self._save()
        self._shown = prompt = row.prompt if row is not None else None
        with self._signals_blocked():
            name, text = (prompt.name, prompt.text) if prompt else ("", "")
            # Setting the text would move the cursor of somebody who types.
            if self.name.text().strip() != name:
                self.name.setText(name)
            if self.text.toPlainText() != text:
                self.text.setPlainText(text)
        is_own = prompt is not None and not prompt.is_builtin
        for field in (self.name, self.text):
            field.setReadOnly(not is_own)
            field.setEnabled(prompt is not None)
        self.delete.setEnabled(is_own)
        self.copy.setEnabled(prompt is not None)
        self.copy.setText(tr(DUPLICATE) if is_own or prompt is None else tr("Duplicate to edit"))
        self._show_about()

    def _show_about(self) -> None:
        text = self.text.toPlainText()
        asked = find_variables(text)
        self.about.setText(
            tr(PROMPT_FIELDS, names=join_list(asked))
            if asked
            else tr(
                "You’re asked for each word in {braces}. {clipboard}, {selection} and {date} are filled in for you."
            )
        )
        self.use.setEnabled(bool(text.strip()))

    @contextmanager
    def _signals_blocked(self) -> Iterator[None]:
        self._is_showing = True
        try:
            yield
        finally:
            self._is_showing = False

    def _on_typed(self) -> None:
        self._show_about()
        if not self._is_showing:
            self._save_later.start()

    def _save(self) -> None:
        self._save_later.stop()
        if (before := self._shown) is None or before.is_builtin:
            return
        name, text = self.name.text().strip() or before.name, self.text.toPlainText()
        if (name, text) != (before.name, before.text):
            self._shown = LibraryPrompt(before.key, name, text, before.used_at)
            with self.notify.guard():
                self._library.store.change(before.number, name=name, text=text)

    def _on_renamed(self, number: int, name: str) -> None:
        with self.notify.guard():
            self._library.store.change(number, name=name)
        if self._shown is not None and self._shown.key == str(number):
            with self._signals_blocked():
                self.name.setText(name)
        self.reload_list(str(number))

    def _on_new(self) -> None:
        self.add()

    def _on_copy(self) -> None:
        self._save()
        if self._shown is not None:
            self.add(tr(COPY_OF, name=self._shown.name), self._shown.text)

    def _on_delete(self) -> None:
        if (prompt := self._shown) is None or prompt.is_builtin:
            return
        self._save()
        with self.notify.guard():
            self._library.store.delete(prompt.number)
            self._shown = None
            self.notify.undo(tr(NAME_DELETED, name=prompt.name), lambda: self._restore(prompt))
            self.reload_list()
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _restore(self, prompt: LibraryPrompt) -> None:
        with self.notify.guard():
            self._library.store.restore(prompt.number)
            self.reload_list(prompt.key)

    def _on_use(self) -> None:
        self._save()
        if (prompt := self._shown) is not None and prompt.text.strip():
            self.close()
            self._insert(prompt)

    def _on_builtin(self, wanted: bool) -> None:
        with self.notify.guard():
            self._library.show_builtin(wanted=wanted)
        self.reload_list()

    def show_menu(self) -> Menu:
        menu = Menu(self, is_temporary=True)
        menu.addAction(tr("Import…"), self._files.ask_to_import)
        own = [row.prompt for row in self.rows.found if not row.prompt.is_builtin]
        every = menu.addAction(tr("Export your prompts…"), lambda: self._files.ask_to_export(own))
        every.setEnabled(bool(own))
        action = menu.addAction(tr("Export this prompt as Markdown…"), self._on_export_one)
        action.setEnabled(self._shown is not None)
        menu.addSeparator()
        builtin = menu.addAction(tr(OFFER_BUILT_IN_PROMPTS))
        builtin.setCheckable(True)
        builtin.setChecked(self._library.has_builtin)
        builtin.toggled.connect(self._on_builtin)
        menu.popup_at(self.more)
        return menu

    def _on_export_one(self) -> None:
        self._save()
        if self._shown is not None:
            self._files.ask_to_export_one(self._shown)

    def _on_imported(self, found: list[tuple[str, str]]) -> None:
        with self.notify.guard():
            known = {(saved_prompt.name, saved_prompt.text) for saved_prompt in self._library.store.all()}
            # What is there already is not imported twice.
            fresh = [path for path in dict.fromkeys(found) if path not in known]
            made = [self._library.store.create(name, text) for name, text in fresh]
            self.search.clear()
            self.reload_list(str(made[0].id) if made else "")
            told = tr_count("1 prompt imported.", "{count} prompts imported.", len(made))
            left = len(found) - len(made)
            there = tr_count("1 already existed.", "{count} already existed.", left)
            self.notify.mention(f"{told} {there}" if left else told)

    def _lay_out(self) -> None:
        below = fill_layout(QHBoxLayout(), self.new, 1, self.more)
        self.side.addWidget(self.search)
        self.side.addWidget(self.list, 1)
        self.side.addLayout(below)
        for widget in (self.name, self.text, self.about):
            self.page.addWidget(widget, 1 if widget is self.text else 0)
        self.page.addLayout(self.buttons)
        dress = self._theme.dress
        dress(self.page, margins=(24, 20, 24, 18), spacing=10)
        dress(self.buttons, below, spacing=8)
        dress(self.text, font="body")
        dress(self.about, font="small")
        name_widgets(prompt_text=self.text, prompt_about=self.about, prompt_more=self.more)
        self._fit_screen(*SIZE_PX)

    def _connect(self) -> None:
        self.search.textChanged.connect(lambda _text: self.reload_list())
        self.search.lowered.connect(self.list.enter)
        self.search.escaped.connect(self.close)
        self.text.textChanged.connect(self._on_typed)

    def _on_row(self, index: QModelIndex) -> None:
        row = self.rows.row_at(index)
        if row is not None and (self._shown is None or row.prompt.key != self._shown.key):
            self.reload_list(row.prompt.key)


class PromptFiles(SavedFiles):
    """Import and export of prompts; `take` gets their names and texts."""

    def __init__(self, notify: Notify, window: QWidget, take: Callable[[Any], object]) -> None:
        super().__init__(notify, window)
        self._take = take

    def ask_to_import(self) -> QFileDialog:
        files = f"{tr(PROMPTS)} (*.json *.md *.txt)"
        return self._ask_to_open(tr("Import prompts"), "import_prompts", filter_=files, take=self.read)

    def read(self, path: Path) -> object:
        """Read a file on a thread; what it holds is taken on the window's."""
        return self._read(lambda: read_file(path), self._take)

    def ask_to_export(self, prompts: Sequence[LibraryPrompt]) -> QFileDialog:
        return self._ask_to_save(
            tr(EXPORT_YOUR_PROMPTS), "export_prompts", kind=tr(PROMPTS), offered=f"{tr(PROMPTS)}.json",
            take=lambda path: self._write(path, lambda: write_json(path, prompts)),
        )  # fmt: skip

    def ask_to_export_one(self, prompt: LibraryPrompt) -> QFileDialog:
        offered = "".join(letter if letter.isalnum() or letter in " -_" else "_" for letter in prompt.name).strip()
        return self._ask_to_save(
            tr("Export a prompt"), "export_prompt", kind=tr("Markdown"), offered=f"{offered or tr(PROMPT_LABEL)}.md",
            take=lambda path: self._write(path, lambda: write_markdown(path, prompt)),
        )  # fmt: skip


def _name_for(text: str) -> str:
    """Return the first words of a prompt as its preliminary name."""
    if not (words := " ".join(text[: 4 * NAME_CHARACTERS].split())):
        return tr("New prompt")
    return words if len(words) <= NAME_CHARACTERS else f"{words[:NAME_CHARACTERS].rsplit(' ', 1)[0]}…"
