"""Find the end of filled-in text: small models repeat the suffix instead of stopping. Pure text, no model."""

from __future__ import annotations

from app.core.lazy_dataclasses import dataclass

MOST_ANCHOR_LINES = 4
MOST_ANCHOR_CHARACTERS = 60
"""Characters of a one-line paragraph that identify it, so that not all of it must be repeated first."""
LEAST_LETTERS = 3
TRIVIAL = frozenset(["begin", "do", "false", "loop", "none", "null", "then", "true", "try"])
"""Words that don't identify a block. Others do: at one depth there is a single `return x`."""
_CLOSERS = {")": "(", "]": "[", "}": "{"}
_QUOTES = "\"'`"
_REMARKS = ("#", "//")


@dataclass(frozen=True)
class _InfillLine:
    """A line with text: its content without trailing blanks, and the offset of its first letter."""

    text: str
    begin: int


class InfillEnd:
    """Pass text through until the suffix begins again, holding back what may be its start.

    The suffix is recognized by its first line with its indentation. If that is common (`}`, `else:`), following lines
    count too, and a closing bracket that the middle hasn't opened belongs to the suffix. If the suffix continues a
    block, a middle that has left all blocks has passed it.
    """

    def __init__(self, before: str, suffix: str) -> None:
        """`before` is the text before the middle, which the answer must not repeat."""
        cursor_line = before[before.rfind("\n") + 1 :]
        rest = suffix.partition("\n")[0]
        # Text on both sides of the cursor: the middle is a part of this line.
        self._is_inside_line = bool(cursor_line.strip() and rest.strip())
        *first, last = _anchor_of(cursor_line if rest.strip() else "", suffix, is_inside_line=self._is_inside_line)
        self._is_cut_short = len(last) > MOST_ANCHOR_CHARACTERS
        self._anchor = [*first, last[:MOST_ANCHOR_CHARACTERS].rstrip()] if last else []
        # The blanks between middle and suffix are the suffix's, as it begins with them.
        self._blanks = suffix[: len(suffix) - len(suffix.lstrip())]
        self._indent = "" if cursor_line.strip() else cursor_line
        self._has_line = bool(cursor_line.strip()) and not self._is_inside_line
        """True if the middle's first line is a part of the cursor's, and so none of the suffix's."""
        self._closer = _BracketCloser(suffix.lstrip()[:1])
        self._is_in_block = bool(self._anchor) and not self._is_inside_line and self._anchor[0][:1].isspace()
        self._was_in_block = cursor_line[:1].isspace()
        self._left = -1
        """Offset of comments that may be the first lines outside of all blocks."""
        self._text = ""
        self._shown = 0
        self._read = 0
        """Length of the complete lines already checked."""
        self._lines: list[_InfillLine] = []
        """The last of these that hold something."""
        self.met = False

    def feed(self, text: str) -> str:
        """Return the part of everything so far that may be shown now and was not yet."""
        if self.met or not self._anchor:
            return "" if self.met else text
        self._text += text
        # The earliest sign counts.
        ends = [end for end in (self._closer.find(text), self._end_of_lines()) if end >= 0]
        return self._stop_at(min(ends)) if ends else self._show_until(self._certain_length())

    def release_rest(self) -> str:
        """Return what was held back, when the answer ends by itself: without what is the suffix's."""
        if self.met or not self._anchor:
            return ""
        end = self._end_at(len(self._text))
        end = self._left if end < 0 else end
        return self._show_until(len(self._text)) if end < 0 else self._stop_at(end)

    def _show_until(self, end: int) -> str:
        begin, self._shown = self._shown, max(self._shown, end)
        return self._text[begin : self._shown]

    def _stop_at(self, end: int) -> str:
        self.met = True
        return self._show_until(self._without_blanks(end))

    def _without_blanks(self, end: int) -> int:
        """Move the end back over blanks that the suffix itself begins with."""
        while end > 0 and self._blanks and self._text[end - 1] == self._blanks[-1]:
            end, self._blanks = end - 1, self._blanks[:-1]
        return end

    def _end_of_lines(self) -> int:
        """Return where the suffix begins, looking at lines that are complete; -1 where it does not."""
        while (newline := self._text.find("\n", self._read)) >= 0:
            if (end := self._end_at(newline)) >= 0:
                return end
            self._read = newline + 1
        # Long paragraphs of one line need not end before they are recognized.
        return self._end_at(len(self._text)) if self._is_cut_short else -1

    def _end_at(self, line_end: int) -> int:
        """Like `_end_of_lines`, with the line that ends there as the last."""
        line = self._text[self._read : line_end]
        is_first = self._read == 0
        if self._is_inside_line:
            return self._end_inside(line, is_first=is_first)
        if is_first:
            line = self._indent + line
        if not line.strip() or (is_first and self._has_line):
            return -1
        # Only as many lines as the anchor has need to be remembered.
        lines = [*self._lines, _InfillLine(line.rstrip(), line_end - len(line.lstrip()))][-len(self._anchor) :]
        # The last line may still grow.
        if line_end < len(self._text):
            self._lines = lines
        return (
            lines[0].begin
            if self._matches_suffix([infill_line.text for infill_line in lines])
            else self._left_at(lines[-1])
        )

    def _matches_suffix(self, lines: list[str]) -> bool:
        *first, last = self._anchor
        is_last = lines[-1].startswith(last) if self._is_cut_short else _is_line(lines[-1], last)
        return is_last and lines[:-1] == first

    def _left_at(self, line: _InfillLine) -> int:
        """Return where the middle left the block that the suffix is in; -1 where it did not, or a remark leaves it
        open.
        """
        if not self._is_in_block or line.text[0].isspace() or line.text[0] in ")]":  # behind wrapped arguments
            self._was_in_block, self._left = True, -1
        elif self._was_in_block:
            if self._left < 0:
                self._left = len(self._text[: line.begin].rstrip()) + ("\n" not in self._blanks)
            return -1 if line.text.startswith(_REMARKS) else self._left
        return -1

    def _end_inside(self, line: str, *, is_first: bool) -> int:
        """Return the end if the suffix begins within a line: it must end the line, or is found anywhere if
        distinctive.
        """
        anchor, line = self._anchor[0], line.rstrip()
        if self._closer.is_on:
            return -1
        # In the rest of a line the anchor has to be what ends it, for short ones occur everywhere.
        at = line.find(anchor) if self._is_cut_short else len(line) - len(anchor) if line.endswith(anchor) else -1
        return self._read + at if at >= 0 and (is_first or _says_much(anchor)) else -1

    def _certain_length(self) -> int:
        """Return the length of text that can't belong to the suffix."""
        if self._is_inside_line:
            line = self._text[self._read :]
            keep = next(
                # The longest beginning of the anchor that the line may have ended with.
                (n for n in range(len(self._anchor[0]), 0, -1) if line.rstrip().endswith(self._anchor[0][:n])),
                0,
            )
            end = len(self._text) - (len(line) - len(line.rstrip())) - keep
        else:
            end = self._read if self._may_begin(self._text[self._read :]) else len(self._text)
            end = end if self._left < 0 else min(end, self._left)
            for number in range(len(self._lines)):
                begun = self._lines[number:]
                is_begun = [infill_line.text for infill_line in begun] == self._anchor[: len(begun)] and len(
                    begun
                ) < len(self._anchor)
                if is_begun and self._may_begin(self._text[self._read :], len(begun)):
                    end = min(end, begun[0].begin)
                    break
        return len(self._text[:end].rstrip())

    def _may_begin(self, line: str, number: int = 0) -> bool:
        """Return whether an incomplete line may become this line of the anchor."""
        if self._read == 0:
            line = self._indent + line
            if self._has_line:
                return False
        # A line at the margin may end the block that the suffix goes on with.
        if self._is_in_block and self._was_in_block and not line[:1].isspace():
            return True
        anchor = self._anchor[number]
        return not line.strip() or anchor.startswith(line.rstrip()) or _is_line(line.rstrip(), anchor)


