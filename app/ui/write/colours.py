"""Colours for code that is being written: what can be seen is read by Pygments, in short turns of the event loop."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pygments.lexer import Lexer
from PySide6.QtCore import QObject, QPoint, QTimer
from PySide6.QtGui import QColor, QTextBlock, QTextCharFormat, QTextDocument, QTextLayout
from PySide6.QtWidgets import QTextEdit

from app.ui.text.code import LONGEST_LINE, TURN_S, Colours, coloured_lines, find_lexer
from app.ui.theme import Theme

PAUSE_MS = 60
LINES_AHEAD = 300
"""So far above what is seen reading begins: a text in quotes may have begun there."""
LINES_BELOW = 20


class LiveColours(QObject):
    """Reads again a moment after each change and each step of scrolling; a long page costs as much as a short one."""

    def __init__(self, edit: QTextEdit, theme: Theme) -> None:
        super().__init__(edit)
        self._edit, self._theme = edit, theme
        self._lexer: Lexer | None = None
        self._language = ""
        self._reading: Iterator[tuple[int, Colours] | None] | None = None
        self._first = self._seen_from = 0
        self._later = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._later.timeout.connect(self._begin)
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(self._on_turn)
        edit.verticalScrollBar().valueChanged.connect(lambda _value: self.look_soon())
        theme.changed.connect(self.look_soon)

    @property
    def is_busy(self) -> bool:
        """Whether colours are still to come."""
        return self._later.isActive() or self._turn.isActive()

    def follow(self, document: QTextDocument) -> None:
        """Another text is shown."""
        document.contentsChange.connect(self._on_edited)
        self.look_soon()

    def show_language(self, language: str) -> None:
        """By Pygments' name; "" takes the colours away."""
        if language == self._language:
            return
        self._language, self._lexer = language, find_lexer(language)
        block = self._edit.document().begin() if self._lexer is None else QTextBlock()
        while block.isValid():
            self._put_on(block, ())
            block = block.next()
        self.look_soon()

    def look_soon(self) -> None:
        """What is seen is another now."""
        self._turn.stop()
        self._reading = None
        if self._lexer is not None:
            self._later.start()

    def _begin(self) -> None:
        if self._lexer is None:
            return
        room = self._edit.viewport().rect()
        seen = self._edit.cursorForPosition(QPoint(0, 0)).block()
        last = self._edit.cursorForPosition(QPoint(0, room.height())).blockNumber() + LINES_BELOW
        self._seen_from = seen.blockNumber()
        self._first = max(0, self._seen_from - LINES_AHEAD)
        block, lines = self._edit.document().findBlockByNumber(self._first), []
        while block.isValid() and block.blockNumber() <= last:
            line = block.text()
            lines.append(line if len(line) <= LONGEST_LINE else "")
            block = block.next()
        self._reading = coloured_lines(self._lexer, "\n".join(lines))
        self._turn.start()

    def _on_turn(self) -> None:
        until_s = time.perf_counter() + TURN_S
        for line in self._reading or ():
            if line is not None and self._first + line[0] >= self._seen_from:
                self._put_on(self._edit.document().findBlockByNumber(self._first + line[0]), line[1])
            if time.perf_counter() > until_s:
                return
        self._turn.stop()
        self._reading = None

    def _put_on(self, block: QTextBlock, colours: Colours) -> None:
        """Not as formats of the text: they would be steps of undo."""
        if not block.isValid():
            return
        ranges = []
        for start, length, token in colours:
            one = QTextLayout.FormatRange()
            one.start, one.length, one.format = start, length, QTextCharFormat()
            one.format.setForeground(QColor(getattr(self._theme.tokens, token)))
            ranges.append(one)
        layout = block.layout()
        if _said(layout.formats()) != _said(ranges):
            layout.setFormats(ranges)
            self._edit.document().markContentsDirty(block.position(), block.length())

    def _on_edited(self, position: int, removed: int, added: int) -> None:
        """The colours behind an edit in its line move along until the line is read again."""
        block = self._edit.document().findBlock(position)
        at, by = position - block.position(), added - removed
        ranges = block.layout().formats()
        if ranges and self._lexer is not None and at + added <= block.length():
            for one in ranges:
                if one.start >= at:
                    one.start += by
                elif one.start + one.length > at:
                    one.length = max(0, one.length + by)
            block.layout().setFormats([one for one in ranges if one.start >= 0 and one.length > 0])
        self.look_soon()


def _said(ranges: list[QTextLayout.FormatRange]) -> list[tuple[int, int, str]]:
    return [(one.start, one.length, one.format.foreground().color().name()) for one in ranges]
