"""Finds text that needs more room than it has: labels, buttons, fields, rows; knows nothing of the app.

A widget that shortens its text by design says so with the property `elides`; one that paints its text itself
gives it in the property `painted_text`.
"""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QCoreApplication, QRect, QSize, Qt, QTextBoundaryFinder
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QCheckBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QStyle,
    QStyleOptionButton,
    QWidget,
)

SLACK_PX = 1
LEAST_LETTERS = 4
"""What is left at least of a text that is shortened by design."""
ROUNDS = 4


def clipped_texts(window: QWidget) -> list[str]:
    """One line for every visible text in `window` that is cut off; empty when all is well."""
    for _ in range(ROUNDS):  # what comes from a thread may come in the middle of one
        for _ in range(3):  # layouts of layouts need a round each
            QCoreApplication.processEvents()
        seen = [one for one in (window, *window.findChildren(QWidget)) if one.isVisible() and one.window() is window]
        found = [f"{_where(widget)}: {problem}" for widget in seen for problem in _problems(widget)]
        if not found:
            break
    return found


def _problems(widget: QWidget) -> Iterator[str]:
    if isinstance(widget, QAbstractItemView):
        yield from _row_problems(widget)
    text = _text(widget)
    if not text:
        return
    needed, room = _needed_size(widget, text), _room(widget)
    if widget.property("elides") is True:
        least = LEAST_LETTERS * widget.fontMetrics().averageCharWidth()
        if room.width() < min(least, needed.width()):
            yield f"“{text[:60]}” is shortened to {room.width()} pixels"
    else:
        if needed.width() > room.width() + SLACK_PX:
            yield f"“{text[:60]}” is {needed.width()} wide and has {room.width()}"
        if needed.height() > room.height() + SLACK_PX:
            yield f"“{text[:60]}” is {needed.height()} high and has {room.height()}"
    hidden = _hidden_part(widget)
    if hidden:
        yield f"“{text[:60]}” {hidden}"


def _text(widget: QWidget) -> str:
    if isinstance(widget, QLabel | QAbstractButton):
        return widget.text()
    if isinstance(widget, QLineEdit):
        return widget.placeholderText() or (widget.text() if widget.parent().inherits("QAbstractSpinBox") else "")
    painted = widget.property("painted_text")
    return painted if isinstance(painted, str) else ""


def _needed_size(widget: QWidget, text: str) -> QSize:
    metrics = widget.fontMetrics()
    if isinstance(widget, QLabel) and widget.wordWrap():
        width = widget.width()
        longest = max((metrics.horizontalAdvance(word) for word in _unbreakable_parts(text)), default=0)
        margins = widget.contentsMargins()
        around = margins.left() + margins.right() + 2 * widget.margin()
        return QSize(max(longest + around, 0) if longest + around > width else width, widget.heightForWidth(width))
    if isinstance(widget, QLabel) and widget.textFormat() == Qt.TextFormat.RichText:
        return widget.sizeHint()
    lines = text.replace("&&", "\0").replace("&", "").replace("\0", "&").split("\n")
    return QSize(max(metrics.horizontalAdvance(line) for line in lines), metrics.height() * len(lines))


def _unbreakable_parts(text: str) -> Iterator[str]:
    """What a line may be broken between: words, and the letters of scripts without blanks."""
    finder, start = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Line, text), 0
    while (end := finder.toNextBoundary()) > start:
        yield text[start:end].strip()
        start = end


def _room(widget: QWidget) -> QSize:
    if isinstance(widget, QPushButton | QCheckBox):
        option = QStyleOptionButton()
        option.initFrom(widget)
        option.text, option.icon, option.iconSize = widget.text(), widget.icon(), widget.iconSize()
        part = QStyle.SubElement.SE_PushButtonContents
        if isinstance(widget, QCheckBox):
            part = QStyle.SubElement.SE_CheckBoxContents
        room = widget.style().subElementRect(part, option, widget).size()
        if isinstance(widget, QPushButton) and not widget.icon().isNull():
            room.setWidth(room.width() - widget.iconSize().width() - 4)
        return room
    if isinstance(widget, QLabel) and not widget.wordWrap():
        return widget.contentsRect().size() - QSize(2 * widget.margin(), 2 * widget.margin())
    if isinstance(widget, QLabel):
        return widget.size()
    return widget.contentsRect().size()


def _hidden_part(widget: QWidget) -> str:
    """Whether a parent cuts the widget off; what can be scrolled to is not cut off."""
    rect, step = QRect(widget.rect()), widget
    while step.parentWidget() is not None and not step.isWindow():
        parent = step.parentWidget()
        rect.translate(step.pos())
        if isinstance(area := parent.parentWidget(), QAbstractScrollArea):
            is_fixed = area.horizontalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAlwaysOff
            across = range(-SLACK_PX, parent.width() + SLACK_PX)
            is_cut = is_fixed and not {rect.left(), rect.right()} <= {*across}
            return f"is cut off by {_where(area)}, which is not scrolled sideways" if is_cut else ""
        if not parent.rect().adjusted(-SLACK_PX, -SLACK_PX, SLACK_PX, SLACK_PX).contains(rect):
            return f"is cut off by {_where(parent)}"
        step = parent
    return ""


def _row_problems(view: QAbstractItemView) -> Iterator[str]:
    model, metrics = view.model(), view.fontMetrics()
    if model is None:
        return
    for row in range(model.rowCount()):
        index = model.index(row, 0)
        rect = view.visualRect(index)
        text = str(index.data() or "")
        if not text or not rect.intersects(view.viewport().rect()):
            continue
        if rect.height() + SLACK_PX < metrics.height():
            yield f"row “{text[:60]}” is {metrics.height()} high and has {rect.height()}"
        if view.property("elides") is not True and rect.width() < metrics.horizontalAdvance(text):
            yield f"row “{text[:60]}” is {metrics.horizontalAdvance(text)} wide and has {rect.width()}"


def _where(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.objectName() or widget.accessibleName()}".strip()
