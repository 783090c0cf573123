"""Offer of a better model, if the current one is the starter or doesn't know the languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.core.errors.app_error import AppError, expected_error
from app.core.events import CancelToken
from app.core.paths import starter_model
from app.language.language_names import english_name
from app.ui.i18n import join_sentences, tr
from app.ui.locale_formats import join_with_and
from app.ui.shared_labels import DOWNLOAD, OTHER_MODELS, STARTER_WARNING
from app.ui.shell import tasks
from app.ui.shell.model_loader import in_words, model_name
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import fill_layout, name_widgets

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.models.model_messages import MessageTemplate


NOT_MADE_FOR = "{model} isn’t made for {languages}."


class BetterModel(QFrame):
    """Offer of a more suitable model, hidden if there is none. `download` asks to show the models page."""

    def __init__(self, app: Fireside, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self.setProperty("kind", "card")
        self.setObjectName("better_model")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._languages: tuple[str, ...] = ()
        self._ids: tuple[int, ...] = ()
        self._task: tasks.BackgroundTask | None = None
        self._what = plain_label(wraps=True)
        self._offer = plain_label(kind="muted", wraps=True)
        self.download = text_button(tr(DOWNLOAD), "plain")
        words, row = QVBoxLayout(), QHBoxLayout(self)
        fill_layout(words, self._what, self._offer)
        fill_layout(row, (words, 1), self.download)
        theme.dress(row, margins=(16, 12, 12, 12), spacing=12)
        theme.dress(words, spacing=2)
        theme.dress(self._what, self.download, font="control")
        theme.dress(self._offer, font="small")
        self.hide()
        name_widgets(better_download=self.download)

    def find_better(self, languages: Sequence[str] = (), document_ids: Sequence[int] = ()) -> None:
        """Check on a thread whether the tab's model supports the languages, and offer one that suits them and the
        length of the documents.
        """
        self._languages, self._ids = tuple(languages), tuple(document_ids)
        if self._task is not None:
            self._task.abandon()
        self._task = tasks.run(self._work, self, on_event=lambda found: self._show(*found), on_failed=_on_failed)

    def look_at(self, languages: Sequence[str], document_ids: Sequence[int]) -> None:
        """Call `find_better` if languages or documents changed since the last call."""
        if (tuple(languages), tuple(document_ids)) != (self._languages, self._ids):
            self.find_better(languages, document_ids)

    def _work(self, _cancel: CancelToken) -> Iterator[tuple[str, MessageTemplate | None]]:
        from app.features.summarize.summary_result import not_made_for  # it reads model headers, not needed at start

        models = self._app.models
        model = models.for_task("summarize") or self._app.model_path()
        missing = not_made_for(model, self._languages) if model is not None else ()
        is_starter = model == starter_model()
        said = tr(STARTER_WARNING) if is_starter else ""
        if missing and model is not None:
            names = join_with_and(tr(english_name(code)) for code in missing)
            said = tr(NOT_MADE_FOR, model=model_name(model), languages=names)
            said = join_sentences([said, tr("The summary may not be useful.")])
        is_long = is_starter and self._is_long()
        offer = models.offer_for("summarize", of_long=is_long) if is_starter else None
        yield said, offer.words_for("summarize") if offer is not None else None

    def _is_long(self) -> bool:
        try:
            return bool(self._ids) and not self._app.summaries.are_short(self._ids)
        except AppError:  # errors of a document are reported by the estimate
            return False

    def _show(self, said: str, words: MessageTemplate | None) -> None:
        self._what.setText(said)
        self._offer.setText(in_words(words) if words is not None else "")
        self._offer.setVisible(words is not None)
        self.download.setText(tr(DOWNLOAD) if words is not None else tr(OTHER_MODELS))
        self.download.setAccessibleName(self.download.text())
        self.setAccessibleName(join_sentences([said, self._offer.text()]))
        self.setVisible(bool(said))


def _on_failed(error: BaseException) -> None:
    # The offer was not asked for, so a failed look-up isn't reported; only defects are raised.
    expected_error(error)
