"""Parts of a page of a tab: its column from the left edge of all tabs on, scrolled, and why its job is not complete."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.features.messages import Sentence, sentence_for
from app.features.work.queue import FAILED, PAUSED
from app.store.jobs import JobRow
from app.ui.i18n import tr
from app.ui.shell.notify import ACTION_LABELS, Notify
from app.ui.theme import EDGE_PX, PAGE_PX, Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import name_widgets


class Column(QWidget):
    """`rows` is where its widgets go."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, top_px: float = 0, bottom_px: float = 0) -> None:
        super().__init__(parent)
        self._theme = theme
        middle = QWidget()
        self.rows = QVBoxLayout(middle)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(middle, 100_000)
        row.addStretch(1)
        theme.dress(middle, most_width=PAGE_PX + 2 * EDGE_PX)
        theme.dress(self.rows, margins=(EDGE_PX, top_px, EDGE_PX, bottom_px), spacing=6)


# Why a job is not complete, or not as it was chosen, and the one thing to do about it.


class StateBar(QFrame):
    """Hidden where there is nothing to say. `go_on_wanted`: it is to go on, or to follow what was chosen."""

    go_on_wanted = Signal()

    def __init__(self, theme: Theme, notify: Notify, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notify = notify
        self._action = ""
        self.setObjectName("state_bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.words = plain_label(wraps=True)
        self.other = text_button("", "quiet")
        self.other.clicked.connect(self._on_other)
        self.go_on = text_button(tr("Go on"), "plain")
        self.go_on.clicked.connect(self.go_on_wanted)
        row = QHBoxLayout(self)
        row.addWidget(self.words, 1)
        row.addWidget(self.other)
        row.addWidget(self.go_on)
        theme.dress(row, margins=(14, 8, 8, 8), spacing=8)
        theme.dress(self.words, font=(13.5, 400))
        theme.dress(self.other, self.go_on, font=(13.5, 500))
        self.hide()
        name_widgets(state_words=self.words, state_other=self.other, go_on=self.go_on)

    def show_ended(self, job: JobRow, *, failed: str, kept: str, stopped: str) -> None:
        """Of one that stopped or failed.

        `failed` is said of a failure without a cause that is known, `kept` behind any cause, `stopped` of one that a
        person stopped.
        """
        if job.state == FAILED or (job.state == PAUSED and job.error is not None):
            said = sentence_for(job.error) if job.error is not None else Sentence(failed)
            self.say(" ".join(part for part in (tr(said.text), kept) if part), tr("Try again"), said.action)
        elif job.state == PAUSED:
            self.say(stopped, tr("Go on"))
        else:
            self.hide()

    def say(self, text: str, go_on: str, action: str = "") -> None:
        """Any words. `action` names what else can be done, as a sentence of an error has it."""
        self.words.setText(text)
        self.setAccessibleName(text)
        self.go_on.setText(go_on)
        self.go_on.setAccessibleName(go_on)
        self._action = action if action != "retry" and action in self._notify.actions else ""
        label = tr(ACTION_LABELS[self._action]) if self._action else ""
        self.other.setText(label)
        self.other.setAccessibleName(label)
        self.other.setVisible(bool(label))
        self.show()

    def _on_other(self) -> None:
        if self._action:
            self._notify.actions[self._action]()
