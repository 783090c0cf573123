"""The first stage of a summary: read every section and store its points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from app.core.errors.app_error import AppError
from app.core.errors.request_errors import PromptTooLong
from app.core.lazy_dataclasses import dataclass, replace
from app.engine.protocol import Ask
from app.features.summarize import answer_grammars, summary_prompts
from app.features.summarize.method import ClaimScore
from app.features.summarize.point_answers import (
    AnswerProblem,
    SummaryPoint,
    problem_of,
    read_points,
    repeats_what_was_asked,
    says_something,
    without_repeats,
)
from app.features.summarize.sections import ReadSection, SectionReading, halves_of
from app.features.summarize.summary_result import SectionRead, Statement
from app.features.summarize.summary_work import SummaryWork
from app.features.work.asking import TaskAnswer, TaskGrowing, TaskRests, TaskTaken, run_tasks

MOST_HALVINGS = 3
TOKENS_A_POINT = 150
"""A section is asked for at least one point per this many tokens."""


@dataclass(frozen=True)
class SectionTask:
    """A section, or a part of one, to be read. `place` is that of the whole one."""

    place: int
    section: ReadSection
    ask: Ask
    attempt: int = 0
    halvings: int = 0
    found: tuple[SummaryPoint, ...] = ()
    """The points of an answer that was not good enough."""


class SectionRequest(Protocol):
    """Custom request for sections, in place of "the most important points"."""

    has_form: bool
    """True if answers have a form, so that one without points is no answer; else the answer itself says there are
    none.
    """

    def make_ask(self, section: ReadSection, attempt: int, problem: AnswerProblem | None) -> Ask:
        """Build a section's request; a retry (attempts count from 0) names the last `problem`."""

    def read_answer(self, section: ReadSection, answer: str) -> list[SummaryPoint]:
        """Parse the points of an answer."""

    def is_all(self, answer: TaskAnswer, points: int) -> bool:
        """Return whether an answer with so many points is complete; if not, the section is asked in halves, once."""


