"""Welcome page of a new chat: a greeting, ideas suited to the loaded model, and a suggestion for a better model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal, SignalInstance
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.core.events import CancelToken
from app.core.paths import starter_model
from app.ui.i18n import Translatable, sentence_for, size_text, tr
from app.ui.screen_reader import read_as
from app.ui.shared_labels import ASKING_HUB, DOWNLOAD, DOWNLOAD_MODEL, DOWNLOADS, STARTER_WARNING
from app.ui.shell import tasks
from app.ui.shell.model_loader import ModelLoader
from app.ui.shell.notify import Notify
from app.ui.theme import Theme
from app.ui.widgets.buttons import set_mark, text_button
from app.ui.widgets.labels import ElidedLabel, plain_caption, plain_label, plain_tip
from app.ui.widgets.layouts import drop_margins, fill_layout

if TYPE_CHECKING:
    from app.features.models.collection import ModelCollection, ModelSuggestion
    from app.hub.catalog import CatalogEntry
    from app.hub.download import Download

MODEL_OFFER = "Starter is often wrong. {name} fits: {size}"
MODEL_ON_ITS_WAY = "Downloading {name}"
WELCOME_QUESTION = "What would you like to ask?"
OPEN_A_MODEL = "Open a model…"

STARTER_IDEAS: tuple[tuple[str, Translatable], ...] = (
    ("waves", "Write a short poem about the sea."),
    ("rainbow", "Explain what a rainbow is, in three sentences."),
    ("cat", "Give me five names for a small black cat."),
)
IDEAS: tuple[tuple[str, Translatable], ...] = (
    ("cloud-sun", "Explain the difference between weather and climate in plain words."),
    ("calendar-blank", "Write a friendly note that moves our meeting to Thursday."),
    ("terminal-window", "Write a Python function that finds duplicate files in a folder."),
)
DOCUMENT_IDEAS: tuple[tuple[str, Translatable], ...] = (
    ("file-search", "What’s it about?"),
    ("list-numbers", "List the dates"),
    ("clipboard-text", "What must I do?"),
)

GROUP_PX = 640
"""Width of greeting, ideas and composer while a chat is empty."""
GAP_PX = 8
ABOVE_IDEAS_PX, BELOW_IDEAS_PX = 20, 12
STACKED_PX = 480
"""Width below which the ideas are stacked."""


class IdeaTile(QPushButton):
    """Button with an icon and wrapped words: below each other, or side by side where it is low and wide."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("kind", "tile")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._icon, self._words = QLabel(), plain_label(wraps=True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        for label in (self._icon, self._words):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._layout = fill_layout(QHBoxLayout(self), self._icon, (self._words, 1))
        theme.dress(self._layout, margins=(14, 10, 14, 10), spacing=10)
        theme.dress(self._words, font="row")

    def show_idea(self, idea: tuple[str, Translatable]) -> None:
        glyph, text = idea
        self._theme.dress(self._icon, picture=(glyph, "muted", 18))
        self._words.setText(tr(text))
        self.setAccessibleName(tr(text))

    def fit_width(self, width: int, *, is_stacked: bool) -> int:
        """Arrange icon and words for a width in pixels. Return the height that they need."""
        direction = QBoxLayout.Direction.LeftToRight if is_stacked else QBoxLayout.Direction.TopToBottom
        # Only then: a spacing that is set, even to what it is, asks for a new layout, which asks for the width again.
        if self._layout.direction() != direction:
            self._layout.setDirection(direction)
            self._theme.dress(self._layout, spacing=10 if is_stacked else 6)
        return self._layout.totalHeightForWidth(width)


