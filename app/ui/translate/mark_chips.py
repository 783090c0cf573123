"""Marks in an editor: chips of one character each, which can't be broken."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPyTextObject,
    QTextCharFormat,
    QTextDocument,
    QTextFormat,
)

from app.documents.segments import Content, Mark, content_of
from app.ui.theme import Theme
from app.ui.translate.segment_layout import LINE

CHIP_TYPE = QTextFormat.ObjectTypes.UserObject.value + 1
ROLE, NUMBER, LABEL = (QTextFormat.Property.UserProperty.value + n for n in (1, 2, 3))
CHARACTER = "\ufffc"
CHIP_PX = 12.0


class MarkChips(QPyTextObject):
    """Paints chips in the accent colours; Qt asks it for their sizes."""

    def __init__(self, theme: Theme, document: QTextDocument) -> None:
        super().__init__(document)
        self._theme = theme

    def intrinsicSize(self, document: QTextDocument, position: int, look: QTextFormat) -> QSizeF:  # noqa: ARG002
        metrics = QFontMetricsF(self._font(look))
        px = self._theme.px
        return QSizeF(metrics.horizontalAdvance(str(look.property(LABEL))) + px(12), metrics.ascent() + px(4))

    def drawObject(
        self,
        painter: QPainter,
        rect: QRectF | QRect,
        document: QTextDocument,
        position: int,  # noqa: ARG002
        look: QTextFormat,
    ) -> None:
        px, tokens = self._theme.px, self._theme.tokens
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.chip))
        ground = QRectF(rect).adjusted(px(2), px(1), -px(2), px(3))
        painter.drawRoundedRect(ground, px(4), px(4))
        painter.setFont(self._font(look))
        painter.setPen(QColor(tokens.accent))
        painter.setLayoutDirection(document.defaultTextOption().textDirection())  # of the text, not the window
        painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, str(look.property(LABEL)))
        painter.restore()

    def _font(self, look: QTextFormat) -> QFont:
        is_text = look.property(ROLE) == "single"
        return self._theme.fonts.code(CHIP_PX) if is_text else self._theme.fonts.text(CHIP_PX, 600)


def chip(mark: Mark, label: str, base: QTextCharFormat) -> QTextCharFormat:
    """Return the format of the character that stands for a mark."""
    look = QTextCharFormat(base)
    look.setObjectType(CHIP_TYPE)
    look.setProperty(ROLE, mark.role)
    look.setProperty(NUMBER, mark.number)
    look.setProperty(LABEL, label)
    look.setToolTip(mark.look or mark.shows)
    return look


def content_in(document: QTextDocument, own: dict[tuple[str, int], Mark]) -> Content:
    """Convert a document's text and chips to a content, dropping marks that aren't in `own`."""
    return content_of(list(_parts(document, own)))


def _parts(document: QTextDocument, own: dict[tuple[str, int], Mark]) -> Iterator[str | Mark]:
    block = document.begin()
    while block.isValid():
        if block.blockNumber():
            yield "\n"
        walk = block.begin()
        while not walk.atEnd():
            fragment = walk.fragment()
            look, text = fragment.charFormat(), fragment.text()
            if look.objectType() == CHIP_TYPE:
                mark = own.get((str(look.property(ROLE)), int(look.property(NUMBER))))
                # Equal chips next to each other, as after Undo, are one fragment.
                yield from [mark] * text.count(CHARACTER) if mark is not None else []
            else:
                yield text.replace(LINE, "\n").replace(CHARACTER, "")
            walk += 1
        block = block.next()
