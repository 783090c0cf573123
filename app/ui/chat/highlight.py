"""Colours for code: Pygments reads it in short turns of the event loop, never on the hot path."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType
from pygments.util import ClassNotFound
from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from app.ui.theme import Theme

MAX_CHARACTERS = 20_000
LONGEST_LINE = 2_000
"""Some of Pygments' lexers take a time that grows with the square of a line."""
EVERY_MS = 200
TURN_S = 0.004

Colours = tuple[tuple[int, int, str], ...]


class Highlighter(QSyntaxHighlighter):
    """Keeps the colours of each line; reads the code again at most five times a second while it grows."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        super().__init__(document)
        self._theme = theme
        self._lexer: Lexer | None = None
        self._language = ""
        self._text = ""
        self._lines: list[Colours] = []
        self._reading: Iterator[tuple[int, Colours] | None] | None = None
        self._pause = QTimer(self, singleShot=True, interval=EVERY_MS)
        self._pause.timeout.connect(self._start)
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(self._on_turn)
        self._is_sought = False

    def set_code(self, language: str, text: str, *, is_open: bool) -> None:
        """New code; colours follow soon."""
        if language != self._language:
            self._language, self._lexer, self._is_sought = language, None, bool(language)
        self._text = text
        if not (self._is_sought or self._lexer) or _is_too_long(text):
            self._stop()
        elif not is_open:
            self._pause.stop()
            self._start()
        elif not self._pause.isActive():
            self._pause.start()

    @property
    def busy(self) -> bool:
        """Whether a timer of its own is running."""
        return self._pause.isActive() or self._turn.isActive()

    def highlightBlock(self, _text: str) -> None:
        """Qt asks for one line's colours."""
        number = self.currentBlock().blockNumber()
        for start, length, token in self._lines[number] if number < len(self._lines) else ():
            look = QTextCharFormat()
            look.setForeground(QColor(getattr(self._theme.tokens, token)))
            self.setFormat(start, length, look)

    def _colour(self, number: int, colours: Colours) -> None:
        if number >= len(self._lines):
            self._lines.extend([()] * (number + 1 - len(self._lines)))
        if self._lines[number] != colours:
            self._lines[number] = colours
            self.rehighlightBlock(self.document().findBlockByNumber(number))

    def _stop(self) -> None:
        self._pause.stop()
        self._turn.stop()
        self._reading = None

    def _start(self) -> None:
        self._reading = None
        self._turn.start()

    def _on_turn(self) -> None:
        if self._is_sought:  # finding a lexer may import it: that is a turn's work by itself
            self._is_sought = False
            self._lexer = _find_lexer(self._language)
            return
        if self._reading is None and self._lexer is not None:
            self._reading = _coloured_lines(self._lexer, self._text)
        until_s = time.perf_counter() + TURN_S
        for line in self._reading or ():
            if line is not None:
                self._colour(*line)
            if time.perf_counter() > until_s:
                return
        self._turn.stop()
        self._reading = None


def _is_too_long(text: str) -> bool:
    return len(text) > MAX_CHARACTERS or any(len(line) > LONGEST_LINE for line in text.split("\n"))


def _coloured_lines(lexer: Lexer, text: str) -> Iterator[tuple[int, Colours] | None]:
    """Line numbers with the coloured runs of each line; None after every token, so that a turn can end there."""
    number, column = 0, 0
    colours: list[tuple[int, int, str]] = []
    for begin, kind, value in lexer.get_tokens_unprocessed(text):
        is_call = kind in (Name, Name.Other) and text[begin + len(value) : begin + len(value) + 1] == "("
        token = "code_name" if is_call else _token_for(kind)
        for index, part in enumerate(value.split("\n")):
            if index:
                yield number, tuple(colours)
                number, column, colours = number + 1, 0, []
            if token and part:
                colours.append((column, len(part.encode("utf-16-le")) // 2, token))
            column += len(part.encode("utf-16-le")) // 2
        yield None
    yield number, tuple(colours)


_TOKENS: tuple[tuple[_TokenType, str], ...] = (
    (Comment, "code_comment"),
    (String, "code_string"),
    (Number, "code_number"),
    (Keyword, "code_keyword"),
    (Operator.Word, "code_keyword"),
    (Name.Tag, "code_keyword"),
    (Name.Function, "code_name"),
    (Name.Class, "code_name"),
    (Name.Builtin, "code_name"),
    (Name.Decorator, "code_name"),
)


def _token_for(kind: _TokenType) -> str:
    return next((token for parent, token in _TOKENS if kind[: len(parent)] == parent), "")


def _find_lexer(language: str) -> Lexer | None:
    if not language or language.lower() in ("text", "plain", "plaintext", "txt"):
        return None
    try:
        return get_lexer_by_name(language.lower(), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
