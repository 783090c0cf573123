"""EPUB books, read and written back, chapter by chapter in the order of the spine.

Chapters are read as pages are, so broken markup is no obstacle. A block's part is the chapter's member of the archive,
and its offsets are characters of that member's decoded text. A heading from the table of contents has no place in it.

EPUB 2 and 3 (https://www.w3.org/TR/epub-33/). Elements are known by their local names, since old books have the
namespaces of drafts or none.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import unquote

from app.core.errors import DocumentUnreadable
from app.documents.archive import CHUNK_BYTES, Archive, copy_archive
from app.documents.blocks import BlockKind, BlockPiece, BlockPlace
from app.documents.encoding import EncodedBytes
from app.documents.formats.markup import tagged_text
from app.documents.formats.markup.tagged_text import TaggedSegment, TextEdit, edits_of, spliced
from app.documents.formats.markup.xml_tree import Element, local_name, parse, words_in
from app.documents.formats.web.html_pages import PageWalk, coded_page, decode_page, primary
from app.documents.formats.web.walker import HtmlWalker
from app.documents.source import (
    FileSource,
    Item,
    Opened,
    PageRead,
    ReadingRemark,
    SegmentVisits,
    TargetLanguage,
    Visit,
    counted,
)
from app.language.language_names import is_rtl

MOST_MEMBER_BYTES = 64_000_000
KEPT_CHARACTERS = 4_000_000
"""Characters of inspected chapters that are kept, to inflate them once: most books as a whole."""


def read(source: FileSource) -> Iterator[Item]:
    """Yield a book's blocks; only chapters that have text are counted. Raises DocumentUnreadable: drm, damaged,
    entities.
    """
    with Archive(source) as archive:
        package = package_of(archive, source)
        if not package.chapters:
            raise source.unreadable("damaged")
        chapters = _ChapterTexts(archive, source)
        with_text = [name for name in package.chapters if chapters.has_text(name)]
        yield Opened("chapter", len(with_text), package.title)
        for page, name in enumerate(with_text, start=1):
            if source.wants(page):
                yield from _add_title(chapters.pieces(name, page), package.headings.get(name))
                yield PageRead(page)
        for part in package.missing:
            yield ReadingRemark("missing_part", {"part": part})
        yield from counted("pictures", chapters.pictures)


class _ChapterTexts:
    """Texts of chapters, and the pictures in those read or without text."""

    def __init__(self, archive: Archive, source: FileSource) -> None:
        self.pictures = 0
        self._archive = archive
        self._source = source
        self._kept: dict[str, str] = {}
        self._kept_characters = 0

    def has_text(self, name: str) -> bool:
        text = self._chapter_text(name)
        walker = HtmlWalker(text, is_xml=True)
        # Covers and pages of pictures are no chapters.
        if next(walker.pieces(), None) is None:
            self.pictures += walker.pictures
            return False
        if self._kept_characters + len(text) <= KEPT_CHARACTERS:
            self._kept[name] = text
            self._kept_characters += len(text)
        return True

    # Kept from `has_text`, so that most chapters are inflated once.
    def pieces(self, name: str, page: int) -> list[BlockPiece]:
        walker = HtmlWalker(self._kept.pop(name, "") or self._chapter_text(name), page, name, is_xml=True)
        pieces = list(walker.pieces())
        self.pictures += walker.pictures
        return pieces

    def _chapter_text(self, name: str) -> str:
        text = decode_page(member_bytes(self._archive, self._source, name)).text
        # `html_pages` resolves no entities, but other readers of the same file would.
        if tagged_text.declares_entities(text):
            raise self._source.unreadable("entities")
        return text


def member_bytes(archive: Archive, source: FileSource, name: str) -> bytes:
    """Return a member's bytes. Raises DocumentUnreadable (inflates) for one too large to be held in memory."""
    data = bytearray()
    with archive.open(name) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            data += chunk
            if len(data) > MOST_MEMBER_BYTES:
                raise source.unreadable("inflates")
    return bytes(data)


