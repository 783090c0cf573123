"""The wire between the program and its engine child; see `app.core.wire`.

The child answers each request with replies that carry the request's `id`, the last of which is `Done`, `Failed` or
another reply marked *last* below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from app.core.errors import AppError, MachineUnusable
from app.core.events import AnswerStats, Guess, Media, Message, ModelLoaded, TokenSeen
from app.core.wire import Wire

VERSION = 13


# What is wanted of a model and of an answer: values that go from whoever decides to the library that does it.


@dataclass(frozen=True)
class Wish:
    """How a model is to be loaded; 0, -1 and empty values leave it open."""

    context_tokens: int = 0
    kv_type: str = ""
    """f16 or q8_0: how the context's memory is stored."""
    gpu_layers: int = -1
    experts_on_cpu: bool = False
    """For mixtures of experts: the experts' tensors stay in main memory, the rest may go to the GPU."""
    threads: int = 0
    devices: tuple[str, ...] = ()
    """Names as in `Device.name`; "CPU" alone keeps everything off the GPU."""
    tensor_split: tuple[float, ...] = ()
    """Shares of the model for each of `devices`."""
    projector: str = ""
    """Path of the file that lets the model see or hear; empty: it only reads."""
    projector_on_cpu: bool = False
    """Pictures are looked at by the processor, which leaves the GPU's memory to the model."""

    @property
    def is_open(self) -> bool:
        """True if nothing was asked for that decides about memory."""
        return not self.context_tokens and not self.kv_type and self.gpu_layers < 0


OPEN = Wish()


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen; None leaves it to the file, the family or the library."""

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    dry_multiplier: float | None = None
    """DRY ("don't repeat yourself"); 0 is off."""
    seed: int | None = None


@dataclass(frozen=True)
class CallSyntax:
    """How a model has been taught to call functions: the texts around a function's name and its arguments.

    A call is `opening`, the name, `between`, the arguments, `closing`; the next one begins with `joiner` in place of
    closing and opening (empty: there is only one). Arguments are a JSON object, or, with `key_closing`, one by one:
    `key_opening`, the name, `key_closing`, the value and `value_closing`, with `separator` between two of them. Values
    are JSON, but a text is as it is where `value_closing` ends it, or `quote` stands before and behind it. A NUL stands
    where the model names the call. `begins` is with what a call is known to begin, `marks` are control tokens in all of
    these.
    """

    opening: str
    between: str
    closing: str
    joiner: str = ""
    key_opening: str = ""
    key_closing: str = ""
    value_closing: str = ""
    begins: str = ""
    marks: tuple[str, ...] = ()
    separator: str = ""
    quote: str = ""


@dataclass(frozen=True)
class Calling:
    """Functions that an answer may call. `functions` are names, each with the JSON schema of its arguments as text."""

    syntax: CallSyntax
    functions: tuple[tuple[str, str], ...]
    must_call: bool = False
    several: bool = True


@dataclass(frozen=True)
class Ask:
    """One answer that is wanted. With `continue_last`, go on writing the last (assistant) message. Without a message
    there is no template: the model goes on with `text` itself, and with `suffix` writes what is to stand between.

    Several run at once. A `background` one waits while an interactive one reads or writes.
    """

    messages: Sequence[Message]
    max_tokens: int = -1
    """Of the answer; -1 is as much as the context allows."""
    sampling: Sampling = field(default_factory=Sampling)
    task_sampling: Sampling = field(default_factory=Sampling)
    """A task's preset, which `sampling` goes before."""
    stop: Sequence[str] = ()
    continue_last: bool = False
    template_variables: Mapping[str, object] = field(default_factory=dict)
    session: str = ""
    """Names a chat or a document; what was read for it is kept on disk when something else takes its place."""
    shared: str = ""
    """Names what several sessions begin with, `shared_characters` of the first message; kept by itself, too."""
    shared_characters: int = 0
    background: bool = False
    modest: bool = False
    """One in the background for which nothing leaves the memory: without room beside the chats that are in there it
    ends at once, as with a full context."""
    thinking_budget: int = -1
    """Tokens of thinking before it is closed; -1 is no limit."""
    grammar: str = ""
    """GBNF that the answer (not the thinking) follows."""
    json_schema: str = ""
    """A JSON schema as text. Beside a grammar it is that grammar's rule `schema`."""
    text: str = ""
    suffix: str = ""
    tokens: tuple[int, ...] = ()
    """Of this model, in the place of `text`, exactly as they are."""
    logit_bias: tuple[tuple[int, float], ...] = ()
    """What is added to the logits of tokens, by their ids."""
    alternatives: int = -1
    """How many likeliest tokens are told for each one that is written (`Chosen`); -1 tells nothing."""
    forced: tuple[int, ...] = ()
    """Tokens that the answer begins or goes on with, whatever the model holds likely; then it is the model's turn."""
    calling: Calling | None = None
    """Functions that may be called in the way of the model's template, instead of a grammar. Beside it, `json_schema`
    is what the answer follows that is no call."""
    tells_last: bool = False
    """The last (assistant) message is told token by token, as if it were written again; nothing is written after it."""
    together_s: float = 0.0
    """Text that follows other text within that time is told with the next: each telling wakes three processes."""
    is_outside: bool = False
    """Another program wants it: somebody waits, but a person who chats here goes first."""
    stop_on_repetition: bool = False
    """An answer that says the same again and again ends, unless the last question wants that."""

    @property
    def turns(self) -> list[tuple[str, str]]:
        """Pairs of role and text, as templates take them."""
        return turns_of(self.messages)


