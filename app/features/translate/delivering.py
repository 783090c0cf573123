"""Turn a model's answer into document content with exactly the marks of the source.

Nothing here knows a language or asks a model, so it is quick and deterministic.
"""

from __future__ import annotations

import re

from app.core.lazy_dataclasses import dataclass, field
from app.documents.segments import Content, Segment, plain
from app.features.translate.certainty import TranslationCertainty, likeness_of
from app.features.translate.mark_repair import put_back
from app.features.translate.marked_answers import damage_of, parse_marked
from app.features.translate.marking import ShownContent, adopt_marks
from app.features.translate.problems import ProblemKind, TranslationProblem, flags_of, is_unusable
from app.features.translate.tidy_answers import is_refusal, loop_in, tidy_answer
from app.features.translate.translation_events import Flag, FlagKind, Translated, TranslationSource

_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class DeliveryCandidate:
    """An answer as it could be delivered: a core with exactly the marks of the source, and what is wrong with it."""

    core: Content
    problems: tuple[TranslationProblem, ...] = ()
    certainty: TranslationCertainty | None = field(default=None, compare=False)
    """The model's certainty; None if not measured."""

    @property
    def words(self) -> str:
        """The words without marks and what they protect."""
        return plain(self.core)


def make_candidate(source: ShownContent, answer: str) -> DeliveryCandidate:
    """Parse an answer and list its formal problems; for an unusable one, the core is the source's."""
    # Tidied by the source and what is protected in it, since these may look like remarks or tags.
    text, problems = tidy_answer(f"{source.text} {' '.join(source.protected)}", answer)
    found, invented = adopt_marks(source, parse_marked(source, text))
    words = plain(found)
    # Signs alone are no answer, but a source of words has some.
    if not _LETTER.search(words):
        return DeliveryCandidate(source.core, (TranslationProblem(ProblemKind.EMPTY),))
    if is_refusal(source.words, words):
        return DeliveryCandidate(source.core, (TranslationProblem(ProblemKind.REFUSED, words[:60]),))
    if loop := loop_in(source.words, words):
        return DeliveryCandidate(source.core, (TranslationProblem(ProblemKind.LOOP, loop[:60]),))
    if (damage := damage_of(source, found)) is None and not invented:
        return DeliveryCandidate(found, problems)
    # The core has the source's marks in any case, so a file is never damaged; the flag says that they were guessed.
    lost, extra = (damage.lost, damage.extra) if damage else ((), ())
    problem = TranslationProblem(ProblemKind.MARKS, " ".join(lost), " ".join((*extra, *invented)))
    return DeliveryCandidate(put_back(source, found), (*problems, problem))


def deliver_segment(
    segment: Segment, source: ShownContent, best: DeliveryCandidate, pair: tuple[str, str] = ("", "")
) -> Translated:
    """Return what a segment becomes. `pair`: codes of both languages, "" if unknown."""
    flags = flags_of(best.problems)
    # A doubt is told only where no check found anything: one flag is read, three are not.
    if best.certainty is not None and not flags:
        likeness = likeness_of(source.words, best.words, pair)
        flags = (Flag(FlagKind.UNSURE, best.certainty.least_word),) if best.certainty.is_doubtful(likeness) else ()
    # The source stands there, and is flagged: nothing is dropped.
    if is_unusable(best.problems):
        return Translated(segment.id, segment.content, TranslationSource.KEPT, (Flag(FlagKind.UNTRANSLATED), *flags))
    return Translated(segment.id, source.restore_whole(best.core), TranslationSource.MODEL, flags)
