"""Answer API clients: list models, load the named one, and yield what it writes as events.

Nothing here knows an API: `app.server` turns requests of each into `GenerationRequest`, and events into responses.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.errors import request_errors
from app.core.errors.app_error import AppError
from app.core.errors.model_errors import ModelNotInstalled, ModelNotLoaded, NoModel
from app.core.events import (
    AnswerStats,
    CancelToken,
    Finished,
    FinishReason,
    FunctionCall,
    Message,
    ModelLoaded,
    PromptProgress,
    Role,
    TextDelta,
    TokenChosen,
    TokenSeen,
)
from app.core.gguf import GgufHeader, GgufProblem, embedding_pooling, read_beginning
from app.core.paths import runs_elsewhere
from app.engine.contract import NO_VECTORS, EmbeddingVectors, Engine
from app.engine.protocol import Ask, CallSyntax, Sampling, Wish
from app.features import tool_calls
from app.features.context_growth import GrownContext, affordable_context, context_for, limited_by
from app.features.models.model_pool import EMBEDDING_TOKENS, LeaseTerms, ModelPool
from app.features.models.pool_policy import ChatConcession, LeasePriority
from app.features.untagged_calls import CallDetector, UntaggedCallReader, WordsReader
from app.features.write_pages import GREEDY

if TYPE_CHECKING:
    from app.core.paths import AppPaths
    from app.core.settings import Settings
    from app.features.media import PassingLibrary
    from app.features.models.collection import ModelCollection
    from app.features.transcribe import RecordingTranscriber, SpokenTranscript
    from app.store.media_store import StoredMedia

SEEDS = 1 << 32
JOURNAL_S = 3600.0
MOST_IN_JOURNAL = 1000
TOGETHER_S = 0.05
"""Words that a fast model writes within that time come together: each telling takes from the processor."""
HEADER_BYTES = 256 * 1024
MOST_TOLD_CHARACTERS = 8_000
"""Longest schema, in characters, that is repeated in the instructions."""


@dataclass(frozen=True)
class ServedModel:
    """A model that can be asked for. `name` is what programs call it; `context_tokens` 0: not loaded."""

    name: str
    path: Path
    size_bytes: int = 0
    architecture: str = ""
    embeds: bool = False
    """An embedding model, which can't answer."""
    sees: bool = False
    hears: bool = False
    context_tokens: int = 0
    trained_context_tokens: int = 0
    created_at: float = 0.0

    @property
    def is_loaded(self) -> bool:
        return self.context_tokens > 0


def served_models(files: Iterable[tuple[Path, int, bool, bool]]) -> list[ServedModel]:
    """Describe models given as (path, size in bytes, sees, hears).

    Names are file stems, numbered where equal; the rest is read from the files' headers.
    """
    found: dict[str, ServedModel] = {}
    for path, size, sees, hears in files:
        name, number = path.stem, 2
        # Two files of one name in different folders: both can be asked for.
        while name.casefold() in found:
            name, number = f"{path.stem}-{number}", number + 1
        # A file that was deleted meanwhile isn't listed.
        with contextlib.suppress(OSError):
            changed_at = path.stat().st_mtime
            model = replace(_describe_file(path, changed_at), name=name, size_bytes=size, sees=sees, hears=hears)
            found[name.casefold()] = model
    return list(found.values())


@lru_cache(maxsize=1024)
def _describe_file(path: Path, changed_at: float) -> ServedModel:
    model = ServedModel(path.stem, path, created_at=changed_at)
    try:
        with path.open("rb") as file:
            # Names, architecture and context stand at a header's beginning; vocabularies behind it are megabytes.
            header = read_beginning(file.read(HEADER_BYTES))
    except (OSError, GgufProblem):
        return model
    architecture = header.metadata.get("general.architecture")
    return replace(
        model,
        architecture=architecture if isinstance(architecture, str) else "",
        embeds=embedding_pooling(header) != 0,
        trained_context_tokens=_header_number(header, "context_length"),
    )


def _header_number(header: GgufHeader, key: str) -> int:
    value = header.architecture_value(key)
    return value if isinstance(value, int) and value > 0 else 0


