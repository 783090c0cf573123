"""HTML cut into tags and the text between them, each with its place; nothing is too broken for it.

The rules are those of the HTML standard's tokenizer (https://html.spec.whatwg.org/multipage/parsing.html), with two
exceptions, both so that no word is lost: an end tag without a name, and a tag that the file ends in, are text.
Every search goes forward only, so the time grows with the text and with nothing else.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from app.documents.formats.markup.stretches import Gathering, Stretch, spell_text, spelling_within
from app.documents.segments import SegmentKind

TAG = re.compile(
    r"<(?:(/?)([a-zA-Z][^\s/>]*+)([^>\"'=]*+(?:=\s*+(?:\"[^\"]*+\"|'[^']*+')?+[^>\"'=]*+|[\"'][^>\"'=]*+)*+)(?:>|\Z)"
    r"|!--|!\[CDATA\[|[!?])"
)
"""Groups: the slash of an end tag, the name (None in a comment or declaration), and the attributes as they stand.

A tag that the file ends in is matched, too: were it not, each one before it would be searched to the end again.
A quote counts only behind "=", as in a browser: the apostrophe of `<p title=it's>` begins nothing.
"""
ATTRIBUTE = re.compile(r"([^\s=/>][^\s=/>]*+)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s>]++)))?")
"""Groups: the name, and the value between double quotes, single ones, or none."""
_ROOT = re.compile("<[a-zA-Z]")
_COMMENT = re.compile("<!--.*?-->", re.DOTALL)


def unescaped(text: str) -> str:
    """Text with its character references resolved."""
    if "&" not in text:
        return text
    if text.count("&") == text.count("&amp;"):
        return text.replace("&amp;", "&")  # by far the most frequent, and ten times as fast this way
    return html.unescape(text)


def attributes(text: str) -> dict[str, str]:
    """The attributes of a tag by their names in lower case; of two with one name, the first."""
    found: dict[str, str] = {}
    for name, double, single, bare in ATTRIBUTE.findall(text):
        value = double or single or bare
        found.setdefault(name.lower(), unescaped(value))
    return found


def end_of_other(text: str, start: int, opener: str) -> tuple[int, int, int]:
    """Where a comment, a declaration or a CDATA section at `start` ends, and the text in it: (start, end, go on at).

    Only CDATA has text. What is not closed goes on to the end of the file.
    """
    if opener == "<!--":
        match = re.compile(r"-?>|(?=--!?>)").match(text, start + 4)
        if match and match.end() > start + 4:
            return start, start, match.end()
        return start, start, _behind(text, "-->", start + 4)
    if opener == "<![CDATA[":
        end = text.find("]]>", start)
        return (start + 9, end, end + 3) if end >= 0 else (start + 9, len(text), len(text))
    if text[start : start + 9].lower() == "<!doctype":
        return start, start, _end_of_doctype(text, start)
    return start, start, _behind(text, ">", start)


def end_of_raw(text: str, name: str, start: int) -> int:
    """Where the content of a script, a style or another element without tags inside ends: at its end tag."""
    match = re.compile(rf"</{re.escape(name)}(?=[\s/>])", re.IGNORECASE).search(text, start)
    return match.start() if match else len(text)


def declares_entities(text: str) -> bool:
    """Whether the document type declaration of an XHTML file has entities of its own."""
    root = _ROOT.search(text)
    prolog = text[: root.start() if root else len(text)]
    return "<!entity" in _COMMENT.sub("", prolog).lower()


def _behind(text: str, mark: str, start: int) -> int:
    end = text.find(mark, start)
    return end + len(mark) if end >= 0 else len(text)


def _end_of_doctype(text: str, start: int) -> int:
    """Behind its ">", or behind "]>" where it has a part in brackets."""
    end = _behind(text, ">", start)
    return _behind(text, "]>", start) if "[" in text[start:end] else end


# The attributes of a tag with their places.


class Attribute(NamedTuple):
    """A value and where it stands in the text, within its quotes; `quote` is "" where it has none."""

    value: str
    start: int
    end: int
    quote: str


def attributes_at(given: str, at: int) -> dict[str, Attribute]:
    """The attributes of a tag by their names in lower case, first of two; `given` begins in the text at `at`."""
    found: dict[str, Attribute] = {}
    for match in ATTRIBUTE.finditer(given):
        group = match.lastindex or 1
        if group == 1:
            found.setdefault(match[1].lower(), Attribute("", at + match.end(), at + match.end(), "?"))
        else:
            start, end = match.span(group)
            quote = ("", "", '"', "'", "")[group]
            found.setdefault(match[1].lower(), Attribute(unescaped(match[group]), at + start, at + end, quote))
    return found


def label(text: str, attribute: Attribute, page: int) -> Stretch | None:
    """The segment that a value is."""
    if attribute.quote:
        gathering = Gathering(text)
        gathering.add(attribute.start, attribute.end, attribute.value)
        return gathering.finish(spelling_within(attribute.quote), SegmentKind.LABEL, page)
    # White space cannot be around it, and the whole of it gets quotes.
    return Stretch(attribute.start, attribute.end, (attribute.value,), {}, spelling_within(""), SegmentKind.LABEL, page)


# The elements of a small XML file with their places, for files in which only a few of them are text.


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
