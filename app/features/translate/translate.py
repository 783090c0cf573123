"""Translate the segments of a document, or typed paragraphs: each gets a result, and doubtful ones are flagged.

    segments → nothing to do, or known → batches of one section, with glossary and context → checks → ladder of repair

The prompts are in `translation_prompts`. Finished segments are stored in the memory at once, so that a stopped run
resumes, and a second run asks nothing. The ladder:

    in a batch → alone, fault named, warmer → without context → sentence by sentence → marks put back, or source

Nothing is dropped: each unit is settled once, with a translation, flagged or not, or with its source and a flag.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

from app.core.errors.app_error import AppError
from app.core.errors.model_errors import ModelBroken
from app.core.errors.request_errors import ChatUnavailable, GrammarInvalid, PromptTooLong, TemplateFailed
from app.core.events import CancelToken, FinishReason
from app.core.lazy_dataclasses import dataclass, replace
from app.documents.segments import Content, Segment, plain
from app.engine.contract import Engine
from app.engine.protocol import Ask
from app.features.translate.certainty import certainty_of, joined_certainty
from app.features.translate.content_sentences import halves_of, join_parts, parts_of, sentences_of
from app.features.translate.delivering import DeliveryCandidate, deliver_segment
from app.features.translate.marked_answers import growing_block, numbered_segments, without_tags
from app.features.translate.marking import to_text
from app.features.translate.problems import ProblemKind, TranslationProblem, is_unusable
from app.features.translate.tidy_answers import loop_in
from app.features.translate.translation_events import (
    MemoryLookup,
    SegmentDone,
    SegmentGrows,
    TermsFound,
    Translated,
    TranslationEnded,
    TranslationEvent,
    TranslationPlanned,
    TranslationSource,
    TranslationWish,
)
from app.features.translate.translation_prompts import AskingStep, TranslationUnit, batches_of
from app.features.translate.translation_work import CHARACTERS_A_TOKEN, TranslationWork, begin_work, sorted_out
from app.features.work.asking import (
    PromptReading,
    TaskAnswer,
    TaskGrowing,
    TaskRests,
    TaskTaken,
    run_tasks,
    run_tasks_in_turn,
)

_CUT = (FinishReason.LENGTH, FinishReason.CONTEXT, FinishReason.REPEATED)
_OF_ALL = (TemplateFailed, ChatUnavailable, ModelBroken)
"""No other answer of this model will come out differently."""
_PATIENT = frozenset(
    (ProblemKind.NUMBER, ProblemKind.SAME, ProblemKind.GLOSSARY, ProblemKind.WORD, ProblemKind.NEGATION)
    + (ProblemKind.SEPARATORS, ProblemKind.SOURCE_WORD)
)
"""Problems where a check may be wrong: an answer that comes twice alike isn't requested again."""


@dataclass(eq=False)
class UnitBatch:
    """Units asked in one request."""

    work: TranslationWork
    units: list[TranslationUnit]
    step: AskingStep = AskingStep.FIRST

    @property
    def ask(self) -> Ask:
        """As it goes to the engine, with what is known by then."""
        return self.work.make_ask(self.units, self.step)


