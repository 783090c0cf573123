"""Benchmark of installed models on one text: prediction loss, writing speed, and loss against size."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.core.events import CancelToken
from app.core.paths import resource_path
from app.core.visible import clean_text, visible_name
from app.engine.computer import free_memory_bytes
from app.engine.contract import Engine
from app.features.inside.model_comparison import (
    ComparedModel,
    ComparisonStep,
    ModelAsleep,
    ModelFigures,
    best_of,
    compare_models,
    find_candidates,
    line_of,
    table_of,
)
from app.features.models.pool_policy import RESERVE_BYTES
from app.features.work.saved_file import write_file
from app.features.write_pages import text_of
from app.ui.i18n import sentence_for, size_text, tr
from app.ui.inside.plots import PlotButtons, PlotPoint, ScatterPlot, prepare
from app.ui.model_texts import join, short_number
from app.ui.models.models_page import ComparisonPage
from app.ui.shared_labels import CANCEL, CHAT_MODEL_SLEEPS, MODELS, PARAMETER_COUNT, TEXT_LABEL
from app.ui.shell import tasks
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme
from app.ui.widgets.buttons import ChoiceButton, text_button
from app.ui.widgets.input_fields import CheckRow, PlainEdit, SegmentedControl
from app.ui.widgets.labels import ProgressStripe, announce, plain_label
from app.ui.widgets.layouts import fill_layout
from app.ui.widgets.tables import ListTable
from app.ui.work.doing import SavedFiles

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.models.installed import InstalledFile

BEST_OF_FAST = "Of the models that reach {speed} tokens/s here, {name} predicts this text best."
TWO_SIZES_ONLY = "A line through two sizes proves nothing. Compare three or more."
PASSAGE_HINT = "Type or paste a text, or open a file."
ALL_OF_ONE_SIZE = "All models have the same size, so there’s no trend to show."
TREND_UNCERTAIN = "With so few points, or such scatter, there may be no trend at all."
LARGER_NOT_BETTER = (
    "Larger models don’t do better here: loss scales with size to the power of {exponent} (95 %: {low} to {high})."
)

NEEDS_MEMORY = "needs {size}"
BITS_PER_BYTE = "bits per byte"
CHOOSE_A_MODEL = "Choose at least one model."
FIRST_PART_READ = "Only the first {read} of {size} are used."
MODELS_MEASURED = "{done} of {all} models measured."
BETTER_BUT_SLOWER = "{name} predicts even better, but is slower."
TEXT_TOO_SHORT = "The text is too short to compare models."
NEEDS_TOO_MUCH = "{needs}, more than available"
MY_OWN = "My own"

OWN_TEXT = "texts/harbour.txt"
MOST_BYTES = 32_000
"""Maximum size of the text: read in minutes, and more text hardly changes the figures."""
QUICK_TOKENS_PER_S = 10
"""Reading speed of people."""
EDIT_PX = 132
BUILT_IN, OWN = "built_in", "own"
DOING = {"loading": "loading", "reading": "reading the text", "writing": "writing a little"}
PARTS = {"loading": (0.0, 0.25), "reading": (0.25, 0.85), "writing": (0.85, 1.0)}
"""Shares of a model's progress bar by phase, from and to."""


