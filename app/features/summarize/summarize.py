"""Summarizes whole documents: every block is read, every statement leads to the place it rests on.

    documents → sections → points with ids, under a grammar → checks → merges with evidence → one write-up → checks

The method (hierarchical merging with evidence from the source) follows BooookScore (Chang et al., ICLR 2024) and
context-aware merging (Ou and Lapata, Findings of ACL 2025); where the document fits, it is read in one pass first.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from app.core.errors import AppError
from app.core.events import CancelToken, FinishReason, Message
from app.documents.blocks import Block
from app.engine.contract import Engine
from app.engine.protocol import Ask
from app.features.summarize import summary_prompts
from app.features.summarize.condensing import (
    OUTLINE_TOKENS,
    PointMerge,
    SectionMapping,
    WriteUpSources,
    distinct_statements,
    of_points,
    of_sections,
    outline_of,
)
from app.features.summarize.digest import FORMS, digest_summary, has_sentences
from app.features.summarize.method import ClaimScore, is_short, method_for, score_claims
from app.features.summarize.sections import (
    WORDS_A_STATEMENT,
    ReadSection,
    SectionReading,
    budgets_for,
    length_words,
    number_block,
    runs_under_headings,
    sections_of,
    statements_for,
    whole_section,
)
from app.features.summarize.summary_prompts import (
    AnswerProblem,
    cited_runs,
    repeats_what_was_asked,
    says_something,
    without_mark,
    without_repeats,
)
from app.features.summarize.summary_result import (
    Form,
    InputDocument,
    Merging,
    Method,
    Planned,
    PromptRead,
    SectionRead,
    Statement,
    Steps,
    Summarized,
    SummarizedDocument,
    Summary,
    SummaryEvent,
    SummaryOptions,
    Writing,
    unknown_languages,
    writing_language,
)
from app.features.summarize.summary_work import SummaryWork, kept_texts
from app.features.work.asking import (
    REFUSING,
    PromptReading,
    TaskAnswer,
    TaskGrowing,
    TaskRests,
    TaskTaken,
    run_tasks,
    wake_model,
)

WRITING_EVERY_S = 0.1
LEAST_STATEMENTS = 2
CHARACTERS_A_STATEMENT = 160
"""At most one statement per this many characters, so that a summary is shorter than its text."""
CHOSEN_FORMS = (Form.BULLETS, Form.PARAGRAPHS, Form.SECTIONS)
"""Forms that the smallest models make by choosing points; see `TokenBudgets`."""
CHARACTERS_A_WORD = 6
SURE_SHARE = 0.9
"""Up to this share, progress follows the length written; the rest is unknown."""
BELOW_THE_TEXT = "Points of the sections"
"""Heading above the points of a write-up that was stopped."""
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
        self._work = work
        self._drafts = drafts
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
                known = self._checked.get((task.place, written_statement))
                if known is None:
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
        text = kept_texts(self._work.steps.find_step(self._work.step_key(task.ask)))
        if not text:
            return task
        self._settle_task(task, self._worthy_statements(parse_statements(text, self._work.wish.form, draft), draft))
        return None

    def _make_ask(self, draft: SummaryDraft, attempt: int = 0, problem: AnswerProblem | None = None) -> Ask:
        work, form, numbers = self._work, self._work.wish.form, draft.sources.citable
        most = most_statements(work, draft)
        if work.budgets.only_chooses and draft.sources.points and form in CHOSEN_FORMS:
            rules = summary_prompts.choice_grammar(numbers, most, form)
        elif work.budgets.is_small:
            # A question and its answer are two statements.
            count = most // 2 if form is Form.QUESTIONS else most
            rules = summary_prompts.spread_grammar(numbers, count, work.language, form, source=draft.sources.text)
        else:
            # Larger models decide themselves where numbers stand; a range of counts keeps the length near what was
            # chosen.
            rules = summary_prompts.write_up(form, draft.sources.blocks, max(1, most // 3), most + most // 3)
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
    if found and finish in summary_prompts.CUT and not _is_whole(found[-1]):
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


# Which statements go into which write-up: all into one, or in a summary by section under the document's headings.


def group_blocks(work: SummaryWork, place: int, blocks: Sequence[Block]) -> list[tuple[str, Sequence[Block]]]:
    """Split a document into parts written up separately; only for the form SECTIONS."""
    if work.wish.form is not Form.SECTIONS:
        return [("", blocks)]
    runs = list(runs_under_headings(blocks))
    if len(work.documents) == 1:
        return [*runs]
    # Headings of several documents may be the same.
    name = title_shown(work.documents[place])
    return [(f"{name}: {heading}" if heading else name, run) for heading, run in runs]


def make_piles(
    work: SummaryWork, points: Sequence[Sequence[Statement]]
) -> tuple[list[str], list[list[list[Statement]]]]:
    """Group points by write-up, with headings; empty groups are dropped."""
    names, run_of = _heading_runs(work)
    found: list[list[list[Statement]]] = [[] for _ in names]
    last = 0
    for section in points:
        mine: dict[int, list[Statement]] = {}
        for point in section:
            # A point without a source stays with the one before it.
            last = _run_of(point, run_of, last)
            mine.setdefault(last, []).append(point)
        for run, group in mine.items():
            found[run].append(group)
    full = [(name, pile) for name, pile in zip(names, found, strict=True) if pile]
    return [name for name, _ in full], [pile for _, pile in full]


def _heading_runs(work: SummaryWork) -> tuple[list[str], dict[tuple[int, int], int]]:
    """Return the headings to write under, and which one each block belongs to."""
    if work.wish.form is not Form.SECTIONS:
        return [""], {}
    names: list[str] = []
    run_of: dict[tuple[int, int], int] = {}
    for place, document in enumerate(work.documents):
        for name, blocks in group_blocks(work, place, document.blocks):
            run_of |= {(place, block.id): len(names) for block in blocks}
            names.append(name)
    return names or [""], run_of


def _run_of(point: Statement, run_of: dict[tuple[int, int], int], last: int) -> int:
    if not point.anchors:
        return last
    return run_of.get((point.anchors[0].document, point.anchors[0].block_id), 0)


def points_so_far(work: SummaryWork, points: Sequence[Sequence[Statement]]) -> list[Statement]:
    """Return the checked points, one statement each."""
    names, run_of = _heading_runs(work)
    found: list[Statement] = []
    last = 0
    for point in (statement for section in points for statement in section):
        last = _run_of(point, run_of, last)
        found.append(replace(point, group=names[last], paragraph=len(found)))
    return found


def below_the_text(text: Sequence[Statement], points: Sequence[Statement]) -> list[Statement]:
    """Return the text written before a stop, followed by the points it was based on."""
    # Without any text there is nothing to stand below.
    if not text:
        return list(points)
    first = text[-1].paragraph + 1
    return [
        *text,
        *(replace(point, group=BELOW_THE_TEXT, paragraph=first + place) for place, point in enumerate(points)),
    ]


def title_shown(document: InputDocument) -> str:
    """Return a document's title for display."""
    return document.title.strip() or document.name


