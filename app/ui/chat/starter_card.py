"""The card of the first start: which model would serve this computer better than the starter, and its Download."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QVBoxLayout

from app.features.models.estimate import download_words, fit_words, pace_words
from app.ui.shell.i18n import size_text, tr
from app.ui.shell.model_loader import in_words
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

if TYPE_CHECKING:
    from app.features.models.collection import Suggestion

WIDTH_PX = 592
NARROW_PX = 480
"""With less room the buttons stand below the words."""


class StarterCard(QFrame):
    """Fetches nothing by itself."""

    download_wanted = Signal(object)
    """A `catalog.Entry`."""
    models_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._suggestion: Suggestion | None = None
        self.setObjectName("starter_card")
        self.setProperty("kind", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._title = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._detail = QLabel(textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self._detail.setProperty("kind", "muted")
        self.download = text_button(tr("Download"), "primary")
        self.download.clicked.connect(self._on_download)
        self.others = text_button(tr("Other models"), "quiet")
        self.others.clicked.connect(self.models_wanted)
        words = QVBoxLayout()
        words.setSpacing(theme.px(2))
        words.addWidget(self._title)
        words.addWidget(self._detail)
        self._row = QHBoxLayout(self)
        self._row.addLayout(words, 1)
        self._buttons = QHBoxLayout()
        self._buttons.addStretch(1)
        self._buttons.addWidget(self.others)
        self._buttons.addWidget(self.download)
        self._row.addLayout(self._buttons)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def has_suggestion(self) -> bool:
        """Whether there is something to show."""
        return self._suggestion is not None

    def height_at(self, width: int) -> int:
        """The height that it takes in this width, for which it then is arranged."""
        width = min(width, self.maximumWidth())
        is_narrow = width < self._theme.px(NARROW_PX)
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight)
        return self.heightForWidth(width)

    def show_suggestion(self, suggestion: Suggestion | None) -> None:
        """A model that is not here yet; None where nothing larger runs on this computer."""
        self._suggestion = suggestion
        if suggestion is None:
            return
        name = suggestion.entry.name
        is_coming = suggestion.download is not None
        better = tr("{name} would serve you better here", name=name)
        self._title.setText(tr("{name} is on its way", name=name) if is_coming else better)
        size_bytes, pace = suggestion.entry.size_bytes, pace_words(suggestion.fit)
        speed = in_words(pace if pace is not None else fit_words(suggestion.fit))
        detail = [speed, size_text(size_bytes), in_words(download_words(size_bytes))]
        self._detail.setText(" · ".join([detail[0][:1].upper() + detail[0][1:], *detail[1:]]))
        self.download.setVisible(not is_coming)
        self.download.setAccessibleName(tr("Download {name}", name=name))
        self.others.setText(tr("Downloads") if is_coming else tr("Other models"))
        self.others.setAccessibleName(self.others.text())

    def _on_download(self) -> None:
        if self._suggestion is not None:
            self.download_wanted.emit(self._suggestion.entry)

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self._row.setContentsMargins(px(16), px(12), px(12), px(12))
        for row in (self._row, self._buttons):
            row.setSpacing(px(8))
        self._title.setFont(self._theme.font(14, 600))
        self._detail.setFont(self._theme.font(13))
        for button in (self.download, self.others):
            button.setFont(self._theme.font(14, 500))
        self.setMaximumWidth(self._theme.px(WIDTH_PX))
