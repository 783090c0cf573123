"""Write-ups of a summary: drafts asked of the model, statements read from its answers, each with its sources."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Iterator, Sequence

from app.core.errors.app_error import AppError
from app.core.events import FinishReason, Message
from app.core.lazy_dataclasses import dataclass, replace
from app.engine.protocol import Ask
from app.features.summarize import answer_grammars, point_answers, summary_prompts
from app.features.summarize.point_answers import (
    AnswerProblem,
    cited_runs,
    repeats_what_was_asked,
    says_something,
    without_mark,
    without_repeats,
)
from app.features.summarize.sections import WORDS_A_STATEMENT, length_words, statements_for
from app.features.summarize.summary_result import Form, PromptRead, Statement, Writing
from app.features.summarize.summary_work import SummaryWork, kept_texts
from app.features.summarize.write_up_sources import WriteUpSources
from app.features.work.asking import REFUSING, PromptReading, TaskAnswer, TaskGrowing, TaskRests, TaskTaken, run_tasks

WRITING_EVERY_S = 0.1
LEAST_STATEMENTS = 2
CHARACTERS_A_STATEMENT = 160
"""At most one statement per this many characters, so that a summary is shorter than its text."""
CHOSEN_FORMS = (Form.BULLETS, Form.PARAGRAPHS, Form.SECTIONS)
"""Forms that the smallest models make by choosing points; see `TokenBudgets`."""
CHARACTERS_A_WORD = 6
SURE_SHARE = 0.9
"""Up to this share, progress follows the length written; the rest is unknown."""
LEAST_POINTS_TO_WRITE = 3
"""With fewer points than this nothing is written up; the points are the summary."""
_QUESTION = re.compile(r"^\s*(?:\*\*)?Q(?:uestion)?(?:\s*\d+)?\s*[:.]\s*(.+?)(?:\*\*)?\s*$", re.IGNORECASE)
_ANSWER = re.compile(r"^\s*(?:\*\*)?A(?:nswer)?(?:\*\*)?\s*:\s*")
_IDS = re.compile(r"[ \t]*\[[\d,; ]*(?:\]|$)")
_NOTHING = re.compile(r"^\W*none\W*$", re.IGNORECASE)


@dataclass(frozen=True)
class SummaryDraft:
    """A write-up to make: its sources, heading and share of the total length.

    `outline` is shown before it, see `condensing.outline_of`.
    """

    sources: WriteUpSources
    group: str = ""
    share: float = 1.0
    outline: str = ""


@dataclass(frozen=True)
class WrittenStatement:
    """A statement as written, with its source numbers."""

    text: str
    ids: tuple[int, ...]
    group: str
    paragraph: int


@dataclass(frozen=True)
class WriteTask:
    """A draft to write; `place` is its index."""

    place: int
    draft: SummaryDraft
    ask: Ask
    attempt: int = 0
    found: tuple[WrittenStatement, ...] = ()


class WriteUp:
    """Write all drafts in parallel. `statements` has the result, partial while running."""

    def __init__(self, work: SummaryWork, drafts: Sequence[SummaryDraft]) -> None:
        self._work, self._drafts = work, drafts
        # One entry a draft: they are written side by side.
        self._texts = [""] * len(drafts)
        self._answers = [""] * len(drafts)
        self._read = [0.0] * len(drafts)
        self._attempt = 0
        self._best: dict[int, list[WrittenStatement]] = {}
        """Of drafts that are written once more, what was of use in the first answer."""
        self._finished: dict[int, list[Statement]] = {}
        self._told_s = 0.0
        self._ends = [0] * len(drafts)
        """Lines or statements that had ended when each answer was last judged."""
        self._checked: dict[tuple[int, WrittenStatement], Statement] = {}
        """Claims compared during writing."""
        self.has_given_up = False
        """True if stopped because too few claims were found in the text."""
        self.answered: list[tuple[SummaryDraft, str]] = []
        """Drafts that were answered, with their prompts."""

    @property
    def statements(self) -> list[Statement]:
        """All that are finished, in order; paragraphs are numbered through."""
        found: list[Statement] = []
        for _, statements in sorted(self._finished.items()):
            first = found[-1].paragraph + 1 if found else 0
            found += [replace(statement, paragraph=statement.paragraph + first) for statement in statements]
        return found

    def run(self) -> Iterator[TaskRests | PromptRead | Writing]:
        """Write what isn't stored yet; if stopped, the text so far is in `statements`."""
        tasks = [
            task for place, draft in enumerate(self._drafts) if (task := self._first_task(place, draft)) is not None
        ]
        # Drafts are independent, so the engine may decode them together.
        for event in run_tasks(tasks, self._work.engine, self._work.cancel, self._take_answer):
            if isinstance(event, TaskRests):
                yield event
                continue
            if isinstance(event, PromptReading):
                self._read[event.task.place] = event.share
                yield PromptRead(sum(self._read) / len(self._read))
                continue
            if isinstance(event, TaskGrowing):
                self._answers[event.task.place] = event.text
                # Models that choose write only numbers; the window shows the points they stand for.
                self._texts[event.task.place] = plain_text(event.task.draft.sources.spelled_out(event.text))
            now_s = time.monotonic()
            # At most ten times a second: each event crosses to the window's thread.
            if isinstance(event, TaskTaken) or now_s - self._told_s >= WRITING_EVERY_S:
                self._told_s = now_s
                yield Writing(self._draft_text(), self._written_share(), self._attempt)
            # Judged while it writes: a model that makes things up is stopped after four claims, not after minutes.
            if self._is_judged_now(event) and self._work.score_statements(self._complete_statements(tasks)).falls_short:
                self.has_given_up = True
                break
        # What is whole of an interrupted text is worth more than nothing.
        if self._work.cancel.cancelled or self.has_given_up:
            self._keep_unfinished(tasks)

    def _is_judged_now(self, event: TaskGrowing[WriteTask] | TaskTaken[WriteTask]) -> bool:
        """Return whether to judge now: comparing takes time, so only when a statement has ended."""
        # Where no extract could stand in, stopping would leave nothing.
        if not self._work.may_give_up:
            return False
        # A statement ends with its line or with its numbers in brackets.
        ends = self._answers[event.task.place].count("\n") + self._answers[event.task.place].count("]")
        is_new, self._ends[event.task.place] = ends != self._ends[event.task.place], ends
        return is_new or isinstance(event, TaskTaken)

    def _complete_statements(self, tasks: Sequence[WriteTask]) -> Iterator[Statement]:
        """Yield all complete statements so far, compared with their sources."""
        yield from (statement for statements in self._finished.values() for statement in statements)
        for task in tasks:
            sources = task.draft.sources
            if task.place in self._finished or not self._answers[task.place]:
                continue
            # Comparing takes time, and the same statements are judged again after each new one.
            for written_statement in _distinct_statements(self._parse_unfinished(task)):
                if (known := self._checked.get((task.place, written_statement))) is None:
                    known = self._work.check_statement(
                        written_statement.text, sources.blocks_behind(written_statement.ids), sources.all_blocks
                    )
                    self._checked[task.place, written_statement] = known
                yield known

    def _parse_unfinished(self, task: WriteTask) -> list[WrittenStatement]:
        answer, form = self._answers[task.place], self._work.wish.form
        # A cut answer: the last sentence isn't whole yet.
        return self._worthy_statements(parse_statements(answer, form, task.draft, FinishReason.LENGTH), task.draft)

    def _written_share(self) -> float:
        """Return the share of all drafts that is written."""
        sizes = [
            max(1, most_statements(self._work, draft) * WORDS_A_STATEMENT * CHARACTERS_A_WORD) for draft in self._drafts
        ]
        done = [
            size if place in self._finished else size * grown_share(len(self._answers[place]) / size)
            for place, size in enumerate(sizes)
        ]
        return sum(done) / sum(sizes)

    def _keep_unfinished(self, tasks: Sequence[WriteTask]) -> None:
        """Keep the complete sentences of interrupted write-ups."""
        for task in tasks:
            # A retry may have got less far than the first attempt.
            best = max(_distinct_statements(self._parse_unfinished(task)), self._best.get(task.place, []), key=len)
            if best and task.place not in self._finished:
                self._settle_task(task, best)

    def _draft_text(self) -> str:
        parts = zip(self._drafts, self._texts, strict=True)
        return "\n\n".join(f"{part.group}\n{text}" if part.group else text for part, text in parts if text)

    def _first_task(self, place: int, draft: SummaryDraft) -> WriteTask | None:
        """Return the first task; None if nothing is left to ask: written before, or too little to write up."""
        # Two points make no text; a model asked for one pads it.
        if 0 < len(draft.sources.points) < LEAST_POINTS_TO_WRITE:
            self._finished[place] = self._unchanged_points(draft)
            return None
        task = WriteTask(place, draft, self._make_ask(draft))
        # Written before a stop or restart, with the same prompt: parsed again rather than asked again.
        if not (text := kept_texts(self._work.steps.find_step(self._work.step_key(task.ask)))):
            return task
        self._settle_task(task, self._worthy_statements(parse_statements(text, self._work.wish.form, draft), draft))
        return None

    def _make_ask(self, draft: SummaryDraft, attempt: int = 0, problem: AnswerProblem | None = None) -> Ask:
        work, form, numbers = self._work, self._work.wish.form, draft.sources.citable
        most = most_statements(work, draft)
        if work.budgets.only_chooses and draft.sources.points and form in CHOSEN_FORMS:
            rules = answer_grammars.choice_grammar(numbers, most, form)
        elif work.budgets.is_small:
            # A question and its answer are two statements.
            count = most // 2 if form is Form.QUESTIONS else most
            rules = answer_grammars.spread_grammar(numbers, count, work.language, form, source=draft.sources.text)
        else:
            # Larger models decide themselves where numbers stand; a range of counts keeps the length near what was
            # chosen.
            rules = answer_grammars.write_up(form, draft.sources.blocks, max(1, most // 3), most + most // 3)
        # A part of a summary may take half as much again as its share, and never less than a few sentences.
        limit = max(96, int(work.budgets.writing_tokens(work.wish.length, work.language) * min(1.0, draft.share * 1.5)))
        return work.make_ask(messages_for(work, draft, problem), limit, rules, attempt)

    def _take_answer(self, task: WriteTask, answer: TaskAnswer | AppError) -> Iterable[WriteTask]:
        found: list[WrittenStatement] = []
        problem: AnswerProblem | None = AnswerProblem.FAILED
        if isinstance(answer, TaskAnswer):
            every = self._worthy_statements(
                parse_statements(answer.text, self._work.wish.form, task.draft, answer.finish), task.draft
            )
            found = _distinct_statements(every)
            problem = self._find_problem(answer, every, found)
            found = [] if problem is AnswerProblem.REFUSED else found
        if problem is None and isinstance(answer, TaskAnswer):
            # Under the first attempt's key, which the next run computes; a retry has other words.
            self._work.steps.keep_step(self._work.step_key(self._make_ask(task.draft)), {"text": answer.text})
            self._settle_task(task, found)
            return ()
        best = max(found, list(task.found), key=len)
        if task.attempt == 0:
            # The window's text begins anew with the retry, and so does the progress.
            self._attempt, self._answers[task.place], self._best[task.place] = 1, "", list(best)
            return (replace(task, ask=self._make_ask(task.draft, 1, problem), attempt=1, found=tuple(best)),)
        if best:
            self._settle_task(task, best)
        else:
            # Points that were checked stand in for a text that couldn't be had.
            self._finished[task.place] = self._unchanged_points(task.draft)
        return ()

    def _worthy_statements(self, found: Sequence[WrittenStatement], draft: SummaryDraft) -> list[WrittenStatement]:
        """Drop statements that say nothing; an answer to a question may be just a name."""
        source = draft.sources.text
        # Small models copy lines of their prompt.
        said = [
            written_statement
            for written_statement in found
            if not repeats_what_was_asked(written_statement.text, source)
        ]
        # An answer to a question may be one name, which as a statement would say nothing.
        if self._work.wish.form in (Form.QUESTIONS, Form.OWN):
            return said
        return [statement for statement in said if says_something(statement.text, self._work.titles)]

    def _find_problem(
        self, answer: TaskAnswer, every: Sequence[WrittenStatement], found: Sequence[WrittenStatement]
    ) -> AnswerProblem | None:
        if REFUSING.match(answer.text):
            return AnswerProblem.REFUSED
        # Half of it repetitions: a small model went round in circles.
        if len(found) * 2 < len(every):
            return AnswerProblem.REPEATED
        # "None" is an answer only where there may be nothing to be done.
        if found or (self._work.wish.form is Form.ACTIONS and _NOTHING.match(answer.text)):
            return None
        return AnswerProblem.UNREADABLE if answer.text.strip() else AnswerProblem.EMPTY

    def _settle_task(self, task: WriteTask, found: Sequence[WrittenStatement]) -> None:
        sources, checked = task.draft.sources, self._work.check_statement
        nearby = sources.all_blocks
        self._finished[task.place] = [
            replace(
                checked(written_statement.text, sources.blocks_behind(written_statement.ids), nearby),
                group=written_statement.group,
                paragraph=written_statement.paragraph,
            )
            for written_statement in _distinct_statements(found)
        ]
        self._texts[task.place] = "\n".join(statement.text for statement in self._finished[task.place])
        # Only answered prompts count as read.
        self.answered.append((task.draft, task.ask.messages[-1].text))

    def _unchanged_points(self, draft: SummaryDraft) -> list[Statement]:
        """Return the points unchanged, for when nothing better could be had."""
        most = max(1, round(statements_for(self._work.wish.length) * draft.share))
        points = self._work.most_telling(draft.sources.points, most)
        return [replace(point, group=draft.group, paragraph=place) for place, point in enumerate(points)]


def grown_share(share: float) -> float:
    """Return progress from length over expected length; approaches 1 but never reaches it."""
    return share if share <= SURE_SHARE else 1 - (1 - SURE_SHARE) * math.exp(-(share - SURE_SHARE) / (1 - SURE_SHARE))


def most_statements(work: SummaryWork, draft: SummaryDraft) -> int:
    """Return how many statements to ask for: by the chosen length, and no more than the text allows."""
    wished = max(LEAST_STATEMENTS, round(statements_for(work.wish.length) * draft.share))
    if work.budgets.only_chooses and draft.sources.points:
        # Each number can be chosen once.
        return min(wished, len(draft.sources.points))
    # A summary is never as long as its text.
    return min(wished, max(LEAST_STATEMENTS, len(draft.sources.text) // CHARACTERS_A_STATEMENT))


def messages_for(work: SummaryWork, draft: SummaryDraft, problem: AnswerProblem | None = None) -> list[Message]:
    length = length_words(work.wish.length, work.language, draft.share)
    return summary_prompts.write_messages(
        work.wish.form,
        draft.sources.texts,
        length,
        work.language,
        wish=work.wish.instruction,
        most=most_statements(work, draft),
        are_points=bool(draft.sources.points),
        is_small=work.budgets.is_small,
        outline=draft.outline,
        problem=problem,
    )


def parse_statements(
    answer: str, form: Form, draft: SummaryDraft, finish: FinishReason = FinishReason.STOP
) -> list[WrittenStatement]:
    """Parse an answer's statements; of one that was cut off, the complete ones. Unknown numbers are dropped."""
    known, group, paragraph = draft.sources.blocks, draft.group, 0
    found: list[WrittenStatement] = []
    if form is Form.ACTIONS and _NOTHING.match(answer):
        # Nobody has anything to do, and that is said with the summary.
        return found
    for line in draft.sources.spelled_out(answer).splitlines():
        question = _QUESTION.match(line) if form is Form.QUESTIONS else None
        # Bare numbers become the points that they stand for.
        if question:
            group = summary_prompts.with_question_mark(question[1].strip())
        elif not line.strip():
            paragraph = found[-1].paragraph + 1 if found else 0
        else:
            text = _ANSWER.sub("", line) if form is Form.QUESTIONS else without_mark(line)
            for number, ids in cited_runs(text):
                found.append(
                    WrittenStatement(number, tuple(dict.fromkeys(n for n in ids if n in known)), group, paragraph)
                )
            if form is not Form.PARAGRAPHS:
                paragraph += 1
    # The last sentence of a cut answer may say the opposite of what it would have said.
    if found and finish in point_answers.CUT and not _is_whole(found[-1]):
        found.pop()
    return found


def _distinct_statements(found: Sequence[WrittenStatement]) -> list[WrittenStatement]:
    """Drop repeated statements, keeping the first position."""
    return without_repeats(
        found,
        lambda one: one.text,
        # The longer wording at the first place: that is where the reader expects it.
        lambda longer, shorter: longer if longer.paragraph <= shorter.paragraph else _move_statement(longer, shorter),
    )


def _move_statement(one: WrittenStatement, to: WrittenStatement) -> WrittenStatement:
    return replace(one, group=to.group, paragraph=to.paragraph)


def plain_text(answer: str) -> str:
    """Strip bracketed numbers, for display while the text grows."""
    return re.sub(r"^ +", "", _IDS.sub("", answer), flags=re.MULTILINE)


def _is_whole(statement: WrittenStatement) -> bool:
    return bool(statement.ids) or statement.text[-1:] in ".!?。！？"
