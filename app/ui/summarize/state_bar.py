"""Why a summary is not complete, and the one thing to do about it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from app.core.errors import AppError
from app.features.messages import Sentence, sentence_for
from app.features.summaries import StoredSummary
from app.features.summary.result import Summary
from app.ui.shell.i18n import tr
from app.ui.shell.notify import ACTION_LABELS, Notify
from app.ui.summarize.texts import stopped_words
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.layouts import name_widgets


class StateBar(QFrame):
    """Hidden where a summary is complete. `resumed`: it is to go on."""

    resumed = Signal()

    def __init__(self, theme: Theme, notify: Notify, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._notify = theme, notify
        self._action = ""
        self.setObjectName("state_bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.words = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.other = text_button("", "quiet")
        self.other.clicked.connect(self._on_other)
        self.go_on = text_button(tr("Go on"), "plain")
        self.go_on.clicked.connect(self.resumed)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self.words, 1)
        self._row.addWidget(self.other)
        self._row.addWidget(self.go_on)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()
        name_widgets(state_words=self.words, state_other=self.other, go_on=self.go_on)

    def show_state(self, stored: StoredSummary, summary: Summary | None) -> None:
        """What there is to say of a summary as it is stored now."""
        if stored.state == "failed" or (stored.state == "paused" and stored.error is not None):
            self._show_failure(stored, summary)
        elif stored.state == "paused":
            read, sections = _read_of(stored, summary)
            known = stopped_words(stored, read, sections) if sections else tr("Stopped before anything was read")
            self._show(known, tr("Go on"), "")
        else:
            self.hide()

    def _show_failure(self, stored: StoredSummary, summary: Summary | None) -> None:
        error: AppError | None = stored.error
        sentence = sentence_for(error) if error is not None else Sentence(tr("The summary could not be made."))
        read, sections = _read_of(stored, summary)
        kept = stopped_words(stored, read, sections) if sections and read else ""
        text = " ".join(part for part in (tr(sentence.text), kept) if part)
        self._show(text, tr("Try again"), sentence.action)

    def _show(self, text: str, go_on: str, action: str) -> None:
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

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._row.setContentsMargins(px(14), px(8), px(8), px(8))
        self._row.setSpacing(px(8))
        self.words.setFont(self._theme.font(13.5))
        for button in (self.other, self.go_on):
            button.setFont(self._theme.font(13.5, 500))


def _read_of(stored: StoredSummary, summary: Summary | None) -> tuple[int, int]:
    if summary is not None and summary.sections:
        return summary.sections_read, summary.sections
    return stored.sections_read, stored.sections
