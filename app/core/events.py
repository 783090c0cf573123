"""What long work yields: frozen values, in the past tense, without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FinishReason(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    """The model ended its turn, or a stop string was met."""
    LENGTH = "length"
    """The asked-for number of tokens was reached."""
    CANCELLED = "cancelled"
    """The person pressed Stop."""
    CONTEXT = "context"
    """The model's context is full."""


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


@dataclass(frozen=True)
class TextDelta:
    """New text of an answer: always whole characters."""

    text: str


@dataclass(frozen=True)
class PromptProgress:
    """How far the prompt has been read, in tokens; `total_tokens` includes the re-used ones."""

    done_tokens: int
    total_tokens: int


@dataclass(frozen=True)
class LoadProgress:
    """How far a model has been loaded, 0 to 1."""

    fraction: float


@dataclass(frozen=True)
class ModelLoaded:
    """A model is ready. `context_tokens` is the size in use, `trained_context_tokens` the model's own."""

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


@dataclass(frozen=True)
class Finished:
    """An answer is complete (or stopped)."""

    stats: AnswerStats


Event = TextDelta | PromptProgress | LoadProgress | ModelLoaded | Finished
