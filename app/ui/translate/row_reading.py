"""What is read aloud of a translated document: rows from one on, in the language of their column."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.core.lazy_dataclasses import dataclass
from app.features.reading_aloud.sentence_reading import SpokenSentence
from app.language.spoken_text import spoken_sentences, spoken_words
from app.ui.shell.text_reading import TextReading
from app.ui.theme import Theme
from app.ui.translate.document_job import DocumentJob
from app.ui.translate.document_page import DocumentPage
from app.ui.translate.rows import SOURCE, TARGET
from app.ui.translate.segment_table import CellSpot, SegmentTable
from app.ui.widgets.spoken_views import MarkedPlace

SAMPLE_ROWS = 20


class RowReading(QObject):
    """Offers the rows of a translated document to be read aloud."""

    def __init__(self, reading: TextReading, page: DocumentPage, job: DocumentJob) -> None:
        super().__init__(page)
        self._reading, self._job, self._table = reading, job, page.segments
        self._text: SpokenRows | None = None
        page.segments.read_from = self._read_from
        page.head.aloud.clicked.connect(self._read_here)
        page.segments.rows.modelAboutToBeReset.connect(self._on_other_rows)
        reading.texts.add(page, self._text_for)

    def _read_here(self) -> None:
        self._read_from(self._here)

    def _read_from(self, first: CellSpot, last: CellSpot | None = None) -> None:
        self._text = self._new_text(first, last)
        self._reading.read(self._text)

    def _text_for(self, focus: QWidget | None) -> SpokenRows | None:
        # A field on the page is read itself.
        if (focus is not None and focus is not self._table) or not self._table.isVisible():
            return None
        ends = self._table.selection.ends
        text = self._new_text(*ends) if ends is not None else self._new_text(self._here)
        if not text.sample.strip():
            return None
        self._text = text
        return text

    @property
    def _here(self) -> CellSpot:
        """The current row's translation; that of the first row that is seen if it is out of sight."""
        table = self._table
        top = table.place[0]
        bottom = table.rowAt(table.viewport().height() - 1)
        is_seen = top <= table.current and (bottom < 0 or table.current <= bottom)
        return CellSpot(table.current if is_seen else top, 0, TARGET)

    def _new_text(self, first: CellSpot, last: CellSpot | None = None) -> SpokenRows:
        stored = self._job.stored
        languages = {SOURCE: stored.source_language, TARGET: stored.wish.target} if stored is not None else {}
        return SpokenRows(self._table, languages.get(first.column, ""), first, last)

    def _on_other_rows(self) -> None:
        text, self._text = self._text, None
        if text is not None and text.is_there:
            text.end()
            self._reading.stop()


@dataclass(frozen=True)
class SpokenCell(MarkedPlace):
    """A sentence in a cell, as the table marks it."""

    view: SegmentTable
    row: int
    column: int
    start: int
    end: int

    def show_mark(self, theme: Theme) -> None:  # noqa: ARG002 - the table has its own
        self.view.mark_read((self.row, self.column, self.start, self.end))

    def clear_mark(self) -> None:
        self.view.mark_read(None)

    @property
    def is_in_sight(self) -> bool:
        top = self.view.rowViewportPosition(self.row)
        return -self.view.rowHeight(self.row) < top < self.view.viewport().height()

    def bring_into_view(self, above_px: int) -> None:  # noqa: ARG002
        self.view.reveal(self.row)


class SpokenRows:
    """Sentences of a column from a place on, or to another one; rows without a translation are passed over."""

    is_growing = False

    def __init__(self, table: SegmentTable, language: str, first: CellSpot, last: CellSpot | None = None) -> None:
        self._table, self._first, self._last, self.language = table, first, last, language
        self._is_over = False
        self._sentences = self._find_sentences()

    @property
    def sample(self) -> str:
        rows = range(self._first.row, min(self._first.row + SAMPLE_ROWS, self._table.rows.rowCount()))
        return "\n".join(filter(None, map(self._text_of, rows)))

    @property
    def is_there(self) -> bool:
        return isValid(self._table) and not self._is_over

    def next_sentence(self) -> SpokenSentence | None:
        return next(self._sentences, None) if self.is_there else None

    def end(self) -> None:
        """End at once, as the table is about to show the rows of another document."""
        self._is_over = True

    on_over = end

    def _find_sentences(self) -> Iterator[SpokenSentence]:
        column, last = self._first.column, self._last
        end_row = last.row if last is not None else self._table.rows.rowCount() - 1
        for row in range(self._first.row, end_row + 1):
            text = self._text_of(row)
            begin = self._first.offset if row == self._first.row else 0
            finish = last.offset if last is not None and row == last.row else len(text)
            # What is selected begins in the middle of a sentence; a sentence that is pointed at is read whole.
            skipped = begin if last is not None else 0
            for low, high in spoken_sentences(text[skipped:finish]):
                start, end = skipped + low, skipped + high
                if end <= begin:
                    continue
                if words := spoken_words(self._table.cell(row, column).written.plain(start, end)):
                    yield SpokenSentence(words, SpokenCell(self._table, row, column, start, end))

    def _text_of(self, row: int) -> str:
        """Return a cell's characters as they are laid out; "" for one that has no translation."""
        found = self._table.rows.row(row)
        is_missing = found is None or (self._first.column == TARGET and found.translated is None)
        return "" if is_missing else self._table.cell(row, self._first.column).written.text
