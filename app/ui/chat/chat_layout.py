"""Layout of a chat: transcript or greeting, with what is above and below it in the width of the text."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from app.ui.chat.composer import Composer
from app.ui.chat.transcript import ChatTranscript
from app.ui.theme import EDGE_PX, READING_PX, Theme

LOW_PX = 150
"""Height, before zoom, below which the composer has a single line."""


class ChatLayout(QVBoxLayout):
    """Arranges a chat's view; `before` is shown while there is no turn."""

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

    def arrange(self) -> None:
        px, room = self._theme.px, self._view.width()
        width = min(px(READING_PX), room - 2 * px(EDGE_PX))
        left = (room - width) // 2
        self._above.setContentsMargins(left, px(4), left, px(4))
        bars = [item.widget() for item in (self._top.itemAt(n) for n in range(self._top.count())) if item is not None]
        gap = px(6) if any(bar is not None and not bar.isHidden() for bar in bars) else 0
        self._top.setContentsMargins(left, 0, left, gap)
        is_low = self._view.height() < px(LOW_PX)
        self._composer.set_compact(is_low)
        self._bottom.setSpacing(px(6))
        self._bottom.setContentsMargins(left, px(4), room - width - left, px(6 if is_low else 16))

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.arrange()
        return False
