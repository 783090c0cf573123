"""What there is of a summary while it is being made: the points of the sections that were read, as statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.features.summary.result import (
    Coverage,
    InputDocument,
    SectionRead,
    SummarizedDocument,
    Summary,
    Wish,
    writing_language,
)


class Partial:
    """Grows with every section; `title` is the summary's, `model` the name of the file that writes it."""

    def __init__(self, documents: Sequence[InputDocument], wish: Wish, title: str, model: str) -> None:
        self.wish = wish
        self._documents, self._title, self._model = documents, title, model
        self._language = writing_language(documents, wish)
        self._coverage = tuple(_nothing_read(one) for one in documents)
        self._sections: list[SectionRead] = []

    def add(self, event: SectionRead) -> None:
        """One more section."""
        self._sections.append(event)
        self._coverage = event.coverage or self._coverage

    def summary(self, sections: int, seconds: float) -> Summary:
        """As it stands, in the order of the documents: sections that are read together end in any order."""
        documents = tuple(
            SummarizedDocument(one.id, one.name, one.title, one.unit, coverage)
            for one, coverage in zip(self._documents, self._coverage, strict=True)
        )
        read = sorted(self._sections, key=_place)
        failed = sum(one.has_failed for one in read)
        found = (point for one in read for point in one.points)
        points = tuple(replace(point, paragraph=place) for place, point in enumerate(found))
        return Summary(
            self._title, documents, points, self.wish, self._language, self._model, sections,
            len(read) - failed, failed, is_partial=True, seconds=seconds,
        )  # fmt: skip


def searched_text(summary: Summary) -> str:
    """What a summary is found by, besides its title and the names of its documents."""
    groups = dict.fromkeys(statement.group for statement in summary.statements if statement.group)
    return "\n".join([*groups, *(statement.text for statement in summary.statements)])


def _place(section: SectionRead) -> tuple[int, int, int]:
    """Where it is in its document, which need not have pages."""
    blocks = [anchor.block_id for point in section.points for anchor in point.anchors]
    return section.document, section.first_page or 0, min(blocks, default=0)


def _nothing_read(document: InputDocument) -> Coverage:
    pages = {block.page for block in document.blocks if block.page is not None and block.text.strip()}
    unread = tuple(sorted(pages))
    return Coverage(
        len(document.blocks), 0, document.pages, 0, document.pages_without_text, unread, document.picture_pages
    )
