"""Base of prose, code and tables: what all of them draw, link and measure in the same way."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QShowEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextImageFormat,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QWidget

from app.ui.shell import tasks
from app.ui.text.links import page_of_link
from app.ui.text.paragraph_styles import ProseStyle, span_format
from app.ui.text.pieces import Spans, StyledSpan, safe_href
from app.ui.text.selectable import FORMULA, FORMULA_SIZE, SelectableText, shown
from app.ui.theme import READING_PX, Theme
from app.ui.utf16 import utf16_length

LINE_PERCENT = 138
EMOJI = re.compile(
    r"[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B1B-\u2B55](?:[\uFE0F\u200D\U0001F000-\U0001FAFF\u2600-\u27BF])*"
)
EMOJI_TIMES = 1.2
"""Size of emoji relative to text: they fill their square, letters don't."""
FORMULA_TIMES = 1.08
"""Size of formulas at which their letters match the text's."""
DRAWN_AFTER_MS = 300
WHEEL_PX = 60
"""Scroll distance of a wheel notch."""
PLAIN = ProseStyle()


class TextView(SelectableText):
    """Base of prose, code and tables. `link_clicked` carries an address to confirm, or a page of a document."""

    link_clicked = Signal(str)
    drawn = Signal()
    """Formulas were typeset in place of their source, so the height may have changed."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._undrawn: set[str] = set()
        self._has_pictures = False
        self._room_px = float(theme.px(READING_PX))
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
        # Tab would stop at each paragraph; `ProseView` takes Tab where it has links.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        self.anchorClicked.connect(self._on_anchor)

    def height_for(self, width: int) -> int:
        # A fixed width also holds before the widget is shown and resized; its own would not be right yet.
        if self.lineWrapMode() == TextView.LineWrapMode.FixedPixelWidth and self.lineWrapColumnOrWidth() != width:
            self.setLineWrapColumnOrWidth(width)
            self._room_px = float(width)
            if self._has_pictures:
                self.rewrite()
        return math.ceil(self.document().size().height())

    def char_format(self, span: StyledSpan, style: ProseStyle) -> QTextCharFormat:
        tokens = self.theme.tokens
        font = self.theme.code_font(style.size - 1.5) if span.code else self.theme.text_font(style.size, style.weight)
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
        """Insert a formula's picture if it is typeset; else insert its source and schedule typesetting."""
        from app.ui.text import formula  # most texts have no formulas

        metrics, color = QFontMetricsF(self.theme.text_font(style.size)), style.color or self.theme.tokens.text
        picture = formula.picture_of(
            span.text,
            self.theme.px(style.size * FORMULA_TIMES),
            color,
            ratio=self.devicePixelRatioF(),
            x_height=metrics.xHeight(),
            room_px=self._room_px,
        )
        if picture is None:
            if not formula.is_known(span.text):
                if not self._undrawn:
                    QTimer.singleShot(DRAWN_AFTER_MS, self, self._draw_formulas)
                self._undrawn.add(span.text)
            return False
        self._has_pictures = True
        self.document().addResource(QTextDocument.ResourceType.ImageResource.value, QUrl(picture.name), picture.image)
        look = QTextImageFormat()
        look.setName(picture.name)
        look.setWidth(picture.width)
        look.setHeight(picture.height)
        # `picture_of` computes its space for this alignment.
        look.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignMiddle)
        after = formula.after(span.text)
        look.setProperty(FORMULA, span.text)
        look.setProperty(FORMULA_SIZE, 1 + utf16_length(after))
        look.setToolTip(span.text)
        cursor.insertImage(look)
        cursor.insertText(after, self.char_format(replace(span, code=False), style))
        return True

    def _draw_formulas(self) -> None:
        """Typeset pending formulas on a thread, without those that were incomplete when they were scheduled."""
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
        font = self.theme.text_font(style.size, style.weight)
        height = QFontMetricsF(font).height() * line_percent / 100
        look.setLineHeight(height, QTextBlockFormat.LineHeightTypes.MinimumHeight.value)
        return look

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

    def _on_anchor(self, url: QUrl) -> None:
        # Page links stay encoded: `page_of_link` decodes them itself, and twice would change a % in the sentence.
        address = url.toString(QUrl.ComponentFormattingOption.FullyEncoded)
        if page_of_link(address) is not None or safe_href(url.toString()):
            self.link_clicked.emit(address if page_of_link(address) is not None else url.toString())
