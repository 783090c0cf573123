"""EPUB books written back: chapters in the order of the spine, other pages, tables of contents, the title.

Pages are rewritten as `app.documents.formats.web.rewriting` does it. Pictures, style sheets, fonts and pages in which
nothing changes keep their compressed bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from app.documents.archive import Archive, copy_archive
from app.documents.formats.markup.stretches import Coded, Edit, Stretch, edits_of, spliced
from app.documents.formats.markup.tokens import ElementAt, declares_entities, elements_in, label, text_labels
from app.documents.formats.web.epub import member_bytes, package_of
from app.documents.formats.web.page_walk import PageWalk, primary
from app.documents.formats.web.rewriting import coded_page
from app.documents.source import Source
from app.documents.visits import Target, Visit, Visits
from app.language.names import is_rtl


def rewrite(source: Source, out: BinaryIO | None, visit: Visit, target: Target | None) -> None:
    """A book with its segments replaced; see `app.documents.visits`. A segment's page is its chapter, from 1.

    Raises DocumentUnreadable: drm, damaged, entities, inflates.
    """
    changed: dict[str, bytes] = {}
    with Archive(source) as archive:
        for name, coded, edits in _Book(archive, source, Visits(visit), target).members():
            if edits and out is not None:
                changed[name] = coded.encoded(spliced(len(coded.text), edits))
    if out is not None:
        copy_archive(source, out, changed)


class _Book:
    """The parts of a book that have text."""

    def __init__(self, archive: Archive, source: Source, visits: Visits, target: Target | None) -> None:
        self._archive = archive
        self._source = source
        self._visits = visits
        self._target = target
        self._package = package_of(archive, source)
        if not self._package.chapters:
            raise source.unreadable("damaged")
        self._opf = self._coded(self._package.name)
        self._language = package_language(self._opf.text)

    def members(self) -> Iterator[tuple[str, Coded, list[Edit]]]:
        """Names, texts and edits."""
        chapter = 0
        for name in self._package.chapters:
            coded = self._coded(name)
            walk = PageWalk(coded.text, is_xml=True, page=chapter + 1, language=self._language)
            chapter += bool(walk.stretches)
            yield name, coded, self._page(walk)
        for name in self._package.others:
            coded = self._coded(name)
            yield name, coded, self._page(PageWalk(coded.text, is_xml=True, language=self._language))
        for name in self._package.ncx:
            coded = self._coded(name)
            edits = edits_of(ncx_labels(coded.text), self._visits)
            if self._target is not None:
                edits += language_edits(coded.text, self._target, self._language)
            yield name, coded, edits
        edits = edits_of(package_labels(self._opf.text), self._visits)
        if self._target is not None:
            edits += package_edits(self._opf.text, self._target)
        yield self._package.name, self._opf, edits

    def _page(self, walk: PageWalk) -> list[Edit]:
        edits = edits_of(walk.stretches, self._visits)
        return edits + list(walk.languages.edits(self._target)) if self._target else edits

    def _coded(self, name: str) -> Coded:
        coded = coded_page(member_bytes(self._archive, self._source, name))
        if declares_entities(coded.text):
            raise self._source.unreadable("entities")
        return coded


# What a book says beside its pages: titles in its package and its table of contents, its language and direction.


_METADATA = ("metadata", "dc-metadata")
_PROGRESSION = "page-progression-direction"


def ncx_labels(text: str) -> list[Stretch]:
    """The title and the lines of a table of contents of EPUB 2."""
    found = [each for each in elements_in(text) if each.name == "text" and each.path[-2:-1] != ("docauthor",)]
    return _in_order(text_labels(text, found))


def package_labels(text: str) -> list[Stretch]:
    """The title and the description of a book, and the names of its parts in the guide of EPUB 2."""
    elements = list(elements_in(text))
    read = [each for each in elements if _is_in_metadata(each) and each.name in ("title", "description")]
    titles = (each.said["title"] for each in elements if each.name == "reference" and "title" in each.said)
    guide = [found for title in titles if title.value.strip() and (found := label(text, title, 0)) is not None]
    return _in_order([*text_labels(text, read), *guide])


def package_language(text: str) -> str:
    """The language that a package names, "" without one."""
    languages = (each for each in elements_in(text) if _is_in_metadata(each) and each.name == "language")
    return next((text[each.start : each.end].strip() for each in languages), "")


def language_edits(text: str, target: Target, language: str) -> Iterator[Edit]:
    """What makes a file beside the pages say that it is in the target language, where it names the book's."""
    for element in elements_in(text):
        said = element.said.get("xml:lang")
        if said is not None and primary(said.value) == primary(language):
            yield Edit(said.start, said.end, (target.language,))


def package_edits(text: str, target: Target) -> Iterator[Edit]:
    """The same of a package, with the direction in which its pages are turned.

    A book of a language from left to right whose pages turn the other way is written in columns: that stays, unless
    it becomes one from right to left.
    """
    language = package_language(text)
    yield from language_edits(text, target, language)
    is_named = False
    for element in elements_in(text):
        if element.name == "language" and _is_in_metadata(element) and not is_named:
            is_named = True
            yield Edit(element.start, element.end, (target.language,))
        elif element.name in _METADATA and not is_named:
            new = f'<dc:language xmlns:dc="http://purl.org/dc/elements/1.1/">{target.language}</dc:language>'
            is_named = True
            yield Edit(element.end, element.end, (new,))
        elif element.name == "spine":
            yield from _progression(element, target, was_rtl=is_rtl(language))


def _progression(spine: ElementAt, target: Target, *, was_rtl: bool) -> Iterator[Edit]:
    said = spine.said.get(_PROGRESSION)
    if said is None and target.is_rtl:
        yield Edit(spine.given_at, spine.given_at, (f' {_PROGRESSION}="rtl"',))
    elif said is not None and (target.is_rtl or was_rtl):
        yield Edit(said.start, said.end, ("rtl" if target.is_rtl else "ltr",))


def _is_in_metadata(element: ElementAt) -> bool:
    return len(element.path) > 1 and element.path[-2] in _METADATA


def _in_order(stretches: Iterable[Stretch]) -> list[Stretch]:
    return sorted(stretches, key=lambda each: each.start)
