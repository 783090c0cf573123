"""Highlighting by Pygments in short turns of the event loop, never while text streams in."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType
from pygments.util import ClassNotFound
from PySide6.QtGui import QSyntaxHighlighter, QTextDocument

from app.core.visible import visible_name
from app.ui.text.formats import char_format
from app.ui.text.step_limit import StepTooLong, limited_step
from app.ui.theme import Theme
from app.ui.utf16 import utf16_length
from app.ui.widgets.timers import new_timer

log = logging.getLogger(__name__)

MAX_CHARACTERS = 20_000
LONGEST_LINE = 2_000
"""Limit of line lengths for lexing, as some of Pygments' lexers take quadratic time."""
EVERY_MS = 200
TURN_S = 0.004
MOST_STEP_S = 0.15
"""Limit of processor time per lexer step.

Usual steps take a thousandth of it, a text made to be slow takes seconds; a lexer with another inside compiles its
patterns in a third of it.
"""

Colours = tuple[tuple[int, int, str], ...]
END: tuple[int, Colours] = (-1, ())


class CodeHighlighter(QSyntaxHighlighter):
    """Highlighter that caches the colours of each line and lexes growing code at most five times a second."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        super().__init__(document)
        self._theme = theme
        self._lexer: Lexer | None = None
        self._language = ""
        self._text = ""
        self._lines: list[Colours] = []
        self._reading: Iterator[tuple[int, Colours] | None] | None = None
        self._pause = new_timer(self, EVERY_MS, self._start)
        self._turn = new_timer(self, 0, self._on_turn, repeats=True)
        self._is_sought = False
        self._is_given_up = False
        """True after a step exceeded its time; the code then stays plain, also when it grows."""

    def set_code(self, language: str, text: str, *, is_open: bool) -> None:
        """Set the code; its colours come on later turns of the event loop, every `EVERY_MS` while it grows."""
        if language != self._language:
            self._language, self._lexer, self._is_sought = language, None, bool(language)
            self._is_given_up = False
        self._text = text
        if not (self._is_sought or self._lexer) or self._is_given_up or _is_too_long(text):
            self._stop()
        elif not is_open:
            # Nothing more will come, so there is nothing to wait for.
            self._pause.stop()
            self._start()
        elif not self._pause.isActive():
            self._pause.start()

    @property
    def busy(self) -> bool:
        return self._pause.isActive() or self._turn.isActive()

    def highlightBlock(self, _text: str) -> None:
        # Called by Qt for one line.
        number = self.currentBlock().blockNumber()
        for start, length, token in self._lines[number] if number < len(self._lines) else ():
            self.setFormat(start, length, char_format(None, getattr(self._theme.tokens, token)))

    def _colour(self, number: int, colours: Colours) -> None:
        if number >= len(self._lines):
            self._lines.extend([()] * (number + 1 - len(self._lines)))
        # A line that is highlighted again is laid out again, so lines that keep their colours are left alone.
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
        if self._is_sought:  # finding a lexer may import it, which fills a turn
            self._is_sought = False
            self._lexer = find_lexer(self._language)
            return
        if self._reading is None and self._lexer is not None:
            self._reading = coloured_lines(self._lexer, self._text)
        until_s = time.perf_counter() + TURN_S
        while (line := self._read_line(until_s)) != END:
            if line:
                self._colour(*line)
            if time.perf_counter() > until_s:
                return
        self._turn.stop()
        self._reading = None

    def _read_line(self, until_s: float) -> tuple[int, Colours] | tuple[()]:
        """Return the next line; () if time ran out before its end, `END` after the last or if it can't be lexed."""
        try:
            with limited_step(MOST_STEP_S):
                for line in self._reading or ():
                    if line is not None:
                        return line
                    if time.perf_counter() > until_s:
                        return ()
        except StepTooLong:
            log.info("code in %s takes too long to colour", visible_name(self._language[:40]))
            self._is_given_up = True
        return END


def _is_too_long(text: str) -> bool:
    return len(text) > MAX_CHARACTERS or any(len(line) > LONGEST_LINE for line in text.split("\n"))


def coloured_lines(lexer: Lexer, text: str) -> Iterator[tuple[int, Colours] | None]:
    """Yield line numbers with coloured runs: start and length in UTF-16 units, and a colour token.

    Yields None after every lexer token, so that a turn can end there.
    """
    number, column = 0, 0
    colours: list[tuple[int, int, str]] = []
    for begin, kind, value in lexer.get_tokens_unprocessed(text):
        # Most lexers of Pygments don't tell a call from a variable: both are a plain name.
        is_call = kind in (Name, Name.Other) and text[begin + len(value) : begin + len(value) + 1] == "("
        token = "code_name" if is_call else _token_for(kind)
        for index, part in enumerate(value.split("\n")):
            if index:
                yield number, tuple(colours)
                number, column, colours = number + 1, 0, []
            if token and part:
                colours.append((column, utf16_length(part), token))
            column += utf16_length(part)
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
    # Token types are tuples that begin with their parents': String.Doc counts as String.
    return next((token for parent, token in _TOKENS if kind[: len(parent)] == parent), "")


def find_lexer(language: str) -> Lexer | None:
    """Return Pygments' lexer of a language, set to keep all characters; None for plain text and unknown languages."""
    if not language or language.lower() in ("text", "plain", "plaintext", "txt"):
        return None
    try:
        # Both options would add or drop lines, and colours are stored by line number.
        return get_lexer_by_name(language.lower(), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