def _anchor_of(cursor_line: str, suffix: str, *, is_inside_line: bool) -> list[str]:
    """Return the lines by which the suffix is known: up to the first that says something. One empty text where it has
    none.
    """
    if is_inside_line:
        return [suffix.partition("\n")[0].strip()]
    anchor = []
    for line in (cursor_line + suffix).split("\n"):
        if line.strip():
            anchor.append(line.rstrip())
            if _says_much(line) or len(anchor) == MOST_ANCHOR_LINES:
                break
    return anchor or [""]


def _says_much(line: str) -> bool:
    """Return whether a line is one that a middle will hardly have by itself."""
    words = "".join(char if char.isalnum() else " " for char in line.casefold()).split()
    return sum(len(word) for word in words if word not in TRIVIAL) >= LEAST_LETTERS


def _is_line(line: str, anchor: str) -> bool:
    """Return whether it says the same, a remark behind it aside."""
    more = line[len(anchor) :].lstrip()
    return line.startswith(anchor) and (not more or more.startswith(_REMARKS))


class _BracketCloser:
    """Finds the closing bracket that nothing before it has opened. Texts in quotes and remarks are passed over."""

    def __init__(self, closer: str) -> None:
        self._closer, self._opener = closer, _CLOSERS.get(closer, "")
        self._depth = self._at = 0
        self._quote, self._before, self._is_remark = "", "\n", False

    @property
    def is_on(self) -> bool:
        """True if the suffix begins with a closing bracket."""
        return bool(self._opener)

    def find(self, piece: str) -> int:
        """Return the offset of the suffix's closing bracket in all text so far; -1 if it hasn't come."""
        if not self._opener:
            return -1
        for char in piece:
            self._at += 1
            if char == "\n":
                self._quote, self._is_remark = "", False
            elif self._is_remark:
                pass
            elif self._quote:
                if char == self._quote and self._before != "\\":
                    self._quote = ""
            # An apostrophe inside of a word ("don't") opens no text.
            elif char in _QUOTES and not (char == "'" and self._before.isalnum()):
                self._quote = char
            elif (char == "#" and self._before.isspace()) or char == self._before == "/":
                self._is_remark = True
            elif char == self._opener:
                self._depth += 1
            elif char == self._closer:
                self._depth -= 1
                if self._depth < 0:
                    return self._at - 1
            self._before = char
        return -1
