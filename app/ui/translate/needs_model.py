"""In place of a bad answer: which model knows both languages, and its download, after which the tab uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from app.core.errors import AppError
from app.core.events import CancelToken
from app.features.messages import sentence_for
from app.ui.shell import tasks
from app.ui.shell.i18n import tr
from app.ui.shell.model_loader import in_words
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.flow_layout import FlowLayout
from app.ui.widgets.names import name_widgets
from app.ui.widgets.progress_line import ProgressLine

if TYPE_CHECKING:
    from app.bootstrap import Fireside
    from app.features.model_messages import Words
    from app.features.models import Suggestion
    from app.hub.downloads import Download

TASK = "translate"
RUNS = ("queued", "running", "paused")


class NeedsModel(QFrame):
    """`look` asks what there is to offer; nothing is fetched without a click."""

    models_wanted = Signal(str)
    """A page of the models is wanted, by its name."""
    model_came = Signal()
    """The tab has another model now."""
    _told = Signal(object)
    """A `Download`, from any thread."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._app, self._theme, self._notify = app, theme, notify
        self._offer: tuple[Suggestion, Words] | None = None
        self._download: Download | None = None
        self._missing = ""
        self._is_asking = self._is_looking = False
        self.setProperty("kind", "card")
        self.setObjectName("needs_model")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.words = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.state = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.state.setProperty("kind", "muted")
        self.line = ProgressLine(theme)
        self.download = text_button(tr("Download"), "primary")
        self.download.clicked.connect(self.fetch)
        self.others = text_button(tr("Other models"), "quiet")
        self.others.clicked.connect(lambda: self.models_wanted.emit("downloads" if self._is_coming else "suggested"))
        self._buttons = FlowLayout()
        self._buttons.addWidget(self.download)
        self._buttons.addWidget(self.others)
        self._column = QVBoxLayout(self)
        for widget in (self.words, self.state, self.line):
            self._column.addWidget(widget)
        self._column.addLayout(self._buttons)
        self._told.connect(self._on_download)
        unlisten = app.models.listen(self._told.emit)
        self.destroyed.connect(unlisten)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._show()
        name_widgets(
            needs_words=self.words,
            needs_state=self.state,
            needs_line=self.line,
            needs_download=self.download,
            needs_others=self.others,
        )

    def look(self, missing: str = "") -> None:
        """Asks on a thread which model could be had. `missing` is said where one is here and lacks a language."""
        self._missing = missing
        self._show()
        if self._is_looking or missing:
            return
        self._is_looking = True
        task = tasks.run(self._found, self)
        task.event.connect(self._on_found)
        task.finished.connect(self._on_looked)
        task.failed.connect(self._on_not_found)

    def fetch(self) -> None:
        """Fetches the model, or uses it where it is here; the repository is asked first, so it takes a moment."""
        if self._offer is None or self._is_asking:
            return
        suggestion = self._offer[0]
        if suggestion.installed is not None:
            self._use(suggestion.installed.path)
            return
        self._is_asking = True

        def work(token: CancelToken) -> Iterator[Download]:
            yield self._app.models.download_entry(suggestion.entry, token)

        task = tasks.run(work, self)
        task.event.connect(self._on_download_begun)
        task.finished.connect(self._on_asked)
        task.failed.connect(self._on_refused)
        self._show()

    @property
    def _is_coming(self) -> bool:
        return self._download is not None and self._download.state in RUNS

    def _found(self, _cancel: CancelToken) -> Iterator[tuple[Suggestion, Words] | None]:
        models = self._app.models
        fitting = [each for each in models.suggestions(TASK) if each.fit.word != "too_large"]
        here = next((each for each in fitting if each.installed is not None), None)
        coming = next((each for each in fitting if each.download is not None and each.download.state in RUNS), None)
        offer = here or coming or next(iter(fitting), None)
        yield (offer, models.offer_words(TASK, offer)) if offer is not None else None

    def _on_found(self, offer: tuple[Suggestion, Words] | None) -> None:
        self._offer = offer
        self._download = offer[0].download if offer is not None else None
        self._show()

    def _on_looked(self) -> None:
        self._is_looking = False

    def _on_not_found(self, error: BaseException) -> None:
        """Nobody asked for the offer, so nobody hears why there is none."""
        self._is_looking = False
        if not isinstance(error, AppError):
            raise error

    def _on_download_begun(self, download: Download) -> None:
        if self._download is None or self._download.id != download.id:
            self._download = download
        self._show()

    def _on_asked(self) -> None:
        self._is_asking = False
        self._show()

    def _on_refused(self, error: BaseException) -> None:
        self._on_asked()
        can_retry = sentence_for(error).action == "retry"
        self._notify.error(error, action=self.fetch if can_retry else None)

    def _on_download(self, download: Download) -> None:
        """Every change of every download; this card is about one."""
        if self._download is None or download.id != self._download.id:
            return
        self._download = download
        if download.state == "done" and download.paths:
            self._use(Path(download.paths[0]))
        self._show()

    def _use(self, path: Path) -> None:
        try:
            self._app.models.use(TASK, path)
        except AppError as error:
            self._notify.error(error)
        self.model_came.emit()

    def _show(self) -> None:
        from app.ui.models.download_texts import problem_words, state_words  # most never need it

        suggestion, words = self._offer or (None, None)
        is_here = suggestion is not None and suggestion.installed is not None
        name = suggestion.entry.name if suggestion is not None else ""
        need = tr("Translating needs a model that knows both languages.")
        said = self._missing or (in_words(words) if words is not None else need)
        self.words.setText(said.replace("-", "\u2011"))  # a name such as Hy-MT2 stays in one line
        state = tr("Asking the Hub for {name}…", name=name) if self._is_asking else ""
        if self._is_coming and self._download is not None:
            state = state_words(self._download)
        elif self._download is not None:
            state = state or problem_words(self._download)
        elif is_here:
            state = tr("It is on this computer.")
        self.state.setText(state)
        self.state.setVisible(bool(state) and not self._missing)
        self.line.setVisible(self._is_coming and not self._missing)
        self.line.setAccessibleName(tr("Download of {name}", name=name))
        if self._download is not None:
            self.line.show_share(self._download.done_bytes, self._download.total_bytes)
        label = tr("Use it") if is_here else tr("Download")
        self.download.setText(label)
        self.download.setAccessibleName(tr("Use {name}", name=name) if is_here else tr("Download {name}", name=name))
        self.download.setVisible(suggestion is not None and not self._is_coming and not self._missing)
        self.download.setEnabled(not self._is_asking)
        self.others.setText(tr("Downloads") if self._is_coming else tr("Other models"))
        self.others.setAccessibleName(self.others.text())
        self.setAccessibleName(" ".join(text for text in (said, state) if text))

        self._keep_whole()

    def _keep_whole(self) -> None:
        """Wrapped words have no least height of their own, and would be cut where there is little room."""
        for label in (self.words, self.state):
            label.setMinimumHeight(max(0, label.heightForWidth(label.width())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._keep_whole()

    def showEvent(self, event: QShowEvent) -> None:
        # WORKAROUND: a stack polishes what it shows; fonts set between that and the next parent would be lost.
        self._on_theme_changed()
        super().showEvent(event)

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._column.setContentsMargins(px(16), px(14), px(16), px(14))
        self._column.setSpacing(px(8))
        self._buttons.gap_px = px(8)
        self.words.setFont(self._theme.font(14, 500))
        self.state.setFont(self._theme.font(13))
        for button in (self.download, self.others):
            button.setFont(self._theme.font(14, 500))
