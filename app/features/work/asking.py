"""Run many prompts, in parallel or in turn, and resume after an engine crash."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import EngineStopped
from app.core.errors.model_errors import ModelReplaced, NoModel
from app.core.errors.request_errors import GrammarInvalid, PromptTooLong
from app.core.events import (
    CancelToken,
    Finished,
    FinishReason,
    ModelElsewhere,
    ModelLoaded,
    PromptProgress,
    TextDelta,
    TokenChosen,
    TokenSeen,
    Waiting,
    WaitingAnew,
)
from app.core.lazy_dataclasses import dataclass
from app.engine.contract import AnswerEvent, Engine
from app.engine.protocol import Ask

FIRST_WINDOW, LARGEST_WINDOW = 2, 64
"""Prompts sent at once: few at first, because those read in parallel also finish (and are stored) at about the same
time; then enough to fill all slots, but still few for a long book.
"""
WINDOWS_A_SERVER = 4
"""Window per server, in multiples of its parallel requests, so that the few left at a window's end matter little."""
MOST_STOPS = 2
"""So often the engine may end without anything getting done between."""


REFUSING = re.compile(
    r"""^\W*(?:
        I(?:['’]m|\ am)\ (?:sorry|unable|not\ able)\b | Sorry,\ (?:but\ )?I\b
        | I\ (?:can(?:['’]t|not)|won['’]t|will\ not|must\ decline\ to)\ (?:help|assist|provide|summari|comply|do\ th
            |fulfil|answer|create|generate|write|process|access|read)
        | As\ an?\ (?:AI\b|(?:artificial|large|language)\ \w+)
        | Es\ tut\ mir\ leid,\ aber\ ich | Désolé,\ (?:mais\ )?je\ ne | Lo\ siento,\ (?:pero\ )?no)""",
    re.IGNORECASE | re.VERBOSE,
)
"""Openings of a refusal, worded narrowly: a letter may well say that its writer cannot come."""


@dataclass(frozen=True)
class TaskRests:
    """Event: work waits for "interactive" (someone is being answered) or "room"; "" when it resumes."""

    reason: str


@dataclass(frozen=True)
class TaskAnswer:
    """The text of one (the thinking left out), and why it ended."""

    text: str
    finish: FinishReason
    tokens: tuple[TokenSeen, ...] = ()
    """Those of the text, where `Ask.alternatives` wanted to know."""


class ModelTask(Protocol):
    """A unit of work with a prompt."""

    @property
    def ask(self) -> Ask:
        """The engine request."""


T = TypeVar("T", bound=ModelTask)


def wake_model(engine: Engine, cancel: CancelToken) -> ModelLoaded | None:
    """Wake and return the model; None when cancelled. Raises NoModel, and the engine's errors."""
    # Counting needs the model's tokenizer, so it wakes or loads the model as an answer would.
    engine.count_texts(["a"], cancel=cancel)
    if cancel.cancelled:
        return None
    if engine.loaded is None:
        raise NoModel
    return engine.loaded


@dataclass(frozen=True)
class TaskGrowing(Generic[T]):
    """Event: a task's answer so far."""

    task: T
    text: str


@dataclass(frozen=True)
class PromptReading(Generic[T]):
    """Event: share of a task's prompt read, 0 to 1."""

    task: T
    share: float


@dataclass(frozen=True)
class TaskTaken(Generic[T]):
    """A task is answered, and the answer was taken."""

    task: T


Take = Callable[[T, TaskAnswer | AppError], Iterable[T]]