class EmptyState(QWidget):
    """Greeting and ideas of a chat without messages, which stand right above its composer.

    `chosen` carries an idea, which fills the composer and is not sent. The chat's layout places `offer` below it.
    """

    chosen = Signal(str)
    assistant_chosen = Signal(int)
    """An assistant was pressed; carries its id."""
    model_wanted = Signal()
    download_wanted = Signal(object)
    """A better model should be downloaded; carries its `catalog.Entry`."""
    models_wanted = Signal()
    resized = Signal()
    """Other parts are shown, so the height may differ."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_starter = self._is_there = self._can_chat = self._has_documents = False
        self._greeting = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._label = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._label.setProperty("kind", "muted")
        self._tiles = [IdeaTile(theme) for _ in IDEAS]
        self._assistants = AssistantRow(theme, choose=self.assistant_chosen.emit)
        self._open: QPushButton = text_button(tr(OPEN_A_MODEL), "primary", on_click=self.model_wanted)
        self.offer = ModelOffer(theme, download=self.download_wanted.emit, show_models=self.models_wanted.emit)
        self._assistant_row = _centred(self._assistants)
        self._open_row = _centred(self._open)
        self._ideas = QWidget()
        self._idea_row = fill_layout(drop_margins(QHBoxLayout(self._ideas)), *self._tiles)
        for tile in self._tiles:
            tile.clicked.connect(lambda _checked=False, tile=tile: self.chosen.emit(tile.accessibleName()))
        self._column = fill_layout(
            QVBoxLayout(self), 1, self._greeting, self._label, self._assistant_row, self._ideas, self._open_row
        )
        theme.dress(self._greeting, font="greeting")
        theme.dress(self._label, font="row")
        theme.dress(self._idea_row, spacing=GAP_PX)
        theme.dress(self._column, margins=(0, 0, 0, BELOW_IDEAS_PX), spacing=GAP_PX)
        self.set_model(is_starter=False, is_there=True)
        # What is written below goes before ideas for it, and the list beside keeps its width.
        self.setMinimumSize(1, 1)

    def set_model(self, *, is_starter: bool, is_there: bool, can_chat: bool = True, host: str = "") -> None:
        """Show the ideas that suit the loaded model; none if it cannot chat. `host` is its server if it is remote."""
        self._greeting.setText(tr(WELCOME_QUESTION) if can_chat else tr("This model continues text"))
        self._greeting.setAccessibleName(self._greeting.text())
        self._label.setText(_where_words(host=host) if is_there else tr("No model is open yet."))
        self._is_starter, self._is_there, self._can_chat = is_starter and is_there, is_there, can_chat
        self.offer.show_starter(is_starter=self._is_starter)
        self._show_ideas()

    def show_documents(self, *, are_there: bool) -> None:
        """Show ideas about documents if some are attached."""
        if are_there != self._has_documents:
            self._has_documents = are_there
            self._show_ideas()

    def show_assistants(self, some: Sequence[tuple[int, str, str]], chosen: int) -> None:
        """Show the assistants as id, name and glyph, and mark the chosen one; 0 is none."""
        self._assistants.show_assistants(some, chosen)
        self.resized.emit()

    def show_suggestion(self, suggestion: ModelSuggestion | None) -> None:
        """Suggest a better model for this computer, below the composer while the starter model is loaded."""
        self.offer.show_suggestion(suggestion)
        self.resized.emit()

    def fit_room(self, width: int, room: int) -> int:
        """Show the parts that fit into a width and height in pixels, important ones first. Return their height."""
        px = self._theme.px
        left = room - px(BELOW_IDEAS_PX)
        is_stacked = width < px(STACKED_PX)
        has_assistants = self._assistants.count > 0 and self._can_chat
        parts: list[tuple[QWidget, int, bool]] = [
            (self._open_row, self._open.sizeHint().height(), not self._is_there),
            (self._greeting, self._greeting.heightForWidth(width), True),
            (self._label, self._label.heightForWidth(width), True),
            (self._assistant_row, self._assistants.fit_width(width), has_assistants),
        ]
        for part, height, is_wanted in parts:
            is_shown = is_wanted and height + px(GAP_PX) <= left
            part.setVisible(is_shown)
            left -= height + px(GAP_PX) if is_shown else 0
        ideas_px = self._fit_ideas(width, left - px(ABOVE_IDEAS_PX), is_stacked=is_stacked)
        self._ideas.setVisible(ideas_px > 0)
        return room - left + (ideas_px + px(ABOVE_IDEAS_PX) if ideas_px else 0)

    def _fit_ideas(self, width: int, room: int, *, is_stacked: bool) -> int:
        """Show the ideas in a row, or as many below each other as fit. Return their height, without the gap above."""
        px = self._theme.px
        direction = QBoxLayout.Direction.TopToBottom if is_stacked else QBoxLayout.Direction.LeftToRight
        self._idea_row.setDirection(direction)
        self._idea_row.setContentsMargins(0, px(ABOVE_IDEAS_PX - GAP_PX), 0, 0)
        each = width if is_stacked else (width - (len(self._tiles) - 1) * px(GAP_PX)) // len(self._tiles)
        heights = [tile.fit_width(each, is_stacked=is_stacked) for tile in self._tiles]
        used = 0
        for tile, height in zip(self._tiles, heights, strict=True):
            needs = used + height + (px(GAP_PX) if used else 0) if is_stacked else max(heights)
            is_shown = self._is_there and self._can_chat and needs <= room
            tile.setFixedHeight(height if is_stacked else max(heights))
            tile.setVisible(is_shown)
            used = needs if is_shown else used
        return used

    def _show_ideas(self) -> None:
        ideas = DOCUMENT_IDEAS if self._has_documents else STARTER_IDEAS if self._is_starter else IDEAS
        for tile, idea in zip(self._tiles, ideas, strict=True):
            tile.show_idea(idea)
        self.resized.emit()

    def hasHeightForWidth(self) -> bool:
        # A stack would take it for the least height; here it is what is left over.
        return False


def _centred(widget: QWidget) -> QWidget:
    holder = QWidget()
    fill_layout(drop_margins(QHBoxLayout(holder)), 1, widget, 1)
    return holder


# Assistants that a chat can begin with, in a row of those used last.

MOST_ASSISTANTS, ASSISTANT_PX = 5, 150


def _where_words(*, host: str) -> str:
    return tr("What you write is sent to {host}.", host=host) if host else tr("Everything stays on this computer.")


class AssistantRow(QWidget):
    """Row of as many assistants as fit, with the chat's own one marked."""

    def __init__(self, theme: Theme, *, choose: Callable[[int], object]) -> None:
        super().__init__()
        self.choose, self._theme = choose, theme
        self._buttons: list[tuple[QPushButton, str]] = []
        self.setAccessibleName(tr("Assistants"))
        self._row = theme.dress(QHBoxLayout(self), margins=(0, 10, 0, 0), spacing=8)

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
            button = text_button(plain_caption(name), "filter", self, on_click=partial(self._choose, number))
            button.setCheckable(True)
            button.setChecked(number == chosen)
            read_as(button, QAccessible.Role.Switch)
            set_mark(button, "on", number == chosen)
            button.setToolTip(plain_tip(tr("Start with {name}", name=name)))
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
            button.setText(plain_caption(shown))
            room -= button.sizeHint().width() + self._row.spacing()
            # The last one needs no gap behind it.
            button.setVisible(room >= -self._row.spacing())
        return self.sizeHint().height()

    def _choose(self, number: int, _checked: bool = False) -> None:
        self.choose(number)


