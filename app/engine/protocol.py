"""The wire between the program and its engine child; see `app.core.wire`.

The child answers each request with replies that carry the request's `id`, the last of which is `Done`, `Failed` or
another reply marked *last* below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from app.core.errors.app_error import AppError
from app.core.errors.engine_errors import MachineUnusable
from app.core.events import (
    Finished,
    Guess,
    LoadProgress,
    LookProgress,
    Media,
    Message,
    ModelLoaded,
    PromptProgress,
    TextDelta,
    TokenChosen,
    TokenSeen,
    TuningProgress,
    Waiting,
)
from app.core.lazy_dataclasses import dataclass, field
from app.core.wire import Caged, EventReply, Wire
from app.engine.tuning import TUNING_BUDGET_S, ModelTuning

VERSION = 19


@dataclass(frozen=True)
class Wish:
    """Load options of a model. 0, -1 and empty values leave the choice to the planner."""

    context_tokens: int = 0
    kv_type: str = ""
    """f16 or q8_0: how the context's memory is stored."""
    gpu_layers: int = -1
    experts_on_cpu: bool = False
    """Keep the experts' tensors of a mixture in main memory; the rest may go to the GPU."""
    threads: int = 0
    devices: tuple[str, ...] = ()
    """Names as in `Device.name`; "CPU" alone keeps everything off the GPU."""
    tensor_split: tuple[float, ...] = ()
    """Shares of the model for each of `devices`."""
    projector: str = ""
    """Path of the file that lets the model see or hear; empty: it only reads."""
    projector_on_cpu: bool = False
    """Pictures are looked at by the processor, which leaves the GPU's memory to the model."""
    drafts: bool = True
    """Words guessed from the prompt are checked together where that is measured to be faster."""

    @property
    def is_open(self) -> bool:
        """True if nothing was asked for that decides about memory."""
        return not self.context_tokens and not self.kv_type and self.gpu_layers < 0


OPEN = Wish()


@dataclass(frozen=True)
class Sampling:
    """Sampling parameters. None leaves a value to the file, the model's family or the library."""

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


MOST_CALLS = 8
"""Tool calls of one answer: a small model would otherwise never stop calling."""


@dataclass(frozen=True)
class CallSyntax:
    """Function-call syntax of a model's template: the texts around a function's name and its arguments.

    A call is `opening`, the name, `between`, the arguments, `closing`; the next one begins with `joiner` in place of
    closing and opening (empty: only one call). Arguments are a JSON object, or, with `key_closing`, one by one:
    `key_opening`, the name, `key_closing`, the value and `value_closing`, with `separator` between two of them. Values
    are JSON, but text is unquoted where `value_closing` ends it, or wrapped in `quote`. A NUL marks the place of the
    model's call id. `begins` is the text that identifies the start of a call, `marks` are the control tokens in all of
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
    """Functions that an answer may call. `functions` are names, each with the JSON schema of its arguments as text.

    With `must_call` the answer is calls from its first token, or the sentence `escape` where there is one.
    """

    syntax: CallSyntax
    functions: tuple[tuple[str, str], ...]
    must_call: bool = False
    several: bool = True
    escape: str = ""


@dataclass(frozen=True)
class Ask:
    """Request for one answer. With `continue_last`, continue the last (assistant) message.

    Without messages no template is used: the model continues `text`, or with `suffix` fills in between. Several
    requests run at once; a `background` one waits while an interactive one reads or writes.
    """

    messages: Sequence[Message]
    max_tokens: int = -1
    """Limit of the answer's tokens; -1 for as many as the context allows."""
    sampling: Sampling = field(default_factory=Sampling)
    task_sampling: Sampling = field(default_factory=Sampling)
    """A task's preset, which `sampling` goes before."""
    stop: Sequence[str] = ()
    continue_last: bool = False
    template_variables: Mapping[str, object] = field(default_factory=dict)
    session: str = ""
    """Name of a chat or document whose KV cache is saved to disk when it is evicted."""
    shared: str = ""
    """Names what several sessions begin with, `shared_characters` of the first message; kept by itself, too."""
    shared_characters: int = 0
    made_of: tuple[str, ...] = ()
    """Names of texts from elsewhere in the prompt, as "memory-3": saved states of it go when one is purged."""
    # Jobs pause while somebody waits for an answer.
    background: bool = False
    modest: bool = False
    """Background request that evicts nothing. Without free room it ends at once, as with a full context."""
    thinking_budget: int = -1
    """Tokens of thinking before it is closed; -1 is no limit."""
    grammar: str = ""
    """GBNF that the answer (not the thinking) follows."""
    json_schema: str = ""
    """JSON schema as text. With a grammar, it becomes that grammar's rule `schema`."""
    text: str = ""
    suffix: str = ""
    tokens: tuple[int, ...] = ()
    """Token ids of this model, used in place of `text`."""
    logit_bias: tuple[tuple[int, float], ...] = ()
    """(token id, value added to its logit) pairs."""
    alternatives: int = -1
    """Number of likeliest tokens to report for each written one (`TokenChosen`); -1 reports none."""
    forced: tuple[int, ...] = ()
    """Tokens that the answer starts with whatever their probability; the model continues after them."""
    calling: Calling | None = None
    """Functions the model may call in its template's syntax, used in place of a grammar. `json_schema` then applies to
    answers that aren't calls.
    """
    tells_last: bool = False
    """Replay the last (assistant) message token by token as if it were written; nothing is written after it."""
    together_s: float = 0.0
    """Seconds within which text is coalesced into one event, since each event wakes three processes."""
    is_outside: bool = False
    """True for API clients: interactive, but yielding to the local user."""
    stop_on_repetition: bool = False
    """An answer that says the same again and again ends, unless the last question wants that."""

    @property
    def turns(self) -> list[tuple[str, str]]:
        """Pairs of role and text, as templates take them."""
        return turns_of(self.messages)


