"""Benchmark of installed models on one text: prediction loss, writing speed, and loss against size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout

from app.core.events import CancelToken
from app.engine.computer import free_memory_bytes
from app.engine.contract import Engine
from app.features.inside.model_comparison import (
    DOING,
    ComparedModel,
    ComparisonStep,
    ModelAsleep,
    ModelFigures,
    compare_models,
    find_candidates,
)
from app.features.models.pool_policy import RESERVE_BYTES
from app.ui.i18n import tr
from app.ui.inside.plots import prepare
from app.ui.locale_formats import format_percent
from app.ui.model_texts import join
from app.ui.models.compare_choices import ModelChoice, TextChoice, told_apart
from app.ui.models.compare_results import ComparisonResults
from app.ui.models.models_page import ComparisonPage
from app.ui.shared_labels import CANCEL, CHAT_MODEL_SLEEPS, MODELS, TEXT_LABEL
from app.ui.shell import tasks
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import ProgressStripe, plain_label
from app.ui.widgets.layouts import fill_layout

if TYPE_CHECKING:
    from app.bootstrap import Fireside

PASSAGE_HINT = "Type or paste a text, or open a file."

CHOOSE_A_MODEL = "Choose at least one model."

PARTS = {"loading": (0.0, 0.25), "reading": (0.25, 0.85), "writing": (0.85, 1.0)}
"""Shares of a model's progress bar by phase, from and to."""


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
        self.results = ComparisonResults(ui)
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