class ComparePage(ComparisonPage):
    """Selection, progress and results of a benchmark; a new run replaces the results."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__(app, ui, "compare")
        self._found: list[ModelFigures] = []
        self.show_text(
            self.lead,
            tr("Scores models by how well they predict a text. Larger models should do better."),
        )
        self.models = ModelChoice(ui.theme)
        self.passage = TextChoice(ui)
        self.start = ui.theme.dress(text_button(tr("Compare"), "primary", on_click=self._begin), font=(14, 600))
        self.cancel = ui.theme.dress(text_button(tr(CANCEL), on_click=self.stop), font=(14, 500))
        self.status = plain_label(kind="muted", wraps=True)
        self.rests = plain_label(kind="muted", wraps=True)
        self.progress = ProgressStripe(ui.theme)
        self.progress.setAccessibleName(tr("Progress"))
        row = ui.theme.dress(QHBoxLayout(), spacing=10)
        for button in (self.start, self.cancel):
            row.addWidget(button)
        row.addWidget(self.status, 1)
        self.results = Results(ui)
        self.add_heading(tr(MODELS))
        self.rows.addWidget(self.models)
        self.add_heading(tr(TEXT_LABEL))
        fill_layout(self.rows, self.passage, row)
        for widget in (self.progress, self.rests, self.results):
            self.rows.addWidget(widget)
            widget.hide()
        ui.theme.dress(self.status, self.rests, font=(13.5, 400))
        self.models.changed = self._show_state
        self.passage.changed = self._show_state
        self._show_state()

    def reload(self) -> tasks.BackgroundTask:
        """Find the installed models and read the headers of new ones, on a thread."""
        if self._newest is not None:
            self._newest.abandon()
        task = self._newest = tasks.run(self._find_models, self)
        task.event.connect(self._on_looked)
        task.finished.connect(self._show_state)
        task.failed.connect(self._ui.notify.error)
        return task

    def _find_models(self, cancel: CancelToken) -> Iterator[list[Path] | ComparedModel]:
        models = self._app.models
        rows = [(row, False) for row in models.list_installed()] + [(row, True) for row in models.list_others()]
        names = told_apart([row for row, _ in rows])
        here = [
            (row.model.path, names[row.model.path], is_foreign) for row, is_foreign in rows if not row.model.missing
        ]
        yield [path for path, _, _ in here]
        # Headers of listed models have been read; only new ones take time.
        known = set(self.models.rows)
        yield from find_candidates((model for model in here if model[0] not in known), cancel)

    def _on_looked(self, event: list[Path] | ComparedModel) -> None:
        if isinstance(event, list):
            self.models.keep_rows(event)
            return
        loaded = self._app.loaded
        # The chat's model may be put to sleep for this, so its memory counts as free.
        room = free_memory_bytes() + (loaded.needed_bytes if loaded is not None else 0) - RESERVE_BYTES
        self.models.add(event, room)

    def _show_state(self) -> None:
        is_running = self.is_running
        self.start.setVisible(not is_running)
        self.cancel.setVisible(is_running)
        self.models.setEnabled(not is_running)
        self.passage.setEnabled(not is_running)
        chosen, size = len(self.models.chosen), len(self.passage.text.strip())
        self.start.setEnabled(bool(chosen and size))
        if is_running:
            return
        nothing = tr(CHOOSE_A_MODEL) if not chosen else tr(PASSAGE_HINT)
        self.status.setText("" if chosen and size else nothing)

    def _begin(self) -> None:
        paths, text = [compared_model.path for compared_model in self.models.chosen], self.passage.compared
        if self.is_running or not paths or not text.strip():
            return

        def compare(engine: Engine, **options: Any) -> Iterator[ComparisonStep | ModelAsleep | ModelFigures]:
            # Imports the library that draws points, which takes a third of a second, on this thread.
            prepare()
            yield from compare_models(engine, paths, text, **options)

        self._found = []
        self.rests.hide()
        self.results.begin(len(paths))
        self._run_models(compare)
        # Asked before the button is hidden, which passes the focus on.
        had_focus = self.start.hasFocus()
        self.progress.show()
        self.progress.setValue(0)
        self._show_state()
        if had_focus:
            self.cancel.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_event(self, event: ComparisonStep | ModelAsleep | ModelFigures) -> None:
        if isinstance(event, ComparisonStep):
            self._show_progress(event)
        elif isinstance(event, ModelAsleep):
            self.rests.setText(
                tr(
                    CHAT_MODEL_SLEEPS,
                    name=event.name,
                )
            )
            self.rests.show()
            self._ui.loader.sync_with_engine()
        else:
            self._found.append(event)
            self.results.show_found(self._found, [self.models.name_of(compared.path) for compared in self._found])

    def _show_progress(self, event: ComparisonStep) -> None:
        begin, end = PARTS[event.doing]
        done = event.number + begin + (end - begin) * event.fraction
        self.progress.show_share(round(1000 * done), 1000 * event.count)
        name = self.models.name_of(self.models.chosen[event.number].path)
        place = tr("{number} of {count}", number=event.number + 1, count=event.count)
        share = f"{round(100 * event.fraction)} %" if event.fraction else ""
        self.status.setText(join(name, place, tr(DOING[event.doing]), share))

    def _on_ended(self) -> None:
        had_focus = self.cancel.hasFocus()
        super()._on_ended()
        self.progress.hide()
        self._show_state()
        self.results.end(self._found)
        if had_focus:
            self.start.setFocus(Qt.FocusReason.OtherFocusReason)


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
        ends = fill_layout(QHBoxLayout(), self.all, self.none, 1)
        theme.dress(fill_layout(QVBoxLayout(self), self._grid, ends), margins=(10, 10, 10, 8), spacing=4)
        theme.dress(self.all, self.none, font=(13, 500))

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
        row = CheckRow(self._theme, model.name, detail_of(model, fits=fits))
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
        return tr(sentence_for(model.error).text)
    needs = tr(NEEDS_MEMORY, size=size_text(model.needed_bytes))
    origin = tr("another program’s") if model.is_foreign else ""
    if not fits:
        return tr(NEEDS_TOO_MUCH, needs=needs)
    return join(tr(PARAMETER_COUNT, n=short_number(model.parameters)), needs, origin)


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
        self.segments = SegmentedControl(tr(TEXT_LABEL), choices, BUILT_IN, self.choose)
        ui.theme.dress(*self.segments.findChildren(QPushButton), font=(13, 500))
        self.open = text_button(tr("Open a file…"), on_click=self.ask_for_file)
        self.edit = PlainEdit()
        self.edit.setProperty("kind", "")
        self.edit.setAccessibleName(tr("Text to read"))
        self.edit.setPlaceholderText(tr("Type or paste a text like those you’ll use the model for"))
        self.edit.textChanged.connect(self._check_size)
        self.note = plain_label(kind="muted", wraps=True)
        row = fill_layout(QHBoxLayout(), self.segments, 1, self.open)
        column = fill_layout(QVBoxLayout(self), row, self.edit, self.note)
        theme = ui.theme
        theme.dress(column, margins=(14, 12, 14, 12), spacing=10)
        theme.dress(self.edit, height=EDIT_PX, text=(14, 400, 6))
        theme.dress(self.note, font=(13, 400))
        theme.dress(self.open, font=(13, 500))
        self.choose(BUILT_IN)

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
        size = len(self.text.encode())
        if size > MOST_BYTES:
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


# Results.


NAME, PARAMETERS, BITS, SPEED, FIRST, MEMORY = range(6)
WIDTHS_PX = {PARAMETERS: 98, BITS: 86, SPEED: 84, FIRST: 94, MEMORY: 84}
HEADS = ("Model", "Parameters", "Bits/byte", "Tokens/s", "First token", "Memory")
ROW_PX = 32
Index = QModelIndex | QPersistentModelIndex
Row = tuple[str, ModelFigures]
_VALUES: dict[int, Callable[[Row], Any]] = {
    NAME: lambda row: row[0].casefold(),
    PARAMETERS: lambda row: row[1].parameters,
    # NaN has no order: not measured comes last.
    BITS: lambda row: math.inf if math.isnan(row[1].bits_per_byte) else row[1].bits_per_byte,
    SPEED: lambda row: row[1].tokens_per_s,
    FIRST: lambda row: row[1].time_to_first_token_s,
    MEMORY: lambda row: row[1].memory_bytes,
}
_TEXTS: dict[int, Callable[[Row], str]] = {
    NAME: lambda row: row[0],
    PARAMETERS: lambda row: short_number(row[1].parameters),
    BITS: lambda row: "–" if math.isnan(row[1].bits_per_byte) else f"{row[1].bits_per_byte:.3f}",
    # Above 100 tokens a second a decimal is noise.
    SPEED: lambda row: f"{row[1].tokens_per_s:,.{0 if row[1].tokens_per_s >= 100 else 1}f}",
    FIRST: lambda row: tr("{s} s", s=f"{row[1].time_to_first_token_s:.2f}"),
    MEMORY: lambda row: size_text(row[1].memory_bytes),
}


class ComparisonModel(QAbstractTableModel):
    """Table model of the measured models, sortable by each column."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.found: list[Row] = []
        self._by, self._order = BITS, Qt.SortOrder.AscendingOrder

    def show_rows(self, rows: list[Row]) -> None:
        """Replace the rows, keeping the sort order."""
        self.beginResetModel()
        is_down = self._order == Qt.SortOrder.DescendingOrder
        self.found = sorted(rows, key=_VALUES[self._by], reverse=is_down)
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._by, self._order = column, order
        self.show_rows(self.found)
        # The arrow that shows the order is part of a header's text.
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(HEADS) - 1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.found)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(HEADS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.found[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _TEXTS[column](row)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{tr(HEADS[column])}: {_TEXTS[column](row)}"
        if role == Qt.ItemDataRole.ToolTipRole and column == MEMORY:
            return tr("With {count} tokens of context", count=f"{row[1].context_tokens:,}")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(column)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            arrow = "↓" if self._order == Qt.SortOrder.AscendingOrder else "↑"
            return f"{tr(HEADS[section])} {arrow}" if section == self._by else tr(HEADS[section])
        if role == Qt.ItemDataRole.FontRole:
            return self._theme.font(12.5, 500)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(section)
        return None


def _side(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeading if column == NAME else Qt.AlignmentFlag.AlignTrailing
    return side | Qt.AlignmentFlag.AlignVCenter


class ResultTable(ListTable):
    """Table as high as its rows; a click on a header sorts."""

    def __init__(self, theme: Theme) -> None:
        self.rows = ComparisonModel(theme)
        super().__init__(self.rows, tr("Comparison"), select_all=tr("Select all models"), widest=NAME)
        self._theme = theme
        self.setObjectName("comparison")
        # The page scrolls; the table shows all of its rows.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSortingEnabled(True)
        self.horizontalHeader().setSortIndicatorShown(False)  # the sign would cover the words
        self.sortByColumn(BITS, Qt.SortOrder.AscendingOrder)
        self.rows.modelReset.connect(self._fit_height)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self.setFont(self._theme.font(13.5))
        self.verticalHeader().setDefaultSectionSize(px(ROW_PX))
        self.horizontalHeader().setFixedHeight(px(ROW_PX))
        for column, width in WIDTHS_PX.items():
            self.setColumnWidth(column, px(width))
        self._fit_height()

    def _fit_height(self) -> None:
        self.setFixedHeight(self._theme.px(ROW_PX) * (1 + self.rows.rowCount()) + self._theme.px(4))


ORDERS = (
    (str(BITS), "Sorted by prediction"),
    (str(SPEED), "Sorted by speed"),
    (str(PARAMETERS), "Sorted by size"),
    (str(NAME), "Sorted by name"),
)


class Results(QWidget):
    """Results: the best model, the table, failed models with reasons, the plot with its reading."""

    use_wanted = Signal(object)
    """Carries the path of the recommended model."""

    def __init__(self, ui: UiContext) -> None:
        super().__init__()
        self._ui = ui
        theme = ui.theme
        self._found: list[ModelFigures] = []
        self._names: list[str] = []
        self._wanted = 0
        """Number of models to measure; until all are, no best one is named."""
        self.best = theme.dress(plain_label(wraps=True), font=(15, 600))
        self.use = text_button("", "link", on_click=self._use_best)
        self.table = ResultTable(theme)
        self.order = ChoiceButton(theme, tr("Sort order"), ORDERS, shows_change=False)
        self.order.changed.connect(self._sort)
        self.save = text_button(tr("Save as CSV…"), on_click=self.ask_to_save)
        self.failed = theme.dress(plain_label(kind="danger", wraps=True), font=(13.5, 400))
        self.measured = plain_label(tr(_MEASURED), kind="muted", wraps=True)
        self.plot: ScatterPlot | None = None
        self._plot_place = theme.dress(QVBoxLayout(), spacing=2)
        self.line = theme.dress(plain_label(wraps=True), font=(14, 400))
        self.kaplan = plain_label(tr(_KAPLAN), kind="muted", wraps=True)
        head = fill_layout(QHBoxLayout(), self.order, 1, self.save)
        column = fill_layout(QVBoxLayout(self), self.best, (self.use, 0, Qt.AlignmentFlag.AlignLeading), head)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.table, self.failed, self.measured):
            column.addWidget(widget)
        fill_layout(column, self._plot_place, self.line, self.kaplan)
        theme.dress(self.measured, self.kaplan, font=(13, 400))
        theme.dress(self.save, self.use, font=(13, 500))
        theme.dress(column, spacing=12)

    def begin(self, wanted: int) -> None:
        """Clear the results; `wanted` is the number of models to be measured."""
        self._found, self._names, self._wanted = [], [], wanted
        self.hide()

    def show_found(self, found: Sequence[ModelFigures], names: Sequence[str]) -> None:
        """Show the figures so far, with a unique name for each model."""
        self._found, self._names = list(found), list(names)
        good = [(name, compared) for name, compared in zip(names, found, strict=True) if compared.error is None]
        bad = [
            (name, compared.error) for name, compared in zip(names, found, strict=True) if compared.error is not None
        ]
        self.table.rows.show_rows(good)
        self.failed.setText("\n".join(f"{name}: {tr(sentence_for(error).text)}" for name, error in bad))
        for widget in (self.table, self.order, self.save, self.measured):
            widget.setVisible(bool(good))
        self.failed.setVisible(bool(bad))
        self.show()
        self._show_plot(good)
        self._show_use()
        self.best.setText(self._best_words() if good else "")
        self.best.setVisible(bool(good))

    def end(self, found: Sequence[ModelFigures]) -> None:
        """Mark the run as finished, possibly with fewer models than planned."""
        # The run was cancelled: what was measured is all there will be, so the best of it is named.
        if found and len(found) < self._wanted:
            self._wanted = 0
            self.show_found(found, self._names)
        if any(compared.error is None for compared in found):
            announce(self, self.best.text())

    def ask_to_save(self) -> QFileDialog:
        return TextFiles(self._ui.notify, self.window()).ask_for_table(table_of(self._found, self._names))

    def _sort(self, column: str) -> None:
        falls = int(column) == SPEED
        order = Qt.SortOrder.DescendingOrder if falls else Qt.SortOrder.AscendingOrder
        self.table.sortByColumn(int(column), order)

    @property
    def _best(self) -> tuple[ModelFigures, str] | None:
        """The recommended model with its name: the best at reading speed or faster, else the best of all."""
        best = best_of(self._found, QUICK_TOKENS_PER_S) or best_of(self._found, 0)
        return None if best is None else (best, self._names[self._found.index(best)])

    def _show_use(self) -> None:
        best = self._best if len(self._found) >= self._wanted else None
        self.use.setVisible(best is not None)
        if best is not None:
            self.use.setText(tr("Use {name} in chat", name=best[1]))
            self.use.setAccessibleName(self.use.text())

    def _use_best(self) -> None:
        if (best := self._best) is not None:
            self.use_wanted.emit(best[0].path)

    def _best_words(self) -> str:
        if len(self._found) < self._wanted:
            return tr(MODELS_MEASURED, done=len(self._found), all=self._wanted)
        quick, best = best_of(self._found, QUICK_TOKENS_PER_S), best_of(self._found, 0)
        # By identity, as figures of two models may be equal.
        names = {id(compared): name for compared, name in zip(self._found, self._names, strict=True)}
        values = {"speed": QUICK_TOKENS_PER_S}
        if best is None:
            return tr(TEXT_TOO_SHORT)
        if quick is None:
            return tr(
                "{name} predicts this text best, but no model reaches {speed} tokens/s here.",
                name=names[id(best)],
                **values,
            )
        said = tr(
            BEST_OF_FAST,
            name=names[id(quick)],
            **values,
        )
        if best is not quick:
            said += " " + tr(BETTER_BUT_SLOWER, name=names[id(best)])
        return said

    def _show_plot(self, good: list[Row]) -> None:
        points = [PlotPoint(name, compared.parameters, compared.bits_per_byte) for name, compared in good]
        # Nothing else has a place on logarithmic axes.
        drawn = [point for point in points if point.x > 0 and point.y > 0]
        line = line_of([compared for _, compared in good])
        is_shown = len(drawn) > 1  # one point shows no trend
        # Made with the first trend, since it imports pyqtgraph.
        if is_shown and self.plot is None:
            self._make_plot()
        if self.plot is None:
            self.line.hide()
            self.kaplan.hide()
            return
        words = line_words([compared for _, compared in good])
        self.line.setText(words)
        for widget in (self.plot, self.line, self.kaplan, self._buttons):
            widget.setVisible(is_shown)
        if is_shown:
            has_band = line is not None and line.exponents is not None
            self.plot.show_points(
                drawn,
                line=line.loss_at if line is not None else None,
                band=line.confidence_band if line is not None and has_band else None,
                words=words,
            )

    def _make_plot(self) -> None:
        title = tr("Loss against size")
        self.plot = ScatterPlot(self._ui.theme, title, tr("parameters"), tr(BITS_PER_BYTE))
        self._buttons = PlotButtons(self._ui.theme, self._ui.notify, self.plot)
        heading = self._ui.theme.dress(plain_label(title), font=(14.5, 600))
        row = fill_layout(QHBoxLayout(), (heading, 1), self._buttons)
        self._ui.theme.dress(self.plot, least_height=320)
        fill_layout(self._plot_place, row, self.plot)


_MEASURED = (
    "Bits per byte measures how surprising each byte of the text is. Lower is better, and models with "
    "different vocabularies can be compared. Speed and first token are measured while continuing the "
    "text with the model loaded; other programs slow them down. Memory is estimated for the context in "
    "use."
)
_KAPLAN = (
    "Kaplan et al. (Scaling Laws for Neural Language Models, 2020) found that loss falls with size as a power law, a "
    "straight line on these axes, with an exponent of 0.076: for models of one family, trained alike, on one kind of "
    "text. Models of different makers and years differ in more than their size."
)


def line_words(found: Sequence[ModelFigures]) -> str:
    """Return a sentence on the fitted line, with its exponent and 95 % interval."""
    line = line_of(found)
    if line is None:
        return tr(ALL_OF_ONE_SIZE)
    if line.exponents is None:
        return tr(TWO_SIZES_ONLY)
    low, high = line.exponents
    # Loss falls with size, so people read a negative power; that swaps the ends of its interval.
    numbers = {"exponent": line.exponent, "low": high, "high": low}
    # A minus sign; a hyphen may be broken from its number.
    values = {name: f"{-number:.3f}".replace("-", "−") for name, number in numbers.items()} | {"count": str(line.count)}
    said = tr("Loss falls with size to the power of {exponent}, from {count} points (95 %: {low} to {high}).", **values)
    if line.exponent <= 0:
        said = tr(
            LARGER_NOT_BETTER,
            **values,
        )
    elif low <= 0:
        said += " " + tr(TREND_UNCERTAIN)
    return said
