"""Results of a Hub search as painted cards in a list view, so that hundreds cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.features.models.estimate import MemoryFit
from app.hub.hub_search import FoundRepository
from app.ui.focus_ring import shown_state
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.locale_formats import isolate, join_list
from app.ui.model_texts import found_words
from app.ui.models.fit_column import FitWords, fit_width, paint_fit, words_of_fit
from app.ui.shared_labels import PICTURES
from app.ui.theme import Theme
from app.ui.widgets.row_list import Index, KeptListModel

ASKS_FOR_CONSENT = "Consent required"
FOUND_ROLE = Qt.ItemDataRole.UserRole + 1
FIT_ROLE = FOUND_ROLE + 1
ROW_PX, GAP_PX = 88, 10
CARET_PX = 52
"""Room for the arrow at the end of a row."""


def marks_of(found: FoundRepository) -> list[tuple[str, str]]:
    """Return icons and labels of a repository's special features."""
    marks = []
    if found.vision:
        marks.append(("image", tr(PICTURES)))
    if found.gated:
        marks.append(("lock-simple", tr(ASKS_FOR_CONSENT)))
    return marks


class SearchResultModel(KeptListModel[FoundRepository]):
    """List model of the repositories that a search of the Hub has found."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._fits: dict[str, FitWords] = {}

    @property
    def found(self) -> Sequence[FoundRepository]:
        return self._rows

    def show_fits(self, fits: Mapping[str, MemoryFit]) -> None:
        """Set what is known of the fits of results, by repository."""
        self._fits = {repo: words_of_fit(fit) for repo, fit in fits.items()}
        if self.found:
            self.dataChanged.emit(self.index(0), self.index(len(self.found) - 1))

    def show(self, found: Sequence[FoundRepository]) -> bool:
        """Show results; return True if they only extend those shown."""
        before = list(self.found)
        self.replace_rows(found, lambda row: row.repo)
        return bool(before) and self.found[: len(before)] == before

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        found = self.found[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return found.repo
        if role == Qt.ItemDataRole.AccessibleTextRole:
            # Painted words are unknown to screen readers, so all of them are told here.
            fit = self._fits.get(found.repo)
            words = [
                found.repo,
                *(words for _, words in marks_of(found)),
                *found_words(found),
                fit.spoken if fit else "",
            ]
            return join_list(words)
        if role == FIT_ROLE:
            return self._fits.get(found.repo)
        return found if role == FOUND_ROLE else None


class ResultDelegate(QStyledItemDelegate):
    """Paint a result as a card: name with labels, two muted lines, its fit, an arrow."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002
        return QSize(self._theme.px(200), self._theme.px(ROW_PX + GAP_PX))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, tokens, px = self._theme, self._theme.tokens, self._theme.px
        found: FoundRepository = index.data(FOUND_ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = QRect(option.rect).adjusted(0, px(1), -px(2), -px(GAP_PX) + px(1))
        self._paint_card(painter, option, card)
        mirrored = option.direction == Qt.LayoutDirection.RightToLeft
        caret = px(16)
        at = QRect(card.right() - px(18) - caret, card.center().y() - caret // 2, caret, caret)
        glyph = "caret-left" if mirrored else "caret-right"
        icon(glyph, tokens.muted, caret).paint(painter, QStyle.visualRect(option.direction, card, at))
        room = card.adjusted(px(19), 0, -px(CARET_PX), 0)
        if (fit := index.data(FIT_ROLE)) is not None:
            wide = px(fit_width(card.width() / px(100) * 100))
            column = QRect(room.right() - wide, card.y(), wide, card.height())
            paint_fit(painter, theme, column, fit, around=card, direction=option.direction)
            room.setRight(column.x() - px(12))
        # Mirrored piece by piece: text keeps its own direction, places don't.
        lines = [text for text in found_words(found) if text]
        y = card.y() + (card.height() - px(22 + 20 * len(lines))) // 2
        self._paint_name(painter, option, QRect(room.x(), y, room.width(), px(22)), card, found)
        painter.setFont(theme.font("small"))
        painter.setPen(QColor(tokens.muted))
        for place, text in enumerate(lines):
            line = QRect(room.x(), y + px(23 + 20 * place), room.width(), px(20))
            self._paint_text(painter, option, QStyle.visualRect(option.direction, card, line), text)
        painter.restore()

    def _paint_card(self, painter: QPainter, option: QStyleOptionViewItem, card: QRect) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        state = shown_state(option)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        painter.setBrush(QColor(tokens.surface))
        edge = tokens.focus if focused else tokens.outline if hovered else tokens.line
        painter.setPen(QPen(QColor(edge), 2 if focused else 1))
        inset = 1.0 if focused else 0.5
        painter.drawRoundedRect(QRectF(card).adjusted(inset, inset, -inset, -inset), px(10), px(10))

    def _paint_name(
        self, painter: QPainter, option: QStyleOptionViewItem, room: QRect, card: QRect, found: FoundRepository
    ) -> None:
        """Paint the name and as many labels as fit."""
        theme, tokens, px = self._theme, self._theme.tokens, self._theme.px
        owner, _, name = found.repo.partition("/")
        name_font, owner_font, mark_font = theme.font("section"), theme.font("small"), theme.font("caption")
        marks = [
            (glyph, words, QFontMetrics(mark_font).horizontalAdvance(words) + px(34))
            for glyph, words in marks_of(found)
        ]
        taken = sum(width + px(8) for *_, width in marks)
        wanted = QFontMetrics(name_font).horizontalAdvance(name) + 1
        width = min(wanted, max(room.width() - taken, px(120)))
        painter.setFont(name_font)
        painter.setPen(QColor(tokens.text))
        place = QRect(room.x(), room.y(), width, room.height())
        self._paint_text(painter, option, QStyle.visualRect(option.direction, card, place), name)
        x = place.right() + px(10)
        # Labels that don't fit are left out, the last ones first.
        for glyph, words, mark_width in marks:
            chip = QRect(x, room.y() + px(1), mark_width, px(20))
            if chip.right() > room.right():
                return
            self._paint_mark(painter, option, QStyle.visualRect(option.direction, card, chip), glyph, words)
            x = chip.right() + px(8)
        painter.setFont(owner_font)
        painter.setPen(QColor(tokens.muted))
        rest = QRect(x, room.y(), room.right() - x, room.height())
        # A few letters of an owner say nothing.
        if rest.width() > px(48):
            self._paint_text(
                painter, option, QStyle.visualRect(option.direction, card, rest), tr("by {owner}", owner=owner)
            )

    def _paint_mark(self, painter: QPainter, option: QStyleOptionViewItem, chip: QRect, glyph: str, words: str) -> None:
        tokens, px = self._theme.tokens, self._theme.px
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.bubble))
        painter.drawRoundedRect(chip, chip.height() / 2, chip.height() / 2)
        edge = px(13)
        at = QRect(chip.x() + px(8), chip.center().y() - edge // 2, edge, edge)
        icon(glyph, tokens.muted, edge).paint(painter, QStyle.visualRect(option.direction, chip, at))
        painter.setFont(self._theme.font("caption"))
        painter.setPen(QColor(tokens.muted))
        text = chip.adjusted(px(25), 0, -px(6), 0)
        self._paint_text(painter, option, QStyle.visualRect(option.direction, chip, text), words)

    def _paint_text(self, painter: QPainter, option: QStyleOptionViewItem, room: QRect, text: str) -> None:
        start = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeading)
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, start | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter, isolate(shown))


class ResultList(QListView):
    """List of results; arrows move, Enter or a click opens."""

    def __init__(self, theme: Theme, *, open_repository: Callable[[str], object]) -> None:
        super().__init__()
        self.open_repository = open_repository
        self.results = SearchResultModel(self)
        self.setObjectName("results")
        self.setAccessibleName(tr("Models found"))
        self.setProperty("elides", True)
        self.setModel(self.results)
        self.setItemDelegate(ResultDelegate(theme, self))
        # Rows are equally high, so none has to be measured.
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self._open)
        theme.changed.connect(self._on_theme_changed)

    def show_found(self, found: Sequence[FoundRepository]) -> None:
        """Show results; scroll position and selection stay if rows were only appended."""
        if not self.results.show(found):
            self.scrollToTop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._open(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: Any) -> None:
        # Arrows need a row to start from.
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self.results.found:
            self.setCurrentIndex(self.results.index(0))

    def _open(self, index: QModelIndex) -> None:
        self.open_repository(index.data(FOUND_ROLE).repo)

    def _on_theme_changed(self) -> None:
        self.scheduleDelayedItemsLayout()
        self.viewport().update()
