"""An EPUB book's package: its chapters in order, titles, languages, and the table of contents."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from app.core.errors.document_errors import DocumentUnreadable
from app.core.lazy_dataclasses import dataclass, field
from app.documents.archive import Archive
from app.documents.formats.markup import markup_tags
from app.documents.formats.markup.tagged_text import TaggedSegment, TextEdit
from app.documents.formats.markup.xml_tree import Element, local_name, parse, words_in
from app.documents.formats.web.page_languages import primary
from app.documents.source import FileSource, TargetLanguage
from app.language.language_names import is_rtl

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


_METADATA = ("metadata", "dc-metadata")
_PROGRESSION = "page-progression-direction"


def ncx_labels(text: str) -> list[TaggedSegment]:
    """Return the title and the lines of a table of contents of EPUB 2."""
    found = [
        element_at
        for element_at in markup_tags.elements_in(text)
        # An author's name is not translated.
        if element_at.name == "text" and element_at.path[-2:-1] != ("docauthor",)
    ]
    return _in_order(markup_tags.text_labels(text, found))


def package_labels(text: str) -> list[TaggedSegment]:
    """Return the title and the description of a book, and the names of its parts in the guide of EPUB 2."""
    elements = list(markup_tags.elements_in(text))
    read = [element for element in elements if _is_in_metadata(element) and element.name in ("title", "description")]
    titles = (
        element_at.said["title"]
        for element_at in elements
        if element_at.name == "reference" and "title" in element_at.said
    )
    guide = [
        found for title in titles if title.value.strip() and (found := markup_tags.label(text, title, 0)) is not None
    ]
    return _in_order([*markup_tags.text_labels(text, read), *guide])


def package_language(text: str) -> str:
    """Return the language that a package names, "" without one."""
    languages = (
        element_at
        for element_at in markup_tags.elements_in(text)
        if _is_in_metadata(element_at) and element_at.name == "language"
    )
    return next((text[language.start : language.end].strip() for language in languages), "")


def language_edits(text: str, target: TargetLanguage, language: str) -> Iterator[TextEdit]:
    """Yield edits that set the target language where a file names the book's."""
    for element in markup_tags.elements_in(text):
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
    for element in markup_tags.elements_in(text):
        if element.name == "language" and _is_in_metadata(element) and not is_named:
            is_named = True
            yield TextEdit(element.start, element.end, (target.language,))
        elif element.name in _METADATA and not is_named:
            new = f'<dc:language xmlns:dc="http://purl.org/dc/elements/1.1/">{target.language}</dc:language>'
            is_named = True
            yield TextEdit(element.end, element.end, (new,))
        elif element.name == "spine":
            yield from _turn_progression(element, target, was_rtl=is_rtl(language))


def _turn_progression(spine: markup_tags.ElementAt, target: TargetLanguage, *, was_rtl: bool) -> Iterator[TextEdit]:
    said = spine.said.get(_PROGRESSION)
    if said is None and target.is_rtl:
        yield TextEdit(spine.given_at, spine.given_at, (f' {_PROGRESSION}="rtl"',))
    elif said is not None and (target.is_rtl or was_rtl):
        yield TextEdit(said.start, said.end, ("rtl" if target.is_rtl else "ltr",))


def _is_in_metadata(element: markup_tags.ElementAt) -> bool:
    return len(element.path) > 1 and element.path[-2] in _METADATA


def _in_order(stretches: Iterable[TaggedSegment]) -> list[TaggedSegment]:
    return sorted(stretches, key=lambda stretch: stretch.start)
