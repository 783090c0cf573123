"""What is to be compared: models, and the text that they read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QGridLayout, QVBoxLayout

from app.core.paths import resource_path
from app.core.visible import clean_text, visible_name
from app.features.inside.model_comparison import ComparedModel
from app.features.work.saved_file import write_file
from app.features.write_pages import text_of
from app.ui.i18n import sentence_for, size_text, tr
from app.ui.model_texts import count_briefly, join
from app.ui.shared_labels import ONE_PARAMETER, PARAMETER_COUNT, STARTER, TEXT_LABEL
from app.ui.shell import tasks
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import CARD_INSET_PX, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.input_fields import CheckRow, PlainEdit, SegmentedControl
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import FlowLayout, fill_layout
from app.ui.work.doing import SavedFiles

if TYPE_CHECKING:
    from app.features.models.installed import InstalledFile


NEEDS_MEMORY = "needs {size}"
FIRST_PART_READ = "Only the first {read} of {size} are used."
NEEDS_TOO_MUCH = "{needs}, more than available"
MY_OWN = "My own"
OWN_TEXT = "texts/harbour.txt"
MOST_BYTES = 32_000
"""Maximum size of the text: read in minutes, and more text hardly changes the figures."""
EDIT_PX = 132
BUILT_IN, OWN = "built_in", "own"


def told_apart(rows: Sequence[InstalledFile]) -> dict[Path, str]:
    """Return a unique name for each model: by quantization, or by file name, where names repeat."""
    names = {row.model.path: row.label or row.model.name for row in rows}
    # The quantization first; a file's name only where even that is the same.
    ways: tuple[Callable[[InstalledFile], str], ...] = (lambda row: row.model.tag, lambda row: row.model.path.name)
    for more in ways:
        count = Counter(names.values())
        for row in rows:
            name = names[row.model.path]
            if count[name] > 1 and more(row):
                names[row.model.path] = f"{name} ({visible_name(more(row))})"
    return names


class ModelChoice(QFrame):
    """Check rows for models. Those that fit into memory start ticked, except models of other programs."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("kind", "model")
        self._theme = theme
        self.changed: Callable[[], object] = lambda: None
        self.rows: dict[Path, CheckRow] = {}
        self._candidates: dict[Path, ComparedModel] = {}
        self._grid = theme.dress(QGridLayout(), spacing=4)
        self.all = text_button(tr("Select all that fit"), "link", on_click=lambda: self._tick(is_on=True))
        self.none = text_button(tr("Select none"), "link", on_click=lambda: self._tick(is_on=False))
        ends = fill_layout(FlowLayout(), self.all, self.none)
        theme.dress(fill_layout(QVBoxLayout(self), self._grid, ends), margins=(10, 10, 10, 8), spacing=4)
        theme.dress(self.all, self.none, font="control")

    @property
    def chosen(self) -> list[ComparedModel]:
        return [self._candidates[path] for path, row in self.rows.items() if row.isChecked()]

    def name_of(self, path: Path) -> str:
        """Return the name shown for a model; that of its file if it isn't listed."""
        return self._candidates[path].name if path in self._candidates else visible_name(path.stem)

    def keep_rows(self, paths: Sequence[Path]) -> None:
        """Remove the rows of all other models."""
        for path in set(self.rows) - set(paths):
            row = self.rows.pop(path)
            row.hide()
            row.deleteLater()
            del self._candidates[path]
        self._arrange()

    def add(self, model: ComparedModel, room_bytes: int) -> None:
        """Add a row, disabled if the model needs more than `room_bytes`; 0 means unknown."""
        fits = model.error is None and (room_bytes <= 0 or model.needed_bytes <= room_bytes)
        name = tr(STARTER) if model.name == STARTER else model.name
        row = CheckRow(self._theme, name, detail_of(model, fits=fits))
        row.setEnabled(fits)
        row.setChecked(fits and not model.is_foreign)
        row.toggled.connect(lambda _: self.changed())
        self.rows[model.path], self._candidates[model.path] = row, model
        self._arrange()
        self.changed()

    def _arrange(self) -> None:
        for number, row in enumerate(self.rows.values()):
            self._grid.addWidget(row, number // 2, number % 2)

    def _tick(self, *, is_on: bool) -> None:
        for row in self.rows.values():
            row.setChecked(is_on and row.isEnabled())


def detail_of(model: ComparedModel, *, fits: bool) -> str:
    """Return the detail line: memory needed, or why the model can't be compared."""
    if model.error is not None:
        return sentence_for(model.error).text
    needs = tr(NEEDS_MEMORY, size=size_text(model.needed_bytes))
    origin = tr("another program’s") if model.is_foreign else ""
    if not fits:
        return tr(NEEDS_TOO_MUCH, needs=needs)
    return join(count_briefly((ONE_PARAMETER, PARAMETER_COUNT), model.parameters), needs, origin)


class TextFiles(SavedFiles):
    """File dialogs for opening a text and saving the table."""

    def ask_for_text(self, take: Callable[[Path], object]) -> QFileDialog:
        return self._ask_to_open(tr("Open a text"), "open_text", filter_=tr("All files (*)"), take=take)

    def ask_for_table(self, table: str) -> QFileDialog:
        return self._ask_to_save(
            tr("Save the table"),
            "save_table",
            kind="CSV",
            offered=tr("comparison") + ".csv",
            take=lambda path: self.save(table, path),
        )

    def save(self, table: str, path: Path) -> tasks.BackgroundTask:
        """Write the table on a thread; an existing file is replaced only once all is written."""

        def write() -> None:
            with write_file(path) as file:
                file.write(table.encode())

        return self._write(path, write)


class TextChoice(QFrame):
    """Choice of the built-in text or one's own, typed, pasted or loaded from a file."""

    def __init__(self, ui: UiContext) -> None:
        super().__init__()
        self.setProperty("kind", "model")
        self._ui = ui
        self.changed: Callable[[], object] = lambda: None
        self._which = BUILT_IN
        self._built_in = resource_path(OWN_TEXT).read_text("utf-8")
        choices = [(BUILT_IN, tr("The built-in page")), (OWN, tr(MY_OWN))]
        self.segments = SegmentedControl(ui.theme, tr(TEXT_LABEL), choices, BUILT_IN, self.choose)
        self.segments.setMinimumWidth(1)  # they stand below each other in a narrow page
        self.open = text_button(tr("Open a file…"), on_click=self.ask_for_file)
        self.edit = PlainEdit()
        self.edit.setProperty("kind", "")
        self.edit.setAccessibleName(tr("Text to read"))
        self.edit.setPlaceholderText(tr("Type or paste a text like those you’ll use the model for"))
        self.edit.textChanged.connect(self._check_size)
        self.note = plain_label(kind="muted", wraps=True)
        row = fill_layout(FlowLayout(), self.segments, self.open)
        row.is_last_at_end = True
        column = fill_layout(QVBoxLayout(self), row, self.edit, self.note)
        theme = ui.theme
        theme.dress(column, margins=(CARD_INSET_PX, 12, CARD_INSET_PX, 12), spacing=10)
        theme.dress(self.edit, height=EDIT_PX, text=("body", 6))
        theme.dress(self.note, font="small")
        theme.dress(self.open, font="control")
        self.choose(BUILT_IN)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.segments.fit_width(self.width() - 2 * self._ui.theme.px(CARD_INSET_PX))

    @property
    def text(self) -> str:
        return self._built_in if self._which == BUILT_IN else clean_text(self.edit.toPlainText())

    @property
    def compared(self) -> str:
        """The text cut to `MOST_BYTES`, at a character's boundary."""
        return self.text.encode()[:MOST_BYTES].decode("utf-8", "ignore")

    def choose(self, which: str) -> None:
        """Switch between the built-in text and one's own."""
        self._which = which
        self.segments.show_value(which)
        self.edit.setVisible(which == OWN)
        self._check_size()

    def ask_for_file(self) -> None:
        """Ask for a file to replace the typed text."""
        TextFiles(self._ui.notify, self.window()).ask_for_text(self.open_file)

    def open_file(self, path: Path) -> tasks.BackgroundTask:
        """Read a file on a thread; if it isn't text, say so."""
        return tasks.ask(lambda _: text_of(path), self, self._show_file, self._ui.notify.error)

    def _show_file(self, text: str) -> None:
        self.edit.setPlainText(text)
        self.choose(OWN)

    def _check_size(self) -> None:
        if (size := len(self.text.encode())) > MOST_BYTES:
            sizes = {"read": size_text(MOST_BYTES), "size": size_text(size)}
            self.note.setText(tr(FIRST_PART_READ, **sizes))
        elif self._which == BUILT_IN:
            words = (
                "An English page about a harbor, {size}: “{beginning}…” Written for Fireside, so models "
                "haven’t memorized it."
            )
            self.note.setText(tr(words, size=size_text(size), beginning=self._built_in[:84].strip()))
        else:
            self.note.setText(tr("{size}. Use a page or more for meaningful results.", size=size_text(size)))
        self.changed()
