"""What is asked once: the segments of one content and context, how far the ladder of repair got, and what came."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from app.documents.segments import Content, Segment, content_of
from app.features.translation.delivering import Candidate
from app.features.translation.marking import Shown, trimmed
from app.features.translation.problems import weight
from app.features.translation.result import Term


class Step(IntEnum):
    """How a unit is asked: with others, alone and told what was wrong, without context, sentence by sentence."""

    FIRST = 0
    ALONE = 1
    BARE = 2
    PIECES = 3


@dataclass(eq=False)
class Unit:
    """`place` is that of its first segment in the document. `terms` are those of the person's glossary in it.

    A sentence of a longer unit has that as its `parent`, and no segments. `before` are the segments in front that were
    told when it was asked last.
    """

    segments: list[Segment]
    shown: Shown
    place: int
    section: object = None
    tokens: int = 0
    terms: tuple[Term, ...] = ()
    parent: Unit | None = None
    step: Step = Step.FIRST
    before: tuple[tuple[str, str], ...] = ()
    has_hint: bool = False
    candidates: list[Candidate] = field(default_factory=list)
    pieces: list[Unit] = field(default_factory=list)
    settled: Candidate | None = None

    @property
    def had_context(self) -> bool:
        """Whether anything beside the text was told when it was asked last."""
        return self.has_hint or bool(self.before)

    @property
    def best(self) -> Candidate:
        """The one with the least wrong, of those alike the first."""
        return min(self.candidates, key=lambda one: weight(one.problems))

    def piece(self, content: Content, tokens: int) -> Unit:
        """A sentence of it."""
        before, core, after = trimmed(content)
        shown = Shown(before, core, after, self.shown.ordered, self.shown.kind)
        return Unit([], shown, self.place, self.section, tokens, parent=self)

    def guarded(self, core: Content) -> Content:
        """A core with what was kept back around it; protected text is still behind its marks."""
        return content_of([*self.shown.before, *core, *self.shown.after])
