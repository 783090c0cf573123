"""The parts of an OOXML package that is being rewritten: parsed when they are asked for, written where they changed."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from lxml import etree

from app.documents.archive import Archive
from app.documents.archive_copy import copy_archive
from app.documents.formats.office.package import Package
from app.documents.source import Source
from app.documents.xml_text import encoding_of
from app.documents.xml_tree import Element, parse

_DECLARATION = re.compile(r"\s*<\?xml\s.*?\?>\s*", re.DOTALL)
_STRICT = re.compile(r"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass
class Part:
    """One XML part. `is_changed` is set by who changes its tree."""

    name: str
    root: Element
    is_changed: bool = False


class Parts(Package):
    """The package and what has become of its parts. All methods raise DocumentUnreadable."""

    def __init__(self, archive: Archive, source: Source) -> None:
        super().__init__(archive, source)
        self.changed: dict[str, bytes] = {}
        """Members and their new bytes."""

    @contextmanager
    def opened(self, name: str) -> Iterator[Part]:
        """A part to be changed; what was changed is kept as bytes at the end, so only one tree is there at a time."""
        self.archive.refuse_crowd(name)
        raw = self.changed.get(name) or self.archive.read(name)
        part = Part(name, parse(raw, self.source))
        yield part
        if part.is_changed:
            self.changed[name] = written(part.root, raw)

    def write(self, out: BinaryIO) -> None:
        """The package with the changed parts."""
        copy_archive(self.source, out, self.changed)


def written(root: Element, raw: bytes) -> bytes:
    """A tree in the form of the bytes it was parsed from: declaration, encoding, byte order mark, strict namespaces."""
    encoding = encoding_of(raw)
    mark = next((each for each in _MARKS if raw.startswith(each)), b"")
    encoding = _MARKS.get(mark, encoding)
    head = raw[len(mark) : 1000].decode(encoding, "ignore")
    found = _DECLARATION.match(head)
    declaration = found[0] if found else ""
    text = etree.tostring(root.getroottree(), encoding="unicode")
    for group, name in set(_STRICT.findall(raw.decode(encoding, "ignore"))) if _is_strict(raw, encoding) else ():
        usual = f'"http://schemas.openxmlformats.org/{group}/2006/{name}"'
        text = text.replace(usual, f'"http://purl.oclc.org/ooxml/{group}/{name}"')
    return mark + f"{declaration}{text}".encode(encoding, "xmlcharrefreplace")


def _is_strict(raw: bytes, encoding: str) -> bool:
    return "purl.oclc.org/ooxml/".encode(encoding, "ignore") in raw
