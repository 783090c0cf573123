"""Packages of DOCX, PPTX and XLSX: related parts, properties, element order, fonts."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO
from urllib.parse import unquote

from lxml import etree

from app.core.lazy_dataclasses import dataclass
from app.documents.archive import Archive
from app.documents.archive_copy import copy_archive
from app.documents.blocks import BlockKind, BlockPiece, BlockPlace
from app.documents.encoding import BOMS
from app.documents.formats.markup.xml_tree import Element, encoding_of, parse, words_in
from app.documents.segments import GENERATED_DESCRIPTIONS, SegmentKind, plain
from app.documents.source import ContentCallback, FileSource, TargetLanguage

_SCHEMAS = "{http://schemas.openxmlformats.org/"
W = f"{_SCHEMAS}wordprocessingml/2006/main}}"
P = f"{_SCHEMAS}presentationml/2006/main}}"
MAIN = f"{_SCHEMAS}spreadsheetml/2006/main}}"
"""Namespace of workbooks."""
DRAWING = f"{_SCHEMAS}drawingml/2006/main}}"
DIAGRAM = f"{_SCHEMAS}drawingml/2006/diagram}}"
CHART = f"{_SCHEMAS}drawingml/2006/chart}}"
NEWER_CHART = "{http://schemas.microsoft.com/office/drawing/2014/chartex}"
MATH = f"{_SCHEMAS}officeDocument/2006/math}}"
VML = "{urn:schemas-microsoft-com:vml}"
RELATIONSHIPS = f"{_SCHEMAS}officeDocument/2006/relationships}}"
COMPATIBILITY = f"{_SCHEMAS}markup-compatibility/2006}}"
ALTERNATE = f"{COMPATIBILITY}AlternateContent"
DUBLIN = "{http://purl.org/dc/elements/1.1/}"
SPACE = "{http://www.w3.org/XML/1998/namespace}space"


# What a way of saying the same has to hold to count as readable.
_SPEAKING = (f"{W}t", f"{DRAWING}t", f"{MATH}t", f"{DIAGRAM}relIds", f"{CHART}chart")
_PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_CORE = "docProps/core.xml"
_PROPERTIES = "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}"
_SAID = tuple(f"{DUBLIN}{name}" for name in ("title", "subject", "description"))
_SAID += tuple(f"{_PROPERTIES}{name}" for name in ("keywords", "category"))
_CODE_FONTS = re.compile(
    r"courier|consolas|lucida console|monaco|menlo|inconsolata|andale mono|.*\b(mono|code|console)\b", re.IGNORECASE
)
_DECLARATION = re.compile(r"\s*<\?xml\s.*?\?>\s*", re.DOTALL)
_STRICT = re.compile(r"http://purl\.oclc\.org/ooxml/(\w+)/(\w+)")
_NUMBER_CACHES = (f"{CHART}numCache", f"{CHART}numLit")


@dataclass(frozen=True)
class RelatedPart:
    """A relationship: the last word of its type, and the target member."""

    kind: str
    target: str


@dataclass
class XmlPart:
    """An XML part being rewritten. Whoever changes its tree sets `is_changed`."""

    name: str
    root: Element
    is_changed: bool = False

    def ask_attribute(self, element: Element, name: str, ask: ContentCallback, page: int = 0) -> None:
        """Rewrite an attribute, such as alternative text, as a segment of its own."""
        if given := _translated_words(element.get(name, ""), ask, SegmentKind.LABEL, page):
            element.set(name, given)
            self.is_changed = True

    def ask_text(
        self, element: Element, ask: ContentCallback, kind: SegmentKind = SegmentKind.LABEL, page: int = 0
    ) -> None:
        """Rewrite an element's own text as a segment; it has no markup inside."""
        if given := _translated_words(element.text or "", ask, kind, page):
            element.text = given
            self.is_changed = True