__all__ = [
    "InputDocument",
    "Merging",
    "Planned",
    "ReadingPlan",
    "SectionRead",
    "Steps",
    "Summarized",
    "SummaryEvent",
    "TaskRests",
    "Writing",
    "plan_reading",
    "summarize_documents",
]  # fmt: skip


Stage = Generator[SummaryEvent, None, Summary]


@dataclass(frozen=True)
class ReadingPlan:
    """Plan of what to read, in tokens of the loaded model. Empty `sections`: all in one pass."""

    by_document: tuple[int, ...]
    sections: tuple[ReadSection, ...]
    method: Method = Method.MODEL

    @property
    def tokens(self) -> int:
        """Total over all documents."""
        return sum(self.by_document)


def plan_reading(
    documents: Sequence[InputDocument],
    wish: SummaryOptions,
    engine: Engine,
    cancel: CancelToken,
    *,
    earlier: ClaimScore | None = None,
) -> ReadingPlan | None:
    """Count tokens and split into sections; None when cancelled. Wakes the model; raises the engine's errors."""
    work = _begin_work(documents, wish, engine, _NoSteps(), cancel)
    return _plan_sections(work, _choose_method(work, earlier)) if work is not None else None


def summarize_documents(
    documents: Sequence[InputDocument],
    wish: SummaryOptions,
    engine: Engine,
    steps: Steps,
    cancel: CancelToken,
    *,
    earlier: ClaimScore | None = None,
) -> Iterator[SummaryEvent]:
    """Summarize all documents together, with the model loaded in `engine` or, where `method_for` says so, by
    extraction.

    `earlier` scores how well the model did before. Unless the user chose the method, a model whose claims are rarely
    found is stopped midway. Cancelled, it ends at once with a partial summary. Raises the engine's errors after a
    second try; finished steps stay stored.
    """
    begun_s = time.monotonic()
    work = _begin_work(documents, wish, engine, steps, cancel)
    # Loaded, a model tells how many weights it has; with too few it isn't asked.
    if work is not None and _choose_method(work, earlier) is Method.DIGEST:
        if (yield from by_counting(documents, wish, cancel)):
            return
        # There were no sentences to choose, so the model has to write after all.
        work = replace(work, wish=replace(wish, method=Method.MODEL))
    found = _plan_sections(work, Method.MODEL) if work is not None else None
    if work is None or found is None:
        yield Summarized(_empty_summary(documents, wish, engine, time.monotonic() - begun_s))
        return
    summary = replace((yield from _read_sections(work, found)), seconds=time.monotonic() - begun_s)
    yield Summarized(_replace_by_extract(summary, documents, cancel))


