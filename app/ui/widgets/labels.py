"""Display widgets: labels that elide or highlight text, progress dots and lines, tooltips."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6 import QtGui
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QFont,
    QPainter,
    QPaintEvent,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QLabel, QProgressBar, QStyle, QWidget

from app.core.visible import settle_directions, visible_line, visible_text
from app.language.scripts import is_right_to_left
from app.ui.locale_formats import isolate
from app.ui.screen_reader import keep_problem
from app.ui.theme import Theme, Tokens, smooth_painter
from app.ui.utf16 import utf16_length, utf16_slice


class ElidedLabel(QLabel):
    """Single-line plain text, elided if it doesn't fit."""

    def __init__(
        self, text: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        # For the style sheet and for tests that look for cut texts: this one is meant to be shortened.
        self.setProperty("elides", True)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setToolTip(plain_tip(text))

    def minimumSizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        # A plain label would keep its column as wide as its text.
        return QSize(min(metrics.horizontalAdvance(self.text()), metrics.averageCharWidth() * 6), metrics.height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        room = self.contentsRect()
        # Isolated, or the dots stand at the beginning where a line runs from right to left.
        # Unclosed marks of direction in a title or file name must not turn the rest of the line.
        text = painter.fontMetrics().elidedText(settle_directions(self.text()), self._mode, room.width())
        side = QStyle.visualAlignment(self.layoutDirection(), Qt.AlignmentFlag.AlignLeading)
        painter.setPen(self.palette().windowText().color())
        # `side` is mirrored already; without AlignAbsolute the painter would mirror it back.
        painter.drawText(room, side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter, isolate(text))


class FlowingLabel(QLabel):
    """Muted plain text among other items of a flow: in one line, or wrapped where that is wider than the flow."""

    def __init__(self, text: str) -> None:
        super().__init__(text, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
        self.setProperty("kind", "muted")

    def sizeHint(self) -> QSize:
        width = self.fontMetrics().horizontalAdvance(self.text()) + 2
        return QSize(width, self.heightForWidth(width))


def plain_label(text: str = "", *, kind: str = "", wraps: bool = False, parent: QWidget | None = None) -> QLabel:
    """Return a label for plain text, never markup; kinds are muted and danger."""
    label = QLabel(text, parent, textFormat=Qt.TextFormat.PlainText, wordWrap=wraps)
    if kind:
        label.setProperty("kind", kind)
    return label


def plain_caption(text: str) -> str:
    """Return a button's or menu's caption that shows the text verbatim: in one line, and no & marks a key."""
    # Behind a tab a menu would show a shortcut, one that isn't there.
    return visible_line(text).replace("&", "&&")


def plain_tip(text: str) -> str:
    """Return a tooltip that shows the text verbatim, such as a file's name, never as markup."""
    text = settle_directions(visible_text(text))
    if not QtGui.Qt.mightBeRichText(text):
        return text
    from html import escape  # with a table of all entities, so not before the window is shown

    return f'<p style="white-space: pre-wrap">{escape(text)}</p>'


def announce(widget: QWidget, text: str, *, is_urgent: bool = False) -> None:
    """Announce text to screen readers, if one is active; what is urgent interrupts them."""
    if QAccessible.isActive():
        window = widget.window()
        while (owner := window.parentWidget()) is not None:
            window = owner.window()
        # Of two announcements within a tenth of a second Orca leaves out the second, but none of a main window.
        event = QAccessibleAnnouncementEvent(window, text)
        if is_urgent:
            event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
        QAccessible.updateAccessibility(event)


def tell_problem(field: QWidget, problem: str) -> None:
    """Tell screen readers what is wrong with a field, now and whenever they come to it; "" for nothing."""
    if keep_problem(field, problem) and problem:
        announce(field, problem, is_urgent=True)


def show_problem(label: QLabel, field: QWidget, problem: str) -> None:
    """Show below a field what is wrong with it, and tell screen readers; "" for nothing."""
    label.setText(problem)
    label.setVisible(bool(problem))
    tell_problem(field, problem)


class StatusDot(QWidget):
    """Filled dot, or a ring for an absent state."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._token, self._filled = theme, "muted", True
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.dress(self, size=(8, 8))

    def show_state(self, token: str, *, filled: bool = True) -> None:
        """Set the colour token, and whether the dot is filled."""
        self._token, self._filled = token, filled
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = smooth_painter(self)
        color = QColor(getattr(self._theme.tokens, self._token))
        inside = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(color)
        if self._filled:
            painter.setBrush(color)
        painter.drawEllipse(inside)


STEPS = 1000


class ProgressStripe(QProgressBar):
    """Muted progress line without text; the words next to it hold the numbers."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setRange(0, STEPS)
        self.setTextVisible(False)
        theme.dress(self, height=12)

    def show_share(self, done: int, total: int) -> None:
        self.setValue(min(STEPS, done * STEPS // total) if total > 0 else 0)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        tokens = self._theme.tokens
        painter = smooth_painter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        high = self._theme.px(6)
        track = QRectF(0, self.height() - high, self.width(), high)
        painter.setBrush(QColor(tokens.line))
        painter.drawRoundedRect(track, high / 2, high / 2)
        wide = track.width() * self.value() / STEPS
        if self.value() == 0:
            return
        filled = QRectF(track.left(), track.top(), max(wide, high), high)  # rounded ends need a circle's width
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            filled.moveRight(track.right())
        painter.setBrush(QColor(tokens.muted))
        painter.drawRoundedRect(filled, high / 2, high / 2)


Marks = Sequence[tuple[int, int]]


def paint_marked(
    painter: QPainter,
    room: QRect,
    text: str,
    marks: Marks,
    *,
    colour: str,
    tokens: Tokens,
    is_mirrored: bool,
    lines: int = 1,
) -> None:
    """Paint text with highlights from the top of `room`, elided at the last line; `marks` count characters."""
    text = settle_directions(text)
    layout = _laid_out(text, marks, painter.font(), room.width(), tokens=tokens, is_mirrored=is_mirrored)
    if layout.lineCount() > lines:
        last = layout.lineAt(lines - 1)
        # Marks count Python's characters, Qt counts units of UTF-16.
        shown = utf16_slice(text, 0, last.textStart() + last.textLength())
        while shown:
            shown = shown[:-1].rstrip()
            inside = [(start, min(end, len(shown))) for start, end in marks if start < len(shown)]
            layout = _laid_out(
                f"{shown}…", inside, painter.font(), room.width(), tokens=tokens, is_mirrored=is_mirrored
            )
            if layout.lineCount() <= lines:
                break
    painter.setPen(QColor(colour))
    layout.draw(painter, QPointF(room.topLeft()))


def _laid_out(text: str, marks: Marks, font: QFont, width: int, *, tokens: Tokens, is_mirrored: bool) -> QTextLayout:
    layout = QTextLayout(text, font)
    side = Qt.AlignmentFlag.AlignRight if is_mirrored else Qt.AlignmentFlag.AlignLeft
    option = QTextOption(side | Qt.AlignmentFlag.AlignAbsolute)
    is_right = is_right_to_left(text)
    # By the text, not the window: an Arabic title in an English window begins at the right.
    option.setTextDirection(Qt.LayoutDirection.RightToLeft if is_right else Qt.LayoutDirection.LeftToRight)
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    formats = []
    for start, end in marks:
        highlight = QTextLayout.FormatRange()
        highlight.start, highlight.length = utf16_length(text[:start]), utf16_length(text[start:end])
        look = QTextCharFormat()
        look.setBackground(QColor(tokens.mark))
        look.setForeground(QColor(tokens.text))
        highlight.format = look
        formats.append(highlight)
    layout.setFormats(formats)
    layout.beginLayout()
    y = 0.0
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        line.setPosition(QPointF(0, y))
        y += line.height()
    layout.endLayout()
    return layout
