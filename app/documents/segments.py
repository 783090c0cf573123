"""The text of a document as it is translated: segments, whose inline markup is held by marks. Frozen values.

A segment is a paragraph, a list item, a cell, a heading, a cue, a message: what is translated as one. What stands
inside it and is no text (bold, links, images, formulas, line breaks, code) is a mark, numbered from 1 in each segment:

    ("The tenant pays ", Mark("open", 1, "bold"), "1,240.00", Mark("close", 1), " by ", Mark("single", 2, "image"), ".")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

from app.core.wire import from_json

Role = Literal["open", "close", "single"]


class Mark(NamedTuple):
    """Inline markup. An open one has a close one of its number; a single one stands alone.

    `look` is how what it encloses (or stands for) looks: words of bold, italic, underline, strike, code, link, small,
    image, formula, break, tab, note, field, other; "" for a close mark. `shows` is what a single mark stands for where
    that is text: code, a formula's source, a field's value.
    """

    role: Role
    number: int
    look: str = ""
    shows: str = ""

    @property
    def key(self) -> tuple[str, int]:
        """What is compared: whether a mark is there, not how it looks."""
        return self.role, self.number


Content = tuple[str | Mark, ...]
"""Texts and marks in order; no text is empty, no two follow each other. See `content_of`."""


class SegmentKind(StrEnum):
    """What a segment is in its document."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    CELL = "cell"
    NOTE = "note"
    """A footnote, an endnote, a comment, a speaker's notes."""
    HEADER = "header"
    """A running header or footer."""
    CAPTION = "caption"
    CUE = "cue"
    """What is said in a subtitle."""
    MESSAGE = "message"
    """Of a program: PO."""
    VALUE = "value"
    """In JSON or YAML."""
    LABEL = "label"
    """What is seen beside the text: a title, the words for an image, the name of a sheet's chart."""


@dataclass(frozen=True)
class Segment:
    """One piece of text to translate. `id` counts from 1 in the order of the file; the same bytes give the same ids.

    `page` is the page, slide, sheet or chapter (0 without one). `context` is what a translator should know and what is
    not translated: a message's context and comments, a value's key. `level` is a heading's, from 1.
    `translated` is what the file itself has as the translation so far (PO), () without it.
    """

    id: int
    content: Content
    kind: SegmentKind = SegmentKind.PARAGRAPH
    page: int = 0
    level: int = 0
    context: str = ""
    translated: Content = ()

    @property
    def text(self) -> str:
        """The words without the marks; what single marks show is not among them."""
        return plain(self.content)


def plain(content: Content) -> str:
    return "".join(part for part in content if isinstance(part, str))


def marks(content: Content) -> tuple[Mark, ...]:
    return tuple(part for part in content if isinstance(part, Mark))


def content_of(parts: Sequence[str | Mark]) -> Content:
    """Parts as a content has them: texts that follow each other joined, empty ones left out."""
    found: list[str | Mark] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        elif part != "":
            found.append(part)
    return tuple(found)


def nests(content: Content) -> bool:
    """Whether every open mark is closed, in the right order, and no number is used twice."""
    waiting: list[int] = []
    seen: set[tuple[str, int]] = set()
    for mark in marks(content):
        if mark.key in seen:
            return False
        seen.add(mark.key)
        if mark.role == "open":
            waiting.append(mark.number)
        elif mark.role == "close" and (not waiting or waiting.pop() != mark.number):
            return False
    return not waiting


def content_from_json(raw: object) -> Content:
    """What was a content; raises KeyError, ValueError or TypeError for anything else."""
    return content_of(from_json(Content, raw))


TAG_LOOKS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline", "s": "strike",
    "del": "strike", "a": "link", "small": "small", "code": "code", "kbd": "code", "tt": "code", "br": "break",
    "img": "image",
}  # fmt: skip
"""How what tags of HTML enclose, or stand for, looks in a text that is no page."""


class SegmentTag(NamedTuple):
    """Markup in a text from `start` to `end`. `name` is what a partner has too, "" for what has none.

    What finds no partner is a mark where it `stands_alone`, else text.
    """

    start: int
    end: int
    name: str
    is_closing: bool
    look: str
    stands_alone: bool


@dataclass(frozen=True)
class Tagged:
    """`written` is what the text has for each mark, by its key."""

    content: Content
    written: dict[tuple[str, int], str] = field(default_factory=dict)

    def text_of(self, content: Content) -> str:
        """The text of a content that has the same marks."""
        return "".join(self.written[part.key] if isinstance(part, Mark) else part for part in content)


def tagged_content(text: str, tags: Sequence[SegmentTag], read: Callable[[str], str] = str) -> Tagged:
    """A text with its tags as marks; `read` makes words of what stands between them."""
    pairs = _pairs(tags)
    parts, written, position, numbers = list[str | Mark](), dict[tuple[str, int], str](), 0, dict[int, int]()
    for at, tag in enumerate(tags):
        if at in pairs and tag.is_closing:
            mark = Mark("close", numbers[pairs[at]])
        elif at in pairs or tag.stands_alone:
            numbers[at] = len(numbers) + 1
            mark = Mark("open" if at in pairs else "single", numbers[at], tag.look)
        else:
            continue
        parts += [read(text[position : tag.start]), mark]
        written[mark.key] = text[tag.start : tag.end]
        position = tag.end
    return Tagged(content_of([*parts, read(text[position:])]), written)


def _pairs(tags: Sequence[SegmentTag]) -> dict[int, int]:
    """Which tags open and close each other, both ways; no two pairs overlap."""
    pairs: dict[int, int] = {}
    waiting: list[tuple[str, int]] = []
    for at, tag in enumerate(tags):
        if tag.name and not tag.is_closing:
            waiting.append((tag.name, at))
        elif tag.name:
            found = next((n for n in reversed(range(len(waiting))) if waiting[n][0] == tag.name), None)
            if found is not None:
                other = waiting[found][1]
                pairs[other], pairs[at] = at, other
                del waiting[found:]
    return pairs
