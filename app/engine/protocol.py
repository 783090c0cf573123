"""The wire between the program and its engine child: one JSON object a line, UTF-8.

The child speaks first: a `Greeting` with the protocol's version. Then the parent sends requests
(imperatives) and the child answers each with replies carrying the request's `id`, the last of
which is `Done`, `Failed` or another reply marked *last* below. Unknown keys are ignored, so that a newer side
may add them; an unknown type or a missing key is a `ProtocolViolation`.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import ProtocolViolation

PROTOCOL_VERSION = 1


# Requests: parent to child.


@dataclass(frozen=True)
class LoadModel:
    """Load this file, replacing the loaded one. 0 and -1 let the child choose."""

    id: int
    path: str
    context_tokens: int = 0
    gpu_layers: int = -1
    threads: int = 0


@dataclass(frozen=True)
class UnloadModel:
    """Free the model; answered by `Done`."""

    id: int


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen; None leaves it to the file, the family or the library."""

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Generate:
    """Answer a conversation. With `continue_last`, go on writing the last (assistant) message."""

    id: int
    messages: tuple[tuple[str, str], ...]
    """Pairs of role and text."""
    max_tokens: int = 2048
    sampling: Sampling = field(default_factory=Sampling)
    stop: tuple[str, ...] = ()
    continue_last: bool = False
    template_variables: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CountTokens:
    """How many tokens would this conversation's prompt take; answered by `TokensCounted`."""

    id: int
    messages: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DescribeDevices:
    """Which devices and backends really exist; answered by `DevicesDescribed`."""

    id: int


@dataclass(frozen=True)
class Cancel:
    """Stop request `target`; the target itself answers (`Done` with finish reason cancelled)."""

    id: int
    target: int


# Replies: child to parent.


@dataclass(frozen=True)
class Greeting:
    """The child's first line."""

    protocol: int
    version: str
    pid: int
    backend: str
    """"llama" or "scripted"."""


@dataclass(frozen=True)
class Loading:
    """Progress of `LoadModel`, 0 to 1."""

    id: int
    fraction: float


@dataclass(frozen=True)
class Loaded:
    """*Last* reply to `LoadModel`; fields as in `app.core.events.ModelLoaded`."""

    id: int
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
class Reading:
    """Progress of the prompt, in tokens."""

    id: int
    done_tokens: int
    total_tokens: int


@dataclass(frozen=True)
class Delta:
    """New text: whole characters only."""

    id: int
    text: str


@dataclass(frozen=True)
class Answered:
    """*Last* reply to `Generate`; fields as in `app.core.events.AnswerStats`."""

    id: int
    prompt_tokens: int
    reused_tokens: int
    generated_tokens: int
    time_to_first_token_s: float
    tokens_per_s: float
    finish_reason: str


@dataclass(frozen=True)
class TokensCounted:
    """*Last* reply to `CountTokens`."""

    id: int
    prompt_tokens: int


@dataclass(frozen=True)
class Device:
    """One device that exists. `type`: cpu, gpu, igpu, accel or other. Bytes are 0 when unknown."""

    name: str
    description: str
    type: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class DevicesDescribed:
    """*Last* reply to `DescribeDevices`."""

    id: int
    llama_cpp: str
    devices: tuple[Device, ...]
    backends: tuple[str, ...]
    threads: int


@dataclass(frozen=True)
class Done:
    """*Last* reply where there is nothing more to say."""

    id: int


@dataclass(frozen=True)
class Failed:
    """*Last* reply: a situation of `app.core.errors` by name and fields."""

    id: int
    error: str
    fields: dict[str, Any] = field(default_factory=dict)


Request = LoadModel | UnloadModel | Generate | CountTokens | DescribeDevices | Cancel
Reply = Greeting | Loading | Loaded | Reading | Delta | Answered | TokensCounted | DevicesDescribed | Done | Failed
LAST_REPLIES = (Loaded, Answered, TokensCounted, DevicesDescribed, Done, Failed)

_TYPES: dict[str, type] = {
    cls.__name__: cls
    for cls in (LoadModel, UnloadModel, Generate, CountTokens, DescribeDevices, Cancel)
    + (Greeting, Loading, Loaded, Reading, Delta, Answered, TokensCounted, DevicesDescribed, Done, Failed)
}
_NESTED: dict[tuple[type, str], type] = {(Generate, "sampling"): Sampling}
_NESTED_LISTS: dict[tuple[type, str], type] = {(DevicesDescribed, "devices"): Device}


def to_line(message: Request | Reply) -> bytes:
    """One line, newline included. Text is escaped to ASCII, so that lone surrogates survive too."""
    body = {"type": type(message).__name__} | _plain(message)
    return json.dumps(body, separators=(",", ":")).encode("ascii") + b"\n"


def from_line(line: bytes) -> Request | Reply:
    """The message on one line; raises `ProtocolViolation` for anything else."""
    try:
        body = json.loads(line)
        cls = _TYPES[body.pop("type")]
        return _build(cls, body)  # type: ignore[no-any-return]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ProtocolViolation(f"{type(error).__name__} in {line[:200]!r}") from error


def _plain(message: Any) -> dict[str, Any]:
    """Fields one level deep; nested dataclasses as objects (`dataclasses.asdict` copies deeply and is slow)."""
    return {
        name: _plain(value)
        if dataclasses.is_dataclass(value)
        else [_plain(v) if dataclasses.is_dataclass(v) else v for v in value]
        if isinstance(value, tuple)
        else value
        for name, value in vars(message).items()
    }


def _build(cls: type, body: dict[str, Any]) -> Any:
    known = {f.name for f in dataclasses.fields(cls)}
    return cls(**{name: _field(cls, name, value) for name, value in body.items() if name in known})


def _field(cls: type, name: str, value: Any) -> Any:
    """A JSON value in the type its field has: objects as dataclasses, lists as tuples."""
    if (cls, name) in _NESTED:
        return _build(_NESTED[cls, name], value)
    if (cls, name) in _NESTED_LISTS:
        return tuple(_build(_NESTED_LISTS[cls, name], item) for item in value)
    if isinstance(value, list):
        return tuple(tuple(item) if isinstance(item, list) else item for item in value)
    return value