def run_tasks(
    tasks: Iterable[T],
    engine: Engine,
    cancel: CancelToken,
    take: Take[T],
    *,
    first: int = FIRST_WINDOW,
    largest: int = LARGEST_WINDOW,
) -> Iterator[TaskRests | PromptReading[T] | TaskGrowing[T] | TaskTaken[T]]:
    """Run all tasks; `take` gets each answer, and the tasks it returns are run, too.

    At most `first` requests are sent at once, later up to `largest`; a task's `ask` is read when it is sent.
    Cancelled, it ends; incomplete answers aren't taken. Raises the engine's errors, EngineStopped only after
    `MOST_STOPS` crashes without progress between.
    """
    waiting = deque(tasks)
    stops, size = 0, first
    if isinstance(loaded := engine.loaded, ModelElsewhere):  # whose server has no memory of ours to fill
        size = largest = max(largest, WINDOWS_A_SERVER * loaded.most_at_once)
    # Few at first, so that the first results are soon stored; then as many as fill all sequences.
    while waiting and not cancel.cancelled:
        window = [waiting.popleft() for _ in range(min(size, len(waiting)))]
        size = min(largest, 2 * size)
        open_tasks = dict(enumerate(window))
        again: list[T] = []
        try:
            answers = _TaskWindow(window)
            for index, event in engine.generate_many([task.ask for task in window], cancel=cancel):
                told = answers.take_event(index, event)
                if (rests := answers.take_rest(event)) is not None:
                    yield rests
                if isinstance(told, TaskAnswer | AppError):
                    # Something got done since the last crash, so the count begins anew.
                    stops = 0
                    again += take(open_tasks.pop(index), told)
                    yield TaskTaken(window[index])
                elif told is not None:
                    yield told
        except EngineStopped:
            stops += 1
            if stops > MOST_STOPS:
                raise
        # Those left open come first again, then what their answers want.
        waiting.extendleft(reversed([*open_tasks.values(), *again]))


class _TaskWindow(Generic[T]):
    """Answers of the tasks that were sent together, as far as they have come."""

    def __init__(self, tasks: Sequence[T]) -> None:
        self._tasks = tasks
        self._texts = [""] * len(tasks)
        self._tokens: list[list[TokenSeen]] = [[] for _ in tasks]
        self._is_resting = False

    def take_rest(self, event: AnswerEvent | AppError) -> TaskRests | None:
        """Return whether the work begins or ends to rest, told once however many of the window wait."""
        rests = isinstance(event, Waiting) and event.reason == "interactive"
        if rests == self._is_resting or (isinstance(event, Waiting) and not rests):
            return None
        self._is_resting = rests
        return TaskRests("interactive" if rests else "")

    def take_event(
        self, index: int, event: AnswerEvent | AppError
    ) -> PromptReading[T] | TaskGrowing[T] | TaskAnswer | AppError | None:
        """Return what an event of one request means for its task; None for nothing to tell."""
        # Another model would give other answers under the same keys.
        if isinstance(event, ModelReplaced):
            raise event
        if isinstance(event, AppError):
            return event
        # The engine begins this answer again: what it wrote so far is void.
        if isinstance(event, WaitingAnew):
            self._texts[index], self._tokens[index] = "", []
        elif isinstance(event, TextDelta) and not event.thinking:
            self._texts[index] += event.text
            return TaskGrowing(self._tasks[index], self._texts[index])
        elif isinstance(event, TokenChosen):
            self._tokens[index].append(event.token)
        elif isinstance(event, PromptProgress) and event.total_tokens:
            return PromptReading(self._tasks[index], event.done_tokens / event.total_tokens)
        # A cancelled answer is cut anywhere and would be taken for a whole one.
        elif isinstance(event, Finished) and event.stats.finish_reason is not FinishReason.CANCELLED:
            return TaskAnswer(self._texts[index], event.stats.finish_reason, tuple(self._tokens[index]))
        return None


def run_tasks_in_turn(
    tasks: Iterable[T], engine: Engine, cancel: CancelToken, take: Take[T]
) -> Iterator[TaskGrowing[T] | TaskTaken[T]]:
    """Run tasks like `run_tasks`, but one by one with top priority, continuing with what `take` returns: for a user
    waiting for what was just typed.
    """
    waiting = deque(tasks)
    stops = 0
    while waiting and not cancel.cancelled:
        task = waiting.popleft()
        answer: TaskAnswer | AppError | None = None
        text, tokens = "", list[TokenSeen]()
        try:
            for event in engine.answer(task.ask, cancel):
                if isinstance(event, TextDelta) and not event.thinking:
                    text += event.text
                    yield TaskGrowing(task, text)
                elif isinstance(event, TokenChosen):
                    tokens.append(event.token)
                elif isinstance(event, Finished) and event.stats.finish_reason is not FinishReason.CANCELLED:
                    answer = TaskAnswer(text, event.stats.finish_reason, tuple(tokens))
        except EngineStopped:
            stops += 1
            if stops > MOST_STOPS:
                raise
            # What was lost with the engine is asked again.
            waiting.appendleft(task)
            continue
        except (GrammarInvalid, PromptTooLong) as error:
            answer = error
        # Cancelled: there is neither answer nor error.
        if answer is None:
            return
        stops = 0
        waiting.extendleft(reversed(list(take(task, answer))))
        yield TaskTaken(task)
