"""Finds what a picture of a screen shows wrongly: controls outside the screen, text and icons too faint to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QIcon, QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QApplication,
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)

SLACK_PX = 1
TEXT_CONTRAST, CONTROL_CONTRAST = 4.5, 3.0
NEAR_PX = 8
BLUR = 0.82
"""Share of its contrast that thin type keeps once its edges are smoothed: no pixel of a hair line is all ink."""


def contrast(one: QColor, other: QColor) -> float:
    """The ratio of WCAG 2, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def controls_outside(window: QWidget) -> list[str]:
    """One line for every control of a window that the screen doesn't show; what can be scrolled to is shown."""
    room = window.screen().availableGeometry().adjusted(-SLACK_PX, -SLACK_PX, SLACK_PX, SLACK_PX)
    found = []
    for control in _visible(window, QAbstractButton):
        place = QRect(control.mapToGlobal(QPoint(0, 0)), control.size())
        if not room.contains(place) and not _is_scrolled(control):
            found.append(f"{_name(control)} at {place.getRect()} of {room.getRect()}")
    return found


def faint_texts(window: QWidget, picture: QImage) -> list[str]:
    """One line for every text and icon on a picture of the window with less contrast than 4.5, or 3.

    What is disabled may be faint, and what is scrolled half away or lies under something else isn't looked at.
    """
    found = []
    ratio = picture.width() / window.width()
    for widget in (*_visible(window, QLabel), *_visible(window, QAbstractButton)):
        place = widget.visibleRegion().boundingRect()
        if widget.property("elides") and not widget.property("text"):
            continue  # it paints its words itself, and has none now: what is there is behind it
        if not widget.isEnabled() or place != widget.rect() or not _is_uppermost(widget, place):
            continue
        corner = widget.mapTo(window, place.topLeft())
        x, y, width, height = (round(part * ratio) for part in (corner.x(), corner.y(), place.width(), place.height()))
        ink = _ink_contrast(picture.copy(x, y, width, height))
        least = TEXT_CONTRAST if widget.property("text") else CONTROL_CONTRAST
        if 1 < ink < least * BLUR:
            found.append(f"{_name(widget)}: {ink:.2f}")
    return found


def undressed_buttons(window: QWidget) -> list[str]:
    """One line for every button with words in the font of messages, which is what it has if nobody gave it another."""
    body = QApplication.font()
    return [
        f"{_name(button)} is {body.pixelSize()}/{int(body.weight())}"
        for button in _visible(window, QPushButton)
        if button.property("text")
        and (button.font().pixelSize(), button.font().weight()) == (body.pixelSize(), body.weight())
    ]


def _ink_contrast(part: QImage) -> float:
    """The contrast between the commonest colour and the one that differs most from it."""
    counted = Counter(part.pixel(x, y) for x in range(part.width()) for y in range(part.height()))
    if len(counted) < 2:
        return 1.0
    ground = QColor(counted.most_common(1)[0][0])
    return max(contrast(ground, QColor(color)) for color in counted)


def _visible(window: QWidget, kind: type[QWidget]) -> Iterator[QWidget]:
    for widget in window.findChildren(kind):
        if widget.isVisible() and widget.window() is window and not widget.visibleRegion().isEmpty():
            yield widget


def _is_uppermost(widget: QWidget, place: QRect) -> bool:
    middle = widget.mapToGlobal(place.center())
    shown = QApplication.widgetAt(middle)
    return shown is widget or (shown is not None and widget.isAncestorOf(shown))


def _is_scrolled(widget: QWidget) -> bool:
    step = widget.parentWidget()
    while step is not None and not step.isWindow():
        if isinstance(step.parentWidget(), QAbstractScrollArea):
            return True
        step = step.parentWidget()
    return False


def _luminance(color: QColor) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def _name(widget: QWidget) -> str:
    words = str(widget.property("text") or widget.accessibleName() or widget.objectName())
    return f"{type(widget).__name__} “{words[:50]}”"


def near_misses(content: QWidget, picture: QImage, columns: Sequence[int]) -> list[str]:
    """One line for every line of a page that begins beside a column, by 2 to 8 points, instead of on it.

    Of a line the first ink counts: of text its first letter, of a field its edge. What is further away is inset.
    """
    window, found, bands = content.window(), [], list[tuple[int, int]]()
    leaves = [part for kind in (QLabel, QAbstractButton, QLineEdit) for part in _visible(window, kind)]
    # Of segments the track is what begins, not the words of the first.
    leaves = [part.parentWidget() if part.property("kind") == "segment" else part for part in leaves]
    inside = [part for part in dict.fromkeys(leaves) if _begins_line(part) and content.isAncestorOf(part)]
    for part in sorted(inside, key=lambda leaf: leaf.mapTo(window, QPoint(0, 0)).x()):
        top = part.mapTo(window, QPoint(0, 0)).y()
        if any(above < top + part.height() and top < below for above, below in bands):
            continue  # something stands before it
        bands.append((top, top + part.height()))
        shown = part.visibleRegion().boundingRect()
        ink = _first_ink(picture, shown.translated(part.mapTo(window, QPoint(0, 0))))
        near = [column for column in columns if 1 < abs(ink - column) <= NEAR_PX]
        if near and _is_uppermost(part, shown):
            found.append(f"{_name(part)} begins at {ink}, not {near[0]}")
    return found


def _begins_line(part: QWidget) -> bool:
    is_mark = not (part.pixmap() if isinstance(part, QLabel) else part.property("icon") or QIcon()).isNull()
    return bool(part.property("text")) or is_mark or part.property("kind") == "segments"


def _first_ink(picture: QImage, place: QRect) -> int:
    """The first column of a place with more than one colour in it, or its end."""
    rows = range(place.top() + 2, place.bottom() - 1)  # less the edge that a row of pixels may be
    columns = range(place.left(), place.right() + 1)
    return next((x for x in columns if len({picture.pixel(x, y) for y in rows}) > 1), place.right())
