"""A read-only text without a frame, as high as its content; links go through one door, images never load."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from PySide6.QtCore import QByteArray, QEvent, QMimeData, QObject, Qt, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QShowEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from app.ui.chat.clipboard import selection_data
from app.ui.chat.page_links import page_of_link
from app.ui.chat.pieces import Span, Spans, safe_href
from app.ui.theme import Theme

LINE_PERCENT = 138
CODE_LINE_PERCENT = 128
EMOJI = re.compile(
    r"[\U0001F000-\U0001FAFF\u2600-\u27BF\u2B1B-\u2B55](?:[\uFE0F\u200D\U0001F000-\U0001FAFF\u2600-\u27BF])*"
)
EMOJI_TIMES = 1.2
"""Pictures fill their square, letters do not: as large as text is a little larger."""
WHEEL_PX = 60
"""How far a notch of the wheel goes."""


@dataclass(frozen=True)
class Style:
    """What a paragraph gives to all of its runs."""

    size_px: float = 15
    weight: int = 400
    color: str = ""
    is_bare: bool = False
    """Whether code stands without a chip behind it."""


PLAIN = Style()


class TextView(QTextBrowser):
    """The base of prose, code and tables. `link_clicked` carries an address to ask about, or a page of a document."""

    link_clicked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setProperty("kind", "bare")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setUndoRedoEnabled(False)
        self.setLineWrapMode(TextView.LineWrapMode.FixedPixelWidth)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        self.anchorClicked.connect(self._on_anchor)

    def height_for(self, width: int) -> int:
        """How high the content is at this width."""
        # A fixed width holds before the widget is shown and resized; the widget's own would not yet.
        if self.lineWrapMode() == TextView.LineWrapMode.FixedPixelWidth and self.lineWrapColumnOrWidth() != width:
            self.setLineWrapColumnOrWidth(width)
        return math.ceil(self.document().size().height())

    def char_format(self, span: Span, style: Style) -> QTextCharFormat:
        """How a run of characters looks."""
        tokens = self.theme.tokens
        look = QTextCharFormat()
        font = self.theme.code_font(style.size_px - 1.5) if span.code else self.theme.font(style.size_px, style.weight)
        if span.bold:
            font.setWeight(QFont.Weight(max(style.weight, 600)))
        font.setItalic(span.italic)
        font.setStrikeOut(span.strike)
        look.setFont(font)
        look.setForeground(QColor(style.color or tokens.text))
        if span.code and not style.is_bare:
            look.setBackground(QColor(tokens.bubble))
        if span.raised:
            look.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignSuperScript)
            look.setForeground(QColor(tokens.muted))
        elif span.script:
            align = QTextCharFormat.VerticalAlignment
            look.setVerticalAlignment(align.AlignSuperScript if span.script == "sup" else align.AlignSubScript)
        if span.href:
            look.setAnchor(True)
            look.setAnchorHref(span.href)
            look.setForeground(QColor(tokens.accent))
            if page_of_link(span.href) is not None:
                look.setBackground(QColor(tokens.chip))
            else:
                look.setFontUnderline(True)
        return look

    def write(self, cursor: QTextCursor, spans: Spans, style: Style) -> None:
        """The one door by which a model's text comes into a document: characters, never markup."""
        for span in spans:
            text = span.text.replace("\r", "").replace("\n", "\u2028").replace("\u2029", "\u2028")
            look, end = self.char_format(span, style), 0
            for emoji in () if span.code or text.isascii() else EMOJI.finditer(text):
                cursor.insertText(text[end : emoji.start()], look)
                larger, font = QTextCharFormat(look), look.font()
                font.setPixelSize(round(font.pixelSize() * EMOJI_TIMES))
                larger.setFont(font)
                cursor.insertText(emoji.group(), larger)
                end = emoji.end()
            cursor.insertText(text[end:], look)

    def block_format(self, style: Style = PLAIN, line_percent: float = LINE_PERCENT) -> QTextBlockFormat:
        """A paragraph's line height, which pictures in a line do not change."""
        look = QTextBlockFormat()
        font = self.theme.font(style.size_px, style.weight)
        height = QFontMetricsF(font).height() * line_percent / 100
        look.setLineHeight(height, QTextBlockFormat.LineHeightTypes.MinimumHeight.value)
        return look

    def scroll_sideways(self) -> None:
        """What is wider than the column has a bar of its own."""
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.horizontalScrollBar().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The wheel over the bar is the page's, too."""
        if isinstance(event, QWheelEvent):
            self.wheelEvent(event)
            return True
        return super().eventFilter(watched, event)

    def createMimeDataFromSelection(self) -> QMimeData:
        """Without this window's fonts and colours."""
        return selection_data(self.textCursor())

    def showEvent(self, event: QShowEvent) -> None:
        """Where it was; Qt would scroll to the end of the last line when it is shown for the first time."""
        value = self.horizontalScrollBar().value()
        super().showEvent(event)
        self.horizontalScrollBar().setValue(value)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The page's, unless it is turned sideways or with Shift."""
        turned, bar = event.angleDelta(), self.horizontalScrollBar()
        sideways = turned.x() or (turned.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0)
        if sideways and abs(turned.x()) >= abs(turned.y() if turned.x() else 0) and bar.maximum():
            bar.setValue(bar.value() - (event.pixelDelta().x() or sideways * self.theme.px(WHEEL_PX) // 120))
            event.accept()
        else:
            event.ignore()

    def loadResource(self, kind: int, name: QUrl | str) -> object:  # noqa: ARG002
        """Nothing is ever loaded for a text. Empty bytes, since Qt would look for a file itself after None."""
        return QByteArray()

    def doSetSource(self, name: QUrl | str, kind: object = None) -> None:
        """A text never becomes another page."""

    def _on_anchor(self, url: QUrl) -> None:
        address = url.toString(QUrl.ComponentFormattingOption.FullyEncoded)
        if page_of_link(address) is not None or safe_href(url.toString()):
            self.link_clicked.emit(address if page_of_link(address) is not None else url.toString())
