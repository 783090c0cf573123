"""Frameless text views as high as their content: prose with lists and quotes, and tables."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from PySide6.QtCore import QByteArray, QEvent, QObject, QRectF, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QShowEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextImageFormat,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QWidget

from app.core.visible import has_directions
from app.ui.shell import tasks
from app.ui.text.formats import marker_of
from app.ui.text.links import page_of_link
from app.ui.text.paragraph_styles import ParagraphSizes, ProseStyle, span_format
from app.ui.text.pieces import Piece, Prose, ProseLine, Spans, StyledSpan, safe_href
from app.ui.text.selectable import FORMULA, FORMULA_SIZE, SelectableText, part_of_line, shown
from app.ui.theme import READING_PX, Theme
from app.ui.utf16 import utf16_length

LINE_PERCENT = 138
CODE_LINE_PERCENT = 128
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
        font = self.theme.code_font(style.size - 1.5) if span.code else self.theme.font(style.size, style.weight)
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

        metrics, color = QFontMetricsF(self.theme.font(style.size)), style.color or self.theme.tokens.text
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
        font = self.theme.font(style.size, style.weight)
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


# Paragraphs, headings, lists, quotes and rules in one document, so that they can be selected together.

INDENT_PX = 26
ABOVE_PX = 4
"""Gap of quote bars at the top, as a line has its extra height above the letters."""
SIZES = ParagraphSizes(
    text=15,
    note=13,
    headings={1: (20, 700), 2: (18, 700), 3: (16.5, 600), 4: (15, 600), 5: (14, 600), 6: (13, 600)},
    gap=12,
    major_gap=20,
    minor_gap=16,
    heading_gap=6,
    item_gap=5,
    rule_gap=10,
    note_gap=12,
)


class ProseView(TextView):
    """View of lines; when they grow, only the changed end is rewritten."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.lines: tuple[ProseLine, ...] = ()
        """The lines shown."""
        self._decorated_lines: list[int] = []  # numbers of lines with quote bars or a rule to paint
        self._has_links = False
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._on_theme_changed()
        theme.changed.connect(self._on_theme_changed)

    def set_lines(self, lines: tuple[ProseLine, ...]) -> bool:
        old = self.lines
        if lines == old:
            return False
        same = 0
        while same < len(old) and same < len(lines) and (old[same] is lines[same] or old[same] == lines[same]):
            same += 1
        self.lines = lines
        if same == len(old) - 1 and len(lines) >= len(old) and self._grow_last(old[same], lines[same]):
            same += 1
        self._write_from(same)
        return True

    def _grow_last(self, old: ProseLine, new: ProseLine) -> bool:
        """Append to the last run, the usual case while an answer streams; return False if it isn't that."""
        if not old.spans or len(new.spans) < len(old.spans) or old.spans[:-1] != new.spans[: len(old.spans) - 1]:
            return False
        before, after = old.spans[-1], new.spans[len(old.spans) - 1]
        if before.formula:
            return False
        is_alike = replace(old, spans=()) == replace(new, spans=()) and replace(before, text=after.text) == after
        # A mark of direction changes how the text around it is shown, so the run is written as a whole.
        if not is_alike or not after.text.startswith(before.text) or has_directions(after.text):
            return False
        grown = replace(after, text=after.text[len(before.text) :])
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        self.write(cursor, (grown, *new.spans[len(old.spans) :]), SIZES.style_of(new, self.theme.tokens))
        return True

    def _write_from(self, first: int) -> None:
        document = self.document()
        self._decorated_lines = [number for number in self._decorated_lines if number < first]
        cursor = QTextCursor(document)
        cursor.beginEditBlock()
        block = document.findBlockByNumber(first)
        is_there = block.isValid()  # before the removal: Qt may keep either of the joined blocks
        if is_there:
            cursor.setPosition(block.position())
            cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
            if first >= len(self.lines) and first > 0:
                cursor.deletePreviousChar()
        for number in range(first, len(self.lines)):
            cursor.movePosition(QTextCursor.MoveOperation.End)
            look = self._block_format(number)
            if number and not (number == first and is_there):
                cursor.insertBlock(look)
            else:
                cursor.setBlockFormat(look)
            self._write_line(cursor, number)
        cursor.endEditBlock()
        # Only with links is there something to press Enter on.
        if self._has_links and self.focusPolicy() != Qt.FocusPolicy.StrongFocus:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def _write_line(self, cursor: QTextCursor, number: int) -> None:
        line = self.lines[number]
        style = SIZES.style_of(line, self.theme.tokens)
        if line.quote or line.kind == "rule":
            self._decorated_lines.append(number)
        if line.marker:
            look = self.char_format(StyledSpan(""), replace(style, color=self.theme.tokens.muted))
            cursor.insertText(marker_of(line.marker, "".join(span.text for span in line.spans)), look)
        else:
            cursor.setBlockCharFormat(self.char_format(StyledSpan(""), style))
        self._has_links = self._has_links or any(span.href for span in line.spans)
        self.write(cursor, line.spans, style)

    def _block_format(self, number: int) -> QTextBlockFormat:
        line = self.lines[number]
        before = self.lines[number - 1] if number else None
        look = self.block_format(SIZES.style_of(line, self.theme.tokens))
        px = self.theme.px
        look.setIndent(line.depth + line.quote)
        if line.marker:
            look.setTextIndent(-px(INDENT_PX))
            look.setTabPositions([QTextOption.Tab(px(INDENT_PX), QTextOption.TabType.LeftTab)])
        look.setTopMargin(0 if before is None else px(SIZES.gap_between(before, line)))
        return look

    def selected(self) -> list[Piece]:
        cursor, document, found = self.textCursor(), self.document(), list[ProseLine]()
        start, end = cursor.selectionStart(), cursor.selectionEnd()
        block = document.findBlock(start)
        while start < end and block.isValid() and block.position() <= end and block.blockNumber() < len(self.lines):
            line = self.lines[block.blockNumber()]
            marker = utf16_length(line.marker) + 1 if line.marker else 0
            part = part_of_line(line, block, start - block.position(), end - block.position(), marker)
            if part.spans or part is line:
                found.append(part)
            block = block.next()
        return [Prose(tuple(found))] if found else []

    def spans(self) -> Iterator[StyledSpan]:
        return (span for line in self.lines for span in line.spans)

    def rewrite(self) -> None:
        if self.lines:
            self._write_from(0)

    def _on_theme_changed(self) -> None:
        self.document().setDefaultFont(self.theme.font())
        self.document().setIndentWidth(self.theme.px(INDENT_PX))
        self.rewrite()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint quote bars and rules below the text, since Qt's document has neither."""
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.tokens.line))
        for number in self._decorated_lines:
            if number < len(self.lines) and self.lines[number].kind == "rule":
                box = self._box(number)
                painter.drawRect(QRectF(0, box.center().y(), self.document().textWidth(), 1))
        for level in range(max((self.lines[number].quote for number in self._decorated_lines), default=0)):
            for first, last in self._quotes(level):
                self._paint_bar(painter, level, first, last)
        painter.end()
        super().paintEvent(event)

    def _box(self, number: int) -> QRectF:
        return self.document().documentLayout().blockBoundingRect(self.document().findBlockByNumber(number))

    def _quotes(self, level: int) -> Iterator[tuple[int, int]]:
        """Yield first and last line of each quote at least that deep."""
        for is_quoted, group in groupby(range(len(self.lines)), lambda number: self.lines[number].quote > level):
            numbers = list(group)
            if is_quoted:
                yield numbers[0], numbers[-1]

    def _paint_bar(self, painter: QPainter, level: int, first: int, last: int) -> None:
        """Paint a bar from the first to the last line, also past other blocks."""
        px = self.theme.px
        top = self._box(first).top() + px(ABOVE_PX)
        x = (self.lines[first].depth + level) * px(INDENT_PX) + px(3)
        width = px(3)
        if self.document().findBlockByNumber(first).textDirection() == Qt.LayoutDirection.RightToLeft:
            x = int(self.document().textWidth()) - x - width
        bottom = self._box(last).bottom() + px(2)
        painter.drawRoundedRect(QRectF(x, top, width, bottom - top), width / 2, width / 2)