@dataclass(frozen=True)
class GenerationRequest:
    """Answers to a conversation, or without messages continuations of `text` or `tokens`.

    `must_call`: one of `tools` must be called. `continues`: continue the last message, an assistant's. `alternatives`
    as in `protocol.Ask`.
    """

    messages: tuple[Message, ...] = ()
    text: str = ""
    suffix: str = ""
    tokens: tuple[int, ...] = ()
    count: int = 1
    max_tokens: int = -1
    sampling: Sampling = field(default_factory=Sampling)
    logit_bias: tuple[tuple[int, float], ...] = ()
    stop: tuple[str, ...] = ()
    json_schema: str = ""
    grammar: str = ""
    """GBNF grammar, without a schema or tools."""
    continues: bool = False
    tools: tuple[tool_calls.ToolFunction, ...] = ()
    must_call: bool = False
    several_calls: bool = True
    thinks: bool | None = None
    effort: str = ""
    """Of thinking: low, medium or high."""
    thinking_budget: int = -1
    variables: Mapping[str, Any] = field(default_factory=dict)
    """More for the template."""
    alternatives: int = -1
    tells_prompt: bool = False
    """Also report the tokens of `text` (`PromptSeen`), with as many top log probabilities as the answer's."""
    stop_on_repetition: bool | None = None
    """As in `protocol.Ask`; None: only where the client sets no limit, which would end it otherwise."""
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    """The files of the messages' media, by their ids."""

    def engine_asks(self, syntax: CallSyntax | None = None) -> list[Ask]:
        """Return one engine request per answer, each with the next seed.

        `syntax` is the model's tool call syntax. Raises ValueError for a bad schema.
        """
        seed = self.sampling.seed
        grammar, schema, calling = self.grammar, self.json_schema, None
        if self.tools and self.must_call:
            schema = ""  # what has to be a call has no other form
        if self.tools and (syntax is not None or schema):
            written = syntax or tool_calls.JSON_LINES
            schema = tool_calls.inline_references(schema) if schema else ""
            calling = tool_calls.calling_of(written, self.tools, must_call=self.must_call, several=self.several_calls)
        elif self.tools:
            call = tool_calls.schema_for(self.tools)
            if self.must_call:  # elsewhere a grammar would forbid answers that begin as a call does
                grammar, schema = tool_calls.grammar_for(several=self.several_calls), call
        messages, variables = self.prompt_messages(syntax)
        ask = Ask(
            messages,
            max_tokens=self.max_tokens,
            sampling=self.sampling,
            # Temperature 0 asks for the likeliest token, without what a model's makers recommend.
            task_sampling=GREEDY if self.sampling.temperature == 0 else Sampling(),
            stop=self.stop,
            continue_last=self.continues,
            thinking_budget=self.thinking_budget,
            tokens=self.tokens,
            logit_bias=self.logit_bias,
            grammar=grammar,
            json_schema=schema,
            text=self.text,
            suffix=self.suffix,
            template_variables=variables,
            alternatives=self.alternatives,
            calling=calling,
            together_s=TOGETHER_S,
            is_outside=True,
            # A client without a limit waits for a small model's circle to the end of the context.
            stop_on_repetition=self.max_tokens < 0 if self.stop_on_repetition is None else self.stop_on_repetition,
        )
        if seed is None:
            return [ask] * self.count
        # Several answers to one prompt would be one answer several times.
        return [replace(ask, sampling=replace(ask.sampling, seed=(seed + n) % SEEDS)) for n in range(self.count)]

    def prompt_messages(self, syntax: CallSyntax | None) -> tuple[list[Message], dict[str, Any]]:
        """Return the messages and the extra template variables."""
        variables = dict(self.variables)
        if self.thinks is not None:
            # Templates call the switch by either name.
            variables |= {"enable_thinking": self.thinks, "thinking": self.thinks}
        if self.effort:
            variables["reasoning_effort"] = self.effort
        if syntax is None:
            messages = tool_calls.as_text(self.messages)
            if self.tools:
                told = tool_calls.instructions_for(self.tools, must_call=self.must_call)
                messages = _with_instructions(messages, told)
            return self._with_form(messages), variables
        if self.tools:
            variables["tools"] = tool_calls.tools_told(self.tools)
        return self._with_form(list(self.messages)), variables

    def _with_form(self, messages: list[Message]) -> list[Message]:
        """Add the answer's JSON schema to the instructions, telling it apart from the form of a call."""
        # Told in words what the form is, since models took it for the form of a call: the schema's first key may be
        # "name".
        if not (self.tools and self.json_schema) or self.must_call or len(self.json_schema) > MOST_TOLD_CHARACTERS:
            return messages
        return _with_instructions(messages, tool_calls.form_instructions(self.json_schema))

    @property
    def has_calls(self) -> bool:
        """True if the template's tool call syntax matters for this request."""
        return bool(self.tools) or any(message.calls or message.result_of for message in self.messages)


