"""What the rest of the program asks of an engine, wherever its model runs: on this computer, or on another one."""

from __future__ import annotations

import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from app.core.events import (
    CancelToken,
    Finished,
    LoadProgress,
    LookProgress,
    Media,
    Message,
    ModelLoaded,
    PromptProgress,
    TextDelta,
    TokenChosen,
    Waiting,
)

if TYPE_CHECKING:
    from app.core.errors import AppError
    from app.engine.protocol import Ask, CallSyntax, DevicesDescribed, Inspected, MediaCount, Wish

AnswerEvent = Waiting | PromptProgress | LookProgress | TextDelta | TokenChosen | Finished
WakingEvent = Path | LoadProgress | ModelLoaded | None
"""Of a model that comes back by itself: progress, then the model, or None when it did not come back. Of one that is
brought in place of another, the path first."""


@dataclass(frozen=True)
class EmbeddingVectors:
    """Vectors of length 1, one after the other, each of `width` numbers."""

    numbers: array.array[float]
    width: int
    prompt_tokens: int

    @property
    def vectors(self) -> Iterator[array.array[float]]:
        """One for each text."""
        return (self.numbers[at : at + self.width] for at in range(0, len(self.numbers), self.width or 1))


@dataclass(frozen=True)
class TokenLabels:
    """Where each token of a text begins and ends, in characters, and `labels` logits for each.

    The last label says that the source does not support the token.
    """

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    logits: array.array[float]
    labels: int


NO_LABELS = TokenLabels((), (), array.array("f"), 2)
NO_VECTORS = EmbeddingVectors(array.array("f"), 0, 0)


class Engine(Protocol):
    """One model at a time, asked from any thread; what it cannot do it says by an AppError.

    Documented where it is done: `app.engine.client` for a model in a child of this program.
    """

    on_waking: Callable[[WakingEvent], object]

    @property
    def loaded(self) -> ModelLoaded | None:
        """The model that would answer now."""

    @property
    def pid(self) -> int | None:
        """The process id of a running child; None without one."""

    @property
    def asleep_path(self) -> Path | None:
        """The model that waits to come back; None without one."""

    @property
    def is_outdated(self) -> bool:
        """True if the model that would answer now was loaded with other settings than those of now."""

    @property
    def awaited(self) -> Path | None:
        """The model that is in or on its way, or comes back by itself; None without any."""

    def load(
        self, path: Path, wish: Wish = ..., *, cancel: CancelToken | None = None
    ) -> Iterator[LoadProgress | ModelLoaded]:
        """Has this model answer from now on; cancelled, it ends without `ModelLoaded`."""

    def generate(
        self, messages: Sequence[Message], *, cancel: CancelToken | None = None, **options: Any
    ) -> Iterator[AnswerEvent]:
        """Answer a conversation. `options` are the fields of `Ask`."""

    def answer(self, ask: Ask, cancel: CancelToken | None = None) -> Iterator[AnswerEvent]:
        """Answers; ends with `Finished` or an AppError."""

    def generate_many(
        self, asks: Sequence[Ask], *, cancel: CancelToken | None = None, background: bool = True
    ) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        """Answer several, as many at once as pays off; yields (index of the ask, event)."""

    def count_tokens(self, messages: Sequence[Message], template_variables: Mapping[str, object] | None = None) -> int:
        """Return how many tokens this conversation's prompt takes."""

    def count_texts(self, texts: Sequence[str], *, cancel: CancelToken | None = None) -> tuple[int, ...]:
        """Tokens of each text by itself."""

    def count_media(self, media: Sequence[Media], *, cancel: CancelToken | None = None) -> tuple[MediaCount, ...]:
        """Return what each picture or sound takes of a prompt; of one that the model cannot be shown nothing."""

    def call_syntax(self) -> CallSyntax | None:
        """Return how the model has been taught to call functions; None where that is not known."""

    def embed(self, texts: Sequence[str], *, cancel: CancelToken | None = None) -> EmbeddingVectors:
        """Return a vector for each text, from a model that was made for it."""

    def classify_tokens(self, source: str, text: str, *, cancel: CancelToken | None = None) -> TokenLabels:
        """Return which tokens of a text its source does not support, from a model that was made for it."""

    def inspect(
        self,
        what: str,
        text: str = "",
        messages: Sequence[Message] = (),
        *,
        cancel: CancelToken | None = None,
        on_attention: Callable[[bytes], object] = ...,
        **options: Any,
    ) -> Inspected:
        """Look into the model while it reads."""

    def forget_session(self, session: str) -> None:
        """Delete what is kept of a session."""

    def describe_devices(self) -> DevicesDescribed:
        """Return which devices this computer has for models."""

    def unload(self) -> None:
        """The model leaves for good."""

    def sleep(self) -> None:
        """The model gives its memory back, and comes again with the next request."""

    def let_go(self) -> None:
        """Running answers end with `EngineStopped`, and nothing is started any more."""

    def close(self) -> None:
        """As `let_go`; everything has ended when this returns."""


def ensure_loaded(engine: Engine, path: Path, wish: Wish, *, cancel: CancelToken | None = None) -> bool:
    """Load a model for what is asked next, unless it is awaited; whether it is in then, False if cancelled.

    `on_waking` hears of it. Raises what loading raises.
    """
    path = Path(path).absolute()
    if engine.awaited == path:
        return True
    is_in = False
    engine.on_waking(path)
    try:
        for event in engine.load(path, wish, cancel=cancel):
            is_in = isinstance(event, ModelLoaded)
            engine.on_waking(event)
    finally:
        if not is_in:
            engine.on_waking(None)
    return is_in
