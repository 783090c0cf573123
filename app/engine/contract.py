"""Interface of an engine for the rest of the program, whether its model runs here or on a server."""

from __future__ import annotations

import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
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
    TuningProgress,
    Waiting,
)
from app.core.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from app.core.errors.app_error import AppError
    from app.engine.protocol import Ask, CallSyntax, DevicesDescribed, Inspected, MediaCount, Wish
    from app.engine.tuning import ModelTuning

AnswerEvent = Waiting | PromptProgress | LookProgress | TextDelta | TokenChosen | Finished
WakingEvent = Path | LoadProgress | ModelLoaded | None
"""Event of a model that loads by itself: progress, then the model, or None if it failed. The path comes first if it
replaces another.
"""


@dataclass(frozen=True)
class EmbeddingVectors:
    """Vectors of length 1, one after the other, each of `width` numbers."""

    numbers: array.array[float]
    width: int
    prompt_tokens: int

    @property
    def vectors(self) -> Iterator[array.array[float]]:
        """Vectors one by one, in the order of the texts."""
        return (self.numbers[at : at + self.width] for at in range(0, len(self.numbers), self.width or 1))


@dataclass(frozen=True)
class TokenLabels:
    """Start and end of each token in characters, and `labels` logits for each.

    The last label means that the source doesn't support the token.
    """

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    logits: array.array[float]
    labels: int


NO_LABELS = TokenLabels((), (), array.array("f"), 2)
NO_VECTORS = EmbeddingVectors(array.array("f"), 0, 0)


class Engine(Protocol):
    """One model at a time, called from any thread. Failures are AppErrors.

    See `app.engine.client` for the details of a model in a child of this program.
    """

    on_waking: Callable[[WakingEvent], object]

    @property
    def loaded(self) -> ModelLoaded | None:
        """The model that would answer now; None if none is loaded."""

    @property
    def pid(self) -> int | None:
        """Process id of a running child; None without one."""

    @property
    def asleep_path(self) -> Path | None:
        """The unloaded model that the next request loads; None without one."""

    @property
    def is_outdated(self) -> bool:
        """True if the loaded model's options differ from what current settings would give."""

    @property
    def awaited(self) -> Path | None:
        """The model that is loaded, loading, or reloaded on demand; None without any."""

    def load(
        self, path: Path, wish: Wish = ..., *, cancel: CancelToken | None = None
    ) -> Iterator[LoadProgress | ModelLoaded]:
        """Load a model in place of the present one; a cancelled load ends without `ModelLoaded`."""

    def generate(
        self, messages: Sequence[Message], *, cancel: CancelToken | None = None, **options: Any
    ) -> Iterator[AnswerEvent]:
        """Answer a conversation. `options` are the fields of `Ask`."""

    def answer(self, ask: Ask, cancel: CancelToken | None = None) -> Iterator[AnswerEvent]:
        """Answer a request; ends with `Finished` or raises an AppError."""

    def generate_many(
        self, asks: Sequence[Ask], *, cancel: CancelToken | None = None, background: bool = True
    ) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        """Answer several, as many at once as pays off; yield (index of the request, event)."""

    def count_tokens(self, messages: Sequence[Message], template_variables: Mapping[str, object] | None = None) -> int:
        """Count the tokens of a conversation's prompt, template included."""

    def count_texts(self, texts: Sequence[str], *, cancel: CancelToken | None = None) -> tuple[int, ...]:
        """Count the tokens of each text by itself, without a template."""

    def count_media(self, media: Sequence[Media], *, cancel: CancelToken | None = None) -> tuple[MediaCount, ...]:
        """Count the tokens of each image or sound; 0 for those the model can't take."""

    def call_syntax(self) -> CallSyntax | None:
        """Return the function-call syntax the model was trained on; None if unknown."""

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
        """Return tokens, layers or attention of a text as the model reads it."""

    def forget_session(self, session: str) -> None:
        """Delete what is saved and cached of a session."""

    def forget_texts(self, names: AbstractSet[str]) -> None:
        """Drop from the loaded model's memory what holds texts of these names (`Ask.made_of`), or such sessions."""

    def describe_devices(self) -> DevicesDescribed:
        """List the devices this computer has for models, with their memory."""

    def unload(self) -> None:
        """Free the model and forget it; no request brings it back."""

    def sleep(self) -> None:
        """Free the model's memory; the next request loads it again."""

    def let_go(self) -> None:
        """End running answers with `EngineStopped` and refuse new ones."""

    def close(self) -> None:
        """End running answers, and return only when child and files are closed."""


class LocalEngine(Engine, Protocol):
    """An engine whose models run on this computer, or on the server that was chosen."""

    @property
    def is_answering(self) -> bool:
        """True if the local model writes an interactive answer."""

    def tune(
        self, *, cancel: CancelToken | None = None, budget_s: float = ..., only_new: bool = False
    ) -> Iterator[TuningProgress | ModelTuning]:
        """Measure how the local model runs fastest; ends without `ModelTuning` when cancelled or when it is needed."""

    @property
    def is_away(self) -> bool:
        """True if the chosen model's server was not reached, or broke off, when it was asked last."""

    def leave_machines(self) -> None:
        """Reload a model that is partly on other computers without them, after the network was switched off."""


def ensure_loaded(engine: Engine, path: Path, wish: Wish, *, cancel: CancelToken | None = None) -> bool:
    """Load a model unless it is loaded or awaited; return whether it is loaded then, False if cancelled.

    Reports progress to `on_waking`. Raises what loading raises.
    """
    path = Path(path).absolute()
    if engine.awaited == path:
        return True
    is_in = False
    # First, so that the window can name the model before anything else is known.
    engine.on_waking(path)
    try:
        for event in engine.load(path, wish, cancel=cancel):
            is_in = isinstance(event, ModelLoaded)
            engine.on_waking(event)
    finally:
        if not is_in:
            engine.on_waking(None)
    return is_in
