"""From what a model wrote to what stands in the document: always with exactly the marks of the source.

Nothing here knows a language or asks a model, so it is quick and the same each time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.documents.segments import Content, Segment, plain
from app.features.translation.adopting import adopted
from app.features.translation.answers import damage_of, marked
from app.features.translation.check_words import loop_in, refuses, tidied
from app.features.translation.marking import Shown, shown
from app.features.translation.problems import Problem, ProblemKind, flags_of, is_unusable
from app.features.translation.putting_back import put_back
from app.features.translation.result import Flag, FlagKind, Origin, Translated

_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Candidate:
    """An answer as it could be delivered: a core with exactly the marks of the source, and what is wrong with it."""

    core: Content
    problems: tuple[Problem, ...] = ()

    @property
    def words(self) -> str:
        """Without marks and what they protect."""
        return plain(self.core)


def candidate(source: Shown, answer: str) -> Candidate:
    """What an answer gives, and what is wrong with its form; with an unusable one, the core is the source's."""
    text, problems = tidied(f"{source.text} {' '.join(source.protected)}", answer)
    found, invented = adopted(source, marked(source, text))
    words = plain(found)
    if not _LETTER.search(words):
        return Candidate(source.core, (Problem(ProblemKind.EMPTY),))
    if refuses(source.words, words):
        return Candidate(source.core, (Problem(ProblemKind.REFUSED, words[:60]),))
    if loop := loop_in(source.words, words):
        return Candidate(source.core, (Problem(ProblemKind.LOOP, loop[:60]),))
    damage = damage_of(source, found)
    if damage is None and not invented:
        return Candidate(found, problems)
    lost, extra = (damage.lost, damage.extra) if damage else ((), ())
    problem = Problem(ProblemKind.MARKS, " ".join(lost), " ".join((*extra, *invented)))
    return Candidate(put_back(source, found), (*problems, problem))


def deliver(segment: Segment, answer: str) -> Translated:
    """A segment with a model's answer to `marking.shown(segment).text`: usable or not, its marks and what must stay in
    its text are there. What was put back by place is flagged, and so is a source that stands for want of an answer."""
    source = shown(segment)
    if not source.has_words:
        return Translated(segment.id, segment.content, Origin.SKIPPED)
    return delivered(segment, source, candidate(source, answer))


def delivered(segment: Segment, source: Shown, best: Candidate) -> Translated:
    """A candidate as the translation of a segment."""
    flags = flags_of(best.problems)
    if is_unusable(best.problems):
        return Translated(segment.id, segment.content, Origin.KEPT, (Flag(FlagKind.UNTRANSLATED), *flags))
    return Translated(segment.id, source.whole(best.core), Origin.MODEL, flags)
