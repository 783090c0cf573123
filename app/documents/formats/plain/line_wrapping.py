"""Lines of a plain text: their widths, where they were broken for their width, and breaking them again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_WIDE = re.compile("[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]")
_UNSPACED = "\u3000-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
"""Scripts that have no spaces between words and may be broken anywhere."""
_NOT_FIRST = "、。，．・：；？！」』）】〉》〕］｝ー々…ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
"""Characters that no line starts with in Chinese and Japanese."""
# A piece takes the signs along that no line may begin with.
_PIECE = re.compile(f"[ \t]+|[{_UNSPACED}][{_NOT_FIRST}]*|[^ \t{_UNSPACED}]+[{_NOT_FIRST}]*")
_UNSPACED_END = re.compile(f"[{_UNSPACED}]$")
_UNSPACED_START = re.compile(f"[{_UNSPACED}]")
_BLANKS = re.compile(r"[ \t\r\n\f\v]+")
LEAST_WIDTH = 20


def width_of(text: str) -> int:
    """Return the width in terminal columns: CJK letters take two, combining accents none."""
    if text.isascii():
        return len(text)
    combining = sum(unicodedata.combining(letter) != 0 for letter in text)
    return len(text) - combining + len(_WIDE.findall(text))


def one_line(text: str) -> str:
    """Replace line breaks and repeated blanks by single spaces; no-break spaces stay."""
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
    # Deep quotes and lists leave at least `LEAST_WIDTH` for words.
    return _fill_lines(text, max(most, width_of(next_) + LEAST_WIDTH), first, next_)


def balanced(text: str, most_lines: int) -> list[str]:
    """Wrap into at most so many lines of similar width."""
    text = one_line(text)
    total = width_of(text)
    # By bisection, the smallest width that still takes no more lines.
    low, high = -(-total // most_lines), total
    while low < high:
        middle = (low + high) // 2
        if len(_fill_lines(text, middle)) <= most_lines:
            high = middle
        else:
            low = middle + 1
    return _fill_lines(text, high)


def _fill_lines(text: str, most: int, first: str = "", next_: str = "") -> list[str]:
    lines, line, is_begun = [], first, False
    for piece in _PIECE.findall(text):
        if is_begun and width_of(line) + width_of(piece.rstrip()) > most:
            lines.append(line.rstrip())
            line, is_begun = next_, False
        if is_begun or not piece.isspace():
            line += piece
            is_begun = True
    return [*lines, line.rstrip() if is_begun else line]