def _add_title(pieces: list[BlockPiece], heading: tuple[int, str] | None) -> list[BlockPiece]:
    """Return the chapter with its title from the table of contents, unless it has a heading itself.

    Many books have the title as a paragraph that only looks like one; then this becomes the heading.
    """
    if heading is None or any(piece.kind is BlockKind.HEADING for piece in pieces):
        return pieces
    level, words = heading
    first = pieces[0]
    if first.kind is BlockKind.PARAGRAPH and " ".join(first.text.split()).casefold() == words.casefold():
        return [first._replace(kind=BlockKind.HEADING, level=level), *pieces[1:]]
    return [BlockPiece(BlockKind.HEADING, words, first.page, BlockPlace(first.place.part), level), *pieces]


# What an EPUB book says of itself: its chapters in order, its title, and the titles in its table of contents.

CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"
_FONT_OBFUSCATION = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_PAGE_TYPE = "application/xhtml+xml"
_NCX_TYPE = "application/x-dtbncx+xml"
_TYPE = "{http://www.idpf.org/2007/ops}type"


@dataclass
class EpubPackage:
    """`chapters` are members of the archive in reading order, `missing` what the book names and does not have.

    `headings` has, by member, the level and the words of its first line in the table of contents. `name` is the member
    that says all this; `others` are pages beside the chapters, such as the navigation document, and `ncx` the tables
    of contents of EPUB 2.
    """

    name: str
    title: str = ""
    chapters: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    headings: dict[str, tuple[int, str]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    ncx: list[str] = field(default_factory=list)


def package_of(archive: Archive, source: FileSource) -> EpubPackage:
    """Return the book's package. Raises DocumentUnreadable: drm, damaged, entities."""
    _refuse_protected(archive, source)
    name = _package_name(archive, source)
    root = parse(archive.read(name), source)
    items = {item.get("id", ""): item for item in _iterate_named(root, "item")}
    package = EpubPackage(name, words_in(next(_iterate_named(root, "title"), None)))
    for reference in _iterate_named(root, "itemref"):
        item = items.get(reference.get("idref", ""))
        if item is None:
            package.missing.append(reference.get("idref", ""))
        elif not _is_picture(item):
            member = _link_member(archive, name, item.get("href", ""))
            wanted = package.chapters if member in archive else package.missing
            if member not in wanted:  # a page that is shown twice is read once
                wanted.append(member)
    package.headings = _read_headings(archive, source, name, items)
    for item in items.values():
        member = _link_member(archive, name, item.get("href", ""))
        if member in archive and member not in package.chapters:
            kind = item.get("media-type", "")
            found = package.others if kind == _PAGE_TYPE else package.ncx if kind == _NCX_TYPE else []
            found.append(member)
    return package


def _refuse_protected(archive: Archive, source: FileSource) -> None:
    """Fonts may be obfuscated, which is no protection of the text; anything else is."""
    if ENCRYPTION not in archive:
        return
    # Font obfuscation (EPUB 3.3, 4.2.6.4 OCF) hides no text.
    for method in _iterate_named(parse(archive.read(ENCRYPTION), source), "EncryptionMethod"):
        if method.get("Algorithm") not in _FONT_OBFUSCATION:
            raise source.unreadable("drm")


def _package_name(archive: Archive, source: FileSource) -> str:
    """Return the package document that the container names, or the only one there is."""
    if CONTAINER in archive:
        for rootfile in _iterate_named(parse(archive.read(CONTAINER), source), "rootfile"):
            name = _link_member(archive, "", rootfile.get("full-path", ""))
            if name in archive:
                return name
    # A book without a container, or with one that names a missing package.
    found = [name for name in archive.names if name.lower().endswith(".opf")]
    if not found:
        raise source.unreadable("damaged")
    return found[0]


def _is_picture(item: Element) -> bool:
    kind = str(item.get("media-type", ""))
    return kind.startswith("image/") and "svg" not in kind


def _link_member(archive: Archive, base: str, link: str) -> str:
    """Return the archive's name of a link target; a "%" in it may be literal."""
    # Both ways: links are percent-encoded, but some writers put the raw name.
    path = link.partition("#")[0]
    names = [posixpath.normpath(posixpath.join(posixpath.dirname(base), name)) for name in (unquote(path), path)]
    return next((name for name in names if name in archive), names[0])


def _read_headings(
    archive: Archive, source: FileSource, base: str, items: dict[str, Element]
) -> dict[str, tuple[int, str]]:
    """Return headings from EPUB 3's navigation or EPUB 2's NCX; a broken one only loses titles."""
    navigation = [item for item in items.values() if "nav" in item.get("properties", "").split()]
    ncx = [item for item in items.values() if item.get("media-type") == _NCX_TYPE]
    # EPUB 3's navigation first; books for old readers carry both.
    for item in navigation + ncx:
        name = _link_member(archive, base, item.get("href", ""))
        if name not in archive:
            continue
        try:
            root = parse(archive.read(name), source)
        except DocumentUnreadable as error:
            if error.reason not in ("damaged", "too_deep"):
                raise
            continue
        found: dict[str, tuple[int, str]] = {}
        for level, link, words in _ncx_lines(root) if item in ncx else _navigation_lines(root):
            if words and link:
                # The first line of a member is its title; later ones lead into the middle of it.
                found.setdefault(_link_member(archive, name, link), (min(level, 9), words))
        if found:
            return found
    return {}


def _navigation_lines(root: Element) -> Iterator[tuple[int, str, str]]:
    """Yield each line of a navigation document: its level by nested lists, its link, its words."""
    for nav in _iterate_named(root, "nav"):
        if "toc" not in nav.get(_TYPE, "toc").split():
            # Landmarks and lists of pages are navigation, too.
            continue
        for link in _iterate_named(nav, "a"):
            level = sum(1 for element in link.iterancestors() if local_name(element) == "ol")
            yield max(level, 1), link.get("href", ""), words_in(link)


def _ncx_lines(root: Element) -> Iterator[tuple[int, str, str]]:
    for point in _iterate_named(root, "navPoint"):
        level = 1 + sum(1 for element in point.iterancestors() if local_name(element) == "navPoint")
        label = next((child for child in point if local_name(child) == "navLabel"), None)
        content = next((child for child in point if local_name(child) == "content"), None)
        yield level, "" if content is None else content.get("src", ""), words_in(label)


def _iterate_named(root: Element, name: str) -> Iterator[Element]:
    return (element for element in root.iter("{*}" + name))


# Books written back: chapters, other pages as `.html_pages` does it, tables of contents, the title.
# Pictures, style sheets, fonts and pages in which nothing changes keep their compressed bytes.


def rewrite(source: FileSource, out: BinaryIO | None, visit: Visit, target: TargetLanguage | None) -> None:
    """Rewrite a book; see `app.documents.source`. A segment's page is its chapter, from 1.

    Raises DocumentUnreadable: drm, damaged, entities, inflates.
    """
    changed: dict[str, bytes] = {}
    with Archive(source) as archive:
        for name, coded, edits in _EpubBook(archive, source, SegmentVisits(visit), target).members():
            if edits and out is not None:
                changed[name] = coded.encoded(spliced(len(coded.text), edits), "xmlcharrefreplace")
    if out is not None:
        copy_archive(source, out, changed)


class _EpubBook:
    """Walk through the members of a book that have text, in the order in which segments are numbered."""

    def __init__(
        self, archive: Archive, source: FileSource, visits: SegmentVisits, target: TargetLanguage | None
    ) -> None:
        self._archive = archive
        self._source = source
        self._visits = visits
        self._target = target
        self._package = package_of(archive, source)
        if not self._package.chapters:
            raise source.unreadable("damaged")
        self._opf = self._member_encoding(self._package.name)
        self._language = package_language(self._opf.text)

    def members(self) -> Iterator[tuple[str, EncodedBytes, list[TextEdit]]]:
        chapter = 0
        for name in self._package.chapters:
            coded = self._member_encoding(name)
            walk = PageWalk(coded.text, is_xml=True, page=chapter + 1, language=self._language)
            # A page without segments is no chapter to the reader of the book either.
            chapter += bool(walk.stretches)
            yield name, coded, self._page_edits(walk)
        for name in self._package.others:
            coded = self._member_encoding(name)
            yield name, coded, self._page_edits(PageWalk(coded.text, is_xml=True, language=self._language))
        for name in self._package.ncx:
            coded = self._member_encoding(name)
            edits = edits_of(ncx_labels(coded.text), self._visits)
            if self._target is not None:
                edits += language_edits(coded.text, self._target, self._language)
            yield name, coded, edits
        edits = edits_of(package_labels(self._opf.text), self._visits)
        if self._target is not None:
            edits += package_edits(self._opf.text, self._target)
        yield self._package.name, self._opf, edits

    def _page_edits(self, walk: PageWalk) -> list[TextEdit]:
        edits = edits_of(walk.stretches, self._visits)
        return edits + list(walk.languages.edits(self._target)) if self._target else edits

    def _member_encoding(self, name: str) -> EncodedBytes:
        coded = coded_page(member_bytes(self._archive, self._source, name))
        if tagged_text.declares_entities(coded.text):
            raise self._source.unreadable("entities")
        return coded


# What a book says beside its pages: titles in its package and its table of contents, its language and direction.

_METADATA = ("metadata", "dc-metadata")
_PROGRESSION = "page-progression-direction"


def ncx_labels(text: str) -> list[TaggedSegment]:
    """Return the title and the lines of a table of contents of EPUB 2."""
    found = [
        element_at
        for element_at in tagged_text.elements_in(text)
        # An author's name is not translated.
        if element_at.name == "text" and element_at.path[-2:-1] != ("docauthor",)
    ]
    return _in_order(tagged_text.text_labels(text, found))


def package_labels(text: str) -> list[TaggedSegment]:
    """Return the title and the description of a book, and the names of its parts in the guide of EPUB 2."""
    elements = list(tagged_text.elements_in(text))
    read = [element for element in elements if _is_in_metadata(element) and element.name in ("title", "description")]
    titles = (
        element_at.said["title"]
        for element_at in elements
        if element_at.name == "reference" and "title" in element_at.said
    )
    guide = [
        found for title in titles if title.value.strip() and (found := tagged_text.label(text, title, 0)) is not None
    ]
    return _in_order([*tagged_text.text_labels(text, read), *guide])


def package_language(text: str) -> str:
    """Return the language that a package names, "" without one."""
    languages = (
        element_at
        for element_at in tagged_text.elements_in(text)
        if _is_in_metadata(element_at) and element_at.name == "language"
    )
    return next((text[language.start : language.end].strip() for language in languages), "")


def language_edits(text: str, target: TargetLanguage, language: str) -> Iterator[TextEdit]:
    """Yield edits that set the target language where a file names the book's."""
    for element in tagged_text.elements_in(text):
        said = element.said.get("xml:lang")
        if said is not None and primary(said.value) == primary(language):
            yield TextEdit(said.start, said.end, (target.language,))


def package_edits(text: str, target: TargetLanguage) -> Iterator[TextEdit]:
    """Yield the same of a package, with the direction in which its pages are turned.

    A book of a language from left to right whose pages turn the other way is written in columns: that stays, unless it
    becomes one from right to left.
    """
    language = package_language(text)
    yield from language_edits(text, target, language)
    is_named = False
    for element in tagged_text.elements_in(text):
        if element.name == "language" and _is_in_metadata(element) and not is_named:
            is_named = True
            yield TextEdit(element.start, element.end, (target.language,))
        elif element.name in _METADATA and not is_named:
            new = f'<dc:language xmlns:dc="http://purl.org/dc/elements/1.1/">{target.language}</dc:language>'
            is_named = True
            yield TextEdit(element.end, element.end, (new,))
        elif element.name == "spine":
            yield from _turn_progression(element, target, was_rtl=is_rtl(language))


def _turn_progression(spine: tagged_text.ElementAt, target: TargetLanguage, *, was_rtl: bool) -> Iterator[TextEdit]:
    said = spine.said.get(_PROGRESSION)
    if said is None and target.is_rtl:
        yield TextEdit(spine.given_at, spine.given_at, (f' {_PROGRESSION}="rtl"',))
    elif said is not None and (target.is_rtl or was_rtl):
        yield TextEdit(said.start, said.end, ("rtl" if target.is_rtl else "ltr",))


def _is_in_metadata(element: tagged_text.ElementAt) -> bool:
    return len(element.path) > 1 and element.path[-2] in _METADATA


def _in_order(stretches: Iterable[TaggedSegment]) -> list[TaggedSegment]:
    return sorted(stretches, key=lambda stretch: stretch.start)