def _with_instructions(messages: Sequence[Message], text: str) -> list[Message]:
    first = messages[0] if messages else None
    # One system message: many templates take only the first.
    if first is None or first.role is not Role.SYSTEM:
        return [Message(Role.SYSTEM, text), *messages]
    return [Message(Role.SYSTEM, f"{first.text}\n\n{text}"), *messages[1:]]


@dataclass(frozen=True)
class RequestRecord:
    """A request as shown to the user, without any content. `at` in seconds since 1970."""

    at: float
    who: str
    path: str
    model: str
    status: int
    prompt_tokens: int = 0
    generated_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class RequestTotals:
    """Sums over all requests since the start."""

    requests: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    generated_tokens: int = 0
    seconds: float = 0.0
    in_progress: int = 0

    def with_request(self, asked: RequestRecord) -> RequestTotals:
        return RequestTotals(
            self.requests + 1,
            self.failed + (asked.status != 200),
            self.prompt_tokens + asked.prompt_tokens,
            self.generated_tokens + asked.generated_tokens,
            self.seconds + asked.seconds,
        )


@dataclass(frozen=True)
class PromptSeen:
    """The prompt's tokens of a completion, with the model's probabilities for each."""

    tokens: tuple[TokenSeen, ...]


AnswerEvent = (
    PromptProgress | PromptSeen | TextDelta | TokenChosen | tool_calls.CallBegins | tool_calls.CallArguments | Finished
)


