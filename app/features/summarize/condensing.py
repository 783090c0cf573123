"""The first two stages: read every section and store its points; merge points too many for one prompt."""

from __future__ import annotations

import re
from collections import Counter, abc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Protocol

from app.core.errors import AppError, PromptTooLong
from app.core.events import Message
from app.documents.blocks import BlockKind
from app.engine.protocol import Ask
from app.features.summarize import summary_prompts
from app.features.summarize.checks import CitedBlock
from app.features.summarize.digest import FORMS, digest_of
from app.features.summarize.method import ClaimScore
from app.features.summarize.sections import ReadSection, SectionReading, halves_of
from app.features.summarize.summary_prompts import (
    AnswerProblem,
    SummaryPoint,
    problem_of,
    read_points,
    repeats_what_was_asked,
    says_something,
    without_repeats,
)
from app.features.summarize.summary_result import Merging, SectionRead, Statement
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
        self._work, self._request = work, request
        self._sections = sections
        self._reading = reading
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
            rules = summary_prompts.spread_grammar(
                numbers, most, work.language, source=section.text, begins_with_number=not budgets.only_chooses
            )
        else:
            rules = summary_prompts.json_points(section.ids, most, has_quotes=True)
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


# The second stage, where the points are too many for one prompt: neighbours are joined, level by level.
# The second stage, where the points are too many for one prompt: neighbours are joined, level by level.


MOST_JOINED = 8
SENTENCE_TOKENS = 30
Pile = list[list[Statement]]
"""The points of consecutive sections that go into one write-up."""


@dataclass(frozen=True)
class MergeTask:
    """The points of some neighbours to be joined; `at` is where the result goes."""

    at: tuple[int, int]
    sources: WriteUpSources
    ask: Ask
    attempt: int = 0