def _replace_by_extract(written: Summary, documents: Sequence[InputDocument], cancel: CancelToken) -> Summary:
    """Replace what was written by an extract if too little of it was found.

    Not if the user chose the model, nor if an extract can't fulfil the wish.
    """
    # A part of a summary can't be judged by its share.
    if written.is_partial or not _can_be_sentences(documents, written.wish):
        return written
    texts = {
        (place, block.id): block.text
        for place, input_document in enumerate(documents)
        for block in input_document.blocks
    }
    score = score_claims(written.statements, lambda document, number: texts[document, number])
    # Given up earlier, its few statements may have passed by chance.
    if score.is_enough and not written.has_given_up:
        return written
    digest = digest_summary(documents, written.wish, lambda: cancel.cancelled)
    # Nothing to choose from, or stopped while choosing: what the model wrote is better than that.
    if not digest.statements or digest.is_partial:
        return written
    return replace(
        digest,
        model=written.model,
        set_aside=written.statements,
        seconds=written.seconds,
        has_given_up=written.has_given_up,
    )


def _can_be_sentences(documents: Sequence[InputDocument], wish: SummaryOptions) -> bool:
    return wish.method is None and wish.form in FORMS and not wish.language and any(map(has_sentences, documents))


def by_counting(
    documents: Sequence[InputDocument], wish: SummaryOptions, cancel: CancelToken
) -> Generator[SummaryEvent, None, bool]:
    """Make an extract, without an engine; returns whether it `is_sufficient`."""
    yield Planned(len(documents), 0, Method.DIGEST)
    digest = digest_summary(documents, wish, lambda: cancel.cancelled)
    if is_sufficient(digest):
        yield Summarized(digest)
    return is_sufficient(digest)


def is_sufficient(digest: Summary) -> bool:
    """Return whether the extract is enough; for tables alone, say, it is empty and the model is used after all."""
    return bool(digest.statements) or digest.is_partial or digest.wish.method is Method.DIGEST


def _read_sections(work: SummaryWork, found: ReadingPlan) -> Stage:
    """Read in one pass where it fits; if that fails, in sections."""
    yield Planned(max(1, len(found.sections)), found.tokens)
    if found.sections:
        return (yield from _in_sections(work, found.sections))
    summary = yield from _in_one_pass(work)
    # A text that fits may still be more than the model can follow; in sections it may do better.
    if not summary.sections_failed or summary.statements or summary.has_given_up:
        return summary
    sections = _cut_sections(work)
    if work.cancel.cancelled:
        # Stopped meanwhile: that isn't a failure of the text.
        return replace(summary, sections_failed=0, is_partial=True)
    yield Planned(len(sections), found.tokens)
    return (yield from _in_sections(work, sections))


