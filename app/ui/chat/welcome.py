"""Welcome page of a new chat: a greeting, ideas suited to the loaded model, and a suggestion for a better model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal, SignalInstance
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QSpacerItem, QVBoxLayout, QWidget

from app.core.events import CancelToken
from app.core.paths import starter_model
from app.ui.i18n import sentence_for, size_text, tr
from app.ui.shared_labels import ASKING_HUB, DOWNLOAD, DOWNLOAD_MODEL, DOWNLOADS, OTHER_MODELS, STARTER_WARNING
from app.ui.shell import tasks
from app.ui.shell.model_loader import ModelLoader, in_words
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.labels import plain_label, plain_tip

if TYPE_CHECKING:
    from app.features.models.collection import ModelCollection, ModelSuggestion
    from app.hub.catalog import CatalogEntry
    from app.hub.download import Download

BETTER_MODEL = "{name} would work better here"
MODEL_ON_ITS_WAY = "Downloading {name}"
WELCOME_QUESTION = "What would you like to ask?"
OPEN_A_MODEL = "Open a model…"


STARTER_IDEAS = (
    "Write a short poem about the sea.",
    "Explain what a rainbow is, in three sentences.",
    "Give me five names for a small black cat.",
)
IDEAS = (
    "Explain the difference between weather and climate in plain words.",
    "Write a friendly note that moves our meeting to Thursday.",
    "Write a Python function that finds duplicate files in a folder.",
)


CARD_PX = 74
"""Height of the suggestion card at the usual width."""
ROOMY_PX = 480
"""Height from which all parts and the card fit."""


class EmptyState(QWidget):
    """Welcome page. `chosen` carries an idea, which fills the composer and is not sent."""

    chosen = Signal(str)
    assistant_chosen = Signal(int)
    """An assistant was pressed; carries its id."""
    model_wanted = Signal()
    download_wanted = Signal(object)
    """A better model should be downloaded; carries its `catalog.Entry`."""
    models_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_starter = self._is_there = self._can_chat = False
        self._greeting = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._label = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._label.setProperty("kind", "muted")
        self._ideas = [text_button("", "idea") for _ in STARTER_IDEAS]
        self._assistants = AssistantRow(theme)
        self._assistants.chosen.connect(self.assistant_chosen)
        self._open: QPushButton = text_button(tr(OPEN_A_MODEL), "primary", on_click=self.model_wanted)
        self._card = StarterCard(theme)
        self._card.download_wanted.connect(self.download_wanted)
        self._card.models_wanted.connect(self.models_wanted)
        column = QVBoxLayout(self)
        # With less above than below, the greeting is a little above the middle.
        column.addStretch(3)
        column.addWidget(self._greeting)
        column.addWidget(self._label)
        self._assistant_row = _centred(self._assistants)
        column.addWidget(self._assistant_row)
        self._gaps = [QSpacerItem(0, 0), QSpacerItem(0, 0)]
        column.addSpacerItem(self._gaps[0])
        for idea in self._ideas:
            idea.clicked.connect(lambda _checked=False, button=idea: self.chosen.emit(button.accessibleName()))
        self._idea_rows = [_centred(idea) for idea in self._ideas]
        for row in self._idea_rows:
            column.addWidget(row)
        column.addWidget(_centred(self._open))
        column.addSpacerItem(self._gaps[1])
        self._card_row = _centred(self._card, as_wide_as_it_may=True)
        column.addWidget(self._card_row)
        column.addStretch(4)
        self._column = column
        theme.dress(self._greeting, font="greeting")
        theme.dress(self._label, *self._ideas, font="row")
        theme.dress(column, margins=(26, 0, 26, 0), spacing=8)
        theme.changed.connect(self._show_parts)
        self.set_model(is_starter=False, is_there=True)
        # What is written below goes before ideas for it, and the list beside keeps its width.
        self.setMinimumSize(1, 1)

    def set_model(self, *, is_starter: bool, is_there: bool, can_chat: bool = True, host: str = "") -> None:
        """Show the ideas that suit the loaded model; none if it cannot chat. `host` is its server if it is remote."""
        self._greeting.setText(tr(WELCOME_QUESTION) if can_chat else tr("This model continues text"))
        self._greeting.setAccessibleName(self._greeting.text())
        self._label.setText(_where_words(is_starter=is_starter, host=host) if is_there else tr("No model is open yet."))
        for button, text in zip(self._ideas, STARTER_IDEAS if is_starter else IDEAS, strict=True):
            button.setAccessibleName(tr(text))
        self._open.setVisible(not is_there)
        self._is_starter, self._is_there, self._can_chat = is_starter and is_there, is_there, can_chat
        self._show_parts()

    def show_assistants(self, some: Sequence[tuple[int, str, str]], chosen: int) -> None:
        """Show the assistants as id, name and glyph, and mark the chosen one; 0 is none."""
        self._assistants.show_assistants(some, chosen)
        self._show_parts()

    def show_suggestion(self, suggestion: ModelSuggestion | None) -> None:
        """Suggest a better model for this computer, shown while the starter model is loaded."""
        self._card.show_suggestion(suggestion)
        self._show_parts()

    def hasHeightForWidth(self) -> bool:
        # A stack would take it for the least height; here it is what is left over.
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_parts()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # Only what is shown knows how high it wants to be.
        QTimer.singleShot(0, self, self._show_parts)

    def _show_parts(self) -> None:
        """Show as many parts as fit, the important ones first."""
        px, inner = self._theme.px, self._column.contentsMargins()
        awaits_card = self._is_starter and self._card.suggestion is None and self.height() >= px(ROOMY_PX)
        self._gaps[0].changeSize(0, px(18))
        # What is above stays in place when the card comes.
        self._gaps[1].changeSize(0, px(18 + CARD_PX + 8 if awaits_card else 18))
        width = self.width() - inner.left() - inner.right()
        room = self.height() - px(2 * 18 + 2 * 8)
        if not self._is_there:
            room -= self._open.sizeHint().height()
        has_card = self._is_starter and self._card.suggestion is not None
        # A hidden widget has no valid height.
        self._card_row.setVisible(has_card)
        parts: list[tuple[QWidget, int, bool]] = [
            (self._card_row, self._card.height_at(width - px(4)), has_card),
            (self._label, self._label.heightForWidth(width), True),
            (self._greeting, self._greeting.heightForWidth(width), True),
            (self._assistant_row, self._assistants.fit_width(width), self._assistants.count > 0 and self._can_chat),
        ]
        for part, height, is_wanted in parts:
            is_shown = is_wanted and height + px(8) <= room
            part.setVisible(is_shown)
            room -= height + px(8) if is_shown else 0
        each = self._ideas[0].sizeHint().height() + px(8)
        for number, (idea, row) in enumerate(zip(self._ideas, self._idea_rows, strict=True), start=1):
            self._fit_idea(idea, width)
            row.setVisible(self._is_there and self._can_chat and number * each <= room)

    def _fit_idea(self, idea: QPushButton, width: int) -> None:
        """Elide an idea to the width; tooltip and screen readers keep all of it."""
        text, metrics = idea.accessibleName(), idea.fontMetrics()
        idea.setMinimumWidth(max(0, min(self._theme.px(420), width)))
        around = idea.sizeHint().width() - metrics.horizontalAdvance(idea.text())
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width - around)
        idea.setText(shown)
        idea.setToolTip("" if shown == text else text)


def _centred(widget: QWidget, *, as_wide_as_it_may: bool = False) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.addStretch(1)
    row.addWidget(widget, 1000 if as_wide_as_it_may else 0)
    row.addStretch(1)
    return holder


# Assistants that a chat can begin with, in a row of those used last.

MOST_ASSISTANTS, ASSISTANT_PX = 5, 150


def _where_words(*, is_starter: bool, host: str) -> str:
    if is_starter:
        return tr(STARTER_WARNING)
    return tr("What you write is sent to {host}.", host=host) if host else tr("Everything stays on this computer.")


class AssistantRow(QWidget):
    """Row of as many assistants as fit, with the chat's own one marked."""

    chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._buttons: list[tuple[QPushButton, str]] = []
        self.setAccessibleName(tr("Assistants"))
        self._row = QHBoxLayout(self)
        theme.dress(self._row, margins=(0, 10, 0, 0), spacing=8)

    @property
    def count(self) -> int:
        return len(self._buttons)

    def show_assistants(self, some: Sequence[tuple[int, str, str]], chosen: int) -> None:
        """Show assistants as id, name and glyph, most recently used first."""
        for button, _ in self._buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._buttons = []
        for number, name, glyph in some[:MOST_ASSISTANTS]:
            button = text_button(name, "filter", self)
            button.setCheckable(True)
            button.setChecked(number == chosen)
            set_mark(button, "on", number == chosen)
            button.setToolTip(plain_tip(tr("Start with {name}", name=name)))
            button.clicked.connect(partial(self._choose, number))
            self._row.addWidget(button)
            # Otherwise it loses its font when first shown.
            button.ensurePolished()
            self._theme.dress(button, font="control", glyph=(glyph, "text", 16), glyph_size=(20, 16))
            self._buttons.append((button, name))

    def fit_width(self, width: int) -> int:
        """Show the assistants that fit into a width in pixels. Return the row's height."""
        room = width
        for button, name in self._buttons:
            shown = button.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, self._theme.px(ASSISTANT_PX))
            # In a button a single & marks a key.
            button.setText(shown.replace("&", "&&"))
            room -= button.sizeHint().width() + self._row.spacing()
            # The last one needs no gap behind it.
            button.setVisible(room >= -self._row.spacing())
        return self.sizeHint().height()

    def _choose(self, number: int, _checked: bool = False) -> None:
        self.chosen.emit(number)


