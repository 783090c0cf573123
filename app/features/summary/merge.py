"""The second stage, where the points are too many for one prompt: neighbours are joined, level by level.

Each merge sees the sentences that its points rest on, since merging without them makes up more from level to level
(Ou and Lapata, Findings of ACL 2025).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from app.core.errors import AppError
from app.core.events import Message
from app.engine.client import Ask
from app.features.summary import grammar, prompts
from app.features.summary.asking import Answer, Taken, work_off
from app.features.summary.events import Merging, Rests
from app.features.summary.points import Point, Problem, problem_of, read_points, without_repeats
from app.features.summary.result import Statement
from app.features.summary.sources import MOST_EVIDENCE, Sources, distinct, evenly, evidence_of, of_points
from app.features.summary.work import Work

MOST_JOINED = 8
SENTENCE_TOKENS = 30
Pile = list[list[Statement]]
"""The points of consecutive sections that go into one write-up."""


@dataclass(frozen=True)
class MergeTask:
    """The points of some neighbours to be joined; `at` is where the result goes."""

    at: tuple[int, int]
    sources: Sources
    ask: Ask
    attempt: int = 0


class Merge:
    """Makes piles small enough that each fits into `room_tokens`."""

    def __init__(self, work: Work, piles: Sequence[Pile], room_tokens: int) -> None:
        self._work = work
        self._room = room_tokens
        self._fixed = 0
        self._done = 0
        self._level: dict[tuple[int, int], list[Statement]] = {}
        self.piles = [[group for group in pile if group] for pile in piles]

    def run(self) -> Iterator[Rests | Merging]:
        """Joins until all fits; what cannot be joined further is thinned out."""
        while not self._work.cancel.cancelled:
            sizes = [self._tokens(pile) for pile in self.piles]
            large = [n for n, size in enumerate(sizes) if size > self._room and len(self.piles[n]) > 1]
            if not large:
                break
            yield from self._merge_level(large, sizes)
        self.piles = [self._thinned(pile) for pile in self.piles]

    def _merge_level(self, large: Sequence[int], sizes: Sequence[int]) -> Iterator[Rests | Merging]:
        self._level = {}
        tasks: list[MergeTask] = []
        for n in large:
            for place, run in enumerate(_runs(self.piles[n], self._fan_in(self.piles[n], sizes[n]))):
                points = distinct(point for group in run for point in group)
                if len(run) == 1:
                    self._level[n, place] = run[0]
                    continue
                sources = of_points(self._work, points)
                task = MergeTask((n, place), sources, self._ask(sources))
                kept = self._work.steps.find(self._work.key(task.ask))
                if isinstance(kept, dict) and isinstance(kept.get("points"), list):
                    self._settle(task, [Point(str(text), tuple(ids)) for text, ids in kept["points"]])
                else:
                    tasks.append(task)
        merges = self._done + len(tasks)
        for event in work_off(tasks, self._work.engine, self._work.cancel, self._take):
            if isinstance(event, Rests):
                yield event
            elif isinstance(event, Taken) and event.task.at in self._level:
                self._done += 1
                yield Merging(self._done, merges)
        if not self._work.cancel.cancelled:
            for n in large:
                self.piles[n] = [points for (pile, _), points in sorted(self._level.items()) if pile == n]

    def _fan_in(self, pile: Pile, tokens: int) -> int:
        """How many neighbours are joined: no more than fit into a prompt, nor than it takes for all to fit."""
        budgets = self._work.budgets
        free = budgets.room_for_points(self._fixed_tokens(), budgets.merged_limit) - MOST_EVIDENCE * SENTENCE_TOKENS
        fitting = max(2, int(free * len(pile) / max(1, tokens)))
        needed = -(-len(pile) * budgets.merged // self._room)
        return max(2, min(MOST_JOINED, fitting, needed))

    def _fixed_tokens(self) -> int:
        if not self._fixed:
            self._fixed = self._work.fixed_tokens(self._messages("", ""))
        return self._fixed

    def _messages(self, points: str, evidence: str, problem: Problem | None = None) -> list[Message]:
        budgets, language = self._work.budgets, self._work.language
        most, is_small = budgets.most_merged_points, budgets.is_small
        return prompts.merge_messages(points, evidence, language, most, is_small=is_small, problem=problem)

    def _ask(self, sources: Sources, attempt: int = 0, problem: Problem | None = None) -> Ask:
        budgets = self._work.budgets
        messages = self._messages(sources.text, evidence_of(sources.points), problem)
        most = min(budgets.most_merged_points, len(sources.points))
        if budgets.only_chooses:
            rules = grammar.choice(list(sources.blocks), most)
        elif budgets.is_small:
            rules = grammar.spread(list(sources.blocks), most, self._work.language)
        else:
            rules = grammar.json_points(sources.blocks, most, has_quotes=False)
        return self._work.ask(messages, budgets.merged_limit, rules, attempt)

    def _take(self, task: MergeTask, answer: Answer | AppError) -> Iterable[MergeTask]:
        kept: list[Point] = []
        problem: Problem | None = Problem.FAILED
        if isinstance(answer, Answer):
            points = read_points(task.sources.spelled_out(answer.text), task.sources.blocks)
            kept = without_repeats(points, lambda point: point.text)
            problem = problem_of(answer.text, answer.finish, points, kept)
            problem = problem or (None if kept else Problem.EMPTY)
        if problem is None:
            first = self._ask(task.sources)
            value = {"points": [[one.text, list(one.ids)] for one in kept]}
            self._work.steps.keep(self._work.key(first), value)
            self._settle(task, kept)
            return ()
        if task.attempt == 0:
            return (replace(task, ask=self._ask(task.sources, 1, problem), attempt=1),)
        self._level[task.at] = evenly(task.sources.points, self._work.budgets.most_merged_points)
        return ()

    def _settle(self, task: MergeTask, points: Sequence[Point]) -> None:
        nearby = task.sources.all_blocks
        self._level[task.at] = [self._work.checked(one.text, task.sources.cited(one.ids), nearby) for one in points]

    def _tokens(self, pile: Pile) -> int:
        texts = [f"[100] {point.text}\n" for group in pile for point in group]
        return sum(self._work.count(texts)) if texts else 0

    def _thinned(self, pile: Pile) -> Pile:
        points = [point for group in pile for point in group]
        tokens = self._tokens(pile)
        if tokens <= self._room or self._work.cancel.cancelled:
            return pile
        return [evenly(points, max(1, len(points) * self._room // tokens))]


def _runs(pile: Pile, size: int) -> Iterator[Pile]:
    """Neighbours together, in runs of nearly equal length."""
    count = -(-len(pile) // size)
    for place in range(count):
        yield pile[place * len(pile) // count : (place + 1) * len(pile) // count]