class AnswerRepair:
    """Judges answers and repairs them. `settle` is called with each finished unit, but not with pieces of one."""

    def __init__(self, work: TranslationWork, settle: Callable[[TranslationUnit], None]) -> None:
        self._work, self._settle = work, settle

    def first_tasks(self, units: Sequence[TranslationUnit]) -> list[UnitBatch]:
        """Return a batch's task; for one unit that is too long for a prompt, those of its parts."""
        if len(units) == 1 and units[0].tokens > self._work.sizes.tokens:
            most = self._work.sizes.tokens
            # A long paragraph would fill the prompt by itself; its parts are asked on their own.
            parts = parts_of(units[0].shown.core, lambda part: self._token_share(part, units[0]), most)
            if len(parts) > 1:
                return self._begin_pieces(units[0], parts)
        return [UnitBatch(self._work, list(units))]

    def take_answer(self, task: UnitBatch, answer: TaskAnswer | AppError) -> Iterable[UnitBatch]:
        # The next prompt would fail in the same way, a thousand times.
        if isinstance(answer, _OF_ALL):
            raise answer
        if isinstance(answer, AppError):
            return self._handle_failure(task, answer)
        if len(task.units) > 1:
            return self._take_batch(task, answer)
        unit = task.units[0]
        if answer.finish in _CUT:
            return self._cut_off(task, answer.text)
        return self._judge_unit(unit, self._make_judged(unit, answer.text, answer))

    def _make_judged(self, unit: TranslationUnit, text: str, answer: TaskAnswer) -> DeliveryCandidate:
        """Judge a text that is the answer or part of it, with the model's certainty."""
        found = self._work.checks.judge_answer(unit.shown, text, unit.terms)
        return replace(found, certainty=certainty_of(text.strip(), answer.tokens)) if answer.tokens else found

    def _take_batch(self, task: UnitBatch, answer: TaskAnswer) -> list[UnitBatch]:
        found = numbered_segments(answer.text)
        numbers = [number for number, _ in found]
        # Numbers that come twice, or were never asked for, tell that texts may stand at the wrong place.
        is_told_apart = all(0 < number <= len(task.units) for number in numbers) and len(set(numbers)) == len(numbers)
        if answer.finish in _CUT:
            found = found[:-1]  # the last one is not whole
        texts = dict(found) if is_told_apart else {}
        again: list[UnitBatch] = []
        left: list[TranslationUnit] = []
        for number, unit in enumerate(task.units, 1):
            if number in texts:
                again += self._judge_unit(unit, self._make_judged(unit, texts[number], answer))
            # Cut off, the others may do in smaller batches; otherwise each is asked alone.
            elif answer.finish in _CUT:
                left.append(unit)
            else:
                again += self._judge_unit(
                    unit, DeliveryCandidate(unit.shown.core, (TranslationProblem(ProblemKind.MISSING),))
                )
        return [*self._halve_batch(left), *again]

    def _halve_batch(self, units: list[TranslationUnit]) -> list[UnitBatch]:
        middle = (len(units) + 1) // 2
        return [UnitBatch(self._work, half) for half in (units[:middle], units[middle:]) if half]

    def _handle_failure(self, task: UnitBatch, error: AppError) -> list[UnitBatch]:
        if len(task.units) > 1:
            return self._halve_batch(task.units)
        unit = task.units[0]
        if isinstance(error, PromptTooLong):
            # Without context it may fit.
            if task.step < AskingStep.BARE and unit.had_context:
                return [self._batch_at_step(unit, AskingStep.BARE)]
            return self._split_in_halves(unit) or self._judge_unit(
                unit, DeliveryCandidate(unit.shown.core, (TranslationProblem(ProblemKind.CUT),))
            )
        failed = DeliveryCandidate(unit.shown.core, (TranslationProblem(ProblemKind.FAILED),))
        # The engine refused the grammar; bare, there is none.
        if isinstance(error, GrammarInvalid) and unit.step < AskingStep.BARE:
            unit.candidates.append(failed)
            return [self._batch_at_step(unit, AskingStep.BARE)]
        return self._judge_unit(unit, failed)

    def _cut_off(self, task: UnitBatch, text: str) -> list[UnitBatch]:
        """Handle an answer that hit the limit: retry a loop, split a long text in halves."""
        unit = task.units[0]
        # A loop isn't too long: asked again, it may not come.
        if loop := loop_in(unit.shown.words, text):
            return self._judge_unit(
                unit, DeliveryCandidate(unit.shown.core, (TranslationProblem(ProblemKind.LOOP, loop),))
            )
        return self._split_in_halves(unit) or self._judge_unit(
            unit, DeliveryCandidate(unit.shown.core, (TranslationProblem(ProblemKind.CUT),))
        )

    def _split_in_halves(self, unit: TranslationUnit) -> list[UnitBatch]:
        # Pieces are not cut again: the answer is too long for another reason.
        halves = halves_of(unit.shown.core)
        return self._begin_pieces(unit, halves) if len(halves) > 1 and not unit.pieces else []

    def _judge_unit(self, unit: TranslationUnit, found: DeliveryCandidate) -> list[UnitBatch]:
        # Told last: an echo is fluent and passes every check of form.
        if not found.problems and _is_echo(unit, found.words):
            found = DeliveryCandidate(found.core, (TranslationProblem(ProblemKind.ECHO),))
        unit.candidates.append(found)
        # A check may be wrong; an answer that comes twice alike is what the model has to say.
        if not found.problems or self._is_same_again(unit) or self._misses_glossary_only(found):
            return self._settle_best(unit)
        if unit.step is AskingStep.FIRST:
            return [self._batch_at_step(unit, AskingStep.ALONE)]
        if unit.step is AskingStep.ALONE and unit.had_context:
            return [self._batch_at_step(unit, AskingStep.BARE)]
        # Each step costs a request, so sentence by sentence comes last, and not for a term alone.
        sentences = sentences_of(unit.shown.core)
        is_worth_it = any(problem.kind is not ProblemKind.GLOSSARY for problem in found.problems)
        if unit.step < AskingStep.PIECES and is_worth_it and len(sentences) > 1 and not unit.pieces:
            return self._begin_pieces(unit, sentences)
        return self._settle_best(unit)

    def _is_same_again(self, unit: TranslationUnit) -> bool:
        if len(unit.candidates) < 2:
            return False
        last, before = unit.candidates[-1], unit.candidates[-2]
        # Beyond these kinds nothing proves that the same answer is right.
        return last == before and all(problem.kind in _PATIENT for problem in last.problems)

    def _misses_glossary_only(self, found: DeliveryCandidate) -> bool:
        """Return whether only the glossary was missed and this model can't take one."""
        return not self._work.knows.takes_glossary and all(
            problem.kind is ProblemKind.GLOSSARY for problem in found.problems
        )

    def _batch_at_step(self, unit: TranslationUnit, step: AskingStep) -> UnitBatch:
        unit.step = step
        return UnitBatch(self._work, [unit], step)

    def _begin_pieces(self, unit: TranslationUnit, contents: Sequence[Content]) -> list[UnitBatch]:
        unit.step = AskingStep.PIECES
        unit.pieces = [unit.make_piece(content, self._token_share(content, unit)) for content in contents]
        asked = [piece for piece in unit.pieces if piece.shown.has_words]
        # Signs and numbers alone are not asked.
        for piece in unit.pieces:
            if piece not in asked:
                piece.settled = DeliveryCandidate(piece.shown.core)
        return [UnitBatch(self._work, [piece]) for piece in asked] or self._settle_best(unit)

    def _token_share(self, content: Content, unit: TranslationUnit) -> int:
        """Estimate a part's tokens by its share of the unit's text."""
        size = len(unit.shown.text) or 1
        return max(1, round(unit.tokens * len(to_text(content)) / size)) if unit.tokens else size // CHARACTERS_A_TOKEN

    def _settle_best(self, unit: TranslationUnit) -> list[UnitBatch]:
        unit.settled = unit.best
        if unit.parent is None:
            self._settle(unit)
            return []
        parent = unit.parent
        # The others are still asked; the last one that is settled joins them.
        if any(piece.settled is None for piece in parent.pieces):
            return []
        parent.candidates.append(self._join_sentences(parent))
        return self._settle_best(parent)

    def _join_sentences(self, unit: TranslationUnit) -> DeliveryCandidate:
        """Join the translations of a unit's sentences, checked as one."""
        problems: list[TranslationProblem] = []
        parts: list[Content] = []
        for piece in unit.pieces:
            assert piece.settled is not None
            parts.append(piece.restore_guarded(piece.settled.core))
            for problem in piece.settled.problems:
                # Faults of form stay with the joined text; words are checked once more in all of it.
                if problem.kind is ProblemKind.MARKS or problem.kind is ProblemKind.PART:
                    problems.append(problem)
            if is_unusable(piece.settled.problems):
                # One sentence that couldn't be translated stays as it was, among translated ones.
                problems.append(TranslationProblem(ProblemKind.PART, plain(piece.shown.core)))
        if all(is_unusable(piece.settled.problems) for piece in unit.pieces if piece.settled and piece.shown.has_words):
            return DeliveryCandidate(unit.shown.core, (TranslationProblem(ProblemKind.FAILED),))
        core = join_parts(parts, self._work.pair.source, self._work.pair.target)
        sure = joined_certainty(
            [piece.settled.certainty for piece in unit.pieces if piece.settled and piece.shown.has_words]
        )
        found = DeliveryCandidate(core, tuple(dict.fromkeys(problems)), sure)
        return self._work.checks.judge_candidate(unit.shown, found, unit.terms)