def turns_of(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Pairs of role and text."""
    return [(message.role.value, message.text) for message in messages]


# Requests: parent to child.


@dataclass(frozen=True)
class LoadModel:
    """Load this file, replacing the loaded one.

    Running background answers end with `ModelReplaced`; the interactive one is waited for.
    """

    id: int
    path: str
    wish: Wish = field(default_factory=Wish)
    states_folder: str = ""
    """Where states of sessions are kept; empty keeps none."""
    states_budget_bytes: int = 0
    machines: tuple[str, ...] = ()
    """Addresses of other computers that lend their memory: used where `Wish.devices` names them, or where the model
    does not fit here otherwise."""


@dataclass(frozen=True)
class UnloadModel:
    """Free the model; answered by `Done`."""

    id: int


@dataclass(frozen=True)
class Generate:
    """Answer a conversation."""

    id: int
    ask: Ask


@dataclass(frozen=True)
class CountTokens:
    """How many tokens would this conversation's prompt take; answered by `TokensCounted`."""

    id: int
    messages: Sequence[Message]
    template_variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class CountTexts:
    """How many tokens each text takes by itself; answered by `TextsCounted`."""

    id: int
    texts: tuple[str, ...]


@dataclass(frozen=True)
class CountMedia:
    """How much of a prompt each picture or sound would take; answered by `MediaCounted`. No file is read for it."""

    id: int
    media: tuple[Media, ...]


@dataclass(frozen=True)
class Embed:
    """Turns each text into a vector, with a model that was made for it; answered by `Embedded`, after all `Vectors`."""

    id: int
    texts: tuple[str, ...]


@dataclass(frozen=True)
class ClassifyTokens:
    """Tells for each token of a text whether a source supports it; answered by `TokensClassified`.

    `source` is the whole prompt that the text answers, as the model was trained with it.
    """

    id: int
    source: str
    text: str


@dataclass(frozen=True)
class FindCallSyntax:
    """How the model calls functions; answered by `CallSyntaxFound`."""

    id: int


@dataclass(frozen=True)
class ForgetSession:
    """Drop what is kept in memory of a session, so that it is not saved; answered by `Done`."""

    id: int
    session: str


@dataclass(frozen=True)
class DescribeDevices:
    """Which devices and backends really exist, here and on other computers; answered by `DevicesDescribed`."""

    id: int
    machines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inspect:
    """Look into the model while it reads `text`, `tokens` as they are, or the prompt that `messages` make; answered by
    `Inspected`.

    `what`: tokens, probabilities, attention or layers. Probabilities and layers come in pieces, of which each begins
    with the token `start`; `most` is how many likeliest ones are told for each. Tokens are read by nobody, so this does
    not wait for the model.
    """

    id: int
    what: str
    text: str = ""
    messages: Sequence[Message] = ()
    start: int = 0
    most: int = 8
    template_variables: Mapping[str, object] = field(default_factory=dict)
    tokens: tuple[int, ...] = ()
    parses_special: bool = False
    """Control tokens that are written out in the text are those tokens."""
    adds_special: bool = False
    """With what the model wants before and after all of a text."""


@dataclass(frozen=True)
class Cancel:
    """Stop request `target`; the target itself answers (`Done` with finish reason cancelled)."""

    id: int
    target: int


# Replies: child to parent.


@dataclass(frozen=True)
class Loading:
    """Progress of `LoadModel`, 0 to 1. `step` names a step of the ladder that is tried after a failure:

    fewer_layers, smaller_context, cpu; empty for the first try. "projector": the model is in, its eyes are next.
    """

    id: int
    fraction: float
    step: str = ""


@dataclass(frozen=True)
class Loaded:
    """*Last* reply to `LoadModel`."""

    id: int
    model: ModelLoaded


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
class Looking:
    """How far picture or sound `number` of `total`, from 1, has been encoded; `fraction` is of this one, 0 to 1."""

    id: int
    number: int
    total: int
    fraction: float


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
class Chosen:
    """The answer goes on with this token, where `Ask.alternatives` wanted to know."""

    id: int
    token: TokenSeen


@dataclass(frozen=True)
class Answered:
    """*Last* reply to `Generate`."""

    id: int
    stats: AnswerStats


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
class MediaCount:
    """What one picture or sound takes: all its tokens, with those that the model wants written around it.

    `tiles` are the pieces that are encoded one by one, `width` and `height` the size at which it is looked at, 0 where
    nobody says. `seconds` is how long that takes at least, by what it took before; 0 before anything was looked at.
    """

    tokens: int
    positions: int
    tiles: int
    width: int = 0
    height: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class MediaCounted:
    """*Last* reply to `CountMedia`, in its order. One of 0 tokens cannot be shown to this model."""

    id: int
    counts: tuple[MediaCount, ...]


@dataclass(frozen=True)
class CallSyntaxFound:
    """*Last* reply to `FindCallSyntax`; None where its template has no way of calling that is understood."""

    id: int
    syntax: CallSyntax | None = None


@dataclass(frozen=True)
class Vectors:
    """The vectors of the next texts, one after the other, as float32 numbers in the machine's order."""

    id: int
    numbers: bytes


@dataclass(frozen=True)
class Embedded:
    """*Last* reply to `Embed`. Each vector has `width` numbers and the length 1."""

    id: int
    width: int
    prompt_tokens: int


@dataclass(frozen=True)
class TokensClassified:
    """*Last* reply to `ClassifyTokens`: where each token of the text begins and ends, in characters.

    `logits` are `labels` float32 numbers for each token, in the machine's order; the last label is "not supported".
    """

    id: int
    labels: int
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    logits: bytes


MACHINE = "machine"


@dataclass(frozen=True)
class Device:
    """One device that exists. `type`: cpu, gpu, igpu, accel, machine (another computer's, by its address) or other.
    Bytes are 0 when unknown.
    """

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
    missed: tuple[MachineUnusable, ...] = ()
    """Computers that were asked for and are of no use now."""


@dataclass(frozen=True)
class Attended:
    """The attention of one layer, as float32 numbers in the machine's order; `Inspected` then says of which.

    A layer at a time, since all of a long text's would be more than a line may have.
    """

    id: int
    shares: bytes


@dataclass(frozen=True)
class Inspected:
    """*Last* reply to `Inspect`. `total` is how many tokens the whole text has, `tokens` those from `start` on.

    `shape` is that of the attention: [layer, head, token that looks, token looked at]. `layers` are the likeliest
    tokens by [layer, token that was read].
    """

    id: int
    total: int
    tokens: tuple[TokenSeen, ...] = ()
    shape: tuple[int, ...] = ()
    layer_numbers: tuple[int, ...] = ()
    """Which layers of the model those are: in some, not all have attention."""
    layers: tuple[tuple[tuple[Guess, ...], ...], ...] = ()


@dataclass(frozen=True)
class Done:
    """*Last* reply where there is nothing more to say."""

    id: int


@dataclass(frozen=True)
class Failed:
    """*Last* reply: it ended with a situation."""

    id: int
    error: AppError


Request = (
    LoadModel
    | UnloadModel
    | Generate
    | CountTokens
    | CountTexts
    | CountMedia
    | Embed
    | ClassifyTokens
    | FindCallSyntax
    | Inspect
    | ForgetSession
    | DescribeDevices
    | Cancel
)
Reply = (
    Loading
    | Loaded
    | Waiting
    | Reading
    | Looking
    | Delta
    | Chosen
    | Answered
    | TokensCounted
    | TextsCounted
    | MediaCounted
    | Vectors
    | Embedded
    | TokensClassified
    | CallSyntaxFound
    | Attended
    | Inspected
    | DevicesDescribed
    | Done
    | Failed
)
LAST_REPLIES = (
    Loaded,
    Answered,
    TokensCounted,
    TextsCounted,
    MediaCounted,
    Embedded,
    TokensClassified,
    CallSyntaxFound,
    Inspected,
    DevicesDescribed,
    Done,
    Failed,
)

WIRE = Wire(VERSION, get_args(Request), get_args(Reply))