class OfficePackage:
    """The parts of an open archive. Methods raise DocumentUnreadable as `Archive` and `xml_tree` do."""

    def __init__(self, archive: Archive, source: FileSource) -> None:
        self.archive = archive
        self.source = source
        self.changed: dict[str, bytes] = {}
        """Members and their new bytes."""

    def related(self, part: str) -> dict[str, RelatedPart]:
        """Return what a part names, by relationship id; the package itself is the part "". Links to elsewhere are no
        parts.
        """
        folder, name = posixpath.split(part)
        # OPC, ECMA-376 part 2, 9.3: relationships of a part lie in _rels beside it.
        member = posixpath.join(folder, "_rels", f"{name}.rels")
        if member not in self.archive:
            return {}
        found = {}
        for element in parse(self.archive.read(member), self.source).iter(f"{_PACKAGE}Relationship"):
            # A target elsewhere is a link, not a part, and nothing is ever fetched.
            if element.get("TargetMode") != "External":
                target = unquote(element.get("Target", ""))
                # Targets are relative to the part or begin at the package's root; ".." must not lead out of it.
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
                found[element.get("Id", "")] = RelatedPart(element.get("Type", "").rpartition("/")[2], target)
        return found

    def main_part(self, usual: str) -> str:
        """Return the name of the document's part; `usual` where the package names none."""
        return next((related.target for related in self.named("", "officeDocument")), usual)

    def named(self, part: str, *kinds: str) -> list[RelatedPart]:
        """Return existing parts of these kinds (or any) that a part refers to."""
        found = self.related(part).values()
        return [related for related in found if related.target in self.archive and (not kinds or related.kind in kinds)]

    def part_of_kind(self, main: str, kind: str) -> str | None:
        """Return what the main part names as its styles, notes …; where it names none, the part of the usual name."""
        usual = posixpath.join(posixpath.dirname(main), f"{kind}.xml")
        named = [related.target for related in self.named(main, kind)]
        # Some writers leave the relationship out and rely on the usual name.
        return next((name for name in (*named, usual) if name in self.archive), None)

    def title(self) -> str:
        """Return the document's own title, "" where it has none."""
        if _CORE not in self.archive:
            return ""
        return words_in(self.root(_CORE).find(f".//{DUBLIN}title"))

    def root(self, part: str) -> Element:
        return parse(self.archive.read(part), self.source)

    @contextmanager
    def opened(self, name: str) -> Iterator[XmlPart]:
        """Open a part for changes, stored as bytes at the end so that only one tree is in memory."""
        self.archive.refuse_crowd(name)
        # A part may be opened twice (a chart by two slides), so what was changed before is read again.
        raw = self.changed.get(name) or self.archive.read(name)
        part = XmlPart(name, parse(raw, self.source))
        yield part
        if part.is_changed:
            self.changed[name] = _serialize_like(part.root, raw)

    def ask_properties(self, ask: ContentCallback, target: TargetLanguage | None) -> None:
        """Rewrite title, subject, description, keywords, category and language of the document.

        Values written there by libraries aren't segments.
        """
        if _CORE not in self.archive:
            return
        with self.opened(_CORE) as part:
            for element in part.root:
                if element.tag in _SAID:
                    if self.source.counts_generated or element.text not in GENERATED_DESCRIPTIONS:
                        part.ask_text(element, ask)
                elif element.tag == f"{DUBLIN}language" and target is not None and element.text != target.language:
                    element.text = target.language
                    part.is_changed = True

    def drawn(self, part: str, page: int | None = None) -> Iterator[BlockPiece]:
        """Yield the words of a diagram's data or of a chart: a piece for each paragraph, title and category.

        A chart's categories are repeated for each of its series, and are given once; its numbers are not read.
        """
        root = self.root(part)
        said: set[str] = set()
        for number, element in enumerate(root.iter()):
            if element.tag == f"{DRAWING}p":
                text = drawing_text(element)
            # Cached numbers of a chart are not words.
            elif element.tag == f"{CHART}v" and next(element.iterancestors(*_NUMBER_CACHES), None) is None:
                text = (element.text or "").strip()
                text = "" if text in said else text
                said.add(text)
            else:
                continue
            if text:
                place = BlockPlace(part, number, number + sum(1 for _ in element.iter()))
                yield BlockPiece(BlockKind.PARAGRAPH, text, page, place)


def is_code_font(name: str) -> bool:
    """Return whether a font is one that code is written in."""
    return _CODE_FONTS.match(name) is not None


@contextmanager
def opened_package(source: FileSource, out: BinaryIO | None = None) -> Iterator[OfficePackage]:
    """Open a package; with `out`, write it with its changes at the end."""
    try:
        with Archive(source) as archive:
            package = OfficePackage(archive, source)
            yield package
            if out is not None:
                # Reached only if nothing was raised inside, so that no half of a document is written.
                copy_archive(source, out, package.changed)
    except RecursionError:
        raise source.unreadable("too_deep") from None


