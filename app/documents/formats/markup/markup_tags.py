"""A text cut into tags and what is between them; attributes and elements with their places."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from app.core.lazy_dataclasses import dataclass
from app.documents.formats.markup.tagged_text import TaggedSegment, TextGatherer, spell_text, spelling_within
from app.documents.segments import SegmentKind

TAG = re.compile(
    # Possessive throughout, so that no attribute can be read in two ways and time stays linear.
    r"<(?:(/?)([a-zA-Z][^\s/>]*+)([^>\"'=]*+(?:=\s*+(?:\"[^\"]*+\"|'[^']*+')?+[^>\"'=]*+|[\"'][^>\"'=]*+)*+)(?:>|\Z)"
    r"|!--|!\[CDATA\[|[!?])"
)
"""Groups: slash of an end tag, name (None in comments and declarations), raw attributes.

A tag cut by the end of the file matches too: otherwise each one before it would be searched to the end again. A quote
counts only after "=", as in browsers: the apostrophe of `<p title=it's>` begins nothing.
"""
ATTRIBUTE = re.compile(r"([^\s=/>][^\s=/>]*+)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s>]++)))?")
"""Groups: the name, and the value between double quotes, single ones, or none."""
_ROOT = re.compile("<[a-zA-Z]")
_COMMENT = re.compile("<!--.*?-->", re.DOTALL)


def unescaped(text: str) -> str:
    """Resolve character references as browsers do, named ones without a semicolon too."""
    if "&" not in text:
        return text
    if text.count("&") == text.count("&amp;"):
        return text.replace("&amp;", "&")  # by far the most frequent, and ten times as fast this way
    return html.unescape(text)


def attributes(text: str) -> dict[str, str]:
    """Return the attributes of a tag by their names in lower case; of two with one name, the first."""
    found: dict[str, str] = {}
    for name, double, single, bare in ATTRIBUTE.findall(text):
        value = double or single or bare
        found.setdefault(name.lower(), unescaped(value))
    return found


def end_of_other(text: str, start: int, opener: str) -> tuple[int, int, int]:
    """Return where a comment, a declaration or a CDATA section at `start` ends, and the text in it: (start, end, go on
    at).

    Only CDATA has text. What is not closed goes on to the end of the file.
    """
    if opener == "<!--":
        # `<!-->` and `<!--->` are empty comments (HTML standard, 13.2.5.43).
        match = re.compile(r"-?>|(?=--!?>)").match(text, start + 4)
        if match and match.end() > start + 4:
            return start, start, match.end()
        return start, start, _end_of_mark(text, "-->", start + 4)
    if opener == "<![CDATA[":
        end = text.find("]]>", start)
        return (start + 9, end, end + 3) if end >= 0 else (start + 9, len(text), len(text))
    if text[start : start + 9].lower() == "<!doctype":
        return start, start, _end_of_doctype(text, start)
    return start, start, _end_of_mark(text, ">", start)


def end_of_raw(text: str, name: str, start: int) -> int:
    """Return where the content of a script, a style or another element without tags inside ends: at its end tag."""
    match = re.compile(rf"</{re.escape(name)}(?=[\s/>])", re.IGNORECASE).search(text, start)
    return match.start() if match else len(text)


def declares_entities(text: str) -> bool:
    """Return whether an XHTML file's document type declares entities."""
    root = _ROOT.search(text)
    prolog = text[: root.start() if root else len(text)]
    # A comment before the root may mention one.
    return "<!entity" in _COMMENT.sub("", prolog).lower()


def _end_of_mark(text: str, mark: str, start: int) -> int:
    end = text.find(mark, start)
    return end + len(mark) if end >= 0 else len(text)


def _end_of_doctype(text: str, start: int) -> int:
    """Return the end of a document type, after ">" or "]>"."""
    end = _end_of_mark(text, ">", start)
    # With an internal subset, which may hold ">".
    return _end_of_mark(text, "]>", start) if "[" in text[start:end] else end


