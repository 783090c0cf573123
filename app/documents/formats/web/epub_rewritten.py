"""EPUB books written back: chapters in the order of the spine, other pages, tables of contents, the title.

Pages are rewritten as `rewritten_pages` does it. Pictures, style sheets, fonts and pages in which nothing changes keep
their compressed bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from app.documents.archive import CHUNK_BYTES, Archive
from app.documents.archive_copy import copy_archive
from app.documents.formats.markup.coded import Coded
from app.documents.formats.markup.splice import Visits, spliced
from app.documents.formats.markup.stretches import Edit
from app.documents.formats.markup.tokens import declares_entities
from app.documents.formats.web.epub_labels import (
    language_edits,
    ncx_labels,
    package_edits,
    package_labels,
    package_language,
)
from app.documents.formats.web.epub_package import package_of
from app.documents.formats.web.page_bytes import coded_page
from app.documents.formats.web.page_walk import PageWalk
from app.documents.source import Source
from app.documents.visits import Target, Visit

MOST_PAGE_BYTES = 64_000_000


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
            edits = self._visits.edits(ncx_labels(coded.text))
            if self._target is not None:
                edits += language_edits(coded.text, self._target, self._language)
            yield name, coded, edits
        edits = self._visits.edits(package_labels(self._opf.text))
        if self._target is not None:
            edits += package_edits(self._opf.text, self._target)
        yield self._package.name, self._opf, edits

    def _page(self, walk: PageWalk) -> list[Edit]:
        edits = self._visits.edits(walk.stretches)
        return edits + list(walk.languages.edits(self._target)) if self._target else edits

    def _coded(self, name: str) -> Coded:
        """A member's text; it is in memory as a whole, so it may not be of any size."""
        data = bytearray()
        with self._archive.open(name) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                data += chunk
                if len(data) > MOST_PAGE_BYTES:
                    raise self._source.unreadable("inflates")
        coded = coded_page(bytes(data))
        if declares_entities(coded.text):
            raise self._source.unreadable("entities")
        return coded
