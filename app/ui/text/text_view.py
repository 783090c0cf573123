"""Base of prose, code and tables: what all of them draw, link and measure in the same way."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from PySide6.QtCore import QByteArray, QEvent, QObject, QPoint, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QPaintEvent,
    QShowEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QWidget

from app.ui.screen_reader import SpokenPart, tell_focus
from app.ui.scroll_bars import STRIP_PX
from app.ui.shell import tasks
from app.ui.text.links import page_of_link
from app.ui.text.paragraph_styles import ProseStyle, span_format
from app.ui.text.pieces import Spans, StyledSpan, safe_href
from app.ui.text.selectable import PICTURE, SelectableText, shown
from app.ui.text.spoken_links import spoken_links
from app.ui.theme import READING_PX, Theme

LINE_PERCENT = 138
EMOJI = re.compile(
    r"[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B1B-\u2B55](?:[\uFE0F\u200D\U0001F000-\U0001FAFF\u2600-\u27BF])*"
)
EMOJI_TIMES = 1.2
"""Size of emoji relative to text: they fill their square, letters don't."""
HANGING_PX = 6
WHEEL_PX = 60
"""Scroll distance of a wheel notch."""
PLAIN = ProseStyle()
TABS = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)


class TextView(SelectableText):
    """Base of prose, code and tables. `link_clicked` carries an address to confirm, or a page of a document."""

    link_clicked = Signal(str)
    has_wide_formulas: ClassVar[bool] = False
    """True if formulas wider than the view scroll instead of being shrunk."""
    drawn = Signal()
    """Formulas were typeset in place of their source, so the height may have changed."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._has_links = False
        self._undrawn: set[str] = set()
        self._formula_painter: QObject | None = None
        """Paints the formulas, once there are any; Qt does not keep it alive."""
        self._room_px = math.inf if self.has_wide_formulas else float(theme.px(READING_PX))
        """Maximum width of a formula."""
        self.setProperty("kind", "bare")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        # Nobody edits here, and an undo stack would keep everything that was streamed.
        self.setUndoRedoEnabled(False)
        self.setLineWrapMode(TextView.LineWrapMode.FixedPixelWidth)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Tab would stop at each paragraph; where there are links, it stops at those.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        self.anchorClicked.connect(self._on_anchor)

    def height_for(self, width: int) -> int:
        # A fixed width also holds before the widget is shown and resized; its own would not be right yet.
        if self.lineWrapMode() == TextView.LineWrapMode.FixedPixelWidth and self.lineWrapColumnOrWidth() != width:
            self.setLineWrapColumnOrWidth(width)
            if self._formula_painter is not None and not self.has_wide_formulas:
                self._room_px = float(width)
                self.rewrite()
        height = math.ceil(self.document().size().height())
        if (
            self._formula_painter is not None
            and not self.has_wide_formulas
            and PICTURE in self.document().lastBlock().text()
        ):
            # Formulas may hang below their line.
            height += self.theme.px(HANGING_PX)
        return height

    def char_format(self, span: StyledSpan, style: ProseStyle) -> QTextCharFormat:
        tokens = self.theme.tokens
        font = self.theme.fonts.code(style.size - 1.5) if span.code else self.theme.fonts.text(style.size, style.weight)
        if span.bold:
            font.setWeight(QFont.Weight(max(style.weight, 600)))
        look = span_format(span, font, style, tokens, tokens.bubble)
        if span.href and page_of_link(span.href) is not None:
            look.setBackground(QColor(tokens.chip))
        elif span.href:
            look.setFontUnderline(True)
        elif span.raised:
            look.setForeground(QColor(tokens.muted))
        return look

    def write(self, cursor: QTextCursor, spans: Spans, style: ProseStyle) -> None:
        """Insert runs as plain characters, never as markup.

        This is the only place where model output enters a document.
        """
        # Only with links is there something to press Enter on.
        if not self._has_links and any(span.href for span in spans):
            self._has_links = True
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for span in spans:
            if span.formula and self._write_formula(cursor, span, style):
                continue
            text = shown(span)
            look, end = self.char_format(span, style), 0
            for emoji in () if span.code or text.isascii() else EMOJI.finditer(text):
                cursor.insertText(text[end : emoji.start()], look)
                larger, font = QTextCharFormat(look), look.font()
                font.setPixelSize(round(font.pixelSize() * EMOJI_TIMES))
                larger.setFont(font)
                cursor.insertText(emoji.group(), larger)
                end = emoji.end()
            cursor.insertText(text[end:], look)

    def rewrite(self) -> None:
        """Write everything again, after colours, sizes or formulas changed."""

    def _write_formula(self, cursor: QTextCursor, span: StyledSpan, style: ProseStyle) -> bool:
        """Insert a formula, as a bar until it is typeset; return False if it can't be and its source is to be shown."""
        from app.ui.text import formula, formula_object  # most texts have no formulas

        is_pending = span.is_growing or not formula.is_known(span.text)
        if not is_pending and formula.known_drawing(span.text) is None:
            return False
        if is_pending and not span.is_growing:
            if not self._undrawn:
                QTimer.singleShot(0, self, self._draw_formulas)
            self._undrawn.add(span.text)
        if self._formula_painter is None:
            self._formula_painter = formula_object.FormulaObjects(self)
            for kind in (formula_object.OBJECT, formula_object.STRUT):
                self.document().documentLayout().registerHandler(kind, self._formula_painter)
        look = self.char_format(replace(span, code=False), style)
        place = formula_object.FormulaPlace(
            look,
            room_px=self._room_px,
            line_px=QFontMetricsF(look.font()).height() * LINE_PERCENT / 100,
            color=style.color or self.theme.tokens.text,
            bar_color=self.theme.tokens.line,
            bar_px=self.theme.px(formula_object.BAR_PX),
            is_display=style.is_bare,
        )
        drawn = formula_object.formula_format(span.text, place, is_pending=is_pending)
        # Qt's stand-in for an object in the text.
        cursor.insertText(PICTURE, drawn)
        if strut := formula_object.strut_format(place, drawn):
            cursor.insertText(PICTURE, strut)
        if not place.is_display:
            cursor.insertText(formula.after(span.text), look)
        return True

    def _draw_formulas(self) -> None:
        """Typeset pending formulas on a thread, without those that are no longer shown."""
        from app.ui.text import formula

        wanted, self._undrawn = self._undrawn & {span.text for span in self.spans() if span.formula}, set()
        if wanted:
            tasks.ask(lambda _: formula.draw(wanted), self, self._on_drawn)

    def _on_drawn(self, _: None) -> None:
        self.rewrite()
        self.drawn.emit()

    def spans(self) -> Iterator[StyledSpan]:
        """Yield all runs that are shown, as any may be a formula."""
        return iter(())

    def block_format(self, style: ProseStyle = PLAIN, line_percent: float = LINE_PERCENT) -> QTextBlockFormat:
        """Return a block format with a fixed line height, so that inline pictures don't change it."""
        look = QTextBlockFormat()
        font = self.theme.fonts.text(style.size, style.weight)
        height = QFontMetricsF(font).height() * line_percent / 100
        look.setLineHeight(height, QTextBlockFormat.LineHeightTypes.MinimumHeight.value)
        return look

    def height_in(self, width: int, wanted: int) -> int:
        """Return the height at a width where the content is `wanted` wide, with a scroll bar if that is more."""
        bar = self.theme.px(STRIP_PX) if wanted > width else 0
        return TextView.height_for(self, max(width, wanted)) + bar

    def scroll_sideways(self) -> None:
        """Let content wider than the view scroll horizontally, with the bar below it."""
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.horizontalScrollBar().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The wheel over the scroll bar scrolls the page, too.
        if isinstance(event, QWheelEvent):
            self.wheelEvent(event)
            return True
        return super().eventFilter(watched, event)

    def reaching(self, event: QPaintEvent) -> QPaintEvent:
        """Return a paint event that also has the paragraphs whose formulas hang into what is to be painted."""
        if self._formula_painter is None:
            return event
        # Without this Qt would leave them out.
        hanging = self.theme.px(HANGING_PX)
        return QPaintEvent(event.rect().adjusted(0, -hanging, 0, hanging))

    def showEvent(self, event: QShowEvent) -> None:
        # Restores the scroll position: on the first show, Qt scrolls to the end of the last line.
        value = self.horizontalScrollBar().value()
        super().showEvent(event)
        self.horizontalScrollBar().setValue(value)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the page, or this text if scrolled sideways or with Shift."""
        turned, bar = event.angleDelta(), self.horizontalScrollBar()
        sideways = turned.x() or (turned.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0)
        if sideways and abs(turned.x()) >= abs(turned.y() if turned.x() else 0) and bar.maximum():
            bar.setValue(bar.value() - (event.pixelDelta().x() or sideways * self.theme.px(WHEEL_PX) // 120))
            event.accept()
        else:
            event.ignore()

    def loadResource(self, kind: int, name: QUrl | str) -> object:  # noqa: ARG002
        # Never loads anything. Returns empty bytes, as after None Qt would look for a file itself.
        return QByteArray()

    def doSetSource(self, name: QUrl | str, kind: object = None) -> None:
        """Ignore Qt's navigation: a click on a link must never replace the text."""

    def spoken_links(self, block: QTextBlock) -> tuple[SpokenPart, ...]:
        """Return the links of a paragraph as parts for screen readers."""
        corner = self.viewport().pos() - QPoint(self.horizontalScrollBar().value(), 0)
        return spoken_links(self, block, corner)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        # Qt's own stops at the text first, of which nothing can be pressed.
        if event.reason() in TABS and self._has_links:
            super().focusNextPrevChild(event.reason() == Qt.FocusReason.TabFocusReason)
        self._tell_link_later()

    def focusNextPrevChild(self, is_next: bool) -> bool:
        is_moved = super().focusNextPrevChild(is_next)
        self._tell_link_later()
        return is_moved

    def _tell_link_later(self) -> None:
        if QAccessible.isActive():
            QTimer.singleShot(0, self, self._tell_link)  # behind what Qt tells of the focus

    def _tell_link(self) -> None:
        """Tell screen readers which link the keyboard is on now."""
        waiting = [QAccessible.queryAccessibleInterface(self)]
        while waiting:
            node = waiting.pop()
            if node.role() == QAccessible.Role.Link and node.state().focused:
                tell_focus(node)
                return
            waiting += [child for number in range(node.childCount()) if (child := node.child(number)) is not None]

    def _on_anchor(self, url: QUrl) -> None:
        # Page links stay encoded: `page_of_link` decodes them itself, and twice would change a % in the sentence.
        address = url.toString(QUrl.ComponentFormattingOption.FullyEncoded)
        if page_of_link(address) is not None or safe_href(url.toString()):
            self.link_clicked.emit(address if page_of_link(address) is not None else url.toString())
