"""Messages, events of long work, and the cancel flag: frozen values without Qt."""

from __future__ import annotations

import threading
from enum import StrEnum

from app.core.lazy_dataclasses import dataclass, field


class FinishReason(StrEnum):
    """Reason why an answer ended; its values are on the wire and in the store."""

    STOP = "stop"
    """The model ended its turn, or a stop string was met."""
    LENGTH = "length"
    """The asked-for number of tokens was reached."""
    CANCELLED = "cancelled"
    """The person pressed Stop."""
    CONTEXT = "context"
    """The model's context is full."""
    REPEATED = "repeated"
    """The answer said the same again and again."""


@dataclass(frozen=True)
class AnswerStats:
    """Measured inside the engine child, from the accepted request (model loaded) on."""

    prompt_tokens: int
    reused_tokens: int
    generated_tokens: int
    time_to_first_token_s: float
    tokens_per_s: float
    """Generated tokens after the first, divided by their time; 0 with fewer than two tokens."""
    finish_reason: FinishReason
    thinking_tokens: int = 0
    media_tokens: int = 0
    """Tokens of the prompt that stand for images and sounds."""
    encoded_media: int = 0
    """Number of media encoded now, not taken from the cache."""
    stop: str = ""
    """The stop string that was met, where one was."""
    drafted_tokens: int = 0
    """Tokens guessed from the prompt and checked together (prompt look-up)."""
    kept_tokens: int = 0
    """Guessed tokens that the model chose itself."""
    drafts_ended: bool = False
    """Guessing cost more time than it saved, so that the rest was written without."""

    @property
    def total_s(self) -> float:
        """Seconds from the accepted request to the last token that was written."""
        after_first = max(0, self.generated_tokens - 1) / self.tokens_per_s if self.tokens_per_s > 0 else 0.0
        return self.time_to_first_token_s + after_first


CANCELLED = AnswerStats(0, 0, 0, 0.0, 0.0, FinishReason.CANCELLED)
"""Figures of an answer cancelled before it started."""


@dataclass(frozen=True)
class TextDelta:
    """New text of an answer: always whole characters. `thinking` tells reasoning from answer.

    `used_tokens` is what the context holds with it, prompt included; 0 where nobody said.
    """

    text: str
    thinking: bool = False
    # Not compared: tests of the text would otherwise have to know how a tokenizer counts.
    used_tokens: int = field(default=0, compare=False)


@dataclass(frozen=True)
class PromptProgress:
    """Progress of reading the prompt, in tokens; cached ones count as done."""

    done_tokens: int
    total_tokens: int


@dataclass(frozen=True)
class TuningProgress:
    """How much of the time for tuning a model has passed, 0 to 1."""

    fraction: float


@dataclass(frozen=True)
class LookProgress:
    """Progress of encoding image or sound `number` of `total`, counted from 1; `fraction` of this one is 0 to 1."""

    number: int
    total: int
    fraction: float


@dataclass(frozen=True)
class LoadProgress:
    """Progress of loading a model, 0 to 1.

    `step` names the fallback tried after a failure: fewer_layers, smaller_context or cpu; empty for the first try.
    "projector" means that the model is loaded and its projector is next.
    """

    fraction: float
    step: str = ""


@dataclass(frozen=True)
class Waiting:
    """A background answer is paused for `reason`: "interactive" (another answer has priority) or "room" (memory)."""

    reason: str


@dataclass(frozen=True)
class WaitingAnew(Waiting):
    """A paused answer that will be requested again: its text so far is discarded."""


@dataclass(frozen=True)
class Placed:
    """Layers and bytes of weights of a model on one device."""

    device: str
    layers: int
    weights_bytes: int


PROJECTOR_REFUSED = "projector_refused:"
"""Step of a model that was loaded without the projector beside it; the reason follows."""


