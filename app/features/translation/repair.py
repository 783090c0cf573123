"""What becomes of an answer: accepted, or asked again on the ladder, and at its end the best of what came.

    with others → alone, told what was wrong, warmer → without context → sentence by sentence → put back, or the source

Nothing is dropped: each unit is settled once, with a translation, flagged or not, or with its source and a flag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.core.errors import AppError, ChatUnavailable, GrammarInvalid, ModelBroken, PromptTooLong, TemplateFailed
from app.core.events import FinishReason
from app.documents.segments import Content, plain
from app.engine.protocol import Ask
from app.features.translation.batches import Step, Unit, halves_of, joined, parts_of, sentences_of
from app.features.translation.delivering import Candidate, blocks
from app.features.translation.marking import to_text
from app.features.translation.problems import Problem, ProblemKind, is_unusable, loop_in
from app.features.translation.work import CHARACTERS_A_TOKEN, Work
from app.features.work.asking import Answer

_CUT = (FinishReason.LENGTH, FinishReason.CONTEXT)
_OF_ALL = (TemplateFailed, ChatUnavailable, ModelBroken)
"""No other answer of this model will come out differently."""
_PATIENT = frozenset((ProblemKind.NUMBER, ProblemKind.SAME, ProblemKind.GLOSSARY))
"""A check may be wrong about these: what comes twice alike is not asked for again."""


@dataclass(eq=False)
class Task:
    """Units that are asked together."""

    work: Work
    units: list[Unit]
    step: Step = Step.FIRST

    @property
    def ask(self) -> Ask:
        """As it goes to the engine, with what is known by then."""
        return self.work.ask(self.units, self.step)


class Repair:
    """Takes answers. `settle` is told each unit that is done, a piece of one excepted."""

    def __init__(self, work: Work, settle: Callable[[Unit], None]) -> None:
        self._work, self._settle = work, settle

    def first(self, units: Sequence[Unit]) -> list[Task]:
        """The task for a batch; for one unit that is too long for a prompt, those for its parts."""
        if len(units) == 1 and units[0].tokens > self._work.sizes.tokens:
            most = self._work.sizes.tokens
            parts = parts_of(units[0].shown.core, lambda part: self._tokens(part, units[0]), most)
            if len(parts) > 1:
                return self._begin_pieces(units[0], parts)
        return [Task(self._work, list(units))]

    def take(self, task: Task, answer: Answer | AppError) -> Iterable[Task]:
        if isinstance(answer, _OF_ALL):
            raise answer
        if isinstance(answer, AppError):
            return self._failed(task, answer)
        if len(task.units) > 1:
            return self._take_batch(task, answer)
        unit = task.units[0]
        if answer.finish in _CUT:
            return self._cut_off(task, answer.text)
        return self._judged(unit, self._work.checks.judge(unit.shown, answer.text, unit.terms))

    def _take_batch(self, task: Task, answer: Answer) -> list[Task]:
        found = blocks(answer.text)
        numbers = [number for number, _ in found]
        is_told_apart = all(0 < number <= len(task.units) for number in numbers) and len(set(numbers)) == len(numbers)
        if answer.finish in _CUT:
            found = found[:-1]  # the last one is not whole
        texts = dict(found) if is_told_apart else {}
        again: list[Task] = []
        left: list[Unit] = []
        for number, unit in enumerate(task.units, 1):
            if number in texts:
                again += self._judged(unit, self._work.checks.judge(unit.shown, texts[number], unit.terms))
            elif answer.finish in _CUT:
                left.append(unit)
            else:
                again += self._judged(unit, Candidate(unit.shown.core, (Problem(ProblemKind.MISSING),)))
        return [*self._halved(left), *again]

    def _halved(self, units: list[Unit]) -> list[Task]:
        middle = (len(units) + 1) // 2
        return [Task(self._work, half) for half in (units[:middle], units[middle:]) if half]

    def _failed(self, task: Task, error: AppError) -> list[Task]:
        if len(task.units) > 1:
            return self._halved(task.units)
        unit = task.units[0]
        if isinstance(error, PromptTooLong):
            if task.step < Step.BARE and unit.had_context:
                return [self._at(unit, Step.BARE)]
            return self._in_halves(unit) or self._judged(unit, Candidate(unit.shown.core, (Problem(ProblemKind.CUT),)))
        failed = Candidate(unit.shown.core, (Problem(ProblemKind.FAILED),))
        if isinstance(error, GrammarInvalid) and unit.step < Step.BARE:
            unit.candidates.append(failed)
            return [self._at(unit, Step.BARE)]
        return self._judged(unit, failed)

    def _cut_off(self, task: Task, text: str) -> list[Task]:
        """An answer that did not end: a loop is asked for again, a long text in halves."""
        unit = task.units[0]
        if loop := loop_in(unit.shown.words, text):
            return self._judged(unit, Candidate(unit.shown.core, (Problem(ProblemKind.LOOP, loop),)))
        return self._in_halves(unit) or self._judged(unit, Candidate(unit.shown.core, (Problem(ProblemKind.CUT),)))

    def _in_halves(self, unit: Unit) -> list[Task]:
        halves = halves_of(unit.shown.core)
        return self._begin_pieces(unit, halves) if len(halves) > 1 and not unit.pieces else []

    # One unit on the ladder.

    def _judged(self, unit: Unit, found: Candidate) -> list[Task]:
        if not found.problems and _is_echo(unit, found.words):
            found = Candidate(found.core, (Problem(ProblemKind.ECHO),))
        unit.candidates.append(found)
        if not found.problems or self._is_same_again(unit) or self._is_beyond_it(found):
            return self._end(unit)
        if unit.step is Step.FIRST:
            return [self._at(unit, Step.ALONE)]
        if unit.step is Step.ALONE and unit.had_context:
            return [self._at(unit, Step.BARE)]
        sentences = sentences_of(unit.shown.core)
        is_worth_it = any(one.kind is not ProblemKind.GLOSSARY for one in found.problems)
        if unit.step < Step.PIECES and is_worth_it and len(sentences) > 1 and not unit.pieces:
            return self._begin_pieces(unit, sentences)
        return self._end(unit)

    def _is_same_again(self, unit: Unit) -> bool:
        if len(unit.candidates) < 2:
            return False
        last, before = unit.candidates[-1], unit.candidates[-2]
        return last == before and all(one.kind in _PATIENT for one in last.problems)

    def _is_beyond_it(self, found: Candidate) -> bool:
        """Whether nothing is wrong but the glossary, which this model cannot be told."""
        return not self._work.knows.takes_glossary and all(one.kind is ProblemKind.GLOSSARY for one in found.problems)

    def _at(self, unit: Unit, step: Step) -> Task:
        unit.step = step
        return Task(self._work, [unit], step)

    def _begin_pieces(self, unit: Unit, contents: Sequence[Content]) -> list[Task]:
        unit.step = Step.PIECES
        unit.pieces = [unit.piece(content, self._tokens(content, unit)) for content in contents]
        asked = [piece for piece in unit.pieces if piece.shown.has_words]
        for piece in unit.pieces:
            if piece not in asked:
                piece.settled = Candidate(piece.shown.core)
        return [Task(self._work, [piece]) for piece in asked] or self._end(unit)

    def _tokens(self, content: Content, unit: Unit) -> int:
        """Its share of the unit's."""
        size = len(unit.shown.text) or 1
        return max(1, round(unit.tokens * len(to_text(content)) / size)) if unit.tokens else size // CHARACTERS_A_TOKEN

    def _end(self, unit: Unit) -> list[Task]:
        unit.settled = unit.best
        if unit.parent is None:
            self._settle(unit)
            return []
        parent = unit.parent
        if any(piece.settled is None for piece in parent.pieces):
            return []
        parent.candidates.append(self._joined(parent))
        return self._end(parent)

    def _joined(self, unit: Unit) -> Candidate:
        """The translations of the sentences in a row, checked as one."""
        problems: list[Problem] = []
        parts: list[Content] = []
        for piece in unit.pieces:
            assert piece.settled is not None
            parts.append(piece.guarded(piece.settled.core))
            for one in piece.settled.problems:
                if one.kind is ProblemKind.MARKS or one.kind is ProblemKind.PART:
                    problems.append(one)
            if is_unusable(piece.settled.problems):
                problems.append(Problem(ProblemKind.PART, plain(piece.shown.core)))
        if all(is_unusable(piece.settled.problems) for piece in unit.pieces if piece.settled and piece.shown.has_words):
            return Candidate(unit.shown.core, (Problem(ProblemKind.FAILED),))
        core = joined(parts, self._work.pair.source, self._work.pair.target)
        found = Candidate(core, tuple(dict.fromkeys(problems)))
        return self._work.checks.judged(unit.shown, found, unit.terms)


def _is_echo(unit: Unit, words: str) -> bool:
    """Whether an answer is a segment before, or what became of it, and that says something else."""
    return any(words.strip() in (source, target) and source != unit.shown.words for source, target in unit.before)
