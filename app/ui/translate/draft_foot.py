"""Below a document that was not begun: how much there is to do, about how long it takes, and Translate."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.features.translation.stored import StoredTranslation, TranslationEstimate
from app.ui.shell.i18n import tr
from app.ui.theme import EDGE_PX, Theme
from app.ui.translate.translation_texts import draft_words, layout_words
from app.ui.widgets.buttons import text_button
from app.ui.widgets.names import name_widgets


class DraftFoot(QWidget):
    """Several documents that were dropped together are begun together, or only the one that is shown."""

    begun = Signal(bool)
    """Whether all of them are."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.words = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.note = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.note.setProperty("kind", "muted")
        self.one = text_button(tr("Only this one"), "quiet")
        self.one.clicked.connect(lambda: self.begun.emit(False))
        self.button = text_button(tr("Translate"), "primary")
        self.button.clicked.connect(lambda: self.begun.emit(True))
        self._told = QVBoxLayout()
        self._told.addWidget(self.words)
        self._told.addWidget(self.note)
        self._row = QHBoxLayout(self)
        self._row.addLayout(self._told, 1)
        self._row.addWidget(self.one, 0, Qt.AlignmentFlag.AlignBottom)
        self._row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignBottom)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        name_widgets(draft_words=self.words, draft_note=self.note, begin_one=self.one, begin=self.button)

    def show_drafts(
        self,
        drafts: Sequence[StoredTranslation],
        estimate: TranslationEstimate | None,
        *,
        is_counting: bool,
        problem: str,
    ) -> None:
        """The one that is shown comes first. `problem`: why nothing can be told of the time."""
        self.words.setText(draft_words(drafts, estimate))
        note = problem or (tr("Counting…") if is_counting and estimate is None else "")
        if not note and estimate is not None and estimate.seconds is None:
            note = tr("An estimate of the time comes with the first segments.")
        told = [part for part in (note, layout_words(drafts[0]) if drafts else "") if part]
        self.note.setText(" ".join(told))
        self.note.setVisible(bool(told))
        count = len(drafts)
        label = tr("Translate {count} documents", count=count) if count > 1 else tr("Translate")
        self.button.setText(label)
        self.button.setAccessibleName(label)
        self.one.setVisible(count > 1)

    def show_can(self, can_begin: bool) -> None:
        """Whether there is a model and a language to translate into."""
        for button in (self.button, self.one):
            button.setEnabled(can_begin)

    def showEvent(self, event: QShowEvent) -> None:
        self._on_theme_changed()
        super().showEvent(event)

    def _on_theme_changed(self) -> None:
        px, theme = self._theme.px, self._theme
        self._row.setContentsMargins(px(EDGE_PX), px(4), px(EDGE_PX), px(16))
        self._row.setSpacing(px(12))
        self._told.setSpacing(px(2))
        self.words.setFont(theme.font(14, 500))
        self.note.setFont(theme.font(13))
        self.one.setFont(theme.font(14, 500))
        self.button.setFont(theme.font(14, 600))