class AnswerServer:
    """Answers requests with leased engines. From any thread, several at once."""

    def __init__(
        self,
        pool: ModelPool,
        installed: Callable[[], Sequence[ServedModel]],
        pictures: Callable[[], PassingLibrary] | None = None,
        hearing: Callable[[Callable[[], Engine]], RecordingTranscriber] | None = None,
        *,
        may_load: Callable[[], bool] = lambda: True,
        may_replace: bool = False,
        affords: Callable[[Engine, ModelLoaded, Wish], int] = affordable_context,
    ) -> None:
        """`pictures` makes what decodes those of one request, and forgets them; `hearing` what hears with an engine.

        `may_load`: whether other models than the chat's come when they are named; with `may_replace` in its place where
        both don't fit. `affords`: the largest context, up to the wished-for one, for which there is memory.
        """
        self.pool, self._installed, self._pictures, self._hearing = pool, installed, pictures, hearing
        self._may_load, self._may_replace, self._affords = may_load, may_replace, affords
        self._growing = threading.Lock()
        self.grown: GrownContext | None = None
        """The last time that a model was loaded again for a longer prompt."""
        self._journal: deque[RequestRecord] = deque(maxlen=MOST_IN_JOURNAL)
        self._totals, self._totals_lock = RequestTotals(), threading.Lock()
        self._running: list[tuple[str, str]] = []
        self.on_use: Callable[[], object] = lambda: None
        """Called from any thread when `users` may be others."""

    def list_models(self) -> list[ServedModel]:
        """List the models that can be requested; loaded ones with their context size."""
        loaded = {Path(model.path): model for model in self.pool.loaded}
        return [self._as_loaded(model, loaded.get(model.path)) for model in self._installed()]

    @staticmethod
    def _as_loaded(model: ServedModel, loaded: ModelLoaded | None) -> ServedModel:
        if loaded is None:
            return model
        return replace(
            model,
            sees=loaded.sees,
            hears=loaded.hears,
            context_tokens=loaded.context_tokens,
            trained_context_tokens=loaded.trained_context_tokens,
        )

    @contextmanager
    def open_engine(self, name: str, cancel: CancelToken, *, chats: bool = True) -> Iterator[Engine | None]:
        """Yield an engine with the named model, "" for the chosen one;

        None when cancelled. Raises ModelNotInstalled, NoModel, ChatUnavailable if it can't chat but must, and errors
        of `ModelPool.lease`.
        """
        path = self._path_of(name)
        if runs_elsewhere(path):  # what others send here goes nowhere else, and never in a circle
            raise ModelNotLoaded(name or path.stem)
        with self._lease(path, cancel) as engine:
            # Cancelled while loading.
            loaded = engine.loaded if engine is not None else None
            if loaded is not None and chats and not loaded.can_chat:
                raise request_errors.ChatUnavailable(loaded.path)
            yield engine

    def _lease(self, path: Path, cancel: CancelToken, *, embeds: bool = False) -> AbstractContextManager[Engine | None]:
        # Only the terminal's server, before which nobody sits, lets another model take the place.
        concession = ChatConcession.LEAVE if self._may_replace and not embeds else ChatConcession.STAY
        context_tokens = EMBEDDING_TOKENS if embeds else 0
        terms = LeaseTerms(concession, context_tokens=context_tokens, may_load=self._may_load())
        return self.pool.lease(path, LeasePriority.CLIENT, cancel, terms)

    def _path_of(self, name: str) -> Path:
        if not name:
            loaded = self.pool.chat.loaded
            path = Path(loaded.path) if loaded is not None else self.pool.chosen()
            if path is None:
                raise NoModel
            return path
        return self._find_model(name).path

    def _find_model(self, name: str) -> ServedModel:
        """Find a model by name, loaded ones first: that saves scanning the folders."""
        wanted = name.casefold()
        # Loaded models first: that saves looking through the folders of all.
        for path in (Path(loaded.path) for loaded in self.pool.loaded):
            if wanted in (path.name.casefold(), path.stem.casefold()):
                with contextlib.suppress(OSError):
                    return _describe_file(path, path.stat().st_mtime)
        for model in self._installed():
            if wanted in (model.name.casefold(), model.path.name.casefold(), model.path.stem.casefold()):
                return model
        raise ModelNotInstalled(name)

    def embed(self, name: str, texts: Sequence[str], cancel: CancelToken) -> EmbeddingVectors:
        """Embed texts with the named model, "" for the first that can; empty when cancelled.

        Raises EmbeddingsUnavailable for other models, PromptTooLong, and errors of `open_engine`.
        """
        model = self._find_model(name) if name else None
        if model is None or not model.embeds:
            able = [served_model for served_model in self._installed() if served_model.embeds]
            if name or not able:
                # The refusal names those that can.
                raise request_errors.EmbeddingsUnavailable(
                    str(self._path_of(name)), tuple(served_model.name for served_model in able)
                )
            model = able[0]
        with self._lease(model.path, cancel, embeds=True) as engine:
            return engine.embed(texts, cancel=cancel) if engine is not None else NO_VECTORS

    def answer_all(
        self, name: str, wanted: Sequence[GenerationRequest], cancel: CancelToken, *, chats: bool = True
    ) -> Iterator[tuple[int, AnswerEvent]]:
        """Answer several prompts one by one, numbering the answers throughout.

        If a prompt doesn't fit, the model is reloaded with a larger context. Raises errors of `open_engine` and
        `answer`, and ContextLimited.
        """
        with self.open_engine(name, cancel, chats=chats) as engine:
            first = 0
            for prompt in wanted if engine is not None else ():
                assert engine is not None
                # Answers of all prompts are numbered through, as the contracts want it.
                for number, event in self._answer_growing(engine, prompt, cancel):
                    yield first + number, event
                first += prompt.count

    def _answer_growing(
        self, engine: Engine, wanted: GenerationRequest, cancel: CancelToken
    ) -> Iterator[tuple[int, AnswerEvent]]:
        while not cancel.cancelled:
            try:
                yield from self.answer(engine, wanted, cancel)
                return
            except request_errors.PromptTooLong as problem:
                # It can't grow any further.
                if isinstance(problem, request_errors.ContextLimited):
                    raise
                self._grow_context(engine, problem, cancel)

    def _grow_context(self, engine: Engine, problem: request_errors.PromptTooLong, cancel: CancelToken) -> None:
        """Reload the engine's model with a context that holds the prompt, once running answers are done.

        The child delays the load until the last answer is written; later requests queue behind it. Raises
        ContextLimited and loading errors; then, and when cancelled, the context is unchanged.
        """
        with self._growing:
            model, wish = engine.loaded, self.pool.options()
            if model is None or model.context_tokens > problem.context_tokens:  # another request has done it
                return
            # Where the file doesn't say, twice the prompt is taken for possible.
            trained = model.trained_context_tokens or problem.prompt_tokens * 2
            wanted = replace(wish, context_tokens=context_for(problem.prompt_tokens, trained))
            fits = wanted.context_tokens
            # What doesn't fit by training needs no look at memory.
            if fits > problem.prompt_tokens:
                fits = min(fits, self._affords(engine, model, wanted))
            if trained <= problem.prompt_tokens:
                raise limited_by(problem, "model", trained)
            if fits <= problem.prompt_tokens:
                raise limited_by(problem, "memory", max(fits, model.context_tokens))
            # Told last: a setting can be changed, a model and memory can't.
            if wish.context_tokens or not self._may_load():
                raise limited_by(problem, "settings", fits)
            try:
                _load_again(engine, Path(model.path), wanted, cancel)
            finally:
                if engine.loaded is None:
                    # with a fresh token: a cancelled request must not cost the user the loaded model
                    former = replace(wish, context_tokens=model.context_tokens)
                    _load_again(engine, Path(model.path), former, CancelToken())
            now = engine.loaded
            if now is not None and now.path != model.path:  # a person has chosen another one meanwhile
                raise ModelNotLoaded(model.name)
            if now is not None and now.context_tokens > model.context_tokens:
                self.grown = GrownContext(time.time(), model.name, model.context_tokens, now.context_tokens)
            elif not cancel.cancelled:
                raise limited_by(problem, "memory", model.context_tokens)

    def largest_context(self) -> int:
        """Return the largest context a request can get from the program's own model.

        0 without one. Reads its header.
        """
        engine, wish = self.pool.chat, self.pool.options()
        model = engine.loaded
        if model is None:
            return 0
        trained = model.trained_context_tokens
        # A person's own number is a ceiling.
        if wish.context_tokens or not trained or not self._may_load() or runs_elsewhere(Path(model.path)):
            return model.context_tokens
        try:
            fits = self._affords(engine, model, replace(wish, context_tokens=trained))
        except AppError:
            return model.context_tokens
        return max(model.context_tokens, fits)

    def answer(
        self, engine: Engine, wanted: GenerationRequest, cancel: CancelToken
    ) -> Iterator[tuple[int, AnswerEvent]]:
        """Yield events of every answer with the answer's index; each ends with `Finished`.

        With tools, an answer arrives as calls or as text. Raises the engine's errors and ValueError.
        """
        if wanted.pictures:
            # Pictures of a request are decoded, shown and forgotten with it.
            with self._with_pictures(engine, wanted, cancel) as shown:
                yield from self.answer(engine, shown, cancel)
            return
        syntax = engine.call_syntax() if wanted.has_calls else None
        asks = wanted.engine_asks(syntax)
        if wanted.tells_prompt:
            # First, since a completion tells the prompt's tokens before its own.
            seen = PromptSeen(tuple(_prompt_seen(engine, wanted, cancel)))
            yield from ((number, seen) for number in range(wanted.count))
        readings = [_CallReading(_reader_of(wanted, syntax)) for _ in asks]
        rejected = dict[int, AnswerStats]()
        for number, event in _ask_events(engine, asks, cancel):
            reading = readings[number]
            yield from ((number, told) for told in reading.take_event(event))
            if isinstance(event, Finished):
                # A rejected call was told to nobody yet, so it can be asked for again.
                if reading.is_rejected:
                    rejected[number] = event.stats
                else:
                    yield number, event
        if rejected:
            # Asked once more, held to the functions that it named wrongly.
            again = [_ask_again(asks[number], wanted, syntax, readings[number].rejected) for number in rejected]
            yield from self._answer_again(engine, again, rejected, cancel)

    @staticmethod
    def _answer_again(
        engine: Engine, again: Sequence[_AskedAgain], rejected: Mapping[int, AnswerStats], cancel: CancelToken
    ) -> Iterator[tuple[int, AnswerEvent]]:
        """Generate replacements for rejected tool calls, of which nothing has been sent yet."""
        numbers, readings = list(rejected), [_CallReading(asked_again.reader) for asked_again in again]
        for place, event in _ask_events(engine, [asked_again.ask for asked_again in again], cancel):
            number = numbers[place]
            yield from ((number, told) for told in readings[place].take_event(event))
            if isinstance(event, Finished):
                # Both prompts and both answers were computed, and are told so.
                yield number, Finished(_add_stats(rejected[number], event.stats))

    @contextmanager
    def _with_pictures(
        self, engine: Engine, wanted: GenerationRequest, cancel: CancelToken
    ) -> Iterator[GenerationRequest]:
        """Yield the request with decoded pictures, deleted after the block.

        Raises MediaRefused, PictureUnreadable and the like.
        """
        loaded = engine.loaded
        if self._pictures is None or (loaded is not None and not loaded.sees):
            # A model that sleeps tells whether it sees only when it is awake.
            raise request_errors.MediaRefused("", "picture", "blind")
        library = self._pictures()
        try:
            with tempfile.TemporaryDirectory(prefix="fireside-asked-") as folder:
                stored = {}
                for id_, data in wanted.pictures.items():
                    path = Path(folder) / id_
                    # The library takes files; these are gone before the first word is written.
                    path.write_bytes(data)
                    stored[id_] = library.add_picture(path, cancel)
            yield replace(wanted, pictures={}, messages=tuple(_with_files(library, stored, wanted.messages)))
        finally:
            library.remove_all()

    def count_tokens(self, name: str, wanted: GenerationRequest, cancel: CancelToken) -> int:
        """Count the prompt's tokens; 0 when cancelled."""
        with self.open_engine(name, cancel) as engine:
            if engine is None:
                return 0
            syntax = engine.call_syntax() if wanted.has_calls else None
            if not wanted.pictures:
                return engine.count_tokens(*wanted.prompt_messages(syntax))
            with self._with_pictures(engine, wanted, cancel) as shown:
                return engine.count_tokens(*shown.prompt_messages(syntax))

    def tokens_of(
        self, name: str, cancel: CancelToken, *, text: str = "", token_ids: Sequence[int] = (), **options: Any
    ) -> Sequence[TokenSeen]:
        """Return the tokens of a text, or those with these ids; empty when cancelled.

        `options` as in `protocol.Inspect`. Raises TokenUnknown, and errors of `open_engine`.
        """
        with self.open_engine(name, cancel, chats=False) as engine:
            if engine is None:
                return ()
            return engine.inspect("tokens", text, cancel=cancel, tokens=tuple(token_ids), **options).tokens

    def transcribe(self, name: str, sound: bytes, cancel: CancelToken) -> SpokenTranscript | None:
        """Transcribe a recording and store nothing; None when cancelled.

        Without a name, use the loaded model if it hears, else the first that does. Raises MediaRefused ("deaf") if
        the model can't hear, DocumentUnreadable if it isn't a recording, and whatever `opened` raises.
        """
        from app.features.transcribe import transcribe_file

        loaded = self.pool.chat.loaded
        if not name and not (loaded is not None and loaded.hears):
            # The first model that hears, as for embeddings.
            name = next((served_model.name for served_model in self._installed() if served_model.hears), "")
        with self.open_engine(name, cancel, chats=False) as engine:
            model = engine.loaded if engine is not None else None
            if engine is None or model is None:
                return None
            if self._hearing is None or not model.hears:
                raise request_errors.MediaRefused(model.path, "sound", "deaf")
            with tempfile.TemporaryDirectory(prefix="fireside-asked-") as folder:
                path = Path(folder) / "recording"
                path.write_bytes(sound)
                return transcribe_file(self._hearing(lambda: engine), path, cancel)

    def begin_request(self, who: str, model: str) -> object:
        """Record the start of a request; pass the result to `end_request`."""
        running = (who, model)
        with self._totals_lock:
            self._running.append(running)
        self.on_use()
        return running

    def end_request(self, running: object, asked: RequestRecord) -> None:
        """Record a finished request: in the list for an hour, and in the totals."""
        with self._totals_lock:
            # By identity: two requests of one program are equal.
            self._running[:] = [run for run in self._running if run is not running]
            self._totals = self._totals.with_request(asked)
        self._journal.append(asked)
        self.on_use()

    @property
    def users(self) -> list[str]:
        """Names of the programs that are being answered now, each once."""
        with self._totals_lock:
            return list(dict.fromkeys(who for who, _ in self._running))

    @property
    def totals(self) -> RequestTotals:
        with self._totals_lock:
            return replace(self._totals, in_progress=len(self._running))

    def list_requests(self) -> list[RequestRecord]:
        """List the requests of the last hour, newest first."""
        since = time.time() - JOURNAL_S
        return [request_record for request_record in reversed(self._journal) if request_record.at >= since]


