"""A page of the Models view: title, a line about it, a column that scrolls, and a quiet line at the foot."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.core.events import CancelToken
from app.ui.models.model_card import ModelCard
from app.ui.shell import tasks
from app.ui.theme import EDGE_PX, HEADING_PX, PAGE_PX, TOP_PX, Theme

NARROW_PX = 600


class ModelsPage(QWidget):
    """`rows` holds the cards and headings; with none, `empty` says why."""

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(title)
        self._fonts: list[tuple[QWidget, float, int]] = []
        self._newest: tasks.Task | None = None
        self.title = self.text(title, 21, 600)
        self.title.setAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        self.lead = self.text("", 14)
        self.lead.setProperty("kind", "muted")
        self.empty = self.text("", 14)
        self.empty.setProperty("kind", "muted")
        self.foot = self.text("", 13)
        self.foot.setProperty("kind", "muted")
        for label in (self.lead, self.empty, self.foot):
            label.hide()
        self.top = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.top.addWidget(self.title, 1)
        self.rows = QVBoxLayout()
        inside = QWidget()
        inside.setObjectName("page")
        self._column = QVBoxLayout()
        self._column.addLayout(self.top)
        self._column.addWidget(self.lead)
        self._column.addWidget(self.empty)
        self._column.addLayout(self.rows)
        self._column.addStretch(1)
        self._column.addWidget(self.foot)
        self._holder = QWidget()
        self._holder.setLayout(self._column)
        self._around = QHBoxLayout(inside)
        self._around.addWidget(self._holder, 1000)
        self._around.addStretch(1)
        self.area = QScrollArea(widgetResizable=True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setWidget(inside)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(self.area)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def reload(self) -> tasks.Task:
        """Reads anew what the page shows, on a thread."""
        raise NotImplementedError

    def text(self, text: str, size_px: float, weight: int = 400) -> QLabel:
        """A text that wraps and whose font follows the theme."""
        label = QLabel(text, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        label.setFont(self._theme.font(size_px, weight))
        self._fonts.append((label, size_px, weight))
        return label

    def say(self, label: QLabel, text: str) -> None:
        """One of `lead`, `empty` and `foot`; "" takes it away."""
        label.setText(text)
        label.setVisible(bool(text))

    def add_heading(self, text: str) -> QLabel:
        """Begins a group of rows."""
        heading = self.text(text, 13, 600)
        heading.setProperty("kind", "muted")
        self.rows.addWidget(heading)
        return heading

    def cards(self) -> list[ModelCard]:
        """Those that are shown, from the top."""
        items = (self.rows.itemAt(place) for place in range(self.rows.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [card for card in widgets if isinstance(card, ModelCard) and not card.isHidden()]

    def clear_rows(self) -> None:
        """Takes all cards and headings away."""
        while (item := self.rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                self._fonts = [follower for follower in self._fonts if follower[0] is not widget]
                widget.hide()
                widget.deleteLater()

    def ask(self, work: Callable[[CancelToken], object], then: Callable[..., object]) -> tasks.Task:
        """Asks on a thread; the answer comes to `then` on the window's. The caller connects `failed`."""

        def once(token: CancelToken) -> Iterator[object]:
            yield work(token)

        task = tasks.run(once, self)
        task.event.connect(then)
        return task

    def ask_anew(self, work: Callable[[CancelToken], object], then: Callable[..., object]) -> tasks.Task:
        """As `ask`, for what the page shows: an answer to an earlier question is not heard any more."""
        if self._newest is not None:
            self._newest.abandon()
        self._newest = self.ask(work, then)
        return self._newest

    def move_focus(self, card: ModelCard, step: int) -> None:
        """From one card to the next or the one before."""
        cards = self.cards()
        place = cards.index(card) + step if card in cards else 0
        if 0 <= place < len(cards):
            cards[place].setFocus(Qt.FocusReason.TabFocusReason)
            self.area.ensureWidgetVisible(cards[place])

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        for widget, size_px, weight in self._fonts:
            widget.setFont(self._theme.font(size_px, weight))
        self._around.setContentsMargins(px(EDGE_PX), px(TOP_PX), px(EDGE_PX), px(20))
        self._around.setSpacing(0)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(px(12))
        self.rows.setSpacing(px(12))
        self.title.setMinimumHeight(px(HEADING_PX))
        self._holder.setMaximumWidth(px(PAGE_PX))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        along, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self.top.setDirection(along if self.width() >= self._theme.px(NARROW_PX) else down)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.area.verticalScrollBar()
        steps = {Qt.Key.Key_PageDown: bar.pageStep(), Qt.Key.Key_PageUp: -bar.pageStep()}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            bar.setValue(bar.value() + step)