class PointMerge:
    """Makes piles small enough that each fits into `room_tokens`."""

    def __init__(self, work: SummaryWork, piles: Sequence[Pile], room_tokens: int) -> None:
        self._work = work
        self._room = room_tokens
        self._fixed = 0
        self._done = 0
        self._level: dict[tuple[int, int], list[Statement]] = {}
        self.piles = [[group for group in pile if group] for pile in piles]

    def run(self) -> Iterator[TaskRests | Merging]:
        """Merge until everything fits; what can't be merged further is thinned out."""
        while not self._work.cancel.cancelled:
            sizes = [self._count_tokens(pile) for pile in self.piles]
            # A pile of one group can't be joined with anything; it is thinned out at the end.
            large = [n for n, size in enumerate(sizes) if size > self._room and len(self.piles[n]) > 1]
            if not large:
                break
            yield from self._merge_level(large, sizes)
        self.piles = [self._thin_pile(pile) for pile in self.piles]

    def _merge_level(self, large: Sequence[int], sizes: Sequence[int]) -> Iterator[TaskRests | Merging]:
        self._level = {}
        tasks: list[MergeTask] = []
        for n in large:
            for place, run in enumerate(_split_runs(self.piles[n], self._fan_in(self.piles[n], sizes[n]))):
                points = distinct_statements(point for group in run for point in group)
                if len(run) == 1:
                    self._level[n, place] = run[0]
                    continue
                sources = of_points(self._work, points)
                task = MergeTask((n, place), sources, self._make_ask(sources))
                # A merge asked before a restart isn't asked again.
                kept = self._work.steps.find_step(self._work.step_key(task.ask))
                if isinstance(kept, dict) and isinstance(kept.get("points"), list):
                    self._settle_task(task, [SummaryPoint(str(text), tuple(ids)) for text, ids in kept["points"]])
                else:
                    tasks.append(task)
        merges = self._done + len(tasks)
        for event in run_tasks(tasks, self._work.engine, self._work.cancel, self._take_answer):
            if isinstance(event, TaskRests):
                yield event
            elif isinstance(event, TaskTaken) and event.task.at in self._level:
                self._done += 1
                yield Merging(self._done, merges)
        # A cancelled level is incomplete; the piles before it still hold all points.
        if not self._work.cancel.cancelled:
            for n in large:
                self.piles[n] = [points for (pile, _), points in sorted(self._level.items()) if pile == n]

    def _fan_in(self, pile: Pile, tokens: int) -> int:
        """Return how many neighbours to merge: what fits a prompt, and no more than needed for all to fit."""
        budgets = self._work.budgets
        # Merging without the evidence of its points makes up more from level to level (Ou and Lapata, Findings of
        # ACL 2025), so room for it is set aside.
        free = budgets.room_for_points(self._fixed_tokens(), budgets.merged_limit) - MOST_EVIDENCE * SENTENCE_TOKENS
        fitting = max(2, int(free * len(pile) / max(1, tokens)))
        needed = -(-len(pile) * budgets.merged // self._room)
        return max(2, min(MOST_JOINED, fitting, needed))

    def _fixed_tokens(self) -> int:
        if not self._fixed:
            self._fixed = self._work.fixed_tokens(self._make_messages("", ""))
        return self._fixed

    def _make_messages(self, points: str, evidence: str, problem: AnswerProblem | None = None) -> list[Message]:
        budgets, language = self._work.budgets, self._work.language
        most, is_small = budgets.most_merged_points, budgets.is_small
        return summary_prompts.merge_messages(points, evidence, language, most, is_small=is_small, problem=problem)

    def _make_ask(self, sources: WriteUpSources, attempt: int = 0, problem: AnswerProblem | None = None) -> Ask:
        budgets = self._work.budgets
        messages = self._make_messages(sources.text, evidence_of(sources.points), problem)
        most = min(budgets.most_merged_points, len(sources.points))
        if budgets.only_chooses:
            rules = summary_prompts.choice_grammar(list(sources.blocks), most)
        elif budgets.is_small:
            rules = summary_prompts.spread_grammar(list(sources.blocks), most, self._work.language, source=sources.text)
        else:
            rules = summary_prompts.json_points(sources.blocks, most, has_quotes=False)
        return self._work.make_ask(messages, budgets.merged_limit, rules, attempt)

    def _take_answer(self, task: MergeTask, answer: TaskAnswer | AppError) -> Iterable[MergeTask]:
        kept: list[SummaryPoint] = []
        problem: AnswerProblem | None = AnswerProblem.FAILED
        if isinstance(answer, TaskAnswer):
            # Models that choose write bare numbers; their points are put in before the answer is parsed.
            points = read_points(task.sources.spelled_out(answer.text), task.sources.blocks)
            kept = without_repeats(points, lambda point: point.text)
            problem = problem_of(answer.text, answer.finish, points, kept)
            problem = problem or (None if kept else AnswerProblem.EMPTY)
        if problem is None:
            first = self._make_ask(task.sources)
            value = {"points": [[point.text, list(point.ids)] for point in kept]}
            self._work.steps.keep_step(self._work.step_key(first), value)
            self._settle_task(task, kept)
            return ()
        if task.attempt == 0:
            return (replace(task, ask=self._make_ask(task.sources, 1, problem), attempt=1),)
        # Not merged twice in vain: the points whose places tell most stand for all of them.
        self._level[task.at] = self._work.most_telling(task.sources.points, self._work.budgets.most_merged_points)
        return ()

    def _settle_task(self, task: MergeTask, points: Sequence[SummaryPoint]) -> None:
        nearby = task.sources.all_blocks
        self._level[task.at] = [
            self._work.check_statement(point.text, task.sources.blocks_behind(point.ids), nearby) for point in points
        ]

    def _count_tokens(self, pile: Pile) -> int:
        # Points may be numbered up to three digits; the label counts, too.
        texts = [f"[100] {point.text}\n" for group in pile for point in group]
        return sum(self._work.count_tokens(texts)) if texts else 0

    def _thin_pile(self, pile: Pile) -> Pile:
        points = [point for group in pile for point in group]
        tokens = self._count_tokens(pile)
        if tokens <= self._room or self._work.cancel.cancelled:
            return pile
        return [self._work.most_telling(points, max(1, len(points) * self._room // tokens))]


def _split_runs(pile: Pile, size: int) -> Iterator[Pile]:
    """Split into runs of nearly equal length."""
    count = -(-len(pile) // size)
    for place in range(count):
        yield pile[place * len(pile) // count : (place + 1) * len(pile) // count]


# What a merge or a write-up is shown: numbered paragraphs or points, and the blocks behind each number.


OUTLINE_SENTENCES, OUTLINE_TOKENS = 5, 400
MOST_OUTLINED = 320
"""Characters of a sentence."""
OUTLINED_TIMES = 5
"""A text is at least this many times longer than its outline."""
MOST_EVIDENCE = 20
MOST_ANCHORS = 6
_ALONE = re.compile(r"^\[(\d{1,7})\][ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class WriteUpSources:
    """`texts` are pairs of title and text. `points` are the points shown, in the order of their numbers from 1."""

    texts: tuple[tuple[str, str], ...]
    blocks: abc.Mapping[int, tuple[CitedBlock, ...]]
    points: tuple[Statement, ...] = ()

    @property
    def citable(self) -> list[int]:
        """Numbers that may be cited: not those of headings, if there is anything else."""
        headings = {
            n for n, cited in self.blocks.items() if not self.points and cited[0].block.kind is BlockKind.HEADING
        }
        return [number for number in self.blocks if number not in headings] or list(self.blocks)

    def blocks_behind(self, numbers: Iterable[int]) -> tuple[CitedBlock, ...]:
        return _unique_blocks(cited for number in numbers for cited in self.blocks.get(number, ()))

    @property
    def all_blocks(self) -> tuple[CitedBlock, ...]:
        return self.blocks_behind(self.blocks)

    def spelled_out(self, answer: str) -> str:
        """Append the point to each number standing alone on its line."""
        return _ALONE.sub(lambda match: f"[{match[1]}] {self._point_text(int(match[1]))}", answer)

    def _point_text(self, number: int) -> str:
        return self.points[number - 1].text if 0 < number <= len(self.points) else ""

    @property
    def text(self) -> str:
        """The texts without frames, and with titles only if there are several."""
        if len(self.texts) == 1:
            return self.texts[0][1]
        return "\n\n".join(f"{title}:\n{text}" for title, text in self.texts)


def of_sections(work: SummaryWork, sections: Sequence[ReadSection], offsets: Sequence[int]) -> WriteUpSources:
    """Build sources from whole documents or parts of them; block numbers are raised by the document's offset."""
    texts = tuple((summary_prompts.title_of(work.documents[section.document]), section.text) for section in sections)
    # Blocks of several documents have equal ids; offsets keep their numbers apart in one prompt.
    blocks = {
        cited.block.id + offsets[section.document]: (cited,)
        for section in sections
        for cited in work.cited_blocks(section.document, section.ids)
    }
    return WriteUpSources(texts, blocks)


def outline_of(work: SummaryWork, sections: Sequence[ReadSection], offsets: Sequence[int]) -> str:
    """Build an outline of the most informative sentences with block numbers;

    "" if it would be much of the text. Only for small models and forms made of sentences, where it was measured to
    help.
    """
    if not (work.budgets.is_small and work.wish.form in FORMS):
        return ""
    lines: list[str] = []
    for section in sections:
        blocks = [cited.block for cited in work.cited_blocks(section.document, section.ids)]
        texts, title = {block.id: block.text for block in blocks}, work.documents[section.document].title
        for told in digest_of(blocks, -(-OUTLINE_SENTENCES // len(sections)), title=title):
            text = " ".join(texts[told.block_id][told.start : told.end].split())
            if len(text) <= MOST_OUTLINED:
                lines.append(f"[{told.block_id + offsets[section.document]}] {text}")
    outline = "\n".join(lines)
    # An outline nearly as long as its text would only be read twice.
    return outline if OUTLINED_TIMES * len(outline) <= sum(len(section.text) for section in sections) else ""


def of_points(work: SummaryWork, points: Sequence[Statement]) -> WriteUpSources:
    """Build sources from points, under document names if there are several."""
    numbered = list(enumerate(points, 1))
    texts = tuple(
        (_document_title(work, document), "\n".join(f"[{number}] {statement.text}" for number, statement in run))
        for document, run in groupby(numbered, key=lambda pair: _document_of(pair[1]))
    )
    return WriteUpSources(
        texts, {number: work.blocks_behind(statement) for number, statement in numbered}, tuple(points)
    )


def evidence_of(points: Sequence[Statement]) -> str:
    """Return the sentences that points rest on, each with its point's number: the first of each, then the second
    ones.
    """
    ranked = [
        (rank, number, anchor.text)
        for number, point in enumerate(points, 1)
        for rank, anchor in enumerate(point.anchors)
        if anchor.text.strip()
    ]
    # Chosen by rank, so each point has a sentence before any has two; shown by number, as the points are.
    chosen = sorted(sorted(ranked)[:MOST_EVIDENCE], key=lambda found: (found[1], found[0]))
    return "\n".join(f"[{number}] {' '.join(text.split())}" for _, number, text in chosen)


def distinct_statements(points: Iterable[Statement]) -> list[Statement]:
    """Merge repeated statements, keeping all their sources."""
    return without_repeats(list(points), lambda one: one.text, _join_statements)


# An unsupported wording never replaces a supported one, even if it is longer.
def _join_statements(longer: Statement, shorter: Statement) -> Statement:
    if not shorter.check.found:
        return longer
    if not longer.check.found:
        return shorter
    return replace(longer, anchors=tuple(dict.fromkeys(longer.anchors + shorter.anchors))[:MOST_ANCHORS])


def _document_title(work: SummaryWork, document: int) -> str:
    return summary_prompts.title_of(work.documents[document])


def _document_of(point: Statement) -> int:
    return point.anchors[0].document if point.anchors else 0


def _unique_blocks(cited: Iterable[CitedBlock]) -> tuple[CitedBlock, ...]:
    return tuple({(block.document, block.block.id): block for block in cited}.values())
