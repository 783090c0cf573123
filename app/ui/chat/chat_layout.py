"""Layout of a chat: transcript, or greeting and ideas in one group with the composer; rows in the text's width."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QHBoxLayout, QLayout, QSpacerItem, QStackedLayout, QVBoxLayout, QWidget

from app.ui.chat.composer import Composer
from app.ui.chat.transcript import ChatTranscript
from app.ui.chat.welcome import GROUP_PX, EmptyState
from app.ui.theme import EDGE_PX, READING_PX, Theme

LOW_PX = 150
"""Height, before zoom, below which the composer has a single line."""
OFFER_PX = 40
"""Room below the composer for a better model's offer."""
OPTICAL_MIDDLE = 0.4
"""Share of the height at which the middle of an empty chat's group stands."""


class ChatLayout(QVBoxLayout):
    """Arranges a chat's view; `before` is shown while there is no turn.

    A greeting forms a group with the composer, which itself never changes its parent: focus, caret and what an input
    method composes stay when the first message moves it down.
    """

    def __init__(
        self, view: QWidget, theme: Theme, composer: Composer, *, before: QWidget, transcript: ChatTranscript
    ) -> None:
        super().__init__(view)
        self._view, self._theme, self._composer = view, theme, composer
        self._before, self._transcript = before, transcript
        self._stack = QStackedLayout()
        self._stack.addWidget(before)
        self._stack.addWidget(transcript)
        # The composer needs its height first.
        transcript.setMinimumHeight(1)
        self._top, self._above, self._bottom = QHBoxLayout(), QHBoxLayout(), QVBoxLayout()
        self._top.addStretch(1)
        self._above.addStretch(1)
        self._above.addStretch(1)
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(0)
        self.addLayout(self._top)
        self.addLayout(self._stack, 1)
        self.addLayout(self._above)
        self.addLayout(self._bottom)
        self._greeting = before if isinstance(before, EmptyState) else None
        self._foot, self._below = QHBoxLayout(), QSpacerItem(0, 0)
        if self._greeting is not None:
            self._foot.addWidget(self._greeting.offer)
            self._greeting.resized.connect(self.arrange)
        self.addLayout(self._foot)
        self.addSpacerItem(self._below)
        view.installEventFilter(self)
        theme.changed.connect(self.arrange)

    def add_top(self, bar: QWidget) -> None:
        """Add a bar over the transcript, at its trailing end."""
        self._top.addWidget(bar)

    def add_banner(self, banner: QWidget) -> None:
        """Add a banner between transcript and composer, in the middle."""
        self._above.insertWidget(self._above.count() - 1, banner)

    def add_row(self, row: QWidget) -> None:
        """Add the composer, or a row right above it. Tab goes through them in the order in which they are added."""
        self._bottom.insertWidget(self._bottom.indexOf(self._composer), row)

    def show_turns(self) -> None:
        """Show the transcript, or the greeting while there is no turn."""
        self._stack.setCurrentWidget(self._transcript if self._transcript.places.count else self._before)
        self.arrange()

    def arrange(self) -> None:
        px, room, greeting = self._theme.px, self._view.width(), self._shown_greeting
        width = min(px(READING_PX if greeting is None else GROUP_PX), room - 2 * px(EDGE_PX))
        left = (room - width) // 2
        self._above.setContentsMargins(left, px(4), left, px(4))
        bars = [item.widget() for item in (self._top.itemAt(n) for n in range(self._top.count())) if item is not None]
        gap = px(6) if any(bar is not None and not bar.isHidden() for bar in bars) else 0
        self._top.setContentsMargins(left, 0, left, gap)
        is_low = self._view.height() < px(LOW_PX)
        self._composer.set_compact(is_low)
        if self._bottom.spacing() != px(6):  # or every arrangement would ask for the next
            self._bottom.setSpacing(px(6))
        rows = sum(_height_of(part, room) for part in (self._top, self._above, self._bottom))
        is_full = is_low or rows + px(OFFER_PX) > self._view.height()
        has_offer = greeting is not None and greeting.offer.is_wanted and not is_full
        if self._greeting is not None:
            self._greeting.offer.setVisible(has_offer)
        self._bottom.setContentsMargins(left, px(4), room - width - left, px(6 if is_low or has_offer else 16))
        self._foot.setContentsMargins(left, 0, left, px(10) if has_offer else 0)
        self._place_group(greeting, left, width)

    @property
    def _shown_greeting(self) -> EmptyState | None:
        return self._greeting if self._stack.currentWidget() is self._greeting else None

    def _place_group(self, greeting: EmptyState | None, left: int, width: int) -> None:
        """Leave as much room below the composer as puts the group into the optical middle; none below a transcript."""
        below = 0
        if greeting is not None:
            greeting.setContentsMargins(left, 0, left, 0)
            height = self._view.height()
            rows = sum(
                _height_of(part, self._view.width()) for part in (self._top, self._above, self._bottom, self._foot)
            )
            group = rows + greeting.fit_room(width, height - rows)
            below = max(0, min(height - group, round(height * (1 - OPTICAL_MIDDLE) - group / 2)))
        if below != self._below.sizeHint().height():
            self._below.changeSize(0, below)
            self.invalidate()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        # The second: the composer grew, or a row came or went.
        if event.type() == QEvent.Type.Resize or (
            event.type() == QEvent.Type.LayoutRequest and self._shown_greeting is not None
        ):
            self.arrange()
        return False


def _height_of(part: QLayout, width: int) -> int:
    return part.heightForWidth(width) if part.hasHeightForWidth() else part.sizeHint().height()
