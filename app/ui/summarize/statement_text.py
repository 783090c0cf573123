"""Writes statements into a text document, and knows where each of them and each of its chips stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextDocument, QTextFrameFormat

from app.features.summary.result import Form, Statement
from app.language.scripts import is_right_to_left
from app.ui.summarize.places import Chip
from app.ui.theme import Theme

TEXT_PX = 15.0
NOTE_PX = 13.0
LINE_PERCENT = 145.0
MARGIN_PX = 30
"""From the edge of the column to the words; the bullet stands in it."""
GAP_PX = 17
EDGE_PX = 10
"""Above the first statement and below the last: a box around either has room."""
HAIR = "\u202f"
"""A little air at the chip's sides; a line is never broken there."""
HYPHEN = "\u2011"
"""One that no line ends at."""
ENDS = ".。।"


@dataclass(frozen=True)
class Told:
    """A statement with what is shown beside it: its chips, what its check says ("" nothing), and aloud."""

    statement: Statement
    chips: tuple[Chip, ...]
    note: str
    spoken: str

    @property
    def is_flagged(self) -> bool:
        """Whether it wants attention: something of it is not on its page, as far as that could be compared."""
        check = self.statement.check
        return not check.found and check.is_compared


@dataclass
class Stretch:
    """Where a statement stands, as positions in the text document: all of it, its chips, and its note."""

    told: Told
    start: int
    end: int
    chips: list[tuple[int, int]]
    is_marked: bool
    """Whether a bullet or a sign stands before it."""
    is_inline: bool
    """Whether others stand in the same paragraph."""
    is_right_to_left: bool


class StatementText:
    """Appends to a document; `stretches` are in the order of the statements."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        self._document, self._theme = document, theme
        self.stretches: list[Stretch] = []
        self._group: str | None = None
        self._paragraph: int | None = None
        self._is_empty = True

    def clear(self) -> None:
        """Takes everything out."""
        self._document.clear()
        self._document.setDefaultFont(self._theme.font(TEXT_PX))
        frame = QTextFrameFormat()
        frame.setTopMargin(self._theme.px(EDGE_PX))
        frame.setBottomMargin(self._theme.px(EDGE_PX))
        self._document.rootFrame().setFrameFormat(frame)
        self.stretches, self._group, self._paragraph, self._is_empty = [], None, None, True

    def add(self, statements: Sequence[Told], form: Form) -> None:
        """Writes more statements in a form; they go on where the last one ended."""
        cursor = QTextCursor(self._document)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        for told in statements:
            self._write_heading(cursor, told.statement.group)
            if form is Form.PARAGRAPHS:
                self._write_inline(cursor, told)
            else:
                self._write_item(cursor, told, has_bullet=form is not Form.QUESTIONS)
        cursor.endEditBlock()

    def write_plain(self, text: str) -> None:
        """A text that is still being written, as it is."""
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

    def _write_item(self, cursor: QTextCursor, told: Told, *, has_bullet: bool) -> None:
        is_flagged = told.is_flagged
        is_indented = has_bullet or is_flagged
        gap = GAP_PX + (6 if is_flagged or (self.stretches and self.stretches[-1].told.is_flagged) else 0)
        if not has_bullet and not is_flagged and self._group:
            gap = 10
        self._new_block(cursor, told.statement.text, gap_px=gap, is_indented=is_indented)
        start = cursor.position()
        chips = self._write_words(cursor, told)
        if told.note:
            self._new_block(cursor, told.statement.text, gap_px=4, is_indented=is_indented, line_percent=125)
            token = self._theme.tokens.warning if is_flagged else self._theme.tokens.muted
            cursor.insertText(_one_line(told.note), self._format(NOTE_PX, 500 if is_flagged else 400, token))
        self.stretches.append(
            Stretch(told, start, cursor.position(), chips, is_indented, False, is_right_to_left(told.statement.text))
        )

    def _write_inline(self, cursor: QTextCursor, told: Told) -> None:
        if told.statement.paragraph != self._paragraph:
            self._paragraph = told.statement.paragraph
            self._new_block(cursor, told.statement.text, gap_px=GAP_PX)
        else:
            cursor.insertText(" ", self._format())
        start = cursor.position()
        if told.is_flagged:
            cursor.insertText("!\u00a0", self._format(weight=700, color=self._theme.tokens.warning))
        chips = self._write_words(cursor, told)
        if told.note:
            color = self._theme.tokens.warning if told.is_flagged else self._theme.tokens.muted
            cursor.insertText(f" {_one_line(told.note)}", self._format(NOTE_PX, 500, color))
        self.stretches.append(
            Stretch(told, start, cursor.position(), chips, False, True, is_right_to_left(told.statement.text))
        )

    def _write_words(self, cursor: QTextCursor, told: Told) -> list[tuple[int, int]]:
        """The one door by which a model's words come in here: characters, never markup."""
        text = _one_line(told.statement.text)
        end = text[-1:] if text[-1:] in ENDS and not text.endswith("..") and told.chips else ""
        cursor.insertText(text.removesuffix(end) if end else text, self._format())
        places = []
        for chip in told.chips:
            cursor.insertText(" ", self._format())
            first = cursor.position()
            cursor.insertText(f"{HAIR}{_unbroken(chip.text)}{HAIR}", self._format(color=self._theme.tokens.accent))
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
        px = self._theme.px
        look = QTextBlockFormat()
        look.setLineHeight(line_percent, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        look.setTopMargin(0 if self._is_empty else px(gap_px))
        is_rtl = is_right_to_left(text)
        look.setLayoutDirection(Qt.LayoutDirection.RightToLeft if is_rtl else Qt.LayoutDirection.LeftToRight)
        if is_indented:
            (look.setRightMargin if is_rtl else look.setLeftMargin)(px(MARGIN_PX))
        if self._is_empty:
            cursor.setBlockFormat(look)
            cursor.setBlockCharFormat(self._format())
        else:
            cursor.insertBlock(look, self._format())
        self._is_empty = False

    def _format(self, size_px: float = TEXT_PX, weight: int = 400, color: str = "") -> QTextCharFormat:
        look = QTextCharFormat()
        look.setFont(self._theme.font(size_px, weight))
        look.setForeground(QColor(color or self._theme.tokens.text))
        return look


def plain(text: str) -> str:
    """What was selected, without what only serves the look."""
    for shown, meant in ((HAIR, ""), (HYPHEN, "-"), ("\u00a0", " "), ("\u2029", "\n"), ("\u2028", "\n")):
        text = text.replace(shown, meant)
    return text


def _unbroken(text: str) -> str:
    """Such as stays on one line: a line may end at a space or behind a hyphen."""
    return text.replace(" ", "\u00a0").replace("-", HYPHEN)


def _one_line(text: str) -> str:
    return " ".join(text.split())
