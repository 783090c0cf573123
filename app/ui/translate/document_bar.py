"""The second line of a translated document: its languages and how people are addressed, how far it is, Stop."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QWidget

from app.ui.shell.i18n import tr
from app.ui.theme import Theme
from app.ui.translate.language_choice import LanguageChoice
from app.ui.widgets.buttons import text_button
from app.ui.widgets.names import name_widgets
from app.ui.widgets.progress_line import ProgressLine

NARROW_PX = 860
LINE_PX = 140
CHOICE_SHARE, PROGRESS_SHARE = 3, 2
"""Of the width, so that two long names of languages and how people are addressed stand in one line."""


class DocumentBar(QWidget):
    """`stop_wanted`: what is done is kept."""

    stop_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_at_work, self._is_draft = False, True
        self.choice = LanguageChoice(theme)
        self.choice.swap.hide()  # a document is in the language that it is in
        self.line = ProgressLine(theme)
        self.line.setAccessibleName(tr("How far the translation is"))
        self.words = QLabel(textFormat=Qt.TextFormat.PlainText)
        self.words.setProperty("kind", "muted")
        self.stop = text_button(tr("Stop"), "quiet")
        self.stop.setToolTip(tr("Stop; what is done is kept"))
        self.stop.clicked.connect(self.stop_wanted)
        self._progress = QWidget()
        self._line_row = QHBoxLayout(self._progress)
        self._line_row.setContentsMargins(0, 0, 0, 0)
        self._line_row.addWidget(self.line, 1)
        self._line_row.addWidget(self.words)
        self._line_row.addWidget(self.stop)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.addWidget(self.choice, CHOICE_SHARE)
        self._row.addWidget(self._progress, PROGRESS_SHARE)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        name_widgets(work_words=self.words, stop_work=self.stop)

    def offer(self, languages: Sequence[str], *, formality: bool, domain: bool) -> None:
        """What the model can do."""
        self.choice.offer(languages, formality=formality, domain=domain)
        self._show_domain()

    def show_work(self, words: str, done: int, segments: int) -> None:
        """It waits or is at work; what it is about is not changed meanwhile."""
        self._is_draft = False
        self._show(words, is_at_work=True)
        self.line.show_share(done, segments)

    def show_rest(self, words: str, *, is_draft: bool) -> None:
        """It is not at work."""
        self._is_draft = is_draft
        self._show(words, is_at_work=False)

    def _show(self, words: str, *, is_at_work: bool) -> None:
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.line.setVisible(is_at_work)
        self.stop.setVisible(is_at_work)
        self._is_at_work = is_at_work
        self._show_domain()
        self._progress.setVisible(is_at_work or bool(words))
        self._row.setStretchFactor(self._progress, PROGRESS_SHARE if is_at_work else 0)

    def _show_domain(self) -> None:
        """Once it was begun, what it is about is shown where something is; at work, the room is the progress's."""
        self.choice.show_small(is_small=not self._is_draft)
        if self._is_at_work:
            self.choice.domain.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:
        self._on_theme_changed()
        super().showEvent(event)

    def _arrange(self) -> None:
        is_narrow = self.width() < self._theme.px(NARROW_PX)
        to = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        if self._row.direction() != to:
            self._row.setDirection(to)
        self._show_domain()

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(px(10))
        self._line_row.setSpacing(px(12))
        self.line.setMinimumWidth(px(LINE_PX))
        self.words.setFont(self._theme.font(13.5))
        self.stop.setFont(self._theme.font(13.5, 500))
