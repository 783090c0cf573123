"""An engine client that remembers what was asked and answered, and what a summary is made with beside it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from app.core.errors.app_error import AppError
from app.core.events import AnswerStats, CancelToken, Finished, Message, TextDelta
from app.engine.client import EngineClient
from app.engine.contract import AnswerEvent
from app.engine.protocol import Ask
from app.features.summarize.summarize import InputDocument, Summarized, summarize_documents
from app.features.summarize.summary_result import Summary, SummaryOptions
from tests.helpers.documents import read

T = TypeVar("T")


@dataclass
class Asked:
    """One ask that was sent, its answer and what it cost; `stats` is None where it was not answered."""

    ask: Ask
    text: str = ""
    stats: AnswerStats | None = None

    @property
    def prompt(self) -> str:
        """Everything that the model was given."""
        return "\n".join(message.text for message in self.ask.messages)


class RecordedClient:
    """Passes everything on to `client`, and notes what was asked and how long it was waited for."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self.asked: list[Asked] = []
        self.answered_s = 0.0
        self.counted_s = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def generate(
        self, messages: Sequence[Message], *, cancel: CancelToken | None = None, **options: Any
    ) -> Iterator[AnswerEvent]:
        """As the client's own."""
        asked = Asked(Ask(messages, **options))
        self.asked.append(asked)
        for event in self._waited(self._client.generate(messages, cancel=cancel, **options)):
            _note(asked, event)
            yield event

    def generate_many(
        self, asks: Sequence[Ask], *, cancel: CancelToken | None = None
    ) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        """As the client's own."""
        asked = [Asked(ask) for ask in asks]
        self.asked += asked
        for index, event in self._waited(self._client.generate_many(asks, cancel=cancel)):
            _note(asked[index], event)
            yield index, event

    def count_texts(self, texts: Sequence[str], *, cancel: CancelToken | None = None) -> tuple[int, ...]:
        """As the client's own."""
        began_s = time.perf_counter()
        counts = self._client.count_texts(texts, cancel=cancel)
        self.counted_s += time.perf_counter() - began_s
        return counts

    def _waited(self, events: Iterator[T]) -> Iterator[T]:
        """The same events; adds up how long each was waited for, and closes them with itself."""
        with contextlib.closing(cast(Generator[T, None, None], events)):
            while True:
                began_s = time.perf_counter()
                event = next(events, None)
                self.answered_s += time.perf_counter() - began_s
                if event is None:
                    return
                yield event


def _note(asked: Asked, event: AnswerEvent | AppError) -> None:
    if isinstance(event, TextDelta) and not event.thinking:
        asked.text += event.text
    if isinstance(event, Finished):
        asked.stats = event.stats


@dataclass
class MemorySteps:
    """Finished steps in memory: nothing is re-used from an earlier run."""

    kept: dict[str, Any] = field(default_factory=dict)

    def find_step(self, key: str) -> Any | None:
        """See `Steps`."""
        return self.kept.get(key)

    def keep_step(self, key: str, value: Any) -> None:
        """See `Steps`."""
        self.kept[key] = value


@dataclass(frozen=True)
class Run:
    """One summary as it was made: `taken_s` from the blocks to the last event."""

    summary: Summary
    asked: tuple[Asked, ...]
    taken_s: float
    answered_s: float
    """How long answers were waited for, of that."""
    counted_s: float
    """How long the counting of tokens took, of that."""


def document_of(path: Path, folder: Path) -> InputDocument:
    """A file as the reading child reads it."""
    result = read(path, folder)
    opened, done = result.found.opened, result.done
    title = opened.title or path.stem
    return InputDocument(
        0, path.name, title, opened.unit, done.pages, done.pages_without_text, done.language, result.blocks
    )


def summarized(client: EngineClient, document: InputDocument, wish: SummaryOptions) -> Run:
    """Summarizes it from the beginning."""
    recorded = RecordedClient(client)
    began_s = time.perf_counter()
    last = None
    for event in summarize_documents([document], wish, cast(EngineClient, recorded), MemorySteps(), CancelToken()):
        last = event
    taken_s = time.perf_counter() - began_s
    assert isinstance(last, Summarized), f"it ended with {last}"
    return Run(last.summary, tuple(recorded.asked), taken_s, recorded.answered_s, recorded.counted_s)
