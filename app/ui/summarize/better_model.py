"""Where there is only the starter: what it is, and which model would read long texts better."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.cancel import CancelToken
from app.core.errors import AppError
from app.core.paths import starter_model
from app.ui import tasks
from app.ui.i18n import tr
from app.ui.model_loader import in_words
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.model_sentences import Words


class BetterModel(QFrame):
    """Hidden where nothing is missing. `model_wanted`: its Download leads to the models."""

    model_wanted = Signal()

    def __init__(self, app: Fireside, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._app, self._theme = app, theme
        self.setProperty("kind", "card")
        self.setObjectName("better_model")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._what = QLabel(tr("Starter: a very small English model, often wrong"), wordWrap=True)
        self._offer = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._offer.setProperty("kind", "muted")
        self.download = text_button(tr("Download"), "plain")
        self.download.clicked.connect(self.model_wanted)
        self._words = QVBoxLayout()
        self._words.addWidget(self._what)
        self._words.addWidget(self._offer)
        self._row = QHBoxLayout(self)
        self._row.addLayout(self._words, 1)
        self._row.addWidget(self.download)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    def look(self) -> None:
        """Asks on a thread what this tab's model is; shows what there is to say."""
        task = tasks.run(self._work, self)
        task.event.connect(lambda found: self._show(*found))
        task.failed.connect(_on_failed)

    def _work(self, _cancel: CancelToken) -> Iterator[tuple[bool, Words | None]]:
        models = self._app.models
        if models.for_task("summarize") is not None or self._app.model_path() != starter_model():
            yield False, None
            return
        offer = models.offer_for("summarize")
        yield True, models.offer_words("summarize", offer) if offer is not None else None

    def _show(self, is_starter: bool, words: Words | None) -> None:
        self._offer.setText(in_words(words) if words is not None else "")
        self._offer.setVisible(words is not None)
        self.download.setVisible(words is not None)
        self.setAccessibleName(" ".join(text for text in (self._what.text(), self._offer.text()) if text))
        self.setVisible(is_starter)

    def showEvent(self, event: QShowEvent) -> None:
        # WORKAROUND: a stack polishes what it shows; fonts set between that and the next parent would be lost.
        self._on_theme_changed()
        super().showEvent(event)

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._row.setContentsMargins(px(16), px(12), px(12), px(12))
        self._row.setSpacing(px(12))
        self._words.setSpacing(px(2))
        self._what.setFont(self._theme.font(14, 500))
        self._offer.setFont(self._theme.font(13))
        self.download.setFont(self._theme.font(14, 500))


def _on_failed(error: BaseException) -> None:
    """Nobody asked for the offer, so nobody hears why there is none."""
    if not isinstance(error, AppError):
        raise error
