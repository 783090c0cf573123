"""What speaks against the model: that it is the starter, or that it was not made for a language; and a better one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.events import CancelToken
from app.core.paths import starter_model
from app.language.names import english_name
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.shell.model_loader import in_words, model_name
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.names import name_widgets

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.model_messages import Words


class BetterModel(QFrame):
    """Hidden where nothing is missing. `model_wanted`: its Download leads to the models."""

    model_wanted = Signal()

    def __init__(self, app: Fireside, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._app, self._theme = app, theme
        self.setProperty("kind", "card")
        self.setObjectName("better_model")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._languages: tuple[str, ...] = ()
        self._task: tasks.Task | None = None
        self._what = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
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
        name_widgets(better_download=self.download)

    def look(self, languages: Sequence[str] = ()) -> None:
        """Asks on a thread what this tab's model is and whether it was made for the languages; shows what there is."""
        self._languages = tuple(languages)
        if self._task is not None:
            self._task.abandon()
        self._task = tasks.run(self._work, self)
        self._task.event.connect(lambda found: self._show(*found))
        self._task.failed.connect(_on_failed)

    def look_at(self, languages: Sequence[str]) -> None:
        """The same where the languages are others than were asked about."""
        if tuple(languages) != self._languages:
            self.look(languages)

    def _work(self, _cancel: CancelToken) -> Iterator[tuple[str, Words | None]]:
        from app.features.summary.result import not_made_for  # reads headers, and is not needed at start

        models = self._app.models
        model = models.for_task("summarize") or self._app.model_path()
        missing = not_made_for(model, self._languages) if model is not None else ()
        is_starter = model == starter_model()
        said = tr("Starter: a very small English model, often wrong") if is_starter else ""
        if missing and model is not None:
            names = tr(" and ").join(tr(english_name(code)) for code in missing)
            said = tr("{model} was not made for {languages}.", model=model_name(model), languages=names)
            said = f"{said} {tr('A summary will hardly be of use.')}"
        offer = models.offer_for("summarize") if is_starter else None
        yield said, models.offer_words("summarize", offer) if offer is not None else None

    def _show(self, said: str, words: Words | None) -> None:
        self._what.setText(said)
        self._offer.setText(in_words(words) if words is not None else "")
        self._offer.setVisible(words is not None)
        self.download.setText(tr("Download") if words is not None else tr("Other models"))
        self.download.setAccessibleName(self.download.text())
        self.setAccessibleName(" ".join(text for text in (said, self._offer.text()) if text))
        self.setVisible(bool(said))

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
