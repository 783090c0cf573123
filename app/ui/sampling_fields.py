"""Sampling fields: temperature, and further parameters on demand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.core.lazy_dataclasses import dataclass
from app.ui.i18n import Translatable, tr
from app.ui.screen_reader import read_as
from app.ui.shared_labels import MORE_LABEL, TEMPERATURE, UNSET
from app.ui.theme import Theme
from app.ui.widgets.buttons import put_glyph_after, text_button
from app.ui.widgets.input_fields import Stepper
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import drop_margins, fill_layout
from app.ui.widgets.setting_rows import SettingCard, description_label, group_title

MORE_SAMPLING_SETTINGS = "More sampling settings"
TOP_K = "Top-k"
PRESENCE_PENALTY = "Presence penalty"
DRY_LABEL = "DRY"
SEED = "Seed"

TEMPERATURE_WORDS = "Low is focused, high is creative."
DASH_NOTE = "“–” uses the value from Settings, or the one recommended for the model."


@dataclass(frozen=True)
class Knob:
    """A sampling parameter. `start` is the value of the first step up from `unset`, the word for "not set"."""

    name: str
    label: str
    meaning: str
    least: float
    most: float
    step: float
    decimals: int
    start: float
    unset: Translatable = UNSET
    slides: tuple[float, float] | None = None
    """Range of a slider before the number."""


def knobs() -> tuple[Knob, ...]:
    """Return all parameters in the order shown, temperature first."""
    return (
        Knob("temperature", tr(TEMPERATURE), tr(TEMPERATURE_WORDS), 0, 2, 0.05, 2, 0.7, slides=(0, 2)),
        Knob("top_k", tr(TOP_K), tr("The number of most likely tokens to consider; 0 is all."), 0, 1000, 1, 0, 40),
        Knob("top_p", tr("Top-p"), tr("Consider tokens up to this total share."), 0, 1, 0.01, 2, 0.95),
        Knob(
            "min_p",
            tr("Min-p"),
            tr("Ignore tokens less likely than this share of the most likely one."),
            0,
            1,
            0.01,
            2,
            0.05,
        ),
        Knob("repeat_penalty", tr("Repeat penalty"), tr("Above 1, repetition is less likely."), 1, 2, 0.05, 2, 1.1),
        Knob("presence_penalty", tr(PRESENCE_PENALTY), tr("Favors words not used yet."), 0, 2, 0.1, 1, 0.5),
        Knob("dry_multiplier", tr(DRY_LABEL), tr("Avoids repeating whole phrases; 0 is off."), 0, 5, 0.1, 1, 0.8),
        # llama.cpp's seed has 32 bits.
        Knob("seed", tr(SEED), tr("The same seed gives the same answer."), 0, 2**32 - 1, 1, 0, 1, "Random"),
    )


class KnobStepper(Stepper):
    """Number field with a word below the minimum; `is_in_settings` says that the settings have a value for it."""

    def __init__(self, theme: Theme, knob: Knob, value: float | None, *, is_in_settings: bool) -> None:
        # Two steps below the minimum, so that the step between tells the direction of a change.
        self._unset = knob.least - 2 * knob.step
        self._knob = knob
        self._before = value if value is not None else self._unset
        super().__init__(
            theme,
            knob.label,
            self._before,
            lowest=self._unset,
            highest=knob.most,
            step=knob.step,
            decimals=knob.decimals,
            word_for_lowest=tr(UNSET) if is_in_settings else tr(knob.unset),
            slides=knob.slides,
        )
        if knob.slides is not None and value is None:
            self.rest_slider(knob.start)
        self.number.setAccessibleDescription(knob.meaning)
        self.number.setToolTip(knob.meaning)
        self.changed.connect(self._on_changed)

    @property
    def chosen(self) -> float | None:
        """Chosen value; None leaves it to the settings or the model."""
        value = round(self.number.value(), self._knob.decimals)
        return None if value < self._knob.least else value

    def _on_changed(self, value: float) -> None:
        # In between: up from "not set" it goes to the usual start, down from the least to "not set".
        if self._unset < value < self._knob.least - self._knob.step / 2:
            value = self._knob.start if self._before == self._unset else self._unset
        self._before = value
        self.number.setValue(value)


class SamplingFields(QWidget):
    """Temperature, and all others behind More; `in_settings` names those with a value in the settings."""

    changed = Signal()
    resized = Signal()
    """More or fewer fields are shown."""

    def __init__(self, theme: Theme, chosen: Mapping[str, Any], *, in_settings: Collection[str] = ()) -> None:
        super().__init__()
        self._theme = theme
        first, *rest = knobs()
        self._steppers = {
            knob.name: KnobStepper(theme, knob, chosen.get(knob.name), is_in_settings=knob.name in in_settings)
            for knob in (first, *rest)
        }
        self._more: QPushButton = text_button(tr(MORE_LABEL), "quiet")
        self._more.setObjectName("more_sampling")
        self._more.setCheckable(True)
        read_as(self._more, QAccessible.Role.Button, folds=True)
        self._more.toggled.connect(self._on_more)
        how = tr("Controls how each word is chosen.")
        card = SettingCard(theme)
        add_knob(card, first, self._steppers[first.name])
        self._rest = card.add_content(self._grid(rest))
        column = theme.dress(drop_margins(QVBoxLayout(self)), spacing=8)
        title = theme.dress(fill_layout(QVBoxLayout(), group_title(theme, tr("Sampling"), how)), spacing=2)
        title.addWidget(description_label(theme, tr(DASH_NOTE)))
        fill_layout(column, title, card, fill_layout(QHBoxLayout(), self._more, 1))
        self._more.setChecked(any(chosen.get(knob.name) is not None for knob in rest))
        # Called too, as nothing is toggled where it stays closed.
        self._on_more(self._more.isChecked())
        for stepper in self._steppers.values():
            stepper.changed.connect(lambda _value: self.changed.emit())

    @property
    def chosen(self) -> dict[str, float]:
        """Fields of `protocol.Sampling` that are set; the model decides the others."""
        values = {name: stepper.chosen for name, stepper in self._steppers.items()}
        return {name: value for name, value in values.items() if value is not None}

    def _grid(self, some: Sequence[Knob]) -> QGridLayout:
        # Two columns keep the dialog lower than a small screen.
        grid = QGridLayout()
        grid.setHorizontalSpacing(self._theme.px(12))
        grid.setVerticalSpacing(self._theme.px(6))
        for number, knob in enumerate(some):
            row, column = divmod(number, 2)
            grid.addWidget(knob_name(self._theme, knob, self._steppers[knob.name]), row, 3 * column)
            grid.addWidget(self._steppers[knob.name], row, 3 * column + 1)
        grid.setColumnMinimumWidth(2, self._theme.px(8))
        grid.setColumnStretch(2, 1)
        return grid

    def _on_more(self, is_open: bool) -> None:
        self._rest.setVisible(is_open)
        self._more.setText(tr("Less") if is_open else tr(MORE_LABEL))
        self._more.setAccessibleName(tr("Fewer sampling settings") if is_open else tr(MORE_SAMPLING_SETTINGS))
        self._theme.dress(self._more, glyph=("caret-up" if is_open else "caret-down", "muted", 14))
        put_glyph_after(self._more, self)
        self.resized.emit()


def add_knob(card: SettingCard, knob: Knob, stepper: KnobStepper) -> None:
    card.add_row(knob.label, knob.meaning, stepper, buddy=stepper.number)


def knob_name(theme: Theme, knob: Knob, stepper: KnobStepper) -> QLabel:
    """Return the label of a field, with the explanation as tooltip."""
    name = theme.dress(plain_label(knob.label), font="row")
    name.setBuddy(stepper.number)
    name.setToolTip(knob.meaning)
    return name
