"""The second stage, where the points are too many for one prompt: neighbours are joined, level by level.

The second stage, where the points are too many for one prompt: neighbours are joined, level by level.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from app.core.errors.app_error import AppError
from app.core.events import Message
from app.core.lazy_dataclasses import dataclass, replace
from app.engine.protocol import Ask
from app.features.summarize import answer_grammars, summary_prompts
from app.features.summarize.condensing import Pile
from app.features.summarize.point_answers import AnswerProblem, SummaryPoint, problem_of, read_points, without_repeats
from app.features.summarize.summary_result import Merging, Statement
from app.features.summarize.summary_work import SummaryWork
from app.features.summarize.write_up_sources import (
    MOST_EVIDENCE,
    WriteUpSources,
    distinct_statements,
    evidence_of,
    of_points,
)
from app.features.work.asking import TaskAnswer, TaskRests, TaskTaken, run_tasks

MOST_JOINED = 8
SENTENCE_TOKENS = 30


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
        self._work, self._room = work, room_tokens
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
            rules = answer_grammars.choice_grammar(list(sources.blocks), most)
        elif budgets.is_small:
            rules = answer_grammars.spread_grammar(list(sources.blocks), most, self._work.language, source=sources.text)
        else:
            rules = answer_grammars.json_points(sources.blocks, most, has_quotes=False)
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
        if (tokens := self._count_tokens(pile)) <= self._room or self._work.cancel.cancelled:
            return pile
        return [self._work.most_telling(points, max(1, len(points) * self._room // tokens))]


def _split_runs(pile: Pile, size: int) -> Iterator[Pile]:
    """Split into runs of nearly equal length."""
    count = -(-len(pile) // size)
    for place in range(count):
        yield pile[place * len(pile) // count : (place + 1) * len(pile) // count]
