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
from typing import Any, get_args

from app.core.errors import ProtocolViolation

PROTOCOL_VERSION = 3


# Requests: parent to child.


@dataclass(frozen=True)
class LoadModel:
    """Load this file, replacing the loaded one. 0, -1 and empty values let the child choose.

    Running background answers end with `ModelReplaced`; the interactive one is waited for.
    """

    id: int
    path: str
    context_tokens: int = 0
    gpu_layers: int = -1
    threads: int = 0
    kv_type: str = ""
    """f16 or q8_0: how the context's memory is stored."""
    devices: tuple[str, ...] = ()
    """Names as in `Device.name`; "CPU" alone keeps everything off the GPU."""
    tensor_split: tuple[float, ...] = ()
    """Shares of the model for each of `devices`."""
    experts_on_cpu: bool = False
    """For mixtures of experts: the experts' tensors stay in main memory, the rest may go to the GPU."""
    states_folder: str = ""
    """Where states of sessions are kept; empty keeps none."""
    states_budget_bytes: int = 0


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
    presence_penalty: float | None = None
    dry_multiplier: float | None = None
    """DRY ("don't repeat yourself"); 0 is off."""
    seed: int | None = None


@dataclass(frozen=True)
class Generate:
    """Answer a conversation. With `continue_last`, go on writing the last (assistant) message.

    Several run at once. A `background` one waits while an interactive one reads or writes.
    """

    id: int
    messages: tuple[tuple[str, str], ...]
    """Pairs of role and text."""
    max_tokens: int = -1
    """Of the answer; -1 is as much as the context allows."""
    sampling: Sampling = field(default_factory=Sampling)
    stop: tuple[str, ...] = ()
    continue_last: bool = False
    template_variables: dict[str, Any] = field(default_factory=dict)
    task_sampling: Sampling = field(default_factory=Sampling)
    """A task's preset, which `sampling` goes before."""
    session: str = ""
    """Names a chat or a document; what was read for it is kept on disk when something else takes its place."""
    background: bool = False
    thinking_budget: int = -1
    """Tokens of thinking before it is closed; -1 is no limit."""
    grammar: str = ""
    """GBNF that the answer (not the thinking) follows."""
    json_schema: str = ""
    """A JSON schema as text, instead of a grammar."""


@dataclass(frozen=True)
class CountTokens:
    """How many tokens would this conversation's prompt take; answered by `TokensCounted`."""

    id: int
    messages: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CountTexts:
    """How many tokens each text takes by itself; answered by `TextsCounted`."""

    id: int
    texts: tuple[str, ...]


@dataclass(frozen=True)
class ForgetSession:
    """Drop what is kept in memory of a session, so that it is not saved; answered by `Done`."""

    id: int
    session: str


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
    """Progress of `LoadModel`, 0 to 1. `step` names a step of the ladder that is tried after a failure:

    fewer_layers, smaller_context, cpu; empty for the first try.
    """

    id: int
    fraction: float
    step: str = ""


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
    kv_type: str = "f16"
    sequences: int = 1
    needed_bytes: int = 0
    free_bytes: int = 0
    choice: str = ""
    steps: tuple[str, ...] = ()
    gpu_missed: str = ""
    thinking: str = "none"


@dataclass(frozen=True)
class Waiting:
    """A background answer rests; `reason` is "interactive" (somebody is being answered) or "room" (memory)."""

    id: int
    reason: str


@dataclass(frozen=True)
class Reading:
    """Progress of the prompt, in tokens."""

    id: int
    done_tokens: int
    total_tokens: int


@dataclass(frozen=True)
class Delta:
    """New text: whole characters only. `thinking` tells reasoning from answer.

    `used_tokens` is what the context holds with it; 0 where nobody said.
    """

    id: int
    text: str
    thinking: bool = False
    used_tokens: int = field(default=0, compare=False)


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
    thinking_tokens: int = 0


@dataclass(frozen=True)
class TokensCounted:
    """*Last* reply to `CountTokens`."""

    id: int
    prompt_tokens: int


@dataclass(frozen=True)
class TextsCounted:
    """*Last* reply to `CountTexts`."""

    id: int
    counts: tuple[int, ...]


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
    thread_policy: dict[str, Any] = field(default_factory=dict)
    """physical_cores, start, decode, batch, on_battery, busy_wait: facts for people, as they are now."""


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


Request = LoadModel | UnloadModel | Generate | CountTokens | CountTexts | ForgetSession | DescribeDevices | Cancel
Reply = (
    Greeting
    | Loading
    | Loaded
    | Waiting
    | Reading
    | Delta
    | Answered
    | TokensCounted
    | TextsCounted
    | DevicesDescribed
    | Done
    | Failed
)
LAST_REPLIES = (Loaded, Answered, TokensCounted, TextsCounted, DevicesDescribed, Done, Failed)

_TYPES: dict[str, type] = {cls.__name__: cls for cls in (*get_args(Request), *get_args(Reply))}
_NESTED: dict[tuple[type, str], type] = {(Generate, "sampling"): Sampling, (Generate, "task_sampling"): Sampling}
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
