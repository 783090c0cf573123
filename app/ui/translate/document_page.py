"""A translated document: its head and choices, what is to be said of it, and its segments side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from app.ui.shell.i18n import tr
from app.ui.shell.notify import Notify
from app.ui.theme import EDGE_PX, TOP_PX, Theme
from app.ui.translate.document_bar import DocumentBar
from app.ui.translate.document_find import Hit, Searched
from app.ui.translate.document_head import DocumentHead
from app.ui.translate.document_state import DocumentState
from app.ui.translate.draft_foot import DraftFoot
from app.ui.translate.needs_model import NeedsModel
from app.ui.translate.side_by_side import SideBySide
from app.ui.widgets.document_search import DocumentSearch

if TYPE_CHECKING:
    from app.bootstrap import Fireside

CONTROL = Qt.KeyboardModifier.ControlModifier
LEAST_PX = 84


class DocumentPage(QWidget):
    """Only its widgets; what they do is the view's business, but for the search."""

    def __init__(self, app: Fireside, theme: Theme, notify: Notify) -> None:
        super().__init__()
        self._theme = theme
        self.head = DocumentHead(theme)
        self.bar = DocumentBar(theme)
        self.state = DocumentState(theme, notify)
        self.search = DocumentSearch(theme)
        self.search.field.setAccessibleName(tr("Search in both columns"))
        self.search.hide()
        self.segments = SideBySide(theme)
        self.foot = DraftFoot(theme)
        self.needs = NeedsModel(app, theme, notify)
        self.card = QFrame()
        self.card.setObjectName("segments_card")
        inner = QVBoxLayout(self.card)
        inner.setContentsMargins(2, theme.px(6), 2, theme.px(6))
        inner.setSpacing(0)
        inner.addWidget(self.search)
        inner.addWidget(self.segments, 1)
        inside = QWidget()  # in a low window all but the foot scrolls, and nothing is pressed together
        inside.setObjectName("page")
        self._column = QVBoxLayout(inside)
        for widget in (self.head, self.bar, self.state):
            self._column.addWidget(widget)
        self._column.addWidget(self.card, 1)
        self._column.addWidget(self.needs)
        scroll = QScrollArea(widgetResizable=True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.viewport().setAutoFillBackground(False)
        scroll.setWidget(inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(scroll, 1)
        column.addWidget(self.foot)
        self.setFocusProxy(self.segments)
        self.search.failed.connect(notify.error)
        self.search.hits_changed.connect(self._show_hits)
        self.search.chosen.connect(self._on_chosen)
        self.search.left.connect(self.end_search)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def set_searched(self, searched: Searched | None) -> None:
        """What Ctrl+F searches from now on."""
        self.end_search()
        self.search.set_document(searched)

    def begin_search(self) -> None:
        """Opens the search; from the keyboard's row on."""
        self.search.begin(max(1, self.segments.current + 1))

    def end_search(self) -> None:
        """Closes it."""
        focus = self.search.focusWidget()
        had_focus = focus is not None and self.search.isAncestorOf(focus)
        self.search.hide()
        self.search.forget()
        self._show_hits()
        if had_focus:
            self.segments.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_hits(self, chosen: Hit | None = None) -> None:
        hits: dict[tuple[int, int], list[tuple[int, int, bool]]] = {}
        for hit in self.search.hits:
            hits.setdefault((hit.block_id - 1, hit.column), []).append((hit.start, hit.end, hit == chosen))
        self.segments.hits = hits
        self.segments.viewport().update()

    def _on_chosen(self, hit: Hit) -> None:
        self._show_hits(hit)
        self.segments.go_to(hit.block_id - 1)
        self.segments.say(self.segments.rows.spoken(hit.block_id - 1, hit.column))

    def _does(self, event: QKeyEvent) -> bool:
        """Whether a key is the page's, wherever in it the keyboard is."""
        is_search = event.key() == Qt.Key.Key_F and event.modifiers() == CONTROL
        return is_search or event.key() in (Qt.Key.Key_F3, Qt.Key.Key_F8)

    def event(self, event: QEvent) -> bool:
        # The window has other jobs for some of these keys.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._does(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._does(event):
            super().keyPressEvent(event)
        elif event.key() == Qt.Key.Key_F:
            self.begin_search()
        elif event.key() == Qt.Key.Key_F8:
            self.segments.next_wanted.emit(self.segments.current + 1)
        elif not self.search.isHidden():
            self.search.step(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)

    def _on_theme_changed(self) -> None:
        px = self._theme.px
        self.segments.setMinimumHeight(px(LEAST_PX))
        self._column.setContentsMargins(px(EDGE_PX), px(TOP_PX), px(EDGE_PX), px(16))
        self._column.setSpacing(px(12))