def _load_again(engine: Engine, path: Path, wish: Wish, cancel: CancelToken) -> None:
    """Reload the model; the UI is notified as for a model that wakes up."""
    try:
        for event in engine.load(path, wish, cancel=cancel):
            engine.on_waking(event)
    except AppError:
        # The window shows what is loaded now, after all.
        engine.on_waking(engine.loaded)
        raise


def _with_files(
    library: PassingLibrary, stored: Mapping[str, StoredMedia], messages: Sequence[Message]
) -> Iterator[Message]:
    for message in messages:
        shown = tuple(library.decode_media(stored[medium.id], at=medium.at) for medium in message.media)
        yield replace(message, media=shown) if shown else message


Readers = tool_calls.CallReader | tool_calls.SyntaxReader | UntaggedCallReader


def _ask_events(engine: Engine, asks: Sequence[Ask], cancel: CancelToken) -> Iterator[tuple[int, AnswerEvent]]:
    """Yield each request's events with its index; raises the error of a failed one."""
    for number, event in engine.generate_many(asks, cancel=cancel, background=False):
        match event:
            case AppError():
                raise event
            case PromptProgress() | TextDelta() | TokenChosen() | Finished():
                yield number, event


def _prompt_seen(engine: Engine, wanted: GenerationRequest, cancel: CancelToken) -> Iterator[TokenSeen]:
    """Yield a text's tokens, without the BOS that the model adds."""
    what = "probabilities" if wanted.alternatives >= 0 else "tokens"
    start, most = 0, max(0, wanted.alternatives)
    while True:
        seen = engine.inspect(what, wanted.text, cancel=cancel, start=start, most=most, tokens=wanted.tokens)
        # What the tokenizer adds in front is no token of the client's text.
        own = start == 0 and not wanted.tokens and bool(seen.tokens) and seen.tokens[0].is_control
        yield from seen.tokens[own:]
        start += len(seen.tokens)
        if not seen.tokens or start >= seen.total:
            return