# The card of the first start: which model would serve this computer better than the starter, and its Download.

WIDTH_PX = 592
NARROW_PX = 480
"""Width below which the buttons move below the text."""


class StarterCard(QFrame):
    """Card that suggests a better model; downloads nothing unasked."""

    download_wanted = Signal(object)
    """Download was pressed; carries the `catalog.Entry`."""
    models_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.suggestion: ModelSuggestion | None = None
        """The current suggestion; None hides the card."""
        self.setObjectName("starter_card")
        self.setProperty("kind", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._title = plain_label(wraps=True)
        self._detail = plain_label(kind="muted", wraps=True)
        self.download = text_button(tr(DOWNLOAD), "primary", on_click=self._on_download)
        self.others = text_button(tr(OTHER_MODELS), "quiet", on_click=self.models_wanted)
        words = QVBoxLayout()
        words.addWidget(self._title)
        words.addWidget(self._detail)
        self._row = QHBoxLayout(self)
        self._row.addLayout(words, 1)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.others)
        buttons.addWidget(self.download)
        self._row.addLayout(buttons)
        theme.dress(words, spacing=2)
        theme.dress(self._row, margins=(16, 12, 12, 12))
        theme.dress(self._row, buttons, spacing=8)
        theme.dress(self._title, font="section")
        theme.dress(self._detail, font="small")
        theme.dress(self.download, self.others, font="control")
        theme.dress(self, most_width=WIDTH_PX)

    def height_at(self, width: int) -> int:
        """Arrange the card for a width. Return its height."""
        width = min(width, self.maximumWidth())
        is_narrow = width < self._theme.px(NARROW_PX)
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight)
        return self.heightForWidth(width)

    def show_suggestion(self, suggestion: ModelSuggestion | None) -> None:
        """Show a model to download; None if no larger one runs on this computer."""
        self.suggestion = suggestion
        if suggestion is None:
            return
        name = suggestion.entry.name
        is_coming = suggestion.download is not None
        better = tr(BETTER_MODEL, name=name)
        self._title.setText(tr(MODEL_ON_ITS_WAY, name=name) if is_coming else better)
        # Comes with the models.
        from app.features.models.estimate import download_words, fit_words, pace_words

        size_bytes, pace = suggestion.entry.size_bytes, pace_words(suggestion.fit)
        speed = in_words(pace if pace is not None else fit_words(suggestion.fit))
        detail = [speed, size_text(size_bytes), in_words(download_words(size_bytes))]
        self._detail.setText(" · ".join([detail[0][:1].upper() + detail[0][1:], *detail[1:]]))
        self.download.setVisible(not is_coming)
        self.download.setAccessibleName(tr(DOWNLOAD_MODEL, name=name))
        self.others.setText(tr(DOWNLOADS) if is_coming else tr(OTHER_MODELS))
        self.others.setAccessibleName(self.others.text())

    def _on_download(self) -> None:
        if self.suggestion is not None:
            self.download_wanted.emit(self.suggestion.entry)


