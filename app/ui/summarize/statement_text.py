"""Statements written into a text document, with the positions of statements and chips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtGui import QTextCharFormat, QTextCursor, QTextDocument, QTextFrameFormat

from app.core.lazy_dataclasses import dataclass
from app.features.summarize.summary_result import Form
from app.language.scripts import is_right_to_left
from app.ui.summarize.summary_texts import ShownStatement
from app.ui.text.formats import block_format, char_format, cursor_over
from app.ui.theme import Theme
from app.ui.widgets.spoken_views import UNSPOKEN_PROPERTY

TEXT_PX = 15.0
NOTE_PX = 13.0
LINE_PERCENT = 145.0
MARGIN_PX = 30
"""Width left of the words, where the bullet is painted."""
GAP_PX = 17
ABOVE_PX = 10
"""Space above the first and below the last statement, so that a frame around either isn't clipped."""
HAIR = "\u202f"
"""Narrow no-break space at both sides of a chip."""
HYPHEN = "\u2011"
"""No-break hyphen."""
ENDS = ".。।"


@dataclass
class StatementRange:
    """Positions of a statement in the text document: the whole, its chips, and its note."""

    shown: ShownStatement
    start: int
    end: int
    chips: list[tuple[int, int]]
    is_marked: bool
    """True if a bullet or sign is painted before it."""
    is_inline: bool
    """True if other statements share its paragraph."""
    is_right_to_left: bool


class _Above(NamedTuple):
    """Writer state at the end of the first list, restored when the second list is removed."""

    position: int
    ranges: int
    group: str | None
    paragraph: int | None
    is_empty: bool


