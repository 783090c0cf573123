"""Marks in an editor: small chips that stand in the text as one character each and cannot be broken."""

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

CHIP_TYPE = QTextFormat.ObjectTypes.UserObject.value + 1
ROLE, NUMBER, LABEL = (QTextFormat.Property.UserProperty.value + n for n in (1, 2, 3))
CHARACTER = "\ufffc"
CHIP_PX = 12.0


class Chips(QPyTextObject):
    """Draws them, in the accent on its ground."""

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
        painter.setLayoutDirection(document.defaultTextOption().textDirection())  # the text's, not the window's
        painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, str(look.property(LABEL)))
        painter.restore()

    def _font(self, look: QTextFormat) -> QFont:
        is_text = look.property(ROLE) == "single"
        return self._theme.code_font(CHIP_PX) if is_text else self._theme.font(CHIP_PX, 600)


def chip(mark: Mark, label: str, base: QTextCharFormat) -> QTextCharFormat:
    """The format of the one character that stands for a mark."""
    look = QTextCharFormat(base)
    look.setObjectType(CHIP_TYPE)
    look.setProperty(ROLE, mark.role)
    look.setProperty(NUMBER, mark.number)
    look.setProperty(LABEL, label)
    look.setToolTip(mark.look or mark.shows)
    return look


def content_in(document: QTextDocument, own: dict[tuple[str, int], Mark]) -> Content:
    """Text and chips of a document as a content; chips of marks that are not among `own` are left out."""
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
                yield from [mark] * text.count(CHARACTER) if mark is not None else []
            else:
                yield text.replace("\u2028", "\n").replace(CHARACTER, "")
            walk += 1
        block = block.next()