def turns_of(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Return the (role, text) pairs of messages, without their pictures and sounds."""
    return [(message.role.value, message.text) for message in messages]


@dataclass(frozen=True)
class LoadModel:
    """Load a file in place of the loaded one.

    Running background answers end with `ModelReplaced`; an interactive one is finished first.
    """

    id: int
    path: str
    wish: Wish = field(default_factory=Wish)
    states_folder: str = ""
    """Folder for saved session states; empty to save none."""
    states_budget_bytes: int = 0
    machines: tuple[str, ...] = ()
    """Addresses of other computers that lend their memory: used where `Wish.devices` names them, or where the model
    does not fit here otherwise."""
    folders: tuple[str, ...] = ()
    """Folders that the child may read besides the files of this request; the first load decides for all later ones."""


@dataclass(frozen=True)
class UnloadModel:
    """Free the model; its sessions are saved first. Answered by `Done`."""

    id: int


@dataclass(frozen=True)
class Generate:
    """Answer a conversation; answered by `TextDelta` and other events, then `Finished`."""

    id: int
    ask: Ask


@dataclass(frozen=True)
class CountTokens:
    """Count the tokens of a conversation's prompt; answered by `TokensCounted`."""

    id: int
    messages: Sequence[Message]
    template_variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class CountTexts:
    """Count the tokens of each text; answered by `TextsCounted`."""

    id: int
    texts: tuple[str, ...]


@dataclass(frozen=True)
class CountMedia:
    """Count the tokens each image or sound would take; answered by `MediaCounted`. Reads no file."""

    id: int
    media: tuple[Media, ...]


@dataclass(frozen=True)
class Embed:
    """Turns each text into a vector, with a model that was made for it; answered by `Embedded`, after all `Vectors`."""

    id: int
    texts: tuple[str, ...]


@dataclass(frozen=True)
class ClassifyTokens:
    """Label each token of a text by whether a source supports it; answered by `TokensClassified`.

    `source` is the whole prompt that the text answers, in the form the model was trained on.
    """

    id: int
    source: str
    text: str


@dataclass(frozen=True)
class FindCallSyntax:
    """Ask for the model's function-call syntax; answered by `CallSyntaxFound`."""

    id: int


@dataclass(frozen=True)
class ForgetSession:
    """Drop what is kept in memory of a session, so that it is not saved; answered by `Done`."""

    id: int
    session: str


@dataclass(frozen=True)
class ForgetTexts:
    """Drop what is kept in memory of texts with these names (`Ask.made_of`) and of sessions; answered by `Done`.

    With it goes whatever belongs to no session, as temporary chats: that does not tell what it was made of.
    """

    id: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class DescribeDevices:
    """Which devices and backends really exist, here and on other computers; answered by `DevicesDescribed`."""

    id: int
    machines: tuple[str, ...] = ()


@dataclass(frozen=True)
class TuneModel:
    """Measure how the loaded model runs fastest here, for about `budget_s`; answered by `TuningFound`.

    Any other request ends it at once, and `Done` is then the answer.
    """

    id: int
    budget_s: float = TUNING_BUDGET_S
    only_new: bool = False
    """Answer with what was measured earlier for this model, these devices and this build, if anything was."""


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
    """Parse control tokens written out in the text as those tokens."""
    adds_special: bool = False
    """With what the model wants before and after all of a text."""


@dataclass(frozen=True)
class Cancel:
    """Stop request `target`; the target itself answers (`Done` with finish reason cancelled)."""

    id: int
    target: int


@dataclass(frozen=True)
class Loaded:
    """*Last* reply to `LoadModel`, with how the model was loaded: plan, device, what it can do."""

    id: int
    model: ModelLoaded


@dataclass(frozen=True)
class TokensCounted:
    """*Last* reply to `CountTokens`, counting the whole prompt with its template."""

    id: int
    prompt_tokens: int


@dataclass(frozen=True)
class TextsCounted:
    """*Last* reply to `CountTexts`, in the order of its texts."""

    id: int
    counts: tuple[int, ...]


@dataclass(frozen=True)
class MediaCount:
    """Size of one image or sound in the prompt, including the tokens the model wants around it.

    `tiles` are the parts encoded one by one; `width` and `height` the size it is encoded at, 0 if unknown. `seconds` is
    the least time that takes by earlier measurements; 0 without any.
    """

    tokens: int
    positions: int
    tiles: int
    width: int = 0
    height: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class MediaCounted:
    """*Last* reply to `CountMedia`, in the order of its media. 0 tokens mean that the model can't take it."""

    id: int
    counts: tuple[MediaCount, ...]


@dataclass(frozen=True)
class CallSyntaxFound:
    """*Last* reply to `FindCallSyntax`; None if the template has no function-call syntax we understand."""

    id: int
    syntax: CallSyntax | None = None


@dataclass(frozen=True)
class TuningFound:
    """*Last* reply to `TuneModel`, with what was found; it is kept already."""

    id: int
    tuning: ModelTuning


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
    """A device found. `type`: cpu, gpu, igpu, accel, machine (another computer, named by its address) or other. Bytes
    are 0 if unknown.
    """

    name: str
    description: str
    type: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class DevicesDescribed:
    """*Last* reply to `DescribeDevices`, with the library's build and threads."""

    id: int
    llama_cpp: str
    devices: tuple[Device, ...]
    backends: tuple[str, ...]
    threads: int
    thread_policy: dict[str, Any] = field(default_factory=dict)
    """physical_cores, start, decode, batch, on_battery, busy_wait: facts for people, as they are now."""
    missed: tuple[MachineUnusable, ...] = ()
    """Requested RPC workers that can't be used now."""
    library: str = ""
    """Folder of the person's own llama.cpp, if that is what runs."""


@dataclass(frozen=True)
class Attended:
    """The attention of one layer, as float32 numbers in the machine's order; `Inspected` then says of which.

    A layer at a time, since all of a long text's would be more than a line may have.
    """

    id: int
    shares: bytes


@dataclass(frozen=True)
class Inspected:
    """*Last* reply to `Inspect`. `total` counts the tokens of the whole text; `tokens` are those from `start` on.

    `shape` is the attention's: [layer, head, attending token, attended token]. `layers` holds the likeliest tokens by
    [layer, input token].
    """

    id: int
    total: int
    tokens: tuple[TokenSeen, ...] = ()
    shape: tuple[int, ...] = ()
    layer_numbers: tuple[int, ...] = ()
    """Indices of the model's layers in the result: some models have attention in only some layers."""
    layers: tuple[tuple[tuple[Guess, ...], ...], ...] = ()


@dataclass(frozen=True)
class Done:
    """*Last* reply where there is nothing more to say."""

    id: int


@dataclass(frozen=True)
class Failed:
    """*Last* reply to a request that failed, with its error."""

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
    | TuneModel
    | ForgetSession
    | ForgetTexts
    | DescribeDevices
    | Cancel
)
Reply = (
    Loaded
    | TokensCounted
    | TextsCounted
    | MediaCounted
    | Vectors
    | Embedded
    | TokensClassified
    | CallSyntaxFound
    | Attended
    | Inspected
    | TuningFound
    | DevicesDescribed
    | Done
    | Failed
    | EventReply
)
LAST_REPLIES = (
    Loaded,
    TokensCounted,
    TextsCounted,
    MediaCounted,
    Embedded,
    TokensClassified,
    CallSyntaxFound,
    Inspected,
    TuningFound,
    DevicesDescribed,
    Done,
    Failed,
)

EVENTS: dict[str, type] = {
    "Loading": LoadProgress,
    "Waiting": Waiting,
    "Reading": PromptProgress,
    "Looking": LookProgress,
    "Tuning": TuningProgress,
    "Delta": TextDelta,
    "Chosen": TokenChosen,
    "Answered": Finished,
}
"""Events by their names on the wire; `Finished` is the *last* reply to `Generate`."""


def is_last(reply: object) -> bool:
    """Return whether a reply is the last one that its request gets."""
    return isinstance(reply, LAST_REPLIES) or (isinstance(reply, EventReply) and isinstance(reply.event, Finished))


_REPLIES = [reply for reply in get_args(Reply) if reply is not EventReply]
WIRE = Wire(VERSION, get_args(Request), [Caged, *_REPLIES], EVENTS)
