"""Bar of the sentence that is read aloud: pause, steps, speed and stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.features.reading_aloud.sentence_reading import SPEEDS
from app.ui.i18n import tr
from app.ui.locale_formats import format_decimal
from app.ui.shared_labels import READING_SPEED
from app.ui.shown_texts import keep_words
from app.ui.theme import Theme
from app.ui.widgets.buttons import ChoiceButton, IconButton
from app.ui.widgets.labels import ElidedLabel

READING_ALOUD = "Reading aloud"
PAUSE_READING, CONTINUE_READING, STOP_READING = "Pause reading", "Continue reading", "Stop reading"
PREVIOUS_SENTENCE, NEXT_SENTENCE = "Previous sentence", "Next sentence"


class ReadingControls(Protocol):
    """What the buttons of the bar do, by the reading that they control."""

    def toggle(self) -> None: ...

    def step(self, steps: int) -> None: ...

    def stop(self) -> None: ...

    def change_speed(self, speed: float) -> None: ...


class ReadingBar(QFrame):
    """A row above the window's last line, there only while something is read.

    `with_keys` adds the shortcut of a command to what its button does.
    """

    def __init__(self, theme: Theme, controls: ReadingControls, with_keys: Callable[[str, str], str]) -> None:
        super().__init__()
        self._controls, self._with_keys = controls, with_keys
        self._is_paused = False
        self.setObjectName("reading_bar")
        self.setAccessibleName(tr(READING_ALOUD))
        self.previous = IconButton(
            theme, "skip-back", tr(PREVIOUS_SENTENCE), name="previous_sentence", on_click=lambda: controls.step(-1)
        )
        self.pause = IconButton(theme, "pause", tr(PAUSE_READING), name="pause_reading", on_click=controls.toggle)
        self.next = IconButton(
            theme, "skip-forward", tr(NEXT_SENTENCE), name="next_sentence", on_click=lambda: controls.step(1)
        )
        self.sentence = keep_words(ElidedLabel(""))
        self.speed = ChoiceButton(
            theme,
            tr(READING_SPEED),
            [(str(speed), speed_words(speed)) for speed in SPEEDS],
            shows_change=False,
            on_change=lambda speed: controls.change_speed(float(speed)),
        )
        stop = IconButton(theme, "stop", tr(STOP_READING), name="stop_reading", on_click=controls.stop)
        stop.setToolTip(with_keys(tr(STOP_READING), "stop_reading"))
        row = QHBoxLayout(self)
        for widget in (self.previous, self.pause, self.next):
            row.addWidget(widget)
        row.addWidget(self.sentence, 1)
        for last in (self.speed, stop):
            row.addWidget(last)
        theme.dress(row, margins=(12, 4, 12, 4), spacing=4)
        theme.dress(self.sentence, font="row", margins=(8, 0, 8, 0))
        self._show_pause()
        self._mirror()
        self.hide()

    def show_sentence(self, words: str, *, is_paused: bool) -> None:
        """Show what is read, or would be read if it went on; "" before the voice is there."""
        self.sentence.setText(words)
        if is_paused != self._is_paused:
            self._is_paused = is_paused
            self._show_pause()

    def show_speed(self, speed: float) -> None:
        """Show a speed, the nearest one that can be chosen where the settings have another."""
        self.speed.show_value(str(min(SPEEDS, key=lambda known: abs(known - speed))))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._controls.stop()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._mirror()

    def _show_pause(self) -> None:
        words = tr(CONTINUE_READING) if self._is_paused else tr(PAUSE_READING)
        self.pause.set_glyph("play" if self._is_paused else "pause")
        self.pause.set_name(words)
        self.pause.setToolTip(self._with_keys(words, "read_aloud"))

    def _mirror(self) -> None:
        back, on = ("skip-forward", "skip-back") if self.isRightToLeft() else ("skip-back", "skip-forward")
        self.previous.set_glyph(back)
        self.next.set_glyph(on)


def speed_words(speed: float) -> str:
    """Return a speed as it is shown, such as "1.25×"."""
    return f"{format_decimal(speed, 2, is_trimmed=True)}×"


def bar_has(widget: QWidget | None) -> bool:
    """Return whether a widget is a part of a reading bar, whose focus says nothing of what is to be read."""
    while widget is not None and not isinstance(widget, ReadingBar):
        widget = widget.parentWidget()
    return widget is not None