class SectionMapping:
    """Reads all sections side by side. `points` are those of each section, in the order of the document."""

    def __init__(
        self,
        work: SummaryWork,
        sections: Sequence[ReadSection],
        reading: SectionReading,
        request: SectionRequest | None = None,
    ) -> None:
        self._work, self._request, self._sections, self._reading = work, request, sections, reading
        self._open: Counter[int] = Counter()
        self._parts: dict[int, list[tuple[ReadSection, list[Statement]]]] = {n: [] for n in range(len(sections))}
        self._done = 0
        self._score = ClaimScore()
        self.failed: set[int] = set()
        self.overfull: set[int] = set()
        """Sections that have more of what a `SectionRequest` wants than could be said."""
        self.has_given_up = False
        """True if stopped because too few points were found in the text."""

    @property
    def points(self) -> list[list[Statement]]:
        """By section; nothing where a section is not read yet."""
        return [self._section_points(place) for place in range(len(self._sections))]

    @property
    def read(self) -> int:
        """Number of sections read successfully."""
        return self._done - len(self.failed)

    def run(self) -> Iterator[TaskRests | SectionRead]:
        """Read the sections not stored yet."""
        tasks: list[SectionTask] = []
        for place, section in enumerate(self._sections):
            if self._work.cancel.cancelled:
                return
            # The parts of a section that are still to be answered; its place is done when none is left.
            self._open[place] = 1
            new = list(self._unkept_tasks(SectionTask(place, section, self._make_ask(section))))
            tasks += new
            if not new:
                yield self._section_read(place, was_kept=True)
        for event in run_tasks(tasks, self._work.engine, self._work.cancel, self._take_answer):
            if isinstance(event, TaskRests):
                yield event
            elif isinstance(event, TaskTaken) and not self._open[event.task.place]:
                yield self._section_read(event.task.place)
                # Sentences of the document will stand in for these points, so reading on would only take time.
                if self._score.falls_short:
                    self.has_given_up = True
                    return
            elif isinstance(event, TaskGrowing):
                continue

    def _make_ask(self, section: ReadSection, attempt: int = 0, problem: AnswerProblem | None = None) -> Ask:
        if self._request is not None:
            return self._request.make_ask(section, attempt, problem)
        budgets, work = self._work.budgets, self._work
        # Fewer points are asked of a short section: asked for more, models repeat or invent them.
        most = max(1, min(budgets.most_points, round(section.tokens / TOKENS_A_POINT)))
        document = work.documents[section.document]
        messages = summary_prompts.map_messages(
            document,
            section,
            work.language,
            most,
            is_small=budgets.is_small,
            reminds=not budgets.only_chooses,
            problem=problem,
        )
        if budgets.is_small:
            numbers = work.citable_blocks(section)
            rules = answer_grammars.spread_grammar(
                numbers, most, work.language, source=section.text, begins_with_number=not budgets.only_chooses
            )
        else:
            rules = answer_grammars.json_points(section.ids, most, has_quotes=True)
        return work.make_ask(messages, budgets.points_limit, rules, attempt)

    def _read_answer(self, section: ReadSection, answer: str) -> list[SummaryPoint]:
        return (
            self._request.read_answer(section, answer)
            if self._request is not None
            else read_points(answer, section.ids)
        )

    def _unkept_tasks(self, task: SectionTask) -> Iterator[SectionTask]:
        """Yield the task, or what is left of it after using stored results."""
        # By the first request, under which results are stored whatever the retry said.
        kept = self._work.steps.find_step(self._work.step_key(task.ask))
        if isinstance(kept, dict) and kept.get("halves"):
            for half in self._halve_task(task):
                yield from self._unkept_tasks(half)
        elif isinstance(kept, dict) and isinstance(kept.get("points"), list):
            points = [SummaryPoint(str(text), tuple(ids), str(quote)) for text, ids, quote in kept["points"]]
            self._settle_task(task, points)
        else:
            yield task

    def _take_answer(self, task: SectionTask, answer: TaskAnswer | AppError) -> Iterable[SectionTask]:
        kept: list[SummaryPoint] = []
        problem: AnswerProblem | None = (
            AnswerProblem.TOO_LONG if isinstance(answer, PromptTooLong) else AnswerProblem.FAILED
        )
        if isinstance(answer, TaskAnswer):
            read = self._read_answer(task.section, answer.text)
            # Small models copy the prompt's own words, which would then be checked as statements.
            points = [point for point in read if not repeats_what_was_asked(point.text, task.section.text)]
            kept = without_repeats(points, lambda point: point.text)
            problem = problem_of(answer.text, answer.finish, points, kept)
            kept = [] if problem is AnswerProblem.REFUSED else kept
            if self._request is None:
                # Titles and names are no statements; a part that has nothing else was read all the same.
                kept = [point for point in kept if says_something(point.text, self._work.titles)]
            elif problem is AnswerProblem.UNREADABLE and not self._request.has_form:
                problem = None
            # What stands in several paragraphs may well be said of each, so repeats are no fault here.
            elif problem in (
                None,
                AnswerProblem.REPEATED,
            ):  # what stands in several paragraphs may well be said of each
                problem = self._problem_of_length(task, self._request.is_all(answer, len(points)))
        if problem is None:
            self._keep_points(task, kept)
            return ()
        if problem is AnswerProblem.TOO_LONG and (halves := self._halve_task(task)):
            # Stored, so that a restart halves at once instead of asking too much again.
            self._work.steps.keep_step(self._work.step_key(task.ask), {"halves": True})
            return halves
        # The better of two bad answers: the first may have had more points than the retry.
        best = max(kept, list(task.found), key=len)
        if task.attempt == 0:
            return (replace(task, ask=self._make_ask(task.section, 1, problem), attempt=1, found=tuple(best)),)
        if best:
            self._keep_points(task, best)
        else:
            self.failed.add(task.place)
            self._open[task.place] -= 1
        return ()

    def _problem_of_length(self, task: SectionTask, is_all: bool) -> AnswerProblem | None:
        """Return the problem of an incomplete answer.

        A task already halved counts as complete, otherwise a model that lists every paragraph would be asked many
        times.
        """
        if not is_all and task.halvings:
            self.overfull.add(task.place)
        return None if is_all or task.halvings else AnswerProblem.TOO_LONG

    def _halve_task(self, task: SectionTask) -> list[SectionTask]:
        """Split a task in halves; empty if it can't be split, or was often enough."""
        if task.halvings >= MOST_HALVINGS:
            return []
        blocks = self._work.documents[task.section.document].blocks
        halves = halves_of(task.section, blocks, self._work.count_tokens)
        if len(halves) < 2:
            return []
        self._open[task.place] += len(halves) - 1
        return [SectionTask(task.place, half, self._make_ask(half), halvings=task.halvings + 1) for half in halves]

    def _keep_points(self, task: SectionTask, points: Sequence[SummaryPoint]) -> None:
        # Under the first request's key: the next run computes that one before it knows of any retry.
        first = self._make_ask(task.section)
        value = {"points": [[point.text, list(point.ids), point.quote] for point in points]}
        self._work.steps.keep_step(self._work.step_key(first), value)
        self._settle_task(task, points)

    def _settle_task(self, task: SectionTask, points: Sequence[SummaryPoint]) -> None:
        work, section = self._work, task.section
        nearby = work.cited_blocks(section.document, section.ids)
        checked = [
            work.check_statement(point.text, work.cited_blocks(section.document, point.ids), nearby, point.quote)
            for point in points
        ]
        self._parts[task.place].append((section, checked))
        self._score += work.score_statements(checked)
        self._reading.mark_answered(section, task.ask.messages[-1].text)
        self._open[task.place] -= 1

    def _section_points(self, place: int) -> list[Statement]:
        # Halves are answered in any order; points are read in the document's.
        parts = sorted(self._parts[place], key=lambda part: part[0].slices[0][:2])
        return [statement for _, statements in parts for statement in statements]

    def _section_read(self, place: int, *, was_kept: bool = False) -> SectionRead:
        self._done += 1
        section = self._sections[place]
        points = tuple(self._section_points(place))
        coverage = self._reading.make_coverage()
        return SectionRead(
            self._done, len(self._sections), points, section.document, section.first_page, was_kept, coverage,
            place in self.failed, (section.ids[0], section.ids[-1]),
        )  # fmt: skip


Pile = list[list[Statement]]
"""The points of consecutive sections that go into one write-up."""
