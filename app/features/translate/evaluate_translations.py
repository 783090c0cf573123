"""Score a translation against a reference: anyone with a larger model can make the figures.

chrF2 (Popović, 2015) of the whole text by sacrebleu, which is language-independent and needs no word boundaries, next
to that of the untranslated source: with shared letters and names, that isn't zero.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.core.errors.document_errors import DocumentUnreadable
from app.core.errors.exchange_errors import NotAligned
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass, field
from app.documents.segments import Content, Segment
from app.engine.contract import Engine
from app.features.translate.marking import shown_text
from app.features.translate.translate import translate_segments
from app.features.translate.translation_events import (
    MemoryLookup,
    SegmentDone,
    Translated,
    TranslationEvent,
    TranslationPlanned,
    TranslationSource,
    TranslationWish,
)


@dataclass(frozen=True)
class AlignedSegments:
    """Segments to translate, and what each should come to."""

    segments: Sequence[Segment]
    references: Sequence[str]


@dataclass
class TranslationEvaluation:
    aligned: AlignedSegments
    source_language: str = ""
    done: dict[int, Translated] = field(default_factory=dict)
    seconds: float = 0.0

    def to_fields(self) -> dict[str, Any]:
        """Return chrF of the translation and of the source, 0 to 100; shares and counts of segments."""
        pairs = [
            (segment, self.done[segment.id], reference)
            # Segments that failed or were cancelled count neither for nor against.
            for segment, reference in zip(self.aligned.segments, self.aligned.references, strict=True)
            if segment.id in self.done
        ]
        references = [reference for _, _, reference in pairs]
        flags = Counter(flag.kind.value for _, pair, _ in pairs for flag in pair.flags)
        return {
            "segments": len(self.aligned.segments),
            "translated": len(pairs),
            "chrf": score_chrf([shown_text(translated.content) for _, translated, _ in pairs], references),
            "chrf_of_source": score_chrf([shown_text(segment.content) for segment, _, _ in pairs], references),
            "flagged": sum(bool(pair.flags) for _, pair, _ in pairs),
            "flags": dict(sorted(flags.items())),
            "untranslated": sum(pair.origin is TranslationSource.KEPT for _, pair, _ in pairs),
            "seconds": round(self.seconds, 3),
            "segments_per_second": round(len(pairs) / self.seconds, 3) if self.seconds else None,
        }


def evaluate_translation(
    result: TranslationEvaluation, wish: TranslationWish, engine: Engine, memory: MemoryLookup, cancel: CancelToken
) -> Iterator[TranslationEvent]:
    """Translate with the loaded model into `result`; cancelled, it holds what is done."""
    begun_s = time.monotonic()
    for event in translate_segments(result.aligned.segments, wish, engine, memory, cancel):
        if isinstance(event, TranslationPlanned):
            result.source_language = event.source
        elif isinstance(event, SegmentDone):
            result.done[event.translated.id] = event.translated
        result.seconds = time.monotonic() - begun_s
        yield event


def aligned_lines(source: Path, reference: Path) -> AlignedSegments:
    """Align two texts line by line, without lines whose source is empty. Raises NotAligned."""
    lines, wanted = _read_lines(source), _read_lines(reference)
    if len(lines) != len(wanted):
        raise NotAligned(str(source), str(reference), len(lines), len(wanted))
    # Paired before empty lines go, so that none shifts the others.
    pairs = [(line.strip(), other.strip()) for line, other in zip(lines, wanted, strict=True) if line.strip()]
    segments = [Segment(number, (pair,)) for number, (pair, _) in enumerate(pairs, 1)]
    if not segments:
        raise DocumentUnreadable(str(source), "no_text")
    return AlignedSegments(segments, [other for _, other in pairs])


def aligned_segments(
    source: Path, segments: Sequence[Segment], reference: Path, wanted: Sequence[Content]
) -> AlignedSegments:
    """Align two documents of equal structure by segment. Raises NotAligned if the counts differ."""
    if len(segments) != len(wanted):
        raise NotAligned(str(source), str(reference), len(segments), len(wanted))
    return AlignedSegments(segments, [shown_text(content) for content in wanted])


def score_chrf(texts: Sequence[str], references: Sequence[str]) -> float | None:
    """chrF2 of a whole text, from 0 to 100; None for none. The library is loaded by the first of these (0.1 s)."""
    from sacrebleu.metrics.chrf import CHRF

    return round(float(CHRF().corpus_score(list(texts), [list(references)]).score), 2) if texts else None


def _read_lines(path: Path) -> list[str]:
    """Read a UTF-8 text's lines. Raises DocumentUnreadable."""
    try:
        return path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise DocumentUnreadable.by_system(path, error) from error
    except UnicodeDecodeError as error:
        raise DocumentUnreadable(str(path), "not_text") from error
