"""What of a document need not be asked: nothing to translate, in the target language already, or known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.documents.segments import Content, Segment, SegmentKind, plain
from app.features.translation.marking import Shown, same_marks, shown
from app.features.translation.result import Origin, Translated
from app.features.translation.units import Unit
from app.features.translation.work import Work
from app.language.names import are_alike, base

LEAST_CHARACTERS = 40
"""A shorter text may look like any language."""


def sorted_out(work: Work, done: Mapping[int, Translated]) -> tuple[list[Translated], list[Unit]]:
    """What is known of the segments that are not done, and the units for the others, each content once.

    Stops where the work is cancelled.
    """
    known: list[Translated] = []
    units: dict[Any, Unit] = {}
    section = 0
    file_is_in_target = _file_is_in_target(work)
    for place, segment in enumerate(work.segments):
        if work.cancel.cancelled:
            break
        section += segment.kind is SegmentKind.HEADING
        if segment.id in done:
            work.learn(done[segment.id])
            continue
        seen = shown(segment)
        found = _known(work, segment, seen, file_is_in_target)
        if found is not None:
            known.append(found)
            continue
        key = (segment.content, segment.context)
        if key in units:
            units[key].segments.append(segment)
            continue
        where = (section, segment.page if segment.kind is SegmentKind.CELL else 0)
        unit = Unit([segment], seen, place, where)
        unit.terms = work.glossary.found_in(unit.shown.words) if work.glossary else ()
        units[key] = unit
    return known, list(units.values())


def _known(work: Work, segment: Segment, seen: Shown, file_is_in_target: bool) -> Translated | None:
    if not seen.has_words:
        return Translated(segment.id, segment.content, Origin.SKIPPED)
    found = work.memory.find(segment.content, segment.context)
    if found is None and file_is_in_target and plain(segment.translated).strip():
        found = segment.translated
    if found is not None and _fits(found, segment.content):
        return Translated(segment.id, found, Origin.MEMORY)
    return Translated(segment.id, segment.content, Origin.SKIPPED) if _is_in_target(work, segment) else None


def _fits(found: Content, source: Content) -> bool:
    return same_marks(found, source) and bool(plain(found).strip())


def _is_in_target(work: Work, segment: Segment) -> bool:
    """Whether a text of some length clearly is; never where source and target are variants, or look alike."""
    source, target = work.pair.source, work.pair.target
    if len(segment.text.strip()) < LEAST_CHARACTERS or are_alike(source, target):
        return False
    return work.detector.clearly(segment.text) == base(target)


def _file_is_in_target(work: Work) -> bool:
    """Whether the translations that a file has already (PO) are in the target language."""
    texts = [plain(one.translated) for one in work.segments if one.translated][:200]
    return bool(texts) and work.detector.clearly("\n".join(texts)) == base(work.pair.target)