class _NoSteps:
    """Steps that store nothing."""

    def find_step(self, key: str) -> None:
        """Nothing."""

    def keep_step(self, key: str, value: object) -> None:
        """Nowhere."""


def _begin_work(
    documents: Sequence[InputDocument], wish: SummaryOptions, engine: Engine, steps: Steps, cancel: CancelToken
) -> SummaryWork | None:
    """Build the shared state; None if cancelled while the model was loading."""
    model = wake_model(engine, cancel)
    if model is None:
        return None
    language, may_give_up = writing_language(documents, wish), _can_be_sentences(documents, wish)
    return SummaryWork(documents, wish, engine, steps, cancel, model, budgets_for(model), language, may_give_up)


def _choose_method(work: SummaryWork, earlier: ClaimScore | None) -> Method:
    return method_for(work.wish, work.model.weights, is_short=is_short(work.documents), earlier=earlier)


def _plan_sections(work: SummaryWork, method: Method) -> ReadingPlan | None:
    counts: list[int] = []
    for document in work.texts:
        # None: stopped while the model was loading.
        if work.cancel.cancelled:
            return None
        counts.append(sum(work.count_tokens([f"{number_block(block)}\n\n" for block in document.blocks])))
    if method is Method.DIGEST:
        return ReadingPlan(tuple(counts), (), Method.DIGEST)
    # The prompt with nothing in it tells what instructions and template take.
    fixed = work.fixed_tokens(messages_for(work, SummaryDraft(WriteUpSources((("", ""),), {}))))
    # The outline's room is set aside before it is known how long it will be.
    fixed += OUTLINE_TOKENS if work.budgets.is_small and work.wish.form in FORMS else 0
    if sum(counts) <= work.budgets.section_room(fixed, work.budgets.writing_tokens(work.wish.length, work.language)):
        return ReadingPlan(tuple(counts), ())
    sections = _cut_sections(work)
    return None if work.cancel.cancelled else ReadingPlan(tuple(counts), tuple(sections))


def _cut_sections(work: SummaryWork) -> Sequence[ReadSection]:
    """Split the documents into sections as large as the model reads well."""
    # The longest numbers a section's head can have, so none is underestimated.
    empty = ReadSection(0, "", (), (), None, 0, 100, 100)
    budgets = work.budgets
    messages = summary_prompts.map_messages(
        work.documents[0], empty, work.language, budgets.most_points, is_small=budgets.is_small
    )
    return sections_of(work.texts, budgets.within_context(work.fixed_tokens(messages)).section, work.count_tokens)


# Where all fits into one prompt.


def _in_one_pass(work: SummaryWork) -> Stage:
    # Numbers in one prompt are unique: each document's begin where the last one's end.
    offsets = list(
        accumulate(
            (max((b.id for b in input_document.blocks), default=0) for input_document in work.documents), initial=0
        )
    )
    stretches = [
        (group, whole_section(place, blocks, offsets[place]))
        for place, document in enumerate(work.texts)
        for group, blocks in group_blocks(work, place, document.blocks)
    ]
    stretches = [(group, section) for group, section in stretches if section.slices]
    drafts = _drafts_of(work, stretches, offsets)
    writing, reading = WriteUp(work, drafts), SectionReading(work.documents)
    yield from writing.run()
    # By group, since a draft under a heading was shown only that part.
    for draft, prompt in writing.answered:
        for group, section in stretches:
            if group == draft.group:
                reading.mark_answered(section, prompt)
    is_read = len(writing.answered) == len(drafts)
    # A stop by the person, or by what was found, is no failure of the document.
    failed = 0 if is_read or work.cancel.cancelled or writing.has_given_up else 1
    summary = _make_summary(work, reading, writing.statements, sections=1, read=int(is_read), failed=failed)
    return replace(summary, has_given_up=writing.has_given_up)


