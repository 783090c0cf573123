"""Formats, cursors and highlights that all text views share; positions are Qt's, in UTF-16 units."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QTextEdit

from app.language.scripts import is_right_to_left


def char_format(font: QFont | None = None, color: str = "", background: str = "") -> QTextCharFormat:
    """Return a character format; what isn't given stays that of the text around."""
    look = QTextCharFormat()
    if font is not None:
        look.setFont(font)
    if color:
        look.setForeground(QColor(color))
    if background:
        look.setBackground(QColor(background))
    return look


def block_format(line_percent: float, top_px: float = 0, *, is_rtl: bool | None = None) -> QTextBlockFormat:
    """Return a paragraph format with proportional line height and a gap above; `is_rtl` None follows the text."""
    look = QTextBlockFormat()
    look.setLineHeight(line_percent, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    if top_px:
        look.setTopMargin(top_px)
    if is_rtl is not None:
        look.setLayoutDirection(Qt.LayoutDirection.RightToLeft if is_rtl else Qt.LayoutDirection.LeftToRight)
    return look


def cursor_over(document: QTextDocument, start: int, end: int | None = None) -> QTextCursor:
    """Return a cursor at a position, or one that selects from `start` to `end`, where its caret is."""
    cursor = QTextCursor(document)
    cursor.setPosition(start)
    if end is not None:
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
    return cursor


def highlight(cursor: QTextCursor, look: QTextCharFormat) -> QTextEdit.ExtraSelection:
    """Return a range to be painted in another format, without being selected."""
    mark = QTextEdit.ExtraSelection()
    mark.cursor, mark.format = cursor, look
    return mark


def selected_text(cursor: QTextCursor) -> str:
    """Return the selected text with newlines, where Qt has U+2029 between paragraphs and U+2028 between lines."""
    return cursor.selectedText().replace("\u2029", "\n").replace("\u2028", "\n")


def as_one_paragraph(text: str) -> str:
    """Return a text whose newlines begin other lines, but no other paragraph."""
    return text.replace("\r", "").replace("\n", "\u2028").replace("\u2029", "\u2028")


def marker_of(marker: str, text: str) -> str:
    """Return a list item's marker with the gap before its text."""
    # WORKAROUND: a tab in a right-to-left paragraph has no width
    return marker + ("\u2003" if is_right_to_left(text) else "\t")
