"""Formulas in a text: on the line's baseline, with a muted bar in their place until they are typeset."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QFontMetricsF,
    QPainter,
    QPyTextObject,
    QTextCharFormat,
    QTextDocument,
    QTextFormat,
)

from app.core.lazy_dataclasses import dataclass
from app.ui.text import formula
from app.ui.text.selectable import FORMULA, FORMULA_SIZE
from app.ui.utf16 import utf16_length

OBJECT = QTextFormat.ObjectTypes.UserObject.value + 1
STRUT = OBJECT + 1
"""Invisible object that keeps room below the baseline, where Qt gives objects none."""
_SIZE, _COLOR, _WIDTH, _ASCENT, _DEPTH, _AFTER, _STATE = range(FORMULA_SIZE + 1, FORMULA_SIZE + 8)
_INLINE, _DISPLAY, _PENDING = 0, 1, 2
BAR_PX = 12
LEAST_SCALE = 0.66
"""Inline formulas are made no smaller than this to fit their line, which then grows."""


@dataclass(frozen=True)
class FormulaPlace:
    """Where a formula is written: the format of the text around, the room in pixels, and the colours."""

    look: QTextCharFormat
    room_px: float
    line_px: float
    color: str
    bar_color: str
    bar_px: float
    is_display: bool = False
    """True if it has a line to itself."""


def formula_format(source: str, place: FormulaPlace, *, is_pending: bool) -> QTextCharFormat:
    """Return the format of a formula's object; one that is pending is a bar in about its size."""
    look, metrics = QTextCharFormat(place.look), QFontMetricsF(place.look.font())
    size_px = formula.size_for(metrics.xHeight())
    drawing = None if is_pending else formula.known_drawing(source)
    width, ascent, depth = drawing.extent(size_px) if drawing else formula.guess_extent(source, size_px)
    after = formula.after(source)
    inside = after if place.is_display else ""
    scale = min(1.0, (place.room_px - metrics.horizontalAdvance(inside)) / max(width, 1))
    if formula.is_inline(source):
        above, below = place.line_px - metrics.descent(), metrics.descent() + _hanging_px(place)
        fitting = min(above / ascent, below / max(depth, 1), place.line_px / (ascent + depth))
        scale = min(scale, max(fitting, LEAST_SCALE))
    is_deep = not place.is_display and depth * scale > metrics.descent() + _hanging_px(place)
    look.setObjectType(OBJECT)
    look.setToolTip(source)
    look.setProperty(FORMULA, source)
    # The strut, and what follows as text.
    look.setProperty(FORMULA_SIZE, 1 if place.is_display else 1 + is_deep + utf16_length(after))
    look.setProperty(_SIZE, size_px * scale)
    look.setProperty(_COLOR, place.color)
    look.setProperty(_WIDTH, width * scale + metrics.horizontalAdvance(inside))
    look.setProperty(_ASCENT, ascent * scale)
    look.setProperty(_DEPTH, depth * scale)
    look.setProperty(_AFTER, inside)
    look.setProperty(_STATE, (_DISPLAY if place.is_display else _INLINE) + (0 if drawing else _PENDING))
    if not drawing:
        look.setProperty(_COLOR, place.bar_color)
        look.setProperty(_SIZE, float(place.bar_px))
    return look


def strut_format(place: FormulaPlace, formula_look: QTextCharFormat) -> QTextCharFormat | None:
    """Return the format of the strut that a deep formula needs behind it, or None."""
    depth = formula_look.doubleProperty(_DEPTH) - _hanging_px(place)
    if place.is_display or depth <= QFontMetricsF(place.look.font()).descent():
        return None
    look = QTextCharFormat(place.look)
    look.setObjectType(STRUT)
    look.setProperty(_DEPTH, depth)
    # The only alignment with room below the baseline.
    look.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignMiddle)
    return look


def _hanging_px(place: FormulaPlace) -> float:
    """Return how far a formula may reach below its line, into the empty room above the letters of the next one."""
    return max(place.line_px - QFontMetricsF(place.look.font()).height() - 1, 0)


def is_drawn(look: QTextFormat) -> bool:
    """Return whether a format is that of a typeset formula."""
    return look.objectType() == OBJECT and look.intProperty(_STATE) < _PENDING


class FormulaObjects(QPyTextObject):
    """Paints the formulas of a document."""

    def intrinsicSize(self, _document: QTextDocument, _position: int, format_: QTextFormat) -> QSizeF:
        ascent, depth = format_.doubleProperty(_ASCENT), format_.doubleProperty(_DEPTH)
        if format_.objectType() == STRUT:
            # Qt centres the object a quarter of its x-height above the baseline.
            return QSizeF(0, 2 * depth + QFontMetrics(format_.toCharFormat().font()).xHeight() / 2)
        is_display = format_.intProperty(_STATE) in (_DISPLAY, _DISPLAY + _PENDING)
        return QSizeF(format_.doubleProperty(_WIDTH), ascent + depth if is_display else ascent)

    def drawObject(
        self, painter: QPainter, rect: QRectF | QRect, _document: QTextDocument, _position: int, format_: QTextFormat
    ) -> None:
        if format_.objectType() == STRUT:
            return
        look, color = format_.toCharFormat(), QColor(format_.stringProperty(_COLOR))
        baseline, size_px = rect.y() + format_.doubleProperty(_ASCENT), format_.doubleProperty(_SIZE)
        if format_.intProperty(_STATE) >= _PENDING:
            is_inline = format_.intProperty(_STATE) == _INLINE + _PENDING
            middle = baseline - QFontMetricsF(look.font()).capHeight() / 2 if is_inline else rect.center().y()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            bar = QRectF(rect.x() + 1, middle - size_px / 2, max(rect.width() - 2, 1), size_px)
            painter.drawRoundedRect(bar, size_px / 3, size_px / 3)
            return
        ratio = painter.device().devicePixelRatioF()
        picture = formula.picture_of(format_.stringProperty(FORMULA), size_px, color.name(), ratio)
        if picture is not None:
            # On whole pixels of the screen, or it would be blurred.
            left, top = round(rect.x() * ratio) / ratio, round(baseline * ratio) / ratio - picture.ascent
            painter.drawImage(QPointF(left, top), picture.image)
        if after := format_.stringProperty(_AFTER):
            painter.setFont(look.font())
            painter.setPen(color)
            width = QFontMetricsF(look.font()).horizontalAdvance(after)
            painter.drawText(QPointF(rect.x() + rect.width() - width, baseline), after)