class _CallReading:
    """Separate tool calls from text in one answer. A token is held back as long as its text is."""

    def __init__(self, reader: Readers | None) -> None:
        self._reader, self._tokens = reader, list[TokenChosen]()

    @property
    def rejected(self) -> tuple[str, ...]:
        """Rejected calls, as in `UntaggedCallReader`."""
        return (self._reader.rejected or ()) if isinstance(self._reader, UntaggedCallReader) else ()

    @property
    def is_rejected(self) -> bool:
        """True if the answer was a call that can't be carried out; it is discarded."""
        return isinstance(self._reader, UntaggedCallReader) and self._reader.rejected is not None

    def take_event(self, event: AnswerEvent) -> Iterator[AnswerEvent]:
        """Yield what is safe to send now, but not the end of the answer."""
        reader = self._reader
        match event:
            case TextDelta(text=text, thinking=False) if reader is not None:
                yield from self._with_tokens(reader.read(text))
            # Tokens of held text are told with it, or with none if it becomes a call.
            case TokenChosen() if isinstance(reader, UntaggedCallReader) and reader.is_holding:
                self._tokens.append(event)
            case Finished() if reader is not None:
                told = list(reader.close())
                if self.is_rejected and event.stats.finish_reason is not FinishReason.STOP:
                    assert isinstance(reader, UntaggedCallReader)
                    told = list(reader.release())  # it was cut: nobody knows what it would have become
                if not self.is_rejected:
                    yield from self._with_tokens(iter(told))
            case Finished():
                pass
            case _:
                yield event

    def _with_tokens(self, told: Iterator[tool_calls.Told]) -> Iterator[AnswerEvent]:
        for event in told:
            yield from self._tokens
            self._tokens.clear()
            yield TextDelta(event.piece) if isinstance(event, tool_calls.CallWords) else event