def _drafts_of(
    work: SummaryWork, stretches: Sequence[tuple[str, ReadSection]], offsets: Sequence[int]
) -> list[SummaryDraft]:
    if work.wish.form is not Form.SECTIONS:
        every = [section for _, section in stretches]
        return (
            [SummaryDraft(of_sections(work, every, offsets), outline=outline_of(work, every, offsets))] if every else []
        )
    sizes = [len(section.text) for _, section in stretches]
    return [
        SummaryDraft(
            of_sections(work, [section], offsets), group, size / sum(sizes), outline_of(work, [section], offsets)
        )
        # Longer parts get more of the length.
        for (group, section), size in zip(stretches, sizes, strict=True)
    ]


# Section by section.


def _in_sections(work: SummaryWork, sections: Sequence[ReadSection]) -> Stage:
    reading = SectionReading(work.documents)
    mapping = SectionMapping(work, sections, reading)
    yield from mapping.run()
    statements: list[Statement] = []
    has_given_up = mapping.has_given_up
    if has_given_up:
        # The points so far are shown below the extract that takes their place.
        statements = points_so_far(work, mapping.points)
    elif not work.cancel.cancelled:
        names, found = make_piles(work, mapping.points)
        fixed = work.fixed_tokens(messages_for(work, SummaryDraft(WriteUpSources((("", ""),), {}))))
        answer = work.budgets.writing_tokens(work.wish.length, work.language)
        merge = PointMerge(work, found, work.budgets.room_for_points(fixed, answer))
        yield from merge.run()
        if not work.cancel.cancelled:
            writing = WriteUp(work, _drafts_of_points(work, names, merge.piles))
            yield from writing.run()
            statements, has_given_up = writing.statements, writing.has_given_up
    # What was written so far, and the points it would have gone on with.
    if work.cancel.cancelled:
        statements = below_the_text(statements, points_so_far(work, mapping.points))
    read, failed = mapping.read, len(mapping.failed)
    summary = _make_summary(work, reading, statements, sections=len(sections), read=read, failed=failed)
    return replace(summary, has_given_up=has_given_up)


def _drafts_of_points(
    work: SummaryWork, names: Sequence[str], piles: Sequence[Sequence[Sequence[Statement]]]
) -> list[SummaryDraft]:
    drafts: list[SummaryDraft] = []
    for name, pile in zip(names, piles, strict=True):
        points = distinct_statements(point for group in pile for point in group)
        # A heading with more points gets more of the length.
        share = len(points) / max(1, sum(len(group) for sequence in piles for group in sequence))
        drafts.append(SummaryDraft(of_points(work, points), name, min(1.0, share) if len(names) > 1 else 1.0))
    return [draft for draft in drafts if draft.sources.points]


# The result.


def _make_summary(
    work: SummaryWork,
    reading: SectionReading,
    statements: Sequence[Statement],
    *,
    sections: int,
    read: int,
    failed: int = 0,
) -> Summary:
    documents = _describe_documents(work.documents, reading)
    return Summary(
        title=", ".join(document.title for document in documents),
        documents=documents,
        statements=tuple(statements),
        wish=work.wish,
        language=work.language,
        model=Path(work.model.path).name,
        sections=sections,
        sections_read=read,
        sections_failed=failed,
        is_partial=work.cancel.cancelled,
        unknown_languages=unknown_languages(Path(work.model.path), work.documents, work.wish),
    )


def _empty_summary(documents: Sequence[InputDocument], wish: SummaryOptions, engine: Engine, seconds: float) -> Summary:
    """Return the partial summary of a run stopped before anything was read."""
    shown = _describe_documents(documents, SectionReading(documents))
    model = Path(engine.loaded.path).name if engine.loaded is not None else ""
    title = ", ".join(summarized_document.title for summarized_document in shown)
    return Summary(
        title, shown, (), wish, writing_language(documents, wish), model, 0, 0, is_partial=True, seconds=seconds
    )


def _describe_documents(documents: Sequence[InputDocument], reading: SectionReading) -> tuple[SummarizedDocument, ...]:
    return tuple(
        SummarizedDocument(
            input_document.id, input_document.name, title_shown(input_document), input_document.unit, coverage
        )
        for input_document, coverage in zip(documents, reading.make_coverage(), strict=True)
    )
