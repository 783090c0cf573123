"""Offer in place of a bad translation: a model that knows both languages, with its download."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout

from app.core.errors.app_error import expected_error
from app.core.events import CancelToken
from app.features.error_messages import sentence_for
from app.ui.i18n import tr
from app.ui.shared_labels import ASKING_HUB, DOWNLOAD, DOWNLOAD_MODEL, DOWNLOADS, OTHER_MODELS, USE_IT
from app.ui.shell import tasks
from app.ui.shell.model_loader import in_words
from app.ui.shell.tab_spec import UiContext
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import ProgressStripe, plain_label
from app.ui.widgets.layouts import FlowLayout, fill_layout, name_widgets

if TYPE_CHECKING:
    from app.features.models.collection import ModelCollection, ModelSuggestion
    from app.features.models.model_messages import MessageTemplate
    from app.hub.download import Download


TASK = "translate"
RUNS = ("queued", "running", "paused")


class NeedsModel(QFrame):
    """Offer of a model for the languages; nothing is downloaded without a click."""

    model_came = Signal()
    """The tab has a new model."""
    _told = Signal(object)
    """Passes a `Download` to the window's thread."""

    def __init__(self, models: ModelCollection, ui: UiContext) -> None:
        super().__init__()
        self._models, self._ui = models, ui
        self._offer: tuple[ModelSuggestion, MessageTemplate] | None = None
        self._download: Download | None = None
        self._missing = ""
        self._is_asking = self._is_looking = False
        self._kept_whole: list[tuple[int, str, str]] = []
        self.setProperty("kind", "card")
        self.setObjectName("needs_model")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.words = plain_label(wraps=True)
        self.state = plain_label(kind="muted", wraps=True)
        self.line = ProgressStripe(ui.theme)
        self.download = text_button(tr(DOWNLOAD), "primary", on_click=self.fetch)
        self.others = text_button(
            tr(OTHER_MODELS),
            "quiet",
            on_click=lambda: ui.go.open_models("downloads" if self._is_coming else "suggested"),
        )
        buttons = FlowLayout()
        fill_layout(buttons, self.download, self.others)
        column = QVBoxLayout(self)
        for widget in (self.words, self.state, self.line):
            column.addWidget(widget)
        column.addLayout(buttons)
        ui.theme.dress(column, margins=(16, 14, 16, 14), spacing=8)
        ui.theme.dress(buttons, spacing=8)
        ui.theme.dress(self.words, self.download, self.others, font="control")
        ui.theme.dress(self.state, font="small")
        self._told.connect(self._on_download)
        # `listen` returns the function that ends it.
        self.destroyed.connect(models.download_changed.listen(self._told.emit))
        self._show()
        name_widgets(
            needs_words=self.words,
            needs_state=self.state,
            needs_line=self.line,
            needs_download=self.download,
            needs_others=self.others,
        )

    def find_model(self, missing: str = "") -> None:
        """Look for a suitable model on a thread. `missing` is shown instead if the current one lacks a language."""
        self._missing = missing
        self._show()
        if self._is_looking or missing:
            return
        self._is_looking = True
        tasks.ask(self._found, self, self._on_found, self._on_not_found)

    def fetch(self) -> None:
        """Download the offered model, or use it if it is installed; the repository is asked first."""
        if self._offer is None or self._is_asking:
            return
        suggestion = self._offer[0]
        if suggestion.installed is not None:
            self._use(suggestion.installed.path)
            return
        self._is_asking = True
        tasks.ask(
            lambda token: self._models.fetching.download_entry(suggestion.entry, token),
            self,
            self._on_download_begun,
            self._on_refused,
        )
        self._show()

    @property
    def _is_coming(self) -> bool:
        return self._download is not None and self._download.state in RUNS

    def _found(self, _cancel: CancelToken) -> tuple[ModelSuggestion, MessageTemplate] | None:
        fitting = [suggestion for suggestion in self._models.suggest_models(TASK) if suggestion.fit.word != "too_large"]
        # A model that is here goes first, then one that is being downloaded.
        here = next((suggestion for suggestion in fitting if suggestion.installed is not None), None)
        coming = next(
            (
                suggestion
                for suggestion in fitting
                if suggestion.download is not None and suggestion.download.state in RUNS
            ),
            None,
        )
        offer = here or coming or next(iter(fitting), None)
        return (offer, offer.words_for(TASK)) if offer is not None else None

    def _on_found(self, offer: tuple[ModelSuggestion, MessageTemplate] | None) -> None:
        self._is_looking, self._offer = False, offer
        download = offer[0].download if offer is not None else None
        # One that was begun while this look-up ran is unknown to it, and its events would be ignored from now on.
        if download is not None or not self._is_coming:
            self._download = download
        self._show()

    def _on_not_found(self, error: BaseException) -> None:
        # The offer was not asked for, so a failed look-up isn't reported; only defects are raised.
        self._is_looking = False
        expected_error(error)

    def _on_download_begun(self, download: Download) -> None:
        self._is_asking = False
        # The download's first event may have come before this answer, and is newer.
        if self._download is None or self._download.id != download.id:
            self._download = download
        self._show()

    def _on_refused(self, error: BaseException) -> None:
        self._is_asking = False
        self._show()
        can_retry = sentence_for(error).action == "retry"
        self._ui.notify.error(error, action=self.fetch if can_retry else None)

    def _on_download(self, download: Download) -> None:
        """Show the progress of the offered model's download; events of others are ignored."""
        if self._download is None or download.id != self._download.id:
            return
        self._download = download
        if download.state == "done" and download.paths:
            self._use(Path(download.paths[0]))
        self._show()

    def _use(self, path: Path) -> None:
        with self._ui.notify.guard():
            self._models.choose_model(TASK, path)
        self.model_came.emit()

    def _show(self) -> None:
        from app.ui.model_texts import problem_words, state_words  # most users never need it

        suggestion, words = self._offer or (None, None)
        is_here = suggestion is not None and suggestion.installed is not None
        name = suggestion.entry.name if suggestion is not None else ""
        need = tr("Translating needs a model that knows both languages.")
        said = self._missing or (in_words(words) if words is not None else need)
        self.words.setText(said.replace("-", "\u2011"))  # so that a name such as Hy-MT2 stays on one line
        state = tr(ASKING_HUB, name=name) if self._is_asking else ""
        if self._is_coming and self._download is not None:
            state = state_words(self._download)
        elif self._download is not None:
            state = state or problem_words(self._download)
        elif is_here:
            state = tr("It’s on this computer.")
        self.state.setText(state)
        self.state.setVisible(bool(state) and not self._missing)
        self.line.setVisible(self._is_coming and not self._missing)
        self.line.setAccessibleName(tr("Download of {name}", name=name))
        if self._download is not None:
            self.line.show_share(self._download.done_bytes, self._download.total_bytes)
        label = tr(USE_IT) if is_here else tr(DOWNLOAD)
        self.download.setText(label)
        self.download.setAccessibleName(tr("Use {name}", name=name) if is_here else tr(DOWNLOAD_MODEL, name=name))
        self.download.setVisible(suggestion is not None and not self._is_coming and not self._missing)
        self.download.setEnabled(not self._is_asking)
        self.others.setText(tr(DOWNLOADS) if self._is_coming else tr(OTHER_MODELS))
        self.others.setAccessibleName(self.others.text())
        self.setAccessibleName(" ".join(text for text in (said, state) if text))

        self._keep_whole()

    def _keep_whole(self) -> None:
        """Set a minimum height, as wrapped labels have none and would be cut in a low window."""
        if (column := self.layout()) is None:
            return
        margins = column.contentsMargins()
        width = self.contentsRect().width() - margins.left() - margins.right()
        kept = [(width, label.text(), label.font().key()) for label in (self.words, self.state)]
        if kept == self._kept_whole:
            return  # or each layout would ask for the next
        self._kept_whole = kept
        for label in (self.words, self.state):
            label.setMinimumHeight(0)  # reset, or it would count in the size hint
            label.setMinimumHeight(max(0, label.heightForWidth(width)))

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):  # another width, text or font
            self._keep_whole()
        return super().event(event)
