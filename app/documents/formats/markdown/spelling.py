"""Content as inline Markdown that is read as just this content, and lines that stay one block.

What is written is parsed again. Where it would not be the same, more of it is escaped, and emphasis that cannot stand
between such neighbours is written as the HTML it means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from markdown_it import MarkdownIt

from app.documents.formats.markdown.inline import Inline, inline_of
from app.documents.formats.plain.wrapping import width_of
from app.documents.segments import Content, Mark, SegmentKind, content_of

_SPECIAL = re.compile(r"[\\`*_\[\]<~$|^]|&(?=#?\w+;)")
_START = re.compile(r"(?:\d{1,9}(?=[.)])|(?=[-+#>=:]))")
_BAR = re.compile(r"(?<!\\)\|")
_SPACES = re.compile(r"[ \t\r\n\f\v]+")
_TAGS = {"italic": "em", "bold": "strong", "strike": "del"}
_DELIMITERS = ("*", "_", "**", "__", "~~")
_BLOCKS = {SegmentKind.HEADING: "# "}


class Frame(NamedTuple):
    """What stands around a text: lines behind the first begin with `next_`; `most` is their width, 0 for one line."""

    kind: SegmentKind
    first_columns: int = 0
    next_: str = ""
    most: int = 0
    is_cell: bool = False


class MarkdownText:
    """Writes contents into the places of others."""

    def __init__(self, parser: MarkdownIt, env: dict[str, Any]) -> None:
        self._parser, self._env = parser, env

    def of(self, content: Content, old: Inline, frame: Frame) -> str:
        """The text for a content, which has the marks of the old one; lines are divided by line feeds."""
        content = _tidy(content, old)
        nbsp = "&nbsp;" if "&nbsp;" in old.source and "\xa0" not in old.source else "\xa0"
        written = old.written | {("close", number): f"][{label}]" for number, label in _changed_labels(content, old)}
        best = ""
        for is_escaped, is_html in ((False, False), (True, False), (True, True)):
            if is_html:
                written |= _as_html(content, old)
            pieces = list(_pieces(content, written, is_escaped, frame.is_cell, nbsp))
            for most in (frame.most, 0) if frame.most else (0,):
                best = _in_lines(pieces, frame._replace(most=most), is_escaped)
                if self._is(best, content, written, frame):
                    return best
        return best

    def _is(self, text: str, content: Content, written: dict[tuple[str, int], str], frame: Frame) -> bool:
        """Whether a text is read as this content, and as one block."""
        if frame.is_cell:
            if "\n" in text or _BAR.search(text):
                return False
            text = text.replace("\\|", "|")
        else:
            tokens = self._parser.parse(_BLOCKS.get(frame.kind, "") + text, {})
            inner = tokens[1].content if len(tokens) == 3 and tokens[1].type == "inline" else None
            if inner is None or inner.split() != text.split():
                return False
        found = inline_of(self._parser, text, self._env)
        return _shape(found.content, found.written) == _shape(content, written)


def _changed_labels(content: Content, old: Inline) -> Iterator[tuple[int, str]]:
    """The links whose words name their definition, and which have other words now."""
    for number, label in old.labels.items():
        if _inside(content, number) != _inside(old.content, number):
            yield number, label


def _inside(content: Content, number: int) -> list[str | tuple[str, int]]:
    """What stands between two marks."""
    keys = [part.key if isinstance(part, Mark) else part for part in content]
    return keys[keys.index(("open", number)) + 1 : keys.index(("close", number))]


def _shape(content: Content, written: dict[tuple[str, int], str]) -> list[str]:
    """What is compared: words, and what is written for each mark."""
    shape = list[str]()
    for part in content:
        shape.append(" ".join(part.split()) if isinstance(part, str) else f"\0{written[part.key].strip()}")
    return [part for part in shape if part]


def _tidy(content: Content, old: Inline) -> Content:
    """Spaces at the inner edges of emphasis go outside, where they must be; emphasis of nothing is left out."""
    parts = [_SPACES.sub(" ", part) if isinstance(part, str) else part for part in content]
    is_moving = True
    while is_moving:
        is_moving = False
        for at in range(len(parts) - 1):
            one, two = parts[at], parts[at + 1]
            if _is_delimiter(one, old, "open") and isinstance(two, str) and two.startswith(" "):
                parts[at : at + 2] = [" ", one, two[1:]]
            elif _is_delimiter(two, old, "close") and isinstance(one, str) and one.endswith(" "):
                parts[at : at + 2] = [one[:-1], two, " "]
            elif _is_delimiter(one, old, "open") and isinstance(two, Mark) and two.key == ("close", _number(one)):
                del parts[at : at + 2]
            else:
                continue
            parts = list(content_of(parts))
            is_moving = True
            break
    return content_of(parts)


def _number(part: str | Mark) -> int:
    return part.number if isinstance(part, Mark) else 0


def _is_delimiter(part: str | Mark, old: Inline, role: str) -> bool:
    return isinstance(part, Mark) and part.role == role and old.written[part.key] in _DELIMITERS


def _as_html(content: Content, old: Inline) -> dict[tuple[str, int], str]:
    """Emphasis by tags."""
    looks = {part.number: part.look for part in content if isinstance(part, Mark) and _is_delimiter(part, old, "open")}
    found: dict[tuple[str, int], str] = {}
    for number, look in looks.items():
        found["open", number], found["close", number] = f"<{_TAGS[look]}>", f"</{_TAGS[look]}>"
    return found


def _pieces(
    content: Content, written: dict[tuple[str, int], str], is_escaped: bool, is_cell: bool, nbsp: str
) -> Iterator[str]:
    """Texts and markup in order; between the words of a text, and nowhere else, is a piece " "."""
    for part in content:
        if isinstance(part, Mark):
            yield _BAR.sub(r"\\|", written[part.key]) if is_cell else written[part.key]
            continue
        text = _SPECIAL.sub(r"\\\g<0>", part) if is_escaped else part
        if is_cell:
            text = _BAR.sub(r"\\|", text)
        for word in re.split("( )", text.replace("\xa0", nbsp)):
            if word:
                yield word


def _in_lines(pieces: list[str], frame: Frame, is_escaped: bool) -> str:
    """Filled into lines where the frame has a width."""
    lines, line = list[str](), ""
    unit = ""

    def room() -> int:
        return frame.most - (width_of(frame.next_.expandtabs()) if lines else frame.first_columns)

    def take() -> None:
        nonlocal line, unit
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
            take()
            line += " " if line.strip() or not frame.most else ""
        else:
            unit += piece
    take()
    text = "\n".join([*lines, line]).strip()
    start = _START.match(text) if is_escaped else None
    return f"{start[0]}\\{text[start.end() :]}" if start is not None else text
