"""Answer API clients: list models, load the named one, and yield what it writes as events.

Nothing here knows an API: `app.server` turns requests of each into `GenerationRequest`, and events into responses.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.errors import request_errors
from app.core.errors.app_error import AppError
from app.core.errors.model_errors import ModelNotInstalled, ModelNotLoaded, NoModel
from app.core.events import (
    AnswerStats,
    CancelToken,
    Finished,
    Message,
    ModelLoaded,
    PromptProgress,
    TextDelta,
    TokenChosen,
    TokenSeen,
)
from app.core.paths import runs_elsewhere
from app.engine.contract import NO_VECTORS, EmbeddingVectors, Engine
from app.engine.protocol import Ask, Wish
from app.features.context_growth import GrownContext, affordable_context, context_for, limited_by
from app.features.models.model_pool import EMBEDDING_TOKENS, LeaseTerms, ModelPool
from app.features.models.pool_policy import ChatConcession, LeasePriority
from app.features.serving.answered_calls import AskedAgain, CallReading, add_stats, ask_again, reader_of
from app.features.serving.generation_request import AnswerEvent, GenerationRequest, PromptSeen
from app.features.serving.request_journal import RequestJournal
from app.features.serving.served_models import ServedModel, describe_file, served_models

if TYPE_CHECKING:
    from app.core.paths import AppPaths
    from app.core.settings import Settings
    from app.features.media import PassingLibrary
    from app.features.models.collection import ModelCollection
    from app.features.transcribe import RecordingTranscriber, SpokenTranscript
    from app.store.media_store import StoredMedia


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
        self.journal = RequestJournal()

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
                    return describe_file(path, path.stat().st_mtime)
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
            # What doesn't fit by training needs no look at memory.
            if (fits := wanted.context_tokens) > problem.prompt_tokens:
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
        if (model := engine.loaded) is None:
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
        readings = [CallReading(reader_of(wanted, syntax)) for _ in asks]
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
            again = [ask_again(asks[number], wanted, syntax, readings[number].rejected) for number in rejected]
            yield from self._answer_again(engine, again, rejected, cancel)

    @staticmethod
    def _answer_again(
        engine: Engine, again: Sequence[AskedAgain], rejected: Mapping[int, AnswerStats], cancel: CancelToken
    ) -> Iterator[tuple[int, AnswerEvent]]:
        """Generate replacements for rejected tool calls, of which nothing has been sent yet."""
        numbers, readings = list(rejected), [CallReading(asked_again.reader) for asked_again in again]
        for place, event in _ask_events(engine, [asked_again.ask for asked_again in again], cancel):
            number = numbers[place]
            yield from ((number, told) for told in readings[place].take_event(event))
            if isinstance(event, Finished):
                # Both prompts and both answers were computed, and are told so.
                yield number, Finished(add_stats(rejected[number], event.stats))

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