class FirstSuggestion(QObject):
    """Finds a model better than the starter, and downloads it on request."""

    def __init__(
        self,
        models: ModelCollection,
        notify: Notify,
        loader: ModelLoader,
        empty: EmptyState,
        downloads_changed: SignalInstance,
    ) -> None:
        super().__init__(empty)
        self._models, self._notify, self._loader, self._empty = models, notify, loader, empty
        self._states: dict[int, str] = {}
        self._looked = False
        self._asked: set[str] = set()
        empty.download_wanted.connect(self.download)
        loader.changed.connect(self._on_model_changed)
        downloads_changed.connect(self._on_download)
        self._on_model_changed()

    def download(self, entry: CatalogEntry) -> None:
        # A second press while the repository is still being asked.
        if entry.id in self._asked:
            return
        self._asked.add(entry.id)

        def on_end(error: BaseException | None = None) -> None:
            self._asked.discard(entry.id)
            if error is not None:
                can_retry = sentence_for(error).action == "retry"
                self._notify.error(error, action=(lambda: self.download(entry)) if can_retry else None)
            self.find_suggestion()

        self._notify.mention(tr(ASKING_HUB, name=entry.name))
        # On a thread, since the model's repository is queried first.
        tasks.ask(lambda token: self._models.fetching.download_entry(entry, token), self, lambda _: on_end(), on_end)

    def find_suggestion(self) -> None:
        """Find the model that suits this computer, on a thread."""

        def suggested(_token: CancelToken) -> ModelSuggestion | None:
            here = self._models.suggest_models("chat", 3)
            useful = [suggestion for suggestion in here if suggestion.installed is None and suggestion.fit.is_usable]
            # Whoever has one of the suggested models needs no other.
            return None if any(suggestion.installed for suggestion in here) else next(iter(useful), None)

        tasks.ask(suggested, self, self._empty.show_suggestion)

    def _on_model_changed(self) -> None:
        is_starter_in = self._loader.state == "ready" and self._loader.path == starter_model()
        # Not before the starter is loaded: the search would slow that down.
        if is_starter_in and not self._looked:
            # Each loading of the starter looks once.
            self.find_suggestion()
        self._looked = is_starter_in

    def _on_download(self, download: Download) -> None:
        # Progress alone changes nothing here.
        if self._states.get(download.id) != download.state:
            self._states[download.id] = download.state
            if self._looked:
                self.find_suggestion()