class AttributeValue(NamedTuple):
    """An attribute's value and its range within the quotes; `quote` is "" without."""

    value: str
    start: int
    end: int
    quote: str


def attributes_at(given: str, at: int) -> dict[str, AttributeValue]:
    """Return the attributes of a tag by their names in lower case, first of two; `given` begins in the text at `at`."""
    found: dict[str, AttributeValue] = {}
    for match in ATTRIBUTE.finditer(given):
        group = match.lastindex or 1
        if group == 1:
            # "?" marks an attribute without a value, which has no quotes to write between.
            found.setdefault(match[1].lower(), AttributeValue("", at + match.end(), at + match.end(), "?"))
        else:
            start, end = match.span(group)
            quote = ("", "", '"', "'", "")[group]
            found.setdefault(match[1].lower(), AttributeValue(unescaped(match[group]), at + start, at + end, quote))
    return found


def label(text: str, attribute: AttributeValue, page: int) -> TaggedSegment | None:
    if attribute.quote:
        gathering = TextGatherer(text)
        gathering.add(attribute.start, attribute.end, attribute.value)
        return gathering.finish(spelling_within(attribute.quote), SegmentKind.LABEL, page)
    # White space cannot be around it, and the whole of it gets quotes.
    return TaggedSegment(
        attribute.start, attribute.end, (attribute.value,), {}, spelling_within(""), SegmentKind.LABEL, page
    )


_CDATA, _CDATA_END = "<![CDATA[", "]]>"


@dataclass(frozen=True)
class ElementAt:
    """An element whose content is `[start:end]`, and whose attributes begin at `given_at`.

    `path` has its name and those of what it is in, the outermost first, in lower case and without prefixes.
    """

    path: tuple[str, ...]
    said: dict[str, AttributeValue]
    given_at: int
    start: int
    end: int

    @property
    def name(self) -> str:
        return self.path[-1]


def elements_in(text: str) -> Iterator[ElementAt]:
    """Yield elements in the order they end; unclosed ones are left out."""
    open_: list[tuple[str, int, str, int]] = []
    position = 0
    while match := TAG.search(text, position):
        slash, name, given = match.groups()
        position = match.end()
        if name is None:
            position = end_of_other(text, match.start(), match[0])[2]
            continue
        name = name.rpartition(":")[2].lower()
        path = (*(level[0] for level in open_), name)
        if slash:
            # Only if such an element is open at all: a stray end tag ends nothing.
            while open_ and path[-1] in path[:-1]:
                last, given_at, given, start = open_.pop()
                if last == name:
                    said = attributes_at(given, given_at)
                    yield ElementAt((*(level[0] for level in open_), name), said, given_at, start, match.start())
                    break
        # "<a/>": an attribute without quotes can't be last then.
        elif given.endswith("/"):
            yield ElementAt(path, attributes_at(given, match.start(3)), match.start(3), position, position)
        else:
            open_.append((name, match.start(3), given, position))


def text_labels(text: str, elements: Iterable[ElementAt]) -> Iterator[TaggedSegment]:
    """Yield the segments that elements without others inside are."""
    for element in elements:
        raw = text[element.start : element.end]
        words = raw.strip()
        # Between CDATA marks nothing is escaped, so the words are taken as they are.
        if words.startswith(_CDATA) and words.endswith(_CDATA_END):
            words = words.removeprefix(_CDATA).removesuffix(_CDATA_END)
        elif "<" in words:
            continue
        else:
            words = unescaped(raw)
        gathering = TextGatherer(text)
        gathering.add(element.start, element.end, words)
        if stretch := gathering.finish(spell_text, SegmentKind.LABEL):
            yield stretch


def words_of(text: str, start: int, end: int) -> str:
    """Return the words between the tags of a part of a text."""
    found, position = "", start
    while match := TAG.search(text, position, end):
        found += text[position : match.start()]
        is_tag = match[2] is not None
        position = match.end() if is_tag else end_of_other(text, match.start(), match[0])[2]
    return unescaped(found + text[position:end])
