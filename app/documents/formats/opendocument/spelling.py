"""How words are written into a paragraph of an OpenDocument, where white space has elements of its own.

Source: OpenDocument 1.3 part 3, 6.1.2 (white space processing) and 6.1.3 (text:s).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from app.documents.formats.markup.stretches import Spelling, escaped
from app.documents.segments import Content, Mark

_WHITE = re.compile(r" +|[\t\n]")


@cache
def spelling_with(prefix: str) -> Spelling:
    """The spelling with this prefix for the namespace of text, such as "text:"."""

    def spell(content: Content) -> Sequence[str | Mark]:
        found: list[str | Mark] = []
        is_behind_space = True  # as at the beginning of a paragraph
        for part in content:
            if isinstance(part, Mark):
                found.append(part)
                is_behind_space = is_behind_space and part.role != "single"
            else:
                written, is_behind_space = _written(part, prefix, is_behind_space)
                found.append(written)
        return found

    return spell


def _written(text: str, prefix: str, is_behind_space: bool) -> tuple[str, bool]:
    """The words as source, and whether a space behind them would be lost."""
    found, position = "", 0
    text = text.replace("\r", "")
    for match in _WHITE.finditer(text):
        found += escaped(text[position : match.start()])
        is_behind_space = is_behind_space and match.start() == position == 0
        position = match.end()
        white = match[0]
        if white == "\t":
            found += f"<{prefix}tab/>"
        elif white == "\n":
            found += f"<{prefix}line-break/>"
        else:
            found += "" if is_behind_space else " "
            count = len(white) if is_behind_space else len(white) - 1
            found += f'<{prefix}s {prefix}c="{count}"/>' if count else ""
            is_behind_space = not count
            continue
        is_behind_space = False
    rest = escaped(text[position:])
    return found + rest, is_behind_space and not rest
