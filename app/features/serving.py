"""Answers for other programs: which models there are, the one they name brought in, and what it writes, as events.

Nothing here knows a contract: `app.server` turns requests of each into `Wanted`, and events into what it sends back.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.core.errors import AppError, ChatUnavailable, ModelNotInstalled, ModelNotLoaded, NoModel
from app.core.events import CancelToken, Finished, Message, ModelLoaded, PromptProgress, Role, TextDelta, TokenChosen
from app.engine.contract import Engine
from app.engine.protocol import Ask, Sampling, Wish
from app.features.tool_calls import (
    CallArguments,
    CallBegins,
    CallReader,
    Told,
    Tool,
    Words,
    grammar_for,
    instructions_for,
    schema_for,
)
from app.features.writing import GREEDY

SEEDS = 1 << 32
JOURNAL_S = 3600.0
MOST_IN_JOURNAL = 1000


@dataclass(frozen=True)
class ServedModel:
    """A model that can be asked for. `name` is what programs call it; `context_tokens` 0: not loaded."""

    name: str
    path: Path
    size_bytes: int = 0
    context_tokens: int = 0
    trained_context_tokens: int = 0
    created_at: float = 0.0

    @property
    def is_loaded(self) -> bool:
        """Whether it is in memory now."""
        return self.context_tokens > 0


def served_models(paths: Mapping[Path, int]) -> list[ServedModel]:
    """Models by their paths and sizes in bytes; each is called as its file, and a number tells equal ones apart."""
    found: dict[str, ServedModel] = {}
    for path, size in paths.items():
        name, number = path.stem, 2
        while name.casefold() in found:
            name, number = f"{path.stem}-{number}", number + 1
        with contextlib.suppress(OSError):
            found[name.casefold()] = ServedModel(name, path, size, created_at=path.stat().st_mtime)
    return list(found.values())


@dataclass(frozen=True)
class Wanted:
    """Answers to one conversation, or continuations of `text` where there are no messages.

    `must_call`: one of `tools` has to be called. `alternatives` as in `protocol.Ask`.
    """

    messages: tuple[Message, ...] = ()
    text: str = ""
    suffix: str = ""
    count: int = 1
    max_tokens: int = -1
    sampling: Sampling = field(default_factory=Sampling)
    stop: tuple[str, ...] = ()
    json_schema: str = ""
    tools: tuple[Tool, ...] = ()
    must_call: bool = False
    several_calls: bool = True
    thinks: bool | None = None
    alternatives: int = -1

    def asks(self) -> list[Ask]:
        """What the engine is asked, each with the seed after the one before. Raises ValueError for a schema."""
        seed = self.sampling.seed
        messages, grammar, schema = list(self.messages), "", self.json_schema
        if self.tools:
            messages = _with_instructions(messages, instructions_for(self.tools, must_call=self.must_call))
            grammar, schema = grammar_for(must_call=self.must_call, several=self.several_calls), schema_for(self.tools)
        ask = Ask(
            messages,
            max_tokens=self.max_tokens,
            sampling=self.sampling,
            task_sampling=GREEDY if self.sampling.temperature == 0 else Sampling(),
            stop=self.stop,
            grammar=grammar,
            json_schema=schema,
            text=self.text,
            suffix=self.suffix,
            template_variables={} if self.thinks is None else {"enable_thinking": self.thinks, "thinking": self.thinks},
            alternatives=self.alternatives,
        )
        if seed is None:
            return [ask] * self.count
        return [replace(ask, sampling=replace(ask.sampling, seed=(seed + n) % SEEDS)) for n in range(self.count)]


def _with_instructions(messages: Sequence[Message], text: str) -> list[Message]:
    first = messages[0] if messages else None
    if first is None or first.role is not Role.SYSTEM:
        return [Message(Role.SYSTEM, text), *messages]
    return [Message(Role.SYSTEM, f"{first.text}\n\n{text}"), *messages[1:]]


@dataclass(frozen=True)
class Asked:
    """One request, as a person may read it: nothing of what was said. `at` in seconds since 1970."""

    at: float
    who: str
    path: str
    model: str
    status: int
    prompt_tokens: int = 0
    generated_tokens: int = 0
    seconds: float = 0.0


AnswerEvent = PromptProgress | TextDelta | TokenChosen | CallBegins | CallArguments | Finished


class Serving:
    """Answers requests with the program's own engine. From any thread, several at once."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        installed: Callable[[], Sequence[ServedModel]],
        chosen: Callable[[], Path | None],
        wish: Callable[[], Wish],
        *,
        sleeping: Callable[[], Path | None] = lambda: None,
        may_load: bool = True,
    ) -> None:
        """`chosen` is the model that answers who names none, `sleeping` one that comes back by itself.

        `may_load`: whether others are brought in when they are named.
        """
        self._engine, self._installed, self._chosen, self._wish = engine, installed, chosen, wish
        self._sleeping, self._may_load = sleeping, may_load
        self._loading = threading.Lock()
        self._journal: deque[Asked] = deque(maxlen=MOST_IN_JOURNAL)

    def models(self) -> list[ServedModel]:
        """What can be asked for, the loaded one with its context."""
        loaded = self._engine().loaded
        return [self._as_loaded(model, loaded) for model in self._installed()]

    @staticmethod
    def _as_loaded(model: ServedModel, loaded: ModelLoaded | None) -> ServedModel:
        if loaded is None or Path(loaded.path) != model.path:
            return model
        return replace(
            model, context_tokens=loaded.context_tokens, trained_context_tokens=loaded.trained_context_tokens
        )

    def bring_in(self, name: str, cancel: CancelToken, *, chats: bool = True) -> bool:
        """The model of that name in memory, "" for the chosen one; False when cancelled.

        Raises ModelNotInstalled, ModelNotLoaded, NoModel, ChatUnavailable where it has to chat and cannot, and what
        loading meets.
        """
        path, engine = self._path_of(name), self._engine()
        with self._loading:
            model = engine.loaded
            if model is None and self._sleeping() == path:
                return True  # it wakes by itself
            if model is None or Path(model.path) != path:
                if not self._may_load:
                    raise ModelNotLoaded(name or path.stem)
                model = None
                for event in engine.load(path, self._wish(), cancel=cancel):
                    if isinstance(event, ModelLoaded):
                        model = event
        if model is not None and chats and not model.can_chat:
            raise ChatUnavailable(model.path)
        return model is not None

    def _path_of(self, name: str) -> Path:
        if not name:
            loaded = self._engine().loaded
            path = Path(loaded.path) if loaded is not None else self._chosen()
            if path is None:
                raise NoModel
            return path
        wanted = name.casefold()
        for model in self._installed():
            if wanted in (model.name.casefold(), model.path.name.casefold(), model.path.stem.casefold()):
                return model.path
        raise ModelNotInstalled(name)

    def answer(self, wanted: Wanted, cancel: CancelToken) -> Iterator[tuple[int, AnswerEvent]]:
        """Events of every answer, by its number from 0, as they come; each ends with `Finished`.

        Where there are tools, an answer is told as calls or as text. Raises the engine's situations and ValueError.
        """
        readers = [CallReader() if wanted.tools else None for _ in range(wanted.count)]
        for number, event in self._engine().generate_many(wanted.asks(), cancel=cancel, background=False):
            reader = readers[number]
            match event:
                case AppError():
                    raise event
                case TextDelta(text=text, thinking=False) if reader is not None:
                    yield from ((number, told) for told in _as_events(reader.read(text)))
                case Finished() if reader is not None:
                    yield from ((number, told) for told in _as_events(reader.close()))
                    yield number, event
                case PromptProgress() | TextDelta() | TokenChosen() | Finished():
                    yield number, event

    def count_tokens(self, wanted: Wanted) -> int:
        """How many tokens the prompt takes; the model has been brought in."""
        (ask,) = replace(wanted, count=1).asks()
        return self._engine().count_tokens(ask.messages)

    def note(self, asked: Asked) -> None:
        """Remembers that a program asked, for an hour."""
        self._journal.append(asked)

    def journal(self) -> list[Asked]:
        """What was asked within the last hour, the newest first."""
        since = time.time() - JOURNAL_S
        return [one for one in reversed(self._journal) if one.at >= since]


def _as_events(told: Iterator[Told]) -> Iterator[AnswerEvent]:
    for one in told:
        yield TextDelta(one.piece) if isinstance(one, Words) else one
