"""The document child's work on segments: find them, or write the file with their translations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.documents import clean, protocol
from app.documents.blocks import BlockKind, BlockPiece
from app.documents.child_files import OutputFile, TranslationsFile, require_unchanged
from app.documents.file_pass import TELL_EVERY_S, FilePass, Tell
from app.documents.formats.registry import rewritable, rewriter_for
from app.documents.segments import Content, Segment
from app.documents.source import FileSource, TargetLanguage

MOST_CHARACTERS = 200_000
"""Limit of one segment; no written paragraph is longer, and no model translates it as one."""


def rewritten(
    request: protocol.Segments | protocol.Rewrite, tell: Tell, on_step: Callable[[], None] = lambda: None
) -> protocol.SegmentsDone | protocol.Rewritten:
    """Find or write segments. Raises an AppError, or whatever a rewriter raises. `on_step` as in `FileSource`."""
    source = FileSource(Path(request.path), request.password, request.encoding, on_step=on_step)
    source.counts_generated = isinstance(request, protocol.Rewrite) and request.counts_generated
    if isinstance(request, protocol.Segments):
        return _SegmentFinder(tell, source).run()
    return _TranslationPass(request, tell, source).run()


class _SegmentPass(FilePass):
    """Share what finding and writing segments have in common: both count them alike."""

    _count = 0

    def _rewritable_format(self) -> str:
        """Return its name in the registry; raises DocumentUnreadable ("not_rewritable")."""
        format_ = rewritable(self._find_format(), self._path)
        if not format_:
            raise self._source.unreadable("not_rewritable")
        return format_

    def _check(self) -> None:
        """Check that the file is unchanged and has text; take over the rewriter's remarks."""
        require_unchanged(self._path, self._before)
        if not self._count:
            raise self._source.unreadable("no_text")
        for remark in self._source.remarks:
            self._remarks.add(remark)


class _SegmentFinder(_SegmentPass):
    """Find the segments of a file and send them in batches; nothing is written."""

    def __init__(self, tell: Tell, source: FileSource) -> None:
        super().__init__(source, tell, protocol.SegmentsRead)
        self._hidden = self._long = 0
        self._sample = clean.ProseSample()
        self._fonts = clean.LegacyFonts()

    def run(self) -> protocol.SegmentsDone:
        format_ = self._rewritable_format()
        rewriter_for(format_)(self._source, None, self._visit, None)
        # What is pending goes before the hash: it may take seconds for a large file.
        self._flush()
        sha256 = self._sha256()
        self._check()
        self._remark("hidden_characters", count=self._hidden)
        for remark in self._fonts.remarks():
            self._remarks.add(remark)
        self._remark("long_segments", count=self._long)
        return protocol.SegmentsDone(format_, self._count, self._sample.language(), sha256, self._remarks.all())

    def _visit(self, segment: Segment) -> None:
        # Not counted: writing leaves them out by the same rule, so numbers agree.
        if clean.length_of(segment) > MOST_CHARACTERS:
            self._long += 1
            return
        cleaned = clean.clean_segment(segment)
        self._hidden += len(segment.text) - len(cleaned.text)
        self._sample.add(BlockPiece(BlockKind.PARAGRAPH, cleaned.text))
        self._fonts.inspect_text(cleaned.text)
        self._count += 1
        self._wait(cleaned, clean.length_of(cleaned) + len(cleaned.context))


class _TranslationPass(_SegmentPass):
    """Writes a file with the translations of its segments."""

    def __init__(self, request: protocol.Rewrite, tell: Tell, source: FileSource) -> None:
        super().__init__(source, tell, lambda _: protocol.SegmentsWritten(self._count))
        self._request = request
        self._translations = TranslationsFile(Path(request.translations))
        self._replaced = 0
        self._refused: list[int] = []

    def run(self) -> protocol.Rewritten:
        """Write the whole file; what is left of it after a failure is for the parent to remove."""
        # Segments are known by number, which means another text in another file.
        if self._sha256() != self._request.sha256:
            raise self._source.unreadable("changed")
        rewrite = rewriter_for(self._rewritable_format())
        target = TargetLanguage(self._request.language, self._request.is_rtl) if self._request.language else None
        with OutputFile(Path(self._request.out), self._path) as out:
            rewrite(self._source, out, self._visit, target)
        self._check()
        return protocol.Rewritten(self._count, self._replaced, tuple(self._refused), self._remarks.all())

    def _visit(self, segment: Segment) -> Content | None:
        if clean.length_of(segment) > MOST_CHARACTERS:
            return None
        self._count += 1
        self._pulse(TELL_EVERY_S)
        content = self._translations.find(segment.id)
        # A translation equal to what was shown leaves the bytes alone, hidden characters included.
        if content is None or content == clean.clean_segment(segment).content:
            return None
        # Against the original segment, for its hidden characters belong to the file.
        fitted = clean.fit_translation(content, segment.content)
        if fitted is None:
            self._refused.append(segment.id)
        else:
            self._replaced += 1
        return fitted
