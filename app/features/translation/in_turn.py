"""Has prompts answered one after another before everything else: for a person who waits for what was just typed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

from app.core.errors import AppError, EngineStopped, GrammarInvalid, PromptTooLong
from app.core.events import CancelToken, Finished, FinishReason, TextDelta
from app.engine.client import EngineClient
from app.features.summary.asking import MOST_STOPS, Answer, Growing, Take, Taken, Task

T = TypeVar("T", bound=Task)


def work_off_in_turn(
    tasks: Iterable[T], engine: EngineClient, cancel: CancelToken, take: Take[T]
) -> Iterator[Growing[T] | Taken[T]]:
    """As `asking.work_off`, but nobody is waited for, and what `take` returns is asked next."""
    waiting = deque(tasks)
    stops = 0
    while waiting and not cancel.cancelled:
        task = waiting.popleft()
        answer: Answer | AppError | None = None
        text = ""
        try:
            for event in engine.generate(cancel=cancel, **vars(task.ask)):
                if isinstance(event, TextDelta) and not event.thinking:
                    text += event.text
                    yield Growing(task, text)
                elif isinstance(event, Finished) and event.stats.finish_reason is not FinishReason.CANCELLED:
                    answer = Answer(text, event.stats.finish_reason)
        except EngineStopped:
            stops += 1
            if stops > MOST_STOPS:
                raise
            waiting.appendleft(task)
            continue
        except (GrammarInvalid, PromptTooLong) as error:
            answer = error
        if answer is None:
            return
        stops = 0
        waiting.extendleft(reversed(list(take(task, answer))))
        yield Taken(task)