def _is_echo(unit: TranslationUnit, words: str) -> bool:
    """Return whether an answer is the preceding segment or its translation, while the source differs."""
    # Two equal sources may well have equal translations.
    return any(words.strip() in (source, target) and source != unit.shown.words for source, target in unit.before)


__all__ = ["translate_segments"]

COUNTED_AT_ONCE = 256
WINDOWS_A_PLACE = 4
"""Requests sent per parallel slot: few, so that each can use what earlier ones brought."""


def translate_segments(
    segments: Sequence[Segment],
    wish: TranslationWish,
    engine: Engine,
    memory: MemoryLookup,
    cancel: CancelToken,
    *,
    done: Mapping[int, Translated] | None = None,
    is_interactive: bool = False,
) -> Generator[TranslationEvent, None, None]:
    """Translate the segments missing in `done`, with the model loaded in `engine`.

    `done` is from earlier runs or the user: never requested again, but used as context. Cancelled, it ends at once as
    partial. Raises the engine's errors after a second try; finished segments stay stored. `is_interactive` has
    priority over background work and asks segment by segment.
    """
    if (work := begin_work(segments, wish, engine, memory, cancel)) is None:
        yield TranslationEnded(is_partial=True)
        return
    # Run here and not where they follow from each other: each event then passes one generator less.
    for stage in _TranslationRun(work, done or {}, is_interactive=is_interactive).stages():
        yield from stage


