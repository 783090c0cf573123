"""The document child's work on segments: it finds them, or writes the file anew with their translations."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from app.documents.blocks import Kind, Piece
from app.documents.clean import Remarks, clean_segment, fit, length_of
from app.documents.files import OutputFile, TranslationsFile, check_file, require_unchanged, sha256_of
from app.documents.formats.detection import find_format, really
from app.documents.formats.registry import rewritable, rewriter_for
from app.documents.language import LegacyFonts, Sample
from app.documents.protocol import Event, Rewrite, Rewritten, Segments, SegmentsDone, SegmentsRead, SegmentsWritten
from app.documents.segments import Content, Segment
from app.documents.source import Remark, Source
from app.documents.visits import Target

TELL_EVERY_S = 0.1
HASH_EVERY_S = 1.0
MOST_TOLD_CHARACTERS = 1_000_000
"""Of segments in one line."""
MOST_CHARACTERS = 200_000
"""Of one segment; no paragraph that a person wrote is longer, and no model translates it as one."""

Tell = Callable[[Event], None]


def rewritten(
    request: Segments | Rewrite, tell: Tell, on_step: Callable[[], None] = lambda: None
) -> SegmentsDone | Rewritten:
    """Carries out a request; raises an AppError, or whatever a rewriter raises. `on_step` as in `Source`."""
    walk = _Finding(request, tell, on_step) if isinstance(request, Segments) else _Writing(request, tell, on_step)
    return walk.run()


class _Walk:
    """One way through a file, segment after segment."""

    def __init__(self, request: Segments | Rewrite, tell: Tell, on_step: Callable[[], None]) -> None:
        self._path, self._tell = Path(request.path), tell
        self._source = Source(self._path, request.password, request.encoding, on_step=on_step)
        self._before = check_file(self._path)
        self._count = 0
        self._told_s = float("-inf")

    def _format(self) -> str:
        """Its name in the registry; raises DocumentUnreadable ("not_rewritable")."""
        found = find_format(self._path)
        if really(found, self._path.suffix):
            self._source.remark("really", format=found, ending=self._path.suffix)
        format_ = rewritable(found, self._path)
        if not format_:
            raise self._source.unreadable("not_rewritable")
        return format_

    def _is_time(self, every_s: float) -> bool:
        """Whether nothing was told for so long."""
        return time.monotonic() - self._told_s >= every_s

    def _checked(self) -> None:
        require_unchanged(self._path, self._before)
        if not self._count:
            raise self._source.unreadable("no_text")

    def _remarks(self) -> tuple[Remark, ...]:
        remarks = Remarks()
        for remark in self._source.remarks:
            remarks.add(remark)
        return remarks.all()


class _Finding(_Walk):
    """Tells the segments of a file."""

    def __init__(self, request: Segments, tell: Tell, on_step: Callable[[], None]) -> None:
        super().__init__(request, tell, on_step)
        self._waiting: list[Segment] = []
        self._waiting_characters = 0
        self._hidden = self._long = 0
        self._sample = Sample()
        self._fonts = LegacyFonts()

    def run(self) -> SegmentsDone:
        """All the way."""
        format_ = self._format()
        rewriter_for(format_)(self._source, None, self._visit, None)
        self._flush()
        sha256 = sha256_of(self._path, lambda: self._flush(HASH_EVERY_S))
        self._checked()
        if self._hidden:
            self._source.remark("hidden_characters", count=self._hidden)
        self._source.remarks += self._fonts.remarks()
        if self._long:
            self._source.remark("long_segments", count=self._long)
        return SegmentsDone(format_, self._count, self._sample.language(), sha256, self._remarks())

    def _visit(self, segment: Segment) -> None:
        if length_of(segment) > MOST_CHARACTERS:
            self._long += 1
            return
        cleaned = clean_segment(segment)
        self._hidden += len(segment.text) - len(cleaned.text)
        self._sample.add(Piece(Kind.PARAGRAPH, cleaned.text))
        self._fonts.look(cleaned.text)
        self._count += 1
        characters = length_of(cleaned) + len(cleaned.context)
        self._source.text.take(characters)
        self._waiting.append(cleaned)
        self._waiting_characters += characters + 200
        if self._waiting_characters >= MOST_TOLD_CHARACTERS:
            self._flush()
        self._flush(TELL_EVERY_S)

    def _flush(self, every_s: float = 0.0) -> None:
        """Tells what waits, if nothing was told for so long."""
        if not self._is_time(every_s):
            return
        self._tell(SegmentsRead(tuple(self._waiting)))
        self._waiting, self._waiting_characters, self._told_s = [], 0, time.monotonic()


class _Writing(_Walk):
    """Writes a file with the translations of its segments."""

    def __init__(self, request: Rewrite, tell: Tell, on_step: Callable[[], None]) -> None:
        super().__init__(request, tell, on_step)
        self._request = request
        self._translations = TranslationsFile(Path(request.translations))
        self._replaced = 0
        self._refused: list[int] = []

    def run(self) -> Rewritten:
        """All the way; what it leaves where it fails is for the parent to take away."""
        if sha256_of(self._path, lambda: self._progress(HASH_EVERY_S)) != self._request.sha256:
            raise self._source.unreadable("changed")
        rewrite = rewriter_for(self._format())
        target = Target(self._request.language, self._request.is_rtl) if self._request.language else None
        with OutputFile(Path(self._request.out), self._path) as out:
            rewrite(self._source, out, self._visit, target)
        self._checked()
        return Rewritten(self._count, self._replaced, tuple(self._refused), self._remarks())

    def _visit(self, segment: Segment) -> Content | None:
        if length_of(segment) > MOST_CHARACTERS:
            return None
        self._count += 1
        self._progress(TELL_EVERY_S)
        content = self._translations.find(segment.id)
        if content is None or content == clean_segment(segment).content:
            return None
        fitted = fit(content, segment.content)
        if fitted is None:
            self._refused.append(segment.id)
        else:
            self._replaced += 1
        return fitted

    def _progress(self, every_s: float) -> None:
        if self._is_time(every_s):
            self._tell(SegmentsWritten(self._count))
            self._told_s = time.monotonic()