def _reader_of(wanted: GenerationRequest, syntax: CallSyntax | None) -> Readers | None:
    if not wanted.tools:
        return None
    if wanted.must_call:
        return _strict_reader(wanted.tools, syntax)
    inner: CallDetector = WordsReader()
    begins = ""
    if syntax is not None:
        inner, begins = tool_calls.SyntaxReader(syntax, wanted.tools, must_call=False), syntax.begins
    return UntaggedCallReader(
        wanted.tools,
        inner,
        begins=begins,
        several=wanted.several_calls,
        takes_json=bool(wanted.json_schema),
        answered=list(_just_answered(wanted.messages)),
    )


def _just_answered(messages: Sequence[Message]) -> Iterator[FunctionCall]:
    """Yield the calls whose results end the conversation."""
    for message in reversed(messages):
        if message.result_of is None:
            return
        yield message.result_of


def _strict_reader(tools: Sequence[tool_calls.ToolFunction], syntax: CallSyntax | None) -> Readers:
    if syntax is None:
        return tool_calls.CallReader()
    return tool_calls.SyntaxReader(syntax, tools, must_call=True)


@dataclass(frozen=True)
class _AskedAgain:
    """A repeated request after a rejected answer, with its reader."""

    ask: Ask
    reader: Readers | None