@dataclass(frozen=True)
class ModelLoaded:
    """A model is ready. `context_tokens` is the size in use, `trained_context_tokens` the model's own.

    `choice` says why it was loaded so: fits, context_reduced, kv_reduced, experts_apart, layers_reduced, cpu_only,
    remembered, asked, or tight (the weights are more than what is free, so they are read from the disk again and
    again).
    `steps` are the steps of the ladder that were needed. `gpu_missed` says why a GPU that was asked for is not used:
    no_device, no_memory or load_failed; empty when it is used or none was asked for.
    `thinking` is what the model's template offers: none, switch, effort or always.
    """

    path: str
    name: str
    size_bytes: int
    context_tokens: int
    trained_context_tokens: int
    can_chat: bool
    layers: int
    gpu_layers: int
    device: str
    threads: int
    kv_type: str = "f16"
    sequences: int = 1
    needed_bytes: int = 0
    free_bytes: int = 0
    choice: str = ""
    steps: tuple[str, ...] = ()
    gpu_missed: str = ""
    thinking: str = "none"
    weights: int = 0
    """Number of weights; 0 if unknown."""
    projector: str = ""
    """The file through which it sees or hears, where one was loaded with it."""
    sees: bool = False
    hears: bool = False
    hearing_hz: int = 0
    """Samples a second that it wants of a sound."""
    placement: tuple[Placed, ...] = ()
    """Content of each device, in the order of the layers."""
    machines_missed: tuple[str, ...] = ()
    """Addresses of requested RPC workers that didn't answer."""
    library: str = ""
    """Folder of the person's own llama.cpp, if it runs there."""

    @property
    def computers(self) -> tuple[str, ...]:
        """Addresses of RPC workers that hold parts of the model; local devices have no colon in their names."""
        # GPUs are "Vulkan0", a worker's are "192.168.0.5:50052 #1".
        return tuple(
            dict.fromkeys(placed.device.partition(" #")[0] for placed in self.placement if ":" in placed.device)
        )


@dataclass(frozen=True)
class ModelElsewhere(ModelLoaded):
    """A model that answers on a server. `host` is its name, with its port; `name` has it, too.

    `stays_here`: the server is another program on this computer. `counts_exactly`: it counts tokens itself; else they
    are estimated. `weights` are a guess where nobody said. `most_at_once`: so many requests may be on their way, where
    `sequences` is the number to begin with.
    """

    host: str = ""
    stays_here: bool = False
    counts_exactly: bool = False
    most_at_once: int = 1


@dataclass(frozen=True)
class CopyProgress:
    """Progress of copying or moving files; `name` is the current one."""

    done_bytes: int
    total_bytes: int
    name: str = ""


@dataclass(frozen=True)
class Finished:
    """Last event of an answer that is complete or was stopped; failures are raised instead."""

    stats: AnswerStats


@dataclass(frozen=True)
class Guess:
    """A candidate token: its bytes and probability. `id` -1: unknown."""

    data: bytes
    probability: float
    id: int = -1


@dataclass(frozen=True)
class TokenSeen:
    """A token, and how the model saw it before it came.

    `data` are its bytes, of a control token as it is written. `log_probability` is natural; it and `rank` (0 is the
    likeliest) are of the model itself, whatever sampling made of it. A `rank` of -1: nothing came before it, or
    nobody asked.
    """

    id: int
    data: bytes
    is_control: bool = False
    log_probability: float = 0.0
    rank: int = -1
    alternatives: tuple[Guess, ...] = ()


@dataclass(frozen=True)
class TokenChosen:
    """A token was chosen; its text follows separately, once its characters are complete."""

    token: TokenSeen


Event = TextDelta | Waiting | PromptProgress | LookProgress | LoadProgress | ModelLoaded | Finished


class Role(StrEnum):
    """Author of a message, by the names that chat templates know."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True)
class Media:
    """A picture or a sound in a turn. `id` is the SHA-256 of the file that the person gave, `path` what it became.

    A picture is there as a binary PPM (8 bits, turned upright, on white), a sound as 16-bit mono WAV: whoever reads
    them decodes nothing. `kind`: picture or sound. It stands before the character `at` of the turn's text.
    """

    id: str
    path: str
    kind: str = "picture"
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    at: int = 0
    most_tokens: int = 0
    """Limit of its tokens; 0 uses the model's own choice."""


@dataclass(frozen=True)
class FunctionCall:
    """A call of a function that another program lends to a model; `arguments` are JSON."""

    id: str
    name: str
    arguments: str = "{}"


@dataclass(frozen=True)
class Message:
    """A message as models see it; `media` in the order of the text."""

    role: Role
    text: str
    media: tuple[Media, ...] = ()
    calls: tuple[FunctionCall, ...] = ()
    """Function calls that follow an answer's text."""
    result_of: FunctionCall | None = None
    """The call whose result the text is; a user's turn for models that know no other."""


class CancelToken:
    """Set once, from any thread; read by the loop that owns the work."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the work to end; it does so with a last event, not an exception."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()


class LinkedToken(CancelToken):
    """Token that is also cancelled when any of its parents is."""

    def __init__(self, *others: CancelToken) -> None:
        super().__init__()
        self._others = others

    @property
    def cancelled(self) -> bool:
        # Asked, not told: a parent need not know its children.
        return super().cancelled or any(other.cancelled for other in self._others)