class _TranslationRun:
    """State of a run over the segments."""

    def __init__(self, work: TranslationWork, done: Mapping[int, Translated], *, is_interactive: bool) -> None:
        self._work, self._done_before, self._is_interactive = work, done, is_interactive
        self._repair = AnswerRepair(work, self._settle_unit)
        self._settled: list[Translated] = []
        # What was given isn't told again, but counts.
        self._done = sum(segment.id in done for segment in work.segments)
        self._terms_told = 0

    def stages(self) -> Iterator[Iterable[TranslationEvent]]:
        """Yield the run's stages, each to be run to its end before the next is asked for."""
        work = self._work
        # Known segments need no request; counting comes after, so that only what is left is counted.
        known, units = sorted_out(work, self._done_before)
        if not work.cancel.cancelled:
            self._count_units(units)
        if work.cancel.cancelled:
            yield [TranslationEnded(is_partial=True)]
            return
        tokens = sum(unit.tokens for unit in units)
        yield [TranslationPlanned(len(work.segments), self._done + len(known), tokens, work.source)]
        self._settled += known
        yield self._settled_events()
        tasks = [task for batch in batches_of(units, work.sizes) for task in self._repair.first_tasks(batch)]
        yield self._ask_batches(tasks)
        yield [TranslationEnded(is_partial=work.cancel.cancelled)]

    def _count_units(self, units: Sequence[TranslationUnit]) -> None:
        for at in range(0, len(units), COUNTED_AT_ONCE):
            some = units[at : at + COUNTED_AT_ONCE]
            for unit, tokens in zip(some, self._work.count_tokens([unit.shown.text for unit in some]), strict=True):
                unit.tokens = tokens
            # A half count would make wrong batches.
            if self._work.cancel.cancelled:
                return

    def _ask_batches(self, tasks: Sequence[UnitBatch]) -> Iterator[TranslationEvent]:
        work = self._work
        events: Iterator[TaskRests | PromptReading[UnitBatch] | TaskGrowing[UnitBatch] | TaskTaken[UnitBatch]]
        if self._is_interactive:
            # One after the other: a person reads from the top.
            events = run_tasks_in_turn(tasks, work.engine, work.cancel, self._repair.take_answer)
        else:
            places = work.sizes.side_by_side
            # Few requests are sent ahead, so that each can use terms and context that earlier ones brought.
            largest = WINDOWS_A_PLACE * places if places > 1 else 1
            events = run_tasks(tasks, work.engine, work.cancel, self._repair.take_answer, first=places, largest=largest)
        for event in events:
            if isinstance(event, TaskRests):
                yield event
            elif isinstance(event, TaskTaken):
                yield from self._settled_events()
            elif isinstance(event, TaskGrowing) and (grown := _grown_segment(event)) is not None:
                yield grown

    def _settle_unit(self, unit: TranslationUnit) -> None:
        """Settle a unit's segments, and store the translation in the memory if it has no flag."""
        assert unit.settled is not None
        pair = (self._work.pair.source, self._work.pair.target)
        for segment in unit.segments:
            self._settled.append(deliver_segment(segment, unit.shown, unit.settled, pair))
        first = self._settled[-1]
        # A flagged translation in the memory would come back without its flag.
        if first.origin is TranslationSource.MODEL and not first.flags:
            segment = unit.segments[-1]
            self._work.memory.keep_step(segment.content, first.content, segment.context)

    def _settled_events(self) -> Iterator[TranslationEvent]:
        """Yield events of settled units, and learn terms from them."""
        settled, self._settled = self._settled, []
        work = self._work
        for translated in settled:
            self._done += 1
            work.learn_translation(translated)
            # Learnt before it is told, so that the next prompt knows it.
            yield SegmentDone(translated, self._done, len(work.segments))
        if len(work.consistency.terms) > self._terms_told:
            self._terms_told = len(work.consistency.terms)
            yield TermsFound(work.consistency.terms)


def _grown_segment(event: TaskGrowing[UnitBatch]) -> SegmentGrows | None:
    units = event.task.units
    if len(units) == 1:
        return _growing_sentence(units[0], without_tags(event.text).strip())
    if (block := growing_block(event.text)) is None or not 0 < block[0] <= len(units):
        return None
    return SegmentGrows(units[block[0] - 1].segments[0].id, without_tags(block[1]).strip())


def _growing_sentence(unit: TranslationUnit, text: str) -> SegmentGrows | None:
    """Report a growing sentence behind those before it, once they are there."""
    if unit.parent is None:
        return SegmentGrows(unit.segments[0].id, text)
    before = unit.parent.pieces[: unit.parent.pieces.index(unit)]
    # A sentence of a sentence, or one whose beginning is missing, would jump in the window.
    if unit.parent.parent is not None or any(piece.settled is None for piece in before):
        return None
    parts = [plain(piece.restore_guarded(piece.settled.core)) for piece in before if piece.settled is not None]
    return SegmentGrows(unit.parent.segments[0].id, "".join([*parts, text]).strip())
