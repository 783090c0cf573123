"""The first stage: every section is read, and its points are checked and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from app.core.errors import AppError, PromptTooLong
from app.engine.client import Ask
from app.features.summary import grammar, prompts
from app.features.summary.asking import Answer, Growing, Taken, work_off
from app.features.summary.coverage import Reading
from app.features.summary.events import Rests, SectionRead
from app.features.summary.points import (
    Point,
    Problem,
    problem_of,
    read_points,
    repeats_what_was_asked,
    says_something,
    without_repeats,
)
from app.features.summary.result import Statement
from app.features.summary.sections import Section, halves_of
from app.features.summary.work import Work

MOST_HALVINGS = 3
TOKENS_A_POINT = 150
"""A section is asked for one point for so many of its tokens, at least."""


@dataclass(frozen=True)
class SectionTask:
    """A section, or a part of one, to be read. `place` is that of the whole one."""

    place: int
    section: Section
    ask: Ask
    attempt: int = 0
    halvings: int = 0
    found: tuple[Point, ...] = ()
    """The points of an answer that was not good enough."""


class Mapping:
    """Reads all sections side by side. `points` are those of each section, in the order of the document."""

    def __init__(self, work: Work, sections: Sequence[Section], reading: Reading) -> None:
        self._work = work
        self._sections = sections
        self._reading = reading
        self._open: Counter[int] = Counter()
        self._parts: dict[int, list[tuple[Section, list[Statement]]]] = {n: [] for n in range(len(sections))}
        self._done = 0
        self.failed: set[int] = set()

    @property
    def points(self) -> list[list[Statement]]:
        """By section; nothing where a section is not read yet."""
        return [self._points(place) for place in range(len(self._sections))]

    @property
    def read(self) -> int:
        """How many sections are read to their end, with success."""
        return self._done - len(self.failed)

    def run(self) -> Iterator[Rests | SectionRead]:
        """Reads what is not kept yet."""
        tasks: list[SectionTask] = []
        for place, section in enumerate(self._sections):
            if self._work.cancel.cancelled:
                return
            self._open[place] = 1
            new = list(self._unkept(SectionTask(place, section, self._ask(section))))
            tasks += new
            if not new:
                yield self._section_read(place, was_kept=True)
        for event in work_off(tasks, self._work.engine, self._work.cancel, self._take):
            if isinstance(event, Rests):
                yield event
            elif isinstance(event, Taken) and not self._open[event.task.place]:
                yield self._section_read(event.task.place)
            elif isinstance(event, Growing):
                continue

    def _ask(self, section: Section, attempt: int = 0, problem: Problem | None = None) -> Ask:
        budgets, work = self._work.budgets, self._work
        most = max(1, min(budgets.most_points, round(section.tokens / TOKENS_A_POINT)))
        document = work.documents[section.document]
        messages = prompts.map_messages(
            document, section, work.language, most, is_small=budgets.is_small, problem=problem
        )
        if budgets.is_small:
            rules = grammar.spread(work.citable(section), most, work.language)
        else:
            rules = grammar.json_points(section.ids, most, has_quotes=True)
        return work.ask(messages, budgets.points_limit, rules, attempt)

    def _unkept(self, task: SectionTask) -> Iterator[SectionTask]:
        """The task itself or what is left of it; what an earlier run has kept is taken."""
        kept = self._work.steps.find(self._work.key(task.ask))
        if isinstance(kept, dict) and kept.get("halves"):
            for half in self._halved(task):
                yield from self._unkept(half)
        elif isinstance(kept, dict) and isinstance(kept.get("points"), list):
            points = [Point(str(text), tuple(ids), str(quote)) for text, ids, quote in kept["points"]]
            self._settle(task, points)
        else:
            yield task

    def _take(self, task: SectionTask, answer: Answer | AppError) -> Iterable[SectionTask]:
        kept: list[Point] = []
        problem: Problem | None = Problem.TOO_LONG if isinstance(answer, PromptTooLong) else Problem.FAILED
        if isinstance(answer, Answer):
            read = read_points(answer.text, task.section.ids)
            points = [one for one in read if not repeats_what_was_asked(one.text, task.section.text)]
            kept = without_repeats(points, lambda point: point.text)
            problem = problem_of(answer.text, answer.finish, points, kept)
            kept = [] if problem is Problem.REFUSED else kept
            # Titles and names are no statements; a part that has nothing else was read all the same.
            kept = [one for one in kept if says_something(one.text, self._work.titles)]
        if problem is None:
            self._keep(task, kept)
            return ()
        if problem is Problem.TOO_LONG and (halves := self._halved(task)):
            self._work.steps.keep(self._work.key(task.ask), {"halves": True})
            return halves
        best = max(kept, list(task.found), key=len)
        if task.attempt == 0:
            return (replace(task, ask=self._ask(task.section, 1, problem), attempt=1, found=tuple(best)),)
        if best:
            self._keep(task, best)
        else:
            self.failed.add(task.place)
            self._open[task.place] -= 1
        return ()

    def _halved(self, task: SectionTask) -> list[SectionTask]:
        """Nothing where it cannot be cut, or was often enough."""
        if task.halvings >= MOST_HALVINGS:
            return []
        blocks = self._work.documents[task.section.document].blocks
        halves = halves_of(task.section, blocks, self._work.count)
        if len(halves) < 2:
            return []
        self._open[task.place] += len(halves) - 1
        return [SectionTask(task.place, half, self._ask(half), halvings=task.halvings + 1) for half in halves]

    def _keep(self, task: SectionTask, points: Sequence[Point]) -> None:
        first = self._ask(task.section)
        value = {"points": [[one.text, list(one.ids), one.quote] for one in points]}
        self._work.steps.keep(self._work.key(first), value)
        self._settle(task, points)

    def _settle(self, task: SectionTask, points: Sequence[Point]) -> None:
        work, section = self._work, task.section
        nearby = work.cited(section.document, section.ids)
        checked = [work.checked(one.text, work.cited(section.document, one.ids), nearby, one.quote) for one in points]
        self._parts[task.place].append((section, checked))
        self._reading.answered(section, task.ask.messages[-1].text)
        self._open[task.place] -= 1

    def _points(self, place: int) -> list[Statement]:
        parts = sorted(self._parts[place], key=lambda part: part[0].slices[0][:2])
        return [statement for _, statements in parts for statement in statements]

    def _section_read(self, place: int, *, was_kept: bool = False) -> SectionRead:
        self._done += 1
        section = self._sections[place]
        points = tuple(self._points(place))
        coverage = self._reading.coverage()
        return SectionRead(
            self._done, len(self._sections), points, section.document, section.first_page, was_kept, coverage,
            place in self.failed,
        )  # fmt: skip
