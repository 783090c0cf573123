"""Results of a comparison: the best model, the table, and the plot with its reading."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.features.inside.model_comparison import ModelFigures, best_of, line_of, table_of
from app.ui.i18n import sentence_for, tr, tr_count, translated_choices
from app.ui.inside.plots import PlotButtons, PlotPoint, ScatterPlot
from app.ui.locale_formats import format_decimal
from app.ui.models.compare_choices import TextFiles
from app.ui.models.compare_table import BITS, NAME, PARAMETERS, SPEED, ResultTable, Row
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.buttons import ChoiceButton, text_button
from app.ui.widgets.labels import announce, plain_label
from app.ui.widgets.layouts import FlowLayout, fill_layout

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


class ComparisonResults(QWidget):
    """The best model, the table, failed models with reasons, the plot with its reading."""

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
        self.use = text_button("", "link", on_click=self._use_best, elides=True)
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
        head = fill_layout(FlowLayout(), self.order, self.save)
        head.is_last_at_end = True
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
