"""Characters that XML, and SpreadsheetML above it, can and cannot have."""

from __future__ import annotations

import re

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_LITERAL = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


def without_forbidden(text: str) -> str:
    """A text without what no XML document may hold."""
    return _FORBIDDEN.sub("", text)


def unescaped(text: str) -> str:
    """What `ST_Xstring` means: characters that XML forbids are written _x000D_ there. ECMA-376 part 1, 22.9.2.19."""
    if "_x" not in text:
        return text
    return without_forbidden(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)).replace("\r\n", "\n")


def escaped(text: str) -> str:
    """A text that could be taken for such an escape, so that it is none."""
    return _LITERAL.sub("_x005F_", text) if "_x" in text else text
