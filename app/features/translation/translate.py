"""Translates the segments of a document, or typed paragraphs: every one is settled, and what is doubtful is flagged.

    segments → nothing to do, or known → batches of one section, with glossary and context → checks → ladder of repair

The method is that of `app.features.translation.repair`; how a model is asked, of `families`. What is done is kept in
the memory at once, so that a run that was stopped goes on where it was, and a second run asks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from app.core.events import CancelToken
from app.documents.segments import Segment, plain
from app.engine.contract import Engine
from app.features.translation.batches import Unit, batches_of
from app.features.translation.delivering import delivered, growing_block, without_tags
from app.features.translation.repair import Repair, Task
from app.features.translation.result import (
    Memory,
    Origin,
    SegmentDone,
    SegmentGrows,
    TermsFound,
    Translated,
    TranslationEnded,
    TranslationEvent,
    TranslationPlanned,
    TranslationWish,
)
from app.features.translation.work import Work, begin, sorted_out
from app.features.work.asking import Growing, Rests, Taken, work_off, work_off_in_turn

__all__ = ["translate"]

COUNTED_AT_ONCE = 256
WINDOWS_A_PLACE = 4
"""So many requests for each place of the engine are on the wire: what is told with one is known when it goes there."""


def translate(
    segments: Sequence[Segment],
    wish: TranslationWish,
    engine: Engine,
    memory: Memory,
    cancel: CancelToken,
    *,
    done: Mapping[int, Translated] | None = None,
    is_interactive: bool = False,
) -> Iterator[TranslationEvent]:
    """Translates what `done` has not, by the model that is loaded in `engine`.

    `done` is what earlier runs or a person made: never asked again, told as context, learnt from. Cancelled, it ends at
    once as partial. Raises what the engine raises when a second try does not help; what was done is kept.
    `is_interactive` goes before all background work and asks one segment after another.
    """
    work = begin(segments, wish, engine, memory, cancel)
    if work is None:
        yield TranslationEnded(is_partial=True)
        return
    yield from _Run(work, done or {}, is_interactive=is_interactive).run()


class _Run:
    """One run over the segments."""

    def __init__(self, work: Work, done: Mapping[int, Translated], *, is_interactive: bool) -> None:
        self._work, self._given, self._is_interactive = work, done, is_interactive
        self._repair = Repair(work, self._settle)
        self._settled: list[Translated] = []
        self._done = sum(segment.id in done for segment in work.segments)
        self._terms_told = 0

    def run(self) -> Iterator[TranslationEvent]:
        work = self._work
        known, units = sorted_out(work, self._given)
        if not work.cancel.cancelled:
            self._count(units)
        if work.cancel.cancelled:
            yield TranslationEnded(is_partial=True)
            return
        tokens = sum(unit.tokens for unit in units)
        yield TranslationPlanned(len(work.segments), self._done + len(known), tokens, work.source)
        self._settled += known
        yield from self._told()
        tasks = [task for batch in batches_of(units, work.sizes) for task in self._repair.first(batch)]
        yield from self._asked(tasks)
        yield TranslationEnded(is_partial=work.cancel.cancelled)

    def _count(self, units: Sequence[Unit]) -> None:
        for at in range(0, len(units), COUNTED_AT_ONCE):
            some = units[at : at + COUNTED_AT_ONCE]
            for unit, tokens in zip(some, self._work.count([unit.shown.text for unit in some]), strict=True):
                unit.tokens = tokens
            if self._work.cancel.cancelled:
                return

    def _asked(self, tasks: Sequence[Task]) -> Iterator[TranslationEvent]:
        work = self._work
        events: Iterator[Rests | Growing[Task] | Taken[Task]]
        if self._is_interactive:
            events = work_off_in_turn(tasks, work.engine, work.cancel, self._repair.take)
        else:
            places = work.sizes.side_by_side
            largest = WINDOWS_A_PLACE * places if places > 1 else 1
            events = work_off(tasks, work.engine, work.cancel, self._repair.take, first=places, largest=largest)
        for event in events:
            if isinstance(event, Rests):
                yield event
            elif isinstance(event, Taken):
                yield from self._told()
            elif isinstance(event, Growing) and (grown := _grown(event)) is not None:
                yield grown

    def _settle(self, unit: Unit) -> None:
        """A unit is done: its segments are, and what has no flag is kept."""
        assert unit.settled is not None
        for segment in unit.segments:
            self._settled.append(delivered(segment, unit.shown, unit.settled))
        first = self._settled[-1]
        if first.origin is Origin.MODEL and not first.flags:
            segment = unit.segments[-1]
            self._work.memory.keep(segment.content, first.content, segment.context)

    def _told(self) -> Iterator[TranslationEvent]:
        """The events for what was settled; documents learn from it."""
        settled, self._settled = self._settled, []
        work = self._work
        for one in settled:
            self._done += 1
            work.learn(one)
            yield SegmentDone(one, self._done, len(work.segments))
        if len(work.consistency.terms) > self._terms_told:
            self._terms_told = len(work.consistency.terms)
            yield TermsFound(work.consistency.terms)


def _grown(event: Growing[Task]) -> SegmentGrows | None:
    units = event.task.units
    if len(units) == 1:
        return _grown_alone(units[0], without_tags(event.text).strip())
    block = growing_block(event.text)
    if block is None or not 0 < block[0] <= len(units):
        return None
    return SegmentGrows(units[block[0] - 1].segments[0].id, without_tags(block[1]).strip())


def _grown_alone(unit: Unit, text: str) -> SegmentGrows | None:
    """A sentence grows behind those before it, once they are there."""
    if unit.parent is None:
        return SegmentGrows(unit.segments[0].id, text)
    before = unit.parent.pieces[: unit.parent.pieces.index(unit)]
    if unit.parent.parent is not None or any(piece.settled is None for piece in before):
        return None
    parts = [plain(piece.guarded(piece.settled.core)) for piece in before if piece.settled is not None]
    return SegmentGrows(unit.parent.segments[0].id, "".join([*parts, text]).strip())