class StatementText:
    """Append statements to a text document; `ranges` lists their ranges in order."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        self._document, self._theme = document, theme
        self.ranges: list[StatementRange] = []
        self._group: str | None = None  # None: nothing was written, so the first heading is
        self._paragraph: int | None = None
        self._is_empty = True
        self._above: _Above | None = None

    def clear(self) -> None:
        """Remove all text and set font and margins, which clearing resets."""
        self._document.clear()
        self._document.setDefaultFont(self._theme.font("body"))
        frame = QTextFrameFormat()
        frame.setTopMargin(self._theme.px(ABOVE_PX))
        frame.setBottomMargin(self._theme.px(ABOVE_PX))
        # Not `rootFrame`: each clearing makes another one, and Python would keep them all.
        QTextCursor(self._document).currentFrame().setFrameFormat(frame)
        self.ranges, self._group, self._paragraph, self._is_empty = [], None, None, True
        self._above = None

    def add_below(self, words: str, statements: Sequence[ShownStatement]) -> None:
        """Append a list under a heading, to be removed by `leave_below`; nothing without statements."""
        cursor = QTextCursor(self._document)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        self._above = _Above(cursor.position(), len(self.ranges), self._group, self._paragraph, self._is_empty)
        if statements:
            self._new_block(cursor, words, gap_px=26)
            cursor.insertText(words, self._format(NOTE_PX, 500, self._theme.tokens.muted))
            self._group = ""
            self.add(statements, Form.BULLETS)

    def leave_below(self) -> None:
        """Remove the list added by `add_below`, so that the first list can grow."""
        above, self._above = self._above, None
        if above is None or above.ranges == len(self.ranges):
            return
        cursor = cursor_over(self._document, above.position)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        del self.ranges[above.ranges :]
        self._group, self._paragraph, self._is_empty = above.group, above.paragraph, above.is_empty

    def add(self, statements: Sequence[ShownStatement], form: Form) -> None:
        """Append statements in a form, continuing the last paragraph where the form is prose."""
        cursor = QTextCursor(self._document)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        for shown in statements:
            self._write_heading(cursor, shown.statement.group)
            if form is Form.PARAGRAPHS:
                self._write_inline(cursor, shown)
            else:
                self._write_item(cursor, shown, has_bullet=form is not Form.QUESTIONS)
        cursor.endEditBlock()

    def write_plain(self, text: str) -> None:
        """Replace everything by plain text that is still being generated."""
        self.clear()
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        for line in text.split("\n"):
            if line.strip():
                self._new_block(cursor, line, gap_px=10)
                cursor.insertText(_one_line(line), self._format())
        cursor.endEditBlock()

    def _write_heading(self, cursor: QTextCursor, group: str) -> None:
        if group == (self._group or "") and self._group is not None:
            return
        self._group, self._paragraph = group, None
        if group:
            self._new_block(cursor, group, gap_px=26)
            cursor.insertText(_one_line(group), self._format(weight=600))

    def _write_item(self, cursor: QTextCursor, shown: ShownStatement, *, has_bullet: bool) -> None:
        is_flagged = shown.is_flagged
        is_indented = has_bullet or is_flagged
        # The frame around a flagged statement needs more room.
        gap = GAP_PX + (6 if is_flagged or (self.ranges and self.ranges[-1].shown.is_flagged) else 0)
        if not has_bullet and not is_flagged and self._group:
            gap = 10
        self._new_block(cursor, shown.statement.text, gap_px=gap, is_indented=is_indented)
        start = cursor.position()
        chips = self._write_words(cursor, shown)
        if shown.note:
            self._new_block(cursor, shown.statement.text, gap_px=4, is_indented=is_indented, line_percent=125)
            token = self._theme.tokens.warning if is_flagged else self._theme.tokens.muted
            cursor.insertText(_one_line(shown.note), self._format(NOTE_PX, 500 if is_flagged else 400, token))
        self.ranges.append(
            StatementRange(
                shown, start, cursor.position(), chips, is_indented, False, is_right_to_left(shown.statement.text)
            )
        )

    def _write_inline(self, cursor: QTextCursor, shown: ShownStatement) -> None:
        if shown.statement.paragraph != self._paragraph:
            self._paragraph = shown.statement.paragraph
            self._new_block(cursor, shown.statement.text, gap_px=GAP_PX)
        else:
            cursor.insertText(" ", self._format())
        start = cursor.position()
        if shown.is_flagged:
            cursor.insertText("!\u00a0", self._format(weight=700, color=self._theme.tokens.warning))
        chips = self._write_words(cursor, shown)
        if shown.note:
            color = self._theme.tokens.warning if shown.is_flagged else self._theme.tokens.muted
            cursor.insertText(f" {_one_line(shown.note)}", self._format(NOTE_PX, 500, color))
        self.ranges.append(
            StatementRange(shown, start, cursor.position(), chips, False, True, is_right_to_left(shown.statement.text))
        )

    def _write_words(self, cursor: QTextCursor, shown: ShownStatement) -> list[tuple[int, int]]:
        """Insert a statement's words as plain characters, never as markup.

        This is the only place where model output enters the document.
        """
        text = _one_line(shown.statement.text)
        # A full stop goes behind the chips, to the end of the sentence.
        end = text[-1:] if text[-1:] in ENDS and not text.endswith("..") and shown.chips else ""
        cursor.insertText(text.removesuffix(end) if end else text, self._format())
        places = []
        for chip in shown.chips:
            look = self._format(color=self._theme.tokens.accent)
            look.setProperty(UNSPOKEN_PROPERTY, True)
            cursor.insertText(" ", look)
            first = cursor.position()
            cursor.insertText(f"{HAIR}{_unbroken(chip.text)}{HAIR}", look)
            places.append((first, cursor.position()))
        if end:
            cursor.insertText(end, self._format())
        return places

    def _new_block(
        self,
        cursor: QTextCursor,
        text: str,
        *,
        gap_px: float,
        is_indented: bool = False,
        line_percent: float = LINE_PERCENT,
    ) -> None:
        px, is_rtl = self._theme.px, is_right_to_left(text)
        look = block_format(line_percent, 0 if self._is_empty else px(gap_px), is_rtl=is_rtl)
        if is_indented:
            (look.setRightMargin if is_rtl else look.setLeftMargin)(px(MARGIN_PX))
        # An empty document has its first block already.
        if self._is_empty:
            cursor.setBlockFormat(look)
            cursor.setBlockCharFormat(self._format())
        else:
            cursor.insertBlock(look, self._format())
        self._is_empty = False

    def _format(self, size_px: float = TEXT_PX, weight: int = 400, color: str = "") -> QTextCharFormat:
        return char_format(self._theme.fonts.text(size_px, weight), color or self._theme.tokens.text)


def plain(text: str) -> str:
    """Return selected text without the special spaces and hyphens used for layout."""
    for shown, meant in ((HAIR, ""), (HYPHEN, "-"), ("\u00a0", " ")):
        text = text.replace(shown, meant)
    return text


def _unbroken(text: str) -> str:
    """Return text with no-break spaces and hyphens, so that it stays on one line."""
    return text.replace(" ", "\u00a0").replace("-", HYPHEN)


def _one_line(text: str) -> str:
    return " ".join(text.split())
