"""The elements of a small XML file with their places, for files in which only a few of them are text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.documents.formats.markup.attributes import Attribute, attributes_at
from app.documents.formats.markup.splice import spell_text
from app.documents.formats.markup.stretches import Gathering, Stretch
from app.documents.formats.markup.tokens import TAG, end_of_other, unescaped
from app.documents.segments import SegmentKind

_CDATA, _CDATA_END = "<![CDATA[", "]]>"


@dataclass(frozen=True)
class ElementAt:
    """An element whose content is `[start:end]`, and whose attributes begin at `given_at`.

    `path` has its name and those of what it is in, the outermost first, in lower case and without prefixes.
    """

    path: tuple[str, ...]
    said: dict[str, Attribute]
    given_at: int
    start: int
    end: int

    @property
    def name(self) -> str:
        """The last of the path."""
        return self.path[-1]


def elements_in(text: str) -> Iterator[ElementAt]:
    """The elements in the order in which they end; those that are not ended are left out."""
    open_: list[tuple[str, int, str, int]] = []
    position = 0
    while match := TAG.search(text, position):
        slash, name, given = match.groups()
        position = match.end()
        if name is None:
            position = end_of_other(text, match.start(), match[0])[2]
            continue
        name = name.rpartition(":")[2].lower()
        path = (*(each[0] for each in open_), name)
        if slash:
            while open_ and path[-1] in path[:-1]:
                last, given_at, given, start = open_.pop()
                if last == name:
                    said = attributes_at(given, given_at)
                    yield ElementAt((*(each[0] for each in open_), name), said, given_at, start, match.start())
                    break
        elif given.endswith("/"):
            yield ElementAt(path, attributes_at(given, match.start(3)), match.start(3), position, position)
        else:
            open_.append((name, match.start(3), given, position))


def text_labels(text: str, elements: Iterable[ElementAt]) -> Iterator[Stretch]:
    """The segments that elements without others inside are."""
    for element in elements:
        raw = text[element.start : element.end]
        words = raw.strip()
        if words.startswith(_CDATA) and words.endswith(_CDATA_END):
            words = words.removeprefix(_CDATA).removesuffix(_CDATA_END)
        elif "<" in words:
            continue
        else:
            words = unescaped(raw)
        gathering = Gathering(text)
        gathering.add(element.start, element.end, words)
        if stretch := gathering.finish(spell_text, SegmentKind.LABEL):
            yield stretch


def words_of(text: str, start: int, end: int) -> str:
    """The words between the tags of a part of a text."""
    found, position = "", start
    while match := TAG.search(text, position, end):
        found += text[position : match.start()]
        is_tag = match[2] is not None
        position = match.end() if is_tag else end_of_other(text, match.start(), match[0])[2]
    return unescaped(found + text[position:end])
