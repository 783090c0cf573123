"""Benchmark of installed models on one text: prediction loss and speed, as a table, and loss against size as a plot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.core.events import CancelToken
from app.engine.computer import free_memory_bytes
from app.engine.contract import Engine
from app.features.inside.model_comparison import (
    DOING,
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
from app.ui.i18n import sentence_for, tr, tr_count, translated_choices
from app.ui.inside.plots import PlotButtons, PlotPoint, ScatterPlot, prepare
from app.ui.locale_formats import format_decimal, format_percent
from app.ui.model_texts import join
from app.ui.models.compare_choices import ModelChoice, TextChoice, TextFiles, told_apart
from app.ui.models.compare_table import BITS, NAME, PARAMETERS, SPEED, ResultTable, Row
from app.ui.models.models_page import ComparisonPage
from app.ui.shared_labels import CANCEL, CHAT_MODEL_SLEEPS, MODELS, TEXT_LABEL
from app.ui.shell import tasks
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.buttons import ChoiceButton, text_button
from app.ui.widgets.labels import ProgressStripe, announce, plain_label
from app.ui.widgets.layouts import fill_layout

if TYPE_CHECKING:
    from app.bootstrap import Fireside

PASSAGE_HINT = "Type or paste a text, or open a file."

CHOOSE_A_MODEL = "Choose at least one model."

PARTS = {"loading": (0.0, 0.25), "reading": (0.25, 0.85), "writing": (0.85, 1.0)}
"""Shares of a model's progress bar by phase, from and to."""
BEST_OF_FAST = "Of the models that reach {speed} tokens/s here, {name} predicts this text best."
TWO_SIZES_ONLY = "A line through two sizes proves nothing. Compare three or more."
ALL_OF_ONE_SIZE = "All models have the same size, so there’s no trend to show."
TREND_UNCERTAIN = "With so few points, or such scatter, there may be no trend at all."
LARGER_NOT_BETTER = (
    "Larger models don’t do better here: loss scales with size to the power of {exponent} (95 %: {low} to {high})."
)
BITS_PER_BYTE = "bits per byte"
MODELS_MEASURED = "{done} of {all} models measured."
BETTER_BUT_SLOWER = "{name} predicts even better, but is slower."
TEXT_TOO_SHORT = "The text is too short to compare models."
QUICK_TOKENS_PER_S = 10
"""Reading speed of people."""
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
        self.best = theme.dress(plain_label(wraps=True), font="section")
        self.use = text_button("", "link", on_click=self._use_best)
        self.table = ResultTable(theme)
        self.order = ChoiceButton(
            theme, tr("Sort order"), translated_choices(ORDERS), shows_change=False, on_change=self._sort
        )
        self.save = text_button(tr("Save as CSV…"), on_click=self.ask_to_save)
        self.failed = theme.dress(plain_label(kind="danger", wraps=True), font="small")
        self.measured = plain_label(tr(_MEASURED), kind="muted", wraps=True)
        self.plot: ScatterPlot | None = None
        self._plot_place = theme.dress(QVBoxLayout(), spacing=2)
        self.line = theme.dress(plain_label(wraps=True), font="row")
        self.kaplan = plain_label(tr(_KAPLAN), kind="muted", wraps=True)
        head = fill_layout(QHBoxLayout(), self.order, 1, self.save)
        column = fill_layout(QVBoxLayout(self), self.best, (self.use, 0, Qt.AlignmentFlag.AlignLeading), head)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.table, self.failed, self.measured):
            column.addWidget(widget)
        fill_layout(column, self._plot_place, self.line, self.kaplan)
        theme.dress(self.measured, self.kaplan, font="small")
        theme.dress(self.save, self.use, font="control")
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
        self.failed.setText("\n".join(f"{name}: {sentence_for(error).text}" for name, error in bad))
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
        said = tr(BEST_OF_FAST, name=names[id(quick)], **values)
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
        heading = self._ui.theme.dress(plain_label(title), font="section")
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
    if (line := line_of(found)) is None:
        return tr(ALL_OF_ONE_SIZE)
    if line.exponents is None:
        return tr(TWO_SIZES_ONLY)
    low, high = line.exponents
    # Loss falls with size, so people read a negative power; that swaps the ends of its interval.
    numbers = {"exponent": line.exponent, "low": high, "high": low}
    # A minus sign; a hyphen may be broken from its number.
    values = {name: format_decimal(-number, 3).replace("-", "−") for name, number in numbers.items()}
    said = tr_count(
        "Loss falls with size to the power of {exponent}, from {count} point (95 %: {low} to {high}).",
        "Loss falls with size to the power of {exponent}, from {count} points (95 %: {low} to {high}).",
        line.count,
        **values,
    )
    if line.exponent <= 0:
        said = tr(LARGER_NOT_BETTER, **values)
    elif low <= 0:
        said += " " + tr(TREND_UNCERTAIN)
    return said


class ComparePage(ComparisonPage):
    """Selection, progress and results of a benchmark; a new run replaces the results."""

    def __init__(self, app: Fireside, ui: UiContext) -> None:
        super().__init__(app, ui, "compare")
        self._found: list[ModelFigures] = []
        self.show_text(self.lead, tr("Scores models by how well they predict a text. Larger models should do better."))
        self.models = ModelChoice(ui.theme)
        self.passage = TextChoice(ui)
        self.start = ui.theme.dress(text_button(tr("Compare"), "primary", on_click=self._begin), font="control")
        self.cancel = ui.theme.dress(text_button(tr(CANCEL), on_click=self.stop), font="control")
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
        ui.theme.dress(self.status, self.rests, font="small")
        self.models.changed = self._show_state
        self.passage.changed = self._show_state
        self._show_state()

    def reload(self) -> tasks.BackgroundTask:
        """Find the installed models and read the headers of new ones, on a thread."""
        if self._newest is not None:
            self._newest.abandon()
        task = self._newest = tasks.run(
            self._find_models, self, on_event=self._on_looked, on_end=self._show_state, on_failed=self._ui.notify.error
        )
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
            self.rests.setText(tr(CHAT_MODEL_SLEEPS, name=event.name))
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
        share = format_percent(event.fraction) if event.fraction else ""
        self.status.setText(join(name, place, tr(DOING[event.doing]), share))

    def _on_ended(self) -> None:
        had_focus = self.cancel.hasFocus()
        super()._on_ended()
        self.progress.hide()
        self._show_state()
        self.results.end(self._found)
        if had_focus:
            self.start.setFocus(Qt.FocusReason.OtherFocusReason)
