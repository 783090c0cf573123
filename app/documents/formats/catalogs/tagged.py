"""A message of a program as content: tags of HTML in it, and line breaks, are marks; all else is text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from app.documents.segments import Content, Mark, content_of

_TAG = re.compile(r"<(/?)([A-Za-z][\w:-]*)(?:\s[^<>]*)?(/?)>")
_LOOKS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline", "s": "strike",
    "del": "strike", "a": "link", "small": "small", "code": "code", "kbd": "code", "tt": "code", "br": "break",
    "img": "image",
}  # fmt: skip
_ALONE = ("br", "img", "hr", "wbr", "input")


@dataclass(frozen=True)
class Tagged:
    """`written` is what the message has for each mark, by its key."""

    content: Content
    written: dict[tuple[str, int], str] = field(default_factory=dict)

    def text_of(self, content: Content) -> str:
        """A message of a content that has the same marks."""
        return "".join(self.written[part.key] if isinstance(part, Mark) else part for part in content)


def tagged(message: str, *, has_breaks: bool = False) -> Tagged:
    """The content of a message; `has_breaks`: a line feed is a mark, so that it stays."""
    pairs = _pairs(message)
    pattern = re.compile(f"{_TAG.pattern}|\n") if has_breaks else _TAG
    parts, written, at, count = list[str | Mark](), dict[tuple[str, int], str](), 0, 0
    numbers: dict[int, int] = {}
    for found in pattern.finditer(message):
        start, name = found.start(), (found[2] or "br").lower()
        if start in pairs and found[1]:
            mark = Mark("close", numbers[pairs[start]])
        elif start in pairs or name in _ALONE:
            count += 1
            numbers[start] = count
            mark = Mark("open" if start in pairs else "single", count, _LOOKS.get(name, "other"))
        else:
            continue
        parts += [message[at:start], mark]
        written[mark.key] = found[0]
        at = found.end()
    parts.append(message[at:])
    return Tagged(content_of(parts), written)


def _pairs(message: str) -> dict[int, int]:
    """Where the tags are that open and close each other, both ways; no two pairs overlap."""
    pairs: dict[int, int] = {}
    waiting: list[tuple[str, int]] = []
    for found in _TAG.finditer(message):
        name = found[2].lower()
        if not found[1]:
            if not found[3] and name not in _ALONE:
                waiting.append((name, found.start()))
            continue
        at = next((at for at in reversed(range(len(waiting))) if waiting[at][0] == name), None)
        if at is not None:
            pairs[waiting[at][1]], pairs[found.start()] = found.start(), waiting[at][1]
            del waiting[at:]
    return pairs
