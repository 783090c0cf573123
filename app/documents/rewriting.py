"""The document child's work on segments: it finds them, or writes the file anew with their translations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.documents import protocol
from app.documents.blocks import Kind, Piece
from app.documents.clean import LegacyFonts, Sample, clean_segment, fit, length_of
from app.documents.files import OutputFile, TranslationsFile, require_unchanged
from app.documents.formats.registry import rewritable, rewriter_for
from app.documents.segments import Content, Segment
from app.documents.source import Source
from app.documents.visits import Target
from app.documents.way import TELL_EVERY_S, Tell, Way

MOST_CHARACTERS = 200_000
"""Of one segment; no paragraph that a person wrote is longer, and no model translates it as one."""


def rewritten(
    request: protocol.Segments | protocol.Rewrite, tell: Tell, on_step: Callable[[], None] = lambda: None
) -> protocol.SegmentsDone | protocol.Rewritten:
    """Carries out a request; raises an AppError, or whatever a rewriter raises. `on_step` as in `Source`."""
    source = Source(Path(request.path), request.password, request.encoding, on_step=on_step)
    if isinstance(request, protocol.Segments):
        return _Finding(tell, source).run()
    return _Writing(request, tell, source).run()


class _Walk(Way):
    """A way from segment to segment."""

    _count = 0

    def _rewritable_format(self) -> str:
        """Its name in the registry; raises DocumentUnreadable ("not_rewritable")."""
        format_ = rewritable(self._find_format(), self._path)
        if not format_:
            raise self._source.unreadable("not_rewritable")
        return format_

    def _check(self) -> None:
        """That the file is what it was and has text; takes over what the rewriter remarked on."""
        require_unchanged(self._path, self._before)
        if not self._count:
            raise self._source.unreadable("no_text")
        for remark in self._source.remarks:
            self._remarks.add(remark)


class _Finding(_Walk):
    """Tells the segments of a file."""

    def __init__(self, tell: Tell, source: Source) -> None:
        super().__init__(source, tell, protocol.SegmentsRead)
        self._hidden = self._long = 0
        self._sample = Sample()
        self._fonts = LegacyFonts()

    def run(self) -> protocol.SegmentsDone:
        format_ = self._rewritable_format()
        rewriter_for(format_)(self._source, None, self._visit, None)
        self._flush()
        sha256 = self._sha256()
        self._check()
        self._remark("hidden_characters", count=self._hidden)
        for remark in self._fonts.remarks():
            self._remarks.add(remark)
        self._remark("long_segments", count=self._long)
        return protocol.SegmentsDone(format_, self._count, self._sample.language(), sha256, self._remarks.all())

    def _visit(self, segment: Segment) -> None:
        if length_of(segment) > MOST_CHARACTERS:
            self._long += 1
            return
        cleaned = clean_segment(segment)
        self._hidden += len(segment.text) - len(cleaned.text)
        self._sample.add(Piece(Kind.PARAGRAPH, cleaned.text))
        self._fonts.look(cleaned.text)
        self._count += 1
        self._wait(cleaned, length_of(cleaned) + len(cleaned.context))


class _Writing(_Walk):
    """Writes a file with the translations of its segments."""

    def __init__(self, request: protocol.Rewrite, tell: Tell, source: Source) -> None:
        super().__init__(source, tell, lambda _: protocol.SegmentsWritten(self._count))
        self._request = request
        self._translations = TranslationsFile(Path(request.translations))
        self._replaced = 0
        self._refused: list[int] = []

    def run(self) -> protocol.Rewritten:
        """All the way; what it leaves where it fails is for the parent to take away."""
        if self._sha256() != self._request.sha256:
            raise self._source.unreadable("changed")
        rewrite = rewriter_for(self._rewritable_format())
        target = Target(self._request.language, self._request.is_rtl) if self._request.language else None
        with OutputFile(Path(self._request.out), self._path) as out:
            rewrite(self._source, out, self._visit, target)
        self._check()
        return protocol.Rewritten(self._count, self._replaced, tuple(self._refused), self._remarks.all())

    def _visit(self, segment: Segment) -> Content | None:
        if length_of(segment) > MOST_CHARACTERS:
            return None
        self._count += 1
        self._pulse(TELL_EVERY_S)
        content = self._translations.find(segment.id)
        if content is None or content == clean_segment(segment).content:
            return None
        fitted = fit(content, segment.content)
        if fitted is None:
            self._refused.append(segment.id)
        else:
            self._replaced += 1
        return fitted