class ModelOffer(QWidget):
    """Line below the composer of an empty chat: what the starter is, and a better model. Downloads nothing unasked."""

    def __init__(self, theme: Theme, *, download: Callable[[Any], object], show_models: Callable[[], object]) -> None:
        super().__init__()
        self.show_models, self.download = show_models, download
        """Gets the `catalog.Entry` when Download was pressed."""
        self.setObjectName("model_offer")
        self._suggestion: ModelSuggestion | None = None
        self._is_starter = False
        self._words = ElidedLabel()
        self._words.setProperty("kind", "muted")
        self.button = text_button("", "link", on_click=self._on_clicked, name="better_model")
        theme.dress(fill_layout(drop_margins(QHBoxLayout(self)), 1, self._words, self.button, 1), spacing=8)
        theme.dress(self._words, self.button, font="small")
        self._show()

    def show_starter(self, *, is_starter: bool) -> None:
        """Show the line for the starter model, or hide it."""
        self._is_starter = is_starter
        self._show()

    def show_suggestion(self, suggestion: ModelSuggestion | None) -> None:
        """Offer a model to download; None if no larger one runs on this computer."""
        self._suggestion = suggestion
        self._show()

    @property
    def _is_coming(self) -> bool:
        return self._suggestion is not None and self._suggestion.download is not None

    @property
    def is_wanted(self) -> bool:
        """True if there is something to say in an empty chat."""
        return self._is_starter

    def _show(self) -> None:
        suggestion = self._suggestion
        self.button.setVisible(suggestion is not None)
        if suggestion is None:
            self._words.setText(tr(STARTER_WARNING))
            return
        name, size_bytes = suggestion.entry.name, suggestion.entry.size_bytes
        self.button.setText(tr(DOWNLOADS) if self._is_coming else tr(DOWNLOAD))
        self.button.setAccessibleName(self.button.text() if self._is_coming else tr(DOWNLOAD_MODEL, name=name))
        if self._is_coming:
            self._words.setText(tr(MODEL_ON_ITS_WAY, name=name))
            return
        self._words.setText(tr(MODEL_OFFER, name=name, size=size_text(size_bytes)))

    def _on_clicked(self) -> None:
        if self._is_coming:
            self.show_models()
        elif self._suggestion is not None:
            self.download(self._suggestion.entry)


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
