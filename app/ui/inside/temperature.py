"""What may come next, and how the temperature bends its chances."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from app.core.events import CancelToken, Guess, TokenChosen
from app.engine.protocol import Ask, Sampling
from app.ui.i18n import tr
from app.ui.inside.flow import visible
from app.ui.inside.look import LookPage
from app.ui.shell.tab_spec import UiContext
from app.ui.theme import Theme
from app.ui.widgets.fields import Segments
from app.ui.widgets.labels import ProgressLine, announce, plain_label

if TYPE_CHECKING:
    from app.engine.contract import Engine

GUESSES = 8
TEMPERATURES = ("0.3", "0.7", "1", "1.5")
WORD_PX, SHARE_PX = 110, 52


def bent(guesses: Sequence[Guess], temperature: float) -> list[float]:
    """The chances of these among each other at a temperature: p^(1/T), which is softmax of the scores over T."""
    weights = [max(guess.probability, 1e-30) ** (1 / temperature) for guess in guesses]
    return [weight / sum(weights) for weight in weights]


class TemperatureView(LookPage):
    """The likeliest tokens after a text, with a bar each; choosing a temperature asks nothing of the model."""

    def __init__(self, ui: UiContext, engine: Callable[[], Engine]) -> None:
        super().__init__(ui, engine)
        self.temperature = "1"
        self.guesses: tuple[Guess, ...] = ()
        choices = [(value, f"T = {value}") for value in TEMPERATURES]
        self.segments = Segments(tr("Temperature"), choices, self.temperature, self.show_at)
        ui.theme.dress(*self.segments.findChildren(QPushButton), font=(13, 500))
        self.rows = [GuessRow(ui.theme) for _ in range(GUESSES)]
        self.note = plain_label(kind="muted", wraps=True)
        grid = QGridLayout()
        for number, row in enumerate(self.rows):
            for column, widget in enumerate((row.word, row.bar, row.share)):
                grid.addWidget(widget, number, column)
        grid.setColumnStretch(1, 1)
        top = QHBoxLayout()
        top.addWidget(self.segments)
        top.addStretch(1)
        self.body.insertLayout(0, top)
        self.body.addLayout(grid)
        self.body.addWidget(self.note)
        self.body.addStretch(1)
        ui.theme.dress(grid, spacing=7)
        ui.theme.dress(self.note, font=(13, 400))
        self._show()

    def look_at(self, text: str) -> None:
        """What may come after a text."""
        ask = Ask((), max_tokens=1, sampling=Sampling(temperature=0), text=text, alternatives=GUESSES)

        def work(engine: Engine, cancel: CancelToken) -> Iterator[object]:
            for event in engine.answer(ask, cancel):
                if isinstance(event, TokenChosen):
                    yield event.token.alternatives

        self.begin(work, self._on_guesses, lambda: None)

    def clear(self) -> None:
        super().clear()
        self.guesses = ()
        self._show()

    def show_at(self, temperature: str) -> None:
        """The chances at another temperature."""
        self.temperature = temperature
        self.segments.show_value(temperature)
        self._show()
        if self.guesses:
            announce(self, self.rows[0].said)

    def _on_guesses(self, guesses: object) -> None:
        if isinstance(guesses, tuple):
            self.guesses = guesses
            self._show()

    def _show(self) -> None:
        shares = bent(self.guesses, float(self.temperature)) if self.guesses else []
        for number, row in enumerate(self.rows):
            is_shown = number < len(shares)
            row.show(is_shown=is_shown)
            if is_shown:
                row.show_guess(visible(self.guesses[number].data), shares[number])
        count = len(shares)
        words = "The {count} likeliest, as chances among each other; all others, {rest} at T = 1, are left out."
        rest = f"{100 * max(0.0, 1 - sum(one.probability for one in self.guesses)):.0f} %"
        self.note.setText(tr(words, count=count, rest=rest) if count else "")


class GuessRow:
    """A token, its bar and its chance; heard as one."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self.word: QLabel = plain_label()
        self.bar = ProgressLine(theme)
        self.share: QLabel = plain_label()
        self.share.setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
        theme.dress(self.word, least_width=WORD_PX)
        theme.dress(self.share, font=(13.5, 500), least_width=SHARE_PX)
        theme.changed.connect(self._put_on)
        self._put_on()

    @property
    def said(self) -> str:
        """Token and chance."""
        return f"{self.word.text()}: {self.share.text()}"

    def show_guess(self, word: str, share: float) -> None:
        """Another token with its chance, 0 to 1."""
        self.word.setText(word)
        self.share.setText(f"{100 * share:.1f} %")
        self.bar.show_share(round(1000 * share), 1000)
        self.bar.setAccessibleName(self.said)

    def show(self, *, is_shown: bool) -> None:
        """All three, or none of them."""
        parts: tuple[QWidget, ...] = (self.word, self.bar, self.share)
        for part in parts:
            part.setVisible(is_shown)

    def _put_on(self) -> None:
        self.word.setFont(self._theme.code_font(13.5))
