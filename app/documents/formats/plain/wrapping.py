"""Lines of a plain text: how wide they are, where they were broken for their width, and breaking them anew."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

_WIDE = re.compile("[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]")
_UNSPACED = "\u3000-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
"""Scripts that have no spaces between words and may be broken anywhere."""
_NOT_FIRST = "、。，．・：；？！」』）】〉》〕］｝ー々…ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
"""What no line begins with in Chinese and Japanese."""
_PIECE = re.compile(f"[ \t]+|[{_UNSPACED}][{_NOT_FIRST}]*|[^ \t{_UNSPACED}]+[{_NOT_FIRST}]*")
_UNSPACED_END = re.compile(f"[{_UNSPACED}]$")
_UNSPACED_START = re.compile(f"[{_UNSPACED}]")
_BLANKS = re.compile(r"[ \t\r\n\f\v]+")
LEAST_WIDTH = 20


def width_of(text: str) -> int:
    """In columns of a terminal: Chinese, Japanese and Korean letters take two, accents that combine none."""
    if text.isascii():
        return len(text)
    combining = sum(unicodedata.combining(each) != 0 for each in text)
    return len(text) - combining + len(_WIDE.findall(text))


def one_line(text: str) -> str:
    """Without line breaks, and with single spaces; no-break spaces stay."""
    return _BLANKS.sub(" ", text).strip(" ")


def joined(lines: Sequence[str]) -> str:
    """Lines as one text: a space between them, none between letters of a script without spaces."""
    found = ""
    for line in lines:
        is_unspaced = _UNSPACED_END.search(found) is not None and _UNSPACED_START.match(line) is not None
        found += line if not found or is_unspaced else f" {line}"
    return found


def wrapped(text: str, first: str, next_: str, most: int) -> list[str]:
    """Lines of at most `most` columns, where words allow it; `first` and `next_` are what they begin with."""
    most = max(most, width_of(next_) + LEAST_WIDTH)
    lines, line, is_begun = [], first, False
    for piece in _pieces(text):
        if is_begun and width_of(line) + width_of(piece.rstrip()) > most:
            lines.append(line.rstrip())
            line, is_begun = next_, False
        if is_begun or not piece.isspace():
            line += piece
            is_begun = True
    return [*lines, line.rstrip() if is_begun else line]


def _pieces(text: str) -> Iterator[str]:
    for found in _PIECE.finditer(text):
        yield found[0]


def balanced(text: str, most_lines: int) -> list[str]:
    """At most so many lines, about as wide as each other; fewer where words are fewer."""
    text = one_line(text)
    total = width_of(text)
    low, high = -(-total // most_lines), total
    while low < high:
        middle = (low + high) // 2
        if len(_filled(text, middle)) <= most_lines:
            high = middle
        else:
            low = middle + 1
    return _filled(text, high)


def _filled(text: str, most: int) -> list[str]:
    lines, line = [], ""
    for piece in _pieces(text):
        if line.strip() and width_of(line) + width_of(piece.rstrip()) > most:
            lines.append(line.strip())
            line = ""
        line += piece
    return [*lines, line.strip()] if line.strip() or not lines else lines
