"""What can be looked at: a text, or the prompt that a model was shown; and who knows what there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.core.events import CancelToken, Guess, PromptProgress, TokenSeen

if TYPE_CHECKING:
    from app.engine.protocol import Ask

SELECTION, MESSAGE, PROMPT, OWN = "selection", "message", "prompt", "own"
"""What is selected, what was said, what the model was shown, and what is typed into the panel itself."""


class Answer(QObject):
    """An answer of a chat, as the model saw it while it wrote, as far as somebody looked; or read again."""

    grew = Signal()
    """More of it is there, or it is complete."""

    text = ""
    is_being_written = False

    @property
    def seen(self) -> Sequence[TokenSeen]:
        """Its tokens as they came; none where nobody looked."""
        return ()

    def read_again(self, cancel: CancelToken) -> Iterator[TokenSeen | PromptProgress]:
        """Its tokens as the model sees them now; on a thread."""
        raise NotImplementedError

    def can_replace(self, tokens: Sequence[TokenSeen], number: int, guess: Guess) -> bool:
        """Whether it can go on from one of its tokens with another in its place."""
        raise NotImplementedError

    def go_on_with(self, tokens: Sequence[TokenSeen], number: int, guess: Guess) -> None:
        """Does so, as another version."""
        raise NotImplementedError


@dataclass(frozen=True)
class Subject:
    """Something to look at. Two of the same `name` and `text`, and of the same `message_id`, are the same."""

    name: str
    label: str
    """For people, in their language."""
    text: str = ""
    message_id: int = 0
    """Of the chat's message that it is, or that its prompt led to."""
    prompt: Callable[[], Ask] | None = field(default=None, compare=False)
    """What the engine was asked, in place of a text. Not for the window's thread; may raise."""
    answer: Answer | None = field(default=None, compare=False)
    """Where it is an answer whose tokens can be known as the model saw them."""

    @property
    def is_being_written(self) -> bool:
        """Whether it has no end yet: only its tokens can be looked at."""
        return self.answer is not None and self.answer.is_being_written


class Subjects(QObject):
    """What a tab has to look at."""

    changed = Signal()
    """There is something else to look at."""

    def now(self) -> Sequence[Subject]:
        """Everything there is; the first one is looked at as long as the person chose none."""
        raise NotImplementedError
