"""The column of a row that says whether a model runs here: a mark with a word, and what it needs."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyle

from app.features.models.estimate import MemoryFit, needs_words, speed_words, verdict_words
from app.ui.icons import icon
from app.ui.locale_formats import isolate
from app.ui.model_texts import join
from app.ui.shell.model_loader import in_words
from app.ui.theme import FontRole, Theme

FIT_PX, NARROW_FIT_PX, MARK_PX = 212, 140, 11
NARROW_ROW_PX = 640
"""Width below which a row has no room for the speed."""


class FitWords(NamedTuple):
    """Words of a fit, and the colour token of its mark."""

    verdict: str
    needs: str
    speed: str
    token: str

    @property
    def spoken(self) -> str:
        return join(self.verdict, self.needs, self.speed)


def fit_width(row_px: float) -> int:
    """Return the column's width in a row, both unscaled."""
    return NARROW_FIT_PX if row_px < NARROW_ROW_PX else FIT_PX


def fit_token(fit: MemoryFit) -> str:
    return "success" if fit.runs_well else "muted" if fit.is_usable else "warning"


def words_of_fit(fit: MemoryFit) -> FitWords:
    speed = speed_words(fit)
    said = in_words(speed) if speed is not None else ""
    return FitWords(in_words(verdict_words(fit)), in_words(needs_words(fit)), said, fit_token(fit))


def paint_fit(
    painter: QPainter, theme: Theme, column: QRect, words: FitWords, *, around: QRect, direction: Qt.LayoutDirection
) -> None:
    """Paint two lines into the middle of a column; `around` is what it is mirrored in."""
    px, tokens = theme.px, theme.tokens
    high, edge = px(19), px(MARK_PX)
    top = column.center().y() + 1 - high
    start = QStyle.visualAlignment(direction, Qt.AlignmentFlag.AlignLeading)
    how = start | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
    # A shape as well: colour alone never carries meaning.
    glyph = "triangle-fill" if words.token == "warning" else "circle-fill"
    mark = QRect(column.x(), top + (high - edge) // 2, edge, edge)
    if words.verdict:
        icon(glyph, getattr(tokens, words.token), edge).paint(painter, QStyle.visualRect(direction, around, mark))
    painter.setFont(theme.font("small"))
    both, indent = join(words.needs, words.speed), edge + px(6)
    needs = both if painter.fontMetrics().horizontalAdvance(both) <= column.width() else words.needs
    lines: tuple[tuple[str, FontRole, str, int, int], ...] = (
        (words.verdict, "group", words.token, indent, top),
        (needs, "small", "muted", 0, top + high),
    )
    for text, role, token, left, y in lines:
        painter.setFont(theme.font(role))
        painter.setPen(QColor(getattr(tokens, token)))
        line = QRect(column.x() + left, y, column.width() - left, high)
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(QStyle.visualRect(direction, around, line), how, isolate(shown))