def drawing_text(paragraph: Element) -> str:
    """Return the text of one paragraph of DrawingML; a break is a line end."""
    words = []
    # `iter` goes through hyperlinks and fields, whose words are read like all others.
    for element in paragraph.iter(f"{DRAWING}t", f"{DRAWING}br", f"{DRAWING}tab"):
        words.append({"t": element.text or "", "br": "\n", "tab": "\t"}[element.tag.rpartition("}")[2]])
    return "".join(words).replace("\x0b", "\n").strip()


def branches(alternate: Element) -> list[Element]:
    """Return the several ways to say the same; first the one to read: the first with text, else the first of all."""
    ways = [way for way in alternate if way.tag in (f"{COMPATIBILITY}Choice", f"{COMPATIBILITY}Fallback")]
    first = next((way for way in ways if next(way.iter(*_SPEAKING), None) is not None), None)
    return ways if first is None else [first, *(way for way in ways if way is not first)]


def children_read(element: Element) -> Element | list[Element]:
    """Return what to read in an element: of several ways to say the same, one."""
    return branches(element)[:1] if element.tag == ALTERNATE else element


def _translated_words(said: str, ask: ContentCallback, kind: SegmentKind, page: int) -> str:
    """Return what words without markup become, with the white space around them; "" where nothing changes."""
    if not said.strip():
        return ""
    core = said.strip()
    given = ask((core,), kind, page)
    if given is None or not (words := without_forbidden(plain(given)).strip()):
        return ""
    # White space around the words may be layout, so only the core is replaced.
    return said.replace(core, words, 1)


def _serialize_like(root: Element, raw: bytes) -> bytes:
    """Return a tree in the form of the bytes it was parsed from: declaration, encoding, byte order mark, strict
    namespaces.
    """
    encoding = encoding_of(raw)
    mark, encoding = next((mark for mark in BOMS if raw.startswith(mark[0])), (b"", encoding))
    head = raw[len(mark) : 1000].decode(encoding, "ignore")
    found = _DECLARATION.match(head)
    declaration = found[0] if found else ""
    # Serialised as text first: lxml would write its own declaration, and prefixes that mc:Ignorable names have to stay.
    text = etree.tostring(root.getroottree(), encoding="unicode")
    is_strict = "purl.oclc.org/ooxml/".encode(encoding, "ignore") in raw
    # The parser made strict namespaces the usual ones; a strict file has to stay one.
    for group, name in set(_STRICT.findall(raw.decode(encoding, "ignore"))) if is_strict else ():
        usual = f'"http://schemas.openxmlformats.org/{group}/2006/{name}"'
        text = text.replace(usual, f'"http://purl.oclc.org/ooxml/{group}/{name}"')
    # An encoding that lacks a letter gets a character reference.
    return mark + f"{declaration}{text}".encode(encoding, "xmlcharrefreplace")


def child_in_order(parent: Element, tag: str, order: Sequence[str]) -> Element:
    """Return the child of this tag, inserting a new one by the schema's `order`.

    Tags not in `order` come last.
    """
    found = parent.find(tag)
    if found is not None:
        return found
    made = etree.SubElement(parent, tag)
    place = order.index(tag)
    for index, sibling in enumerate(parent):
        is_known = sibling.tag in order
        # Schemas of OOXML are sequences: Word calls a file damaged over an element out of its order.
        if sibling is not made and isinstance(sibling.tag, str) and (not is_known or order.index(sibling.tag) > place):
            parent.insert(index, made)
            break
    return made


def without(parent: Element, *tags: str) -> bool:
    """Remove the children of these tags; return whether there were any."""
    found = [child for child in parent if child.tag in tags]
    for child in found:
        parent.remove(child)
    return bool(found)


_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_LITERAL = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


def without_forbidden(text: str) -> str:
    """Return a text without what no XML document may hold."""
    return _FORBIDDEN.sub("", text)


def unescaped(text: str) -> str:
    """Return what `ST_Xstring` means: characters that XML forbids are written _x000D_ there. ECMA-376 part 1,
    22.9.2.19.
    """
    if "_x" not in text:
        return text
    # A carriage return before a line feed is Excel's line end in a cell.
    return without_forbidden(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)).replace("\r\n", "\n")


def escaped(text: str) -> str:
    """Return a text that could be taken for such an escape, so that it is none."""
    # A text that happens to contain _x0041_ would otherwise be read as "A".
    return _LITERAL.sub("_x005F_", text) if "_x" in text else text


_SCRIPTS = {"zh-hans": "zh-CN", "zh-hant": "zh-TW"}


def office_language(language: str) -> str:
    """Return a code of BCP 47 with a region in place of a script, where Office wants one: zh-TW for zh-Hant."""
    return _SCRIPTS.get(language.lower(), language)
