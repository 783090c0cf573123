"""Content as inline Markdown that is read as just this content, and lines that stay one block."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from markdown_it import MarkdownIt

from app.documents.formats.markdown.inline import InlineText, inline_of
from app.documents.formats.markdown.read_markdown import CELL_BORDER
from app.documents.formats.plain.line_wrapping import width_of
from app.documents.segments import Content, Mark, SegmentKind, content_of

# Signs that may begin or end markup anywhere; an ampersand only before what looks like an entity.
_SPECIAL = re.compile(r"[\\`*_\[\]<~$|^]|&(?=#?\w+;)")
# A number, a bullet, a heading or a quote sign at the beginning would make another block of the text.
_START = re.compile(r"(?:\d{1,9}(?=[.)])|(?=[-+#>=:]))")
_SPACES = re.compile(r"[ \t\r\n\f\v]+")
_TAGS = {"italic": "em", "bold": "strong", "strike": "del"}
_SIGNS = ("*", "_", "**", "__", "~~")
_BLOCKS = {SegmentKind.HEADING: "# "}


class TextFrame(NamedTuple):
    """Surroundings of a text: further lines begin with `next_`; `most` is the width, 0 for a single line."""

    kind: SegmentKind
    first_columns: int = 0
    next_: str = ""
    most: int = 0
    is_cell: bool = False


class MarkdownText:
    """Write contents as inline Markdown, and check by parsing that they are read as they were meant."""

    def __init__(self, parser: MarkdownIt, env: dict[str, Any]) -> None:
        self._parser, self._env = parser, env

    def write_content(self, content: Content, old: InlineText, frame: TextFrame) -> str:
        """Return the text for a content, which has the marks of the old one; lines are divided by line feeds."""
        content = _move_spaces_out(content, old)
        # Files written for people use the entity, since a no-break space can't be seen.
        nbsp = "&nbsp;" if "&nbsp;" in old.source and "\xa0" not in old.source else "\xa0"
        written = old.written | {("close", number): f"][{label}]" for number, label in _changed_labels(content, old)}
        best = ""
        # As it is, with all signs escaped, then with tags for emphasis: the first that is read back as what was meant.
        for is_escaped, is_html in ((False, False), (True, False), (True, True)):
            if is_html:
                written |= _as_html(content, old)
            pieces = list(_iterate_markup(content, written, is_escaped, frame.is_cell, nbsp))
            # A wrapped text may begin a line with what is a list mark; on one line it does not.
            for most in (frame.most, 0) if frame.most else (0,):
                best = _in_lines(pieces, frame._replace(most=most), is_escaped)
                if self._parses_as(best, content, written, frame):
                    return best
        return best

    def _parses_as(self, text: str, content: Content, written: dict[tuple[str, int], str], frame: TextFrame) -> bool:
        """Return whether a text parses to this content, and as one block."""
        if frame.is_cell:
            if "\n" in text or CELL_BORDER.search(text):
                return False
            text = text.replace("\\|", "|")
        # What is no paragraph of its own: a heading's mark is put before it, and all of it has to be one inline token.
        else:
            tokens = self._parser.parse(_BLOCKS.get(frame.kind, "") + text, {})
            inner = tokens[1].content if len(tokens) == 3 and tokens[1].type == "inline" else None
            if inner is None or inner.split() != text.split():
                return False
        found = inline_of(self._parser, text, self._env)
        return _comparable_shape(found.content, found.written) == _comparable_shape(content, written)


def _changed_labels(content: Content, old: InlineText) -> Iterator[tuple[int, str]]:
    """Yield the links whose words name their definition, and which have other words now."""
    for number, label in old.labels.items():
        if _parts_inside(content, number) != _parts_inside(old.content, number):
            yield number, label


def _parts_inside(content: Content, number: int) -> list[str | tuple[str, int]]:
    """Return the parts between the open and the close mark of a number, marks by their keys."""
    keys = [part.key if isinstance(part, Mark) else part for part in content]
    return keys[keys.index(("open", number)) + 1 : keys.index(("close", number))]


def _comparable_shape(content: Content, written: dict[tuple[str, int], str]) -> list[str]:
    """Return what is compared: words, and what is written for each mark."""
    shape = list[str]()
    for part in content:
        shape.append(" ".join(part.split()) if isinstance(part, str) else f"\0{written[part.key].strip()}")
    return [part for part in shape if part]


def _move_spaces_out(content: Content, old: InlineText) -> Content:
    """Spaces at the inner edges of emphasis go outside, where they must be; emphasis of nothing is left out."""
    parts = [_SPACES.sub(" ", part) if isinstance(part, str) else part for part in content]
    # Repeated until nothing moves: a space may go out through several marks.
    is_moving = True
    while is_moving:
        is_moving = False
        for at in range(len(parts) - 1):
            one, two = parts[at], parts[at + 1]
            # CommonMark 6.2: a delimiter followed by white space does not open emphasis.
            if _is_delimiter(one, old, "open") and isinstance(two, str) and two.startswith(" "):
                parts[at : at + 2] = [" ", one, two[1:]]
            elif _is_delimiter(two, old, "close") and isinstance(one, str) and one.endswith(" "):
                parts[at : at + 2] = [one[:-1], two, " "]
            # Emphasis of nothing would be four asterisks in the text.
            elif isinstance(one, Mark) and _is_delimiter(one, old, "open") and ("close", one.number) == _mark_key(two):
                del parts[at : at + 2]
            else:
                continue
            parts = list(content_of(parts))
            is_moving = True
            break
    return content_of(parts)


def _mark_key(part: str | Mark) -> tuple[str, int] | None:
    return part.key if isinstance(part, Mark) else None


def _is_delimiter(part: str | Mark, old: InlineText, role: str) -> bool:
    return isinstance(part, Mark) and part.role == role and old.written[part.key] in _SIGNS


def _as_html(content: Content, old: InlineText) -> dict[tuple[str, int], str]:
    looks = {part.number: part.look for part in content if isinstance(part, Mark) and _is_delimiter(part, old, "open")}
    found: dict[tuple[str, int], str] = {}
    for number, look in looks.items():
        # HTML needs no flanking rules; renderers that allow none show the words all the same.
        found["open", number], found["close", number] = f"<{_TAGS[look]}>", f"</{_TAGS[look]}>"
    return found


def _iterate_markup(
    content: Content, written: dict[tuple[str, int], str], is_escaped: bool, is_cell: bool, nbsp: str
) -> Iterator[str]:
    """Texts and markup in order; between the words of a text, and nowhere else, is a piece " "."""
    for part in content:
        if isinstance(part, Mark):
            # A bar ends a cell, also within code (GFM, 4.10).
            yield CELL_BORDER.sub(r"\\|", written[part.key]) if is_cell else written[part.key]
            continue
        text = _SPECIAL.sub(r"\\\g<0>", part) if is_escaped else part
        if is_cell:
            text = CELL_BORDER.sub(r"\\|", text)
        for word in re.split("( )", text.replace("\xa0", nbsp)):
            if word:
                yield word


def _in_lines(pieces: list[str], frame: TextFrame, is_escaped: bool) -> str:
    """Wrap pieces into lines if the frame has a width."""
    lines, line = list[str](), ""
    unit = ""

    def room() -> int:
        return frame.most - (width_of(frame.next_.expandtabs()) if lines else frame.first_columns)

    def add_unit() -> None:
        nonlocal line, unit
        # Only the first line of a piece counts: a hard break within starts anew.
        if frame.most and line.strip() and width_of(line) + width_of(unit.split("\n")[0]) > room():
            lines.append(line.rstrip(" "))
            line = ""
        line += unit
        unit = ""
        while "\n" in line:
            whole, _, line = line.partition("\n")
            lines.append(whole)

    for piece in pieces:
        if piece == " ":
            add_unit()
            line += " " if line.strip() or not frame.most else ""
        else:
            unit += piece
    add_unit()
    text = "\n".join([*lines, line]).strip()
    # The first sign of a line decides what block it begins.
    start = _START.match(text) if is_escaped else None
    return f"{start[0]}\\{text[start.end() :]}" if start is not None else text
