"""XML of documents, read with lxml so that nothing in it can reach out: no DTD, no entity, no network.

lxml never sees a document type declaration: `app.documents.xml_text` takes it out of the stream on the way, refuses it
where it declares entities, and puts the characters of HTML's named entities in their places.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from lxml import etree

from app.documents.blocks import Place
from app.documents.source import Source
from app.documents.xml_text import CleanStream

Element = Any
"""An lxml element; lxml brings no types."""


class Numbered(NamedTuple):
    """An element with its place: `list(root.iter())[start:end]` is it with all below it."""

    start: int
    end: int
    element: Element


_SAFE = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "collect_ids": False,
    "encoding": "utf-8",
}
_TOO_DEEP = etree.ErrorTypes.ERR_RESOURCE_LIMIT
"""Only the depth is left of these limits: `CleanStream` has one for the length of a text."""


def parse(stream: BinaryIO | bytes, source: Source) -> Element:
    """The root of a part; raises DocumentUnreadable: damaged, entities, too_deep or inflates."""
    try:
        return etree.parse(_clean(stream, source), etree.XMLParser(**_SAFE)).getroot()
    except etree.XMLSyntaxError as error:
        raise _unreadable(error, source) from None


def iterate(stream: BinaryIO | bytes, source: Source, tags: tuple[str, ...]) -> Iterator[Element]:
    """The elements of these tags that are in no other such element, each whole; emptied after its turn.

    What stands before it in its parent is gone then. Raises as `parse` does, and only when it comes to the place.
    """
    try:
        for _, element in etree.iterparse(_clean(stream, source), events=("end",), tag=tags, **_SAFE):
            if next(element.iterancestors(*tags), None) is None:
                yield element
                element.clear(keep_tail=True)
                while (before := element.getprevious()) is not None and element.getparent() is not None:
                    element.getparent().remove(before)
    except etree.XMLSyntaxError as error:
        raise _unreadable(error, source) from None


def stream_blocks(stream: BinaryIO | bytes, source: Source, containers: frozenset[str]) -> Iterator[Numbered]:
    """The outermost elements that are no containers, each whole, with its place; it is gone after its turn.

    The root is a container too; a text that is directly in one is left out. Raises as `parse` does, and only when it
    comes to the place.
    """
    parser = etree.XMLPullParser(events=("start",), tag=tuple(containers), **_SAFE)
    clean = _clean(stream, source)
    blocks = _OpenTree(containers)
    root = None
    try:
        while data := clean.read():
            parser.feed(data)
            for _, element in parser.read_events():
                root = element if root is None else root
            if root is not None:
                yield from blocks.inside(root, is_whole=False)
        parser.close()
    except etree.XMLSyntaxError as error:
        raise _unreadable(error, source) from None
    if root is not None:
        yield from blocks.inside(root, is_whole=True)


class _OpenTree:
    """A tree that is still being built: only the last child of an open element is not whole yet."""

    def __init__(self, containers: frozenset[str]) -> None:
        self._containers = containers
        self._passed = 0
        self._open: set[Element] = set()

    def inside(self, container: Element, *, is_whole: bool) -> Iterator[Numbered]:
        """What is whole in a container and was not given yet."""
        if container not in self._open:
            self._open.add(container)
            self._passed += 1
        children = list(container)
        last = None if is_whole or not children else children.pop()
        for child in children:
            if child.tag in self._containers:
                yield from self.inside(child, is_whole=True)
                continue
            start = self._passed
            nodes = list(child.iter())  # kept until its turn is over: lxml makes each only once then
            self._passed += len(nodes)
            yield Numbered(start, self._passed, child)
        del container[: len(children)]
        if last is not None and last.tag in self._containers:
            yield from self.inside(last, is_whole=False)
        if is_whole:
            self._open.discard(container)


class Places:
    """The places of elements inside one element, whose own number is known; counted when they are first asked for."""

    def __init__(self, part: str, root: Element, start: int = 0, end: int = 0) -> None:
        self._part = part
        self._root = root
        self._start = start
        self._end = end
        self._numbers: dict[Element, int] = {}

    def place(self, element: Element) -> Place:
        """Where an element is."""
        if element is self._root and self._end:
            return Place(self._part, self._start, self._end)
        if not self._numbers:
            self._numbers = {each: number for number, each in enumerate(self._root.iter(), self._start)}
        start = self._numbers[element]
        return Place(self._part, start, start + sum(1 for _ in element.iter()))


def _clean(stream: BinaryIO | bytes, source: Source) -> CleanStream:
    return CleanStream(io.BytesIO(stream) if isinstance(stream, bytes) else stream, source)


def _unreadable(error: etree.XMLSyntaxError, source: Source) -> Exception:
    return source.unreadable("too_deep" if error.code == _TOO_DEEP else "damaged")