def _add_stats(first: AnswerStats, second: AnswerStats) -> AnswerStats:
    """Add the stats of an answer requested twice: both prompts and both answers count."""
    return replace(
        second,
        prompt_tokens=first.prompt_tokens + second.prompt_tokens,
        reused_tokens=first.reused_tokens + second.reused_tokens,
        generated_tokens=first.generated_tokens + second.generated_tokens,
    )


def _ask_again(ask: Ask, wanted: GenerationRequest, syntax: CallSyntax | None, names: Sequence[str]) -> _AskedAgain:
    """Build the second request: functions called with wrong arguments must be called.

    Without any, text is the answer.
    """
    if not names:  # without functions before its eyes: words about a function that it made up help nobody
        # Without functions: words about one that the model made up help nobody.
        plain = replace(wanted, tools=(), count=1).engine_asks(syntax)[0]
        return _AskedAgain(replace(plain, sampling=ask.sampling), None)
    tools = tuple(tool for tool in wanted.tools if tool.name in names)
    held = replace(wanted, tools=tools, must_call=True).engine_asks(syntax)[0]
    again = replace(ask, grammar=held.grammar, json_schema=held.json_schema, calling=held.calling)
    return _AskedAgain(again, _strict_reader(tools, syntax))


def build_serving(
    paths: AppPaths,
    pool: ModelPool,
    models: ModelCollection,
    settings: Callable[[], Settings],
    *,
    may_replace: bool = False,
) -> AnswerServer:
    """Build the server that answers API clients.

    The pool's chosen model is always served, wherever its file is, and is the default when a request names no model.
    `may_replace` as in `AnswerServer`, for servers without a window.
    """
    from app.features.media import build_passing_media
    from app.features.transcribe import build_hearing

    def installed() -> list[ServedModel]:
        first = pool.chosen()
        files = {} if first is None or not first.is_file() else {first: (first.stat().st_size, False, False)}
        rows = [row.model for row in models.list_installed() if not row.model.missing]
        files |= {model.path: (model.size_bytes, model.vision_path is not None, model.hears) for model in rows}
        return served_models((path, *facts) for path, facts in files.items())

    return AnswerServer(
        pool,
        installed,
        lambda: build_passing_media(paths),
        lambda engine: build_hearing(paths, engine),
        may_load=lambda: settings().serving.loads_models,
        may_replace=may_replace,
    )
