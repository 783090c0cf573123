"""An engine for local and remote models: each request goes to where the chosen model runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.errors import AppError
from app.core.events import CancelToken, LoadProgress, Media, Message, ModelLoaded
from app.core.paths import runs_elsewhere
from app.engine.client import EngineOnDemand
from app.engine.contract import AnswerEvent, EmbeddingVectors, Engine, TokenLabels, WakingEvent
from app.engine.protocol import OPEN, Ask, CallSyntax, DevicesDescribed, Inspected, MediaCount, Wish

if TYPE_CHECKING:
    from app.remote.engine import RemoteEngine


class RoutedEngine:
    """Engine that routes to the local or the remote one. The local model is freed while a remote one is chosen."""

    def __init__(self, here: EngineOnDemand, make_elsewhere: Callable[[], RemoteEngine]) -> None:
        self._here, self._make_elsewhere = here, make_elsewhere
        self._elsewhere: RemoteEngine | None = None

    @property
    def on_waking(self) -> Callable[[WakingEvent], object]:
        """Callback for models that load by themselves; see the local engine."""
        return self._here.on_waking

    @on_waking.setter
    def on_waking(self, hear: Callable[[WakingEvent], object]) -> None:
        self._here.on_waking = hear

    @property
    def _chosen(self) -> Engine:
        """The engine that has the chosen model: a server's, if one is loaded."""
        elsewhere = self._elsewhere
        return elsewhere if elsewhere is not None and elsewhere.loaded is not None else self._here

    @property
    def loaded(self) -> ModelLoaded | None:
        return self._chosen.loaded

    @property
    def pid(self) -> int | None:
        return self._here.pid

    @property
    def asleep_path(self) -> Path | None:
        return self._here.asleep_path if self._chosen is self._here else None

    @property
    def is_answering(self) -> bool:
        """True if the local model writes an interactive answer."""
        return self._here.is_answering

    @property
    def is_outdated(self) -> bool:
        return self._chosen is self._here and self._here.is_outdated

    @property
    def awaited(self) -> Path | None:
        return self._chosen.awaited

    @property
    def is_away(self) -> bool:
        """True if the chosen model's server was not reached, or broke off, when it was asked last."""
        elsewhere = self._elsewhere
        return elsewhere is not None and self._chosen is elsewhere and elsewhere.is_away

    def load(
        self, path: Path, wish: Wish = OPEN, *, cancel: CancelToken | None = None
    ) -> Iterator[LoadProgress | ModelLoaded]:
        """Load a model. If a server can't be reached, the previous model stays."""
        if not runs_elsewhere(path):
            yield from self._here.load(path, wish, cancel=cancel)
            # Only now: if loading failed, the server's model stays.
            if self._elsewhere is not None and self._here.loaded is not None:
                self._elsewhere.unload()
            return
        if self._elsewhere is None:
            self._elsewhere = self._make_elsewhere()
        for event in self._elsewhere.load(path, wish, cancel=cancel):
            # Before the event is passed on, so that nobody finds two models.
            if isinstance(event, ModelLoaded):
                self._here.unload()
            yield event

    def generate(
        self, messages: Sequence[Message], *, cancel: CancelToken | None = None, **options: Any
    ) -> Iterator[AnswerEvent]:
        return self._chosen.generate(messages, cancel=cancel, **options)

    def answer(self, ask: Ask, cancel: CancelToken | None = None) -> Iterator[AnswerEvent]:
        return self._chosen.answer(ask, cancel)

    def generate_many(
        self, asks: Sequence[Ask], *, cancel: CancelToken | None = None, background: bool = True
    ) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        return self._chosen.generate_many(asks, cancel=cancel, background=background)

    def count_tokens(self, messages: Sequence[Message], template_variables: Mapping[str, object] | None = None) -> int:
        return self._chosen.count_tokens(messages, template_variables)

    def call_syntax(self) -> CallSyntax | None:
        return self._chosen.call_syntax()

    def count_texts(self, texts: Sequence[str], *, cancel: CancelToken | None = None) -> tuple[int, ...]:
        return self._chosen.count_texts(texts, cancel=cancel)

    def count_media(self, media: Sequence[Media], *, cancel: CancelToken | None = None) -> tuple[MediaCount, ...]:
        return self._chosen.count_media(media, cancel=cancel)

    def embed(self, texts: Sequence[str], *, cancel: CancelToken | None = None) -> EmbeddingVectors:
        return self._chosen.embed(texts, cancel=cancel)

    def classify_tokens(self, source: str, text: str, *, cancel: CancelToken | None = None) -> TokenLabels:
        return self._chosen.classify_tokens(source, text, cancel=cancel)

    def inspect(
        self,
        what: str,
        text: str = "",
        messages: Sequence[Message] = (),
        *,
        cancel: CancelToken | None = None,
        on_attention: Callable[[bytes], object] = lambda shares: None,
        **options: Any,
    ) -> Inspected:
        return self._chosen.inspect(what, text, messages, cancel=cancel, on_attention=on_attention, **options)

    def leave_machines(self) -> None:
        """Like the local engine's; requests to servers end by themselves when the network is switched off."""
        self._here.leave_machines()

    def forget_session(self, session: str) -> None:
        self._here.forget_session(session)

    def describe_devices(self) -> DevicesDescribed:
        return self._here.describe_devices()

    def unload(self) -> None:
        if self._elsewhere is not None:
            self._elsewhere.unload()
        self._here.unload()

    def sleep(self) -> None:
        """Free the local model's memory; a remote model takes none."""
        if self._chosen is self._here:
            self._here.sleep()

    def let_go(self) -> None:
        if self._elsewhere is not None:
            self._elsewhere.let_go()
        self._here.let_go()

    def close(self) -> None:
        # First both let go, as closing either may take long.
        self.let_go()
        if self._elsewhere is not None:
            self._elsewhere.close()
        self._here.close()
