"""An engine whose model runs on a server: the same asks and events as `app.engine.client`, over HTTP.

What a server lacks is left out or stood in for: tokens are estimated where it does not count them, an answer in JSON
is asked for by `response_format` and mended, and nothing is kept of a session but what the server itself keeps.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.core.errors.app_error import AppError
from app.core.errors.model_errors import NoModel
from app.core.errors.server_errors import NotOffered, ServerLacksModel, ServerUnreachable
from app.core.events import CancelToken, LoadProgress, Media, Message, ModelElsewhere, ModelLoaded
from app.core.paths import AppPaths
from app.core.settings import Settings, load_settings
from app.engine.contract import AnswerEvent, EmbeddingVectors, TokenLabels, WakingEvent
from app.engine.protocol import OPEN, Ask, CallSyntax, DevicesDescribed, Inspected, MediaCount, Wish
from app.hub.access import NetworkAccess, access_to
from app.hub.connection_ledger import ConnectionLedger
from app.hub.hub_token import HubToken
from app.hub.model_server import ModelServer, RequestCut
from app.remote import server_facts
from app.remote.request_batch import RemoteBatch
from app.remote.request_pictures import count_of
from app.remote.request_threads import RequestThreads
from app.remote.servers import SEES, USUAL_WEIGHTS, RemoteModel, RemoteServer, RemoteServers
from app.remote.used_model import FIRST_AT_ONCE, MOST_LEARNT, UsedModel

UNKNOWN_CONTEXT = 8192  # for a server that doesn't say, and whose user doesn't either


class RemoteEngine:
    """Engine for models on servers; thread-safe. `connect` makes a server's client; nothing is sent before a request.

    There is no child process, nothing sleeps, and no sessions are kept.
    """

    pid: int | None = None
    asleep_path: Path | None = None
    is_outdated = False

    def __init__(self, servers: RemoteServers, connect: Callable[[RemoteServer], ModelServer]) -> None:
        self._servers, self._connect = servers, connect
        self._lock = threading.Lock()
        self._used: UsedModel | None = None
        self._threads = RequestThreads()
        self.is_away = False
        """True if the server was not reached, or broke off, when it was asked last."""
        self.on_waking: Callable[[WakingEvent], object] = lambda event: None

    @property
    def loaded(self) -> ModelElsewhere | None:
        """The server's model in use; None before the first load."""
        used = self._used
        return used.loaded if used is not None else None

    def load(
        self,
        path: Path,
        wish: Wish = OPEN,  # noqa: ARG002 - how a server runs its models is its own business
        *,
        cancel: CancelToken | None = None,
    ) -> Iterator[LoadProgress | ModelLoaded]:
        """Ask the server for the model's facts, which hold until the next load.

        Raises ModelMissing, ModelUnreadable, ServerLacksModel, NetworkOff and the errors of requests.
        """
        yield LoadProgress(0.0)
        used = self._open_model(self._servers.read_model(path), cancel)
        if used is None:
            return
        with self._lock:
            before, self._used, self.is_away = self._used, used, False
        # Only now: until here, asks of other threads use the model before.
        if before is not None:
            before.server.close()
        yield used.loaded

    def _open_model(self, model: RemoteModel, cancel: CancelToken | None) -> UsedModel | None:
        server = self._connect(model.server)

        def open_model(cut: RequestCut) -> UsedModel:
            found = server_facts.find_out(server, cut, only=model.name)
            listed = found.find_model(model.name)
            if listed is None:
                raise ServerLacksModel(server.host, model.name)
            counts = server_facts.counts_tokens(server, found.kind, model.name, cut)
            # Text is sent to be counted only where it doesn't leave this computer.
            loaded = _loaded_model(model, listed, counts_exactly=counts and model.server.is_this_computer)
            # Shared with the other engines at this server, as interactive answers go first there.
            callers = self._servers.callers(model.server)
            callers.begin()
            used = UsedModel(replace(model, server=replace(model.server, kind=found.kind)), loaded, server, callers)
            # By a sample of our own, so that nothing of the user's is sent.
            if counts and not loaded.counts_exactly:
                used.counting.calibrate(cut)
            return used

        used = self._threads.run_aside(open_model, server, cancel)
        if used is None:
            server.close()
        return used

    @property
    def awaited(self) -> Path | None:
        """Path of the server's model in use; nothing is loaded for it."""
        loaded = self.loaded
        return Path(loaded.path) if loaded is not None else None

    def generate(
        self, messages: Sequence[Message], *, cancel: CancelToken | None = None, **options: Any
    ) -> Iterator[AnswerEvent]:
        """Like `EngineClient.generate`, with the server's model in use."""
        return self.answer(Ask(messages, **options), cancel)

    def answer(self, ask: Ask, cancel: CancelToken | None = None) -> Iterator[AnswerEvent]:
        """Like `EngineClient.answer`. Raises NotOffered, NetworkOff, PromptTooLong and the errors of requests."""
        for _, event in self._answer_batch([ask], cancel, background=ask.background):
            if isinstance(event, AppError):
                raise event
            yield event

    def generate_many(
        self, asks: Sequence[Ask], *, cancel: CancelToken | None = None, background: bool = True
    ) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        """Like `EngineClient.generate_many`, with as many requests at once as the server's settings allow.

        A server error is raised after some retries; a request that the server refuses ends with its error.
        """
        return self._answer_batch(asks, cancel, background=background)

    def _answer_batch(
        self, asks: Sequence[Ask], cancel: CancelToken | None, *, background: bool
    ) -> Iterator[tuple[int, AnswerEvent | AppError]]:
        used = self._in_use()
        for ask in asks:
            used.refuse_what_is_not_offered(ask)
        batch = RemoteBatch(self._threads, used, asks, background=background)
        try:
            for event in batch.events(cancel):
                self.is_away = False
                yield event
        except ServerUnreachable:
            self.is_away = True
            raise
        finally:
            # Also when the caller stops reading events.
            batch.give_up()

    def call_syntax(self) -> CallSyntax | None:
        """Return None: servers apply their own function-call syntax, which isn't known here."""
        return None

    def count_tokens(
        self,
        messages: Sequence[Message],
        template_variables: Mapping[str, object] | None = None,  # noqa: ARG002 - a server's template is its own
    ) -> int:
        """Tokens of a conversation's prompt, estimated where the server does not count."""
        used = self._in_use()
        return self._threads.run_aside(lambda cut: used.counting.count_messages(messages, cut), used.server, None) or 0

    def count_texts(self, texts: Sequence[str], *, cancel: CancelToken | None = None) -> tuple[int, ...]:
        """Tokens of each text, estimated where the server does not count."""
        used = self._in_use()
        counts = self._threads.run_aside(lambda cut: used.counting.count_texts(texts, cut), used.server, cancel)
        return counts or (0,) * len(texts)

    def count_media(
        self,
        media: Sequence[Media],
        *,
        cancel: CancelToken | None = None,  # noqa: ARG002 - nobody is asked
    ) -> tuple[MediaCount, ...]:
        """Return what pictures take by estimate. Raises NotOffered where the model does not see."""
        used = self._in_use()
        if not used.loaded.sees:
            raise NotOffered(used.server.host, "pictures")
        return tuple(count_of(medium) if medium.kind == "picture" else MediaCount(0, 0, 0) for medium in media)

    def embed(self, *_args: Any, **_options: Any) -> EmbeddingVectors:
        """Models that answer are asked, none that make vectors."""
        raise NotOffered(self._in_use().server.host, "vectors")

    def classify_tokens(self, *_args: Any, **_options: Any) -> TokenLabels:
        """Raise NotOffered: claim checkers run on this computer only."""
        raise NotOffered(self._in_use().server.host, "vectors")

    def inspect(self, *_args: Any, **_options: Any) -> Inspected:
        """Raise NotOffered, as no server exposes layers or attention."""
        raise NotOffered(self._in_use().server.host, "inside")

    def describe_devices(self) -> DevicesDescribed:
        """Return what a server runs on it does not say."""
        return DevicesDescribed(0, "", (), (), 0)

    def forget_session(self, session: str) -> None:
        """Do nothing: no session is kept here, and the server's are its own."""

    def forget_texts(self, names: AbstractSet[str]) -> None:
        """Do nothing: what a server keeps in memory is not known here."""

    def sleep(self) -> None:
        """Do nothing: a server's model takes no memory here."""

    def unload(self) -> None:
        """Close the connection to the server; running answers continue."""
        with self._lock:
            used, self._used = self._used, None
        if used is not None:
            used.server.close()

    def let_go(self) -> None:
        """End running answers with `EngineStopped` and refuse new requests."""
        self._threads.let_go()

    def close(self) -> None:
        """Like `let_go`, and wait until every request has ended."""
        self.let_go()
        self.unload()
        self._threads.wait_until_ended()

    def _in_use(self) -> UsedModel:
        used = self._used
        self._threads.refuse_when_closed()
        if used is None:
            raise NoModel
        return used


def _loaded_model(model: RemoteModel, listed: server_facts.ListedModel, *, counts_exactly: bool) -> ModelElsewhere:
    server = model.server
    said = listed.context_tokens or model.context_tokens or UNKNOWN_CONTEXT
    return ModelElsewhere(
        path=str(model.path),
        name=model.label,
        size_bytes=0,
        context_tokens=server.context_tokens or said,
        trained_context_tokens=said,
        can_chat=True,
        layers=0,
        gpu_layers=0,
        device="",
        threads=0,
        sequences=server.at_once or FIRST_AT_ONCE,
        most_at_once=server.at_once or MOST_LEARNT,
        choice="other_program" if server.is_this_computer else "elsewhere",
        thinking=listed.thinking,
        sees=(listed.sees or model.sees) == SEES,
        weights=listed.weights or USUAL_WEIGHTS,
        host=server.host,
        stays_here=server.is_this_computer,
        counts_exactly=counts_exactly,
    )


def build_remote_engine(
    servers: RemoteServers, settings: Callable[[], Settings], ledger: ConnectionLedger
) -> RemoteEngine:
    """Build the engine that runs models of other servers."""
    return RemoteEngine(servers, lambda server: build_model_server(server, servers, settings, ledger))


def open_remote_engine(paths: AppPaths) -> RemoteEngine:
    """Build the engine of other servers with the settings on disk, for the terminal."""
    settings, _ = load_settings(paths.settings)
    return build_remote_engine(
        RemoteServers(paths.servers, HubToken()), lambda: settings, ConnectionLedger(paths.connections)
    )


def build_model_server(
    server: RemoteServer,
    servers: RemoteServers,
    settings: Callable[[], Settings],
    ledger: ConnectionLedger,
    key: str | None = None,
) -> ModelServer:
    """Build the client of a server. A server in the user's own network works without internet access being allowed."""

    def access() -> NetworkAccess:
        network = settings().network
        found = access_to(server.address, settings(), servers.keys)
        return replace(found, allowed=network.allowed if server.is_own_network else network.reaches_internet)

    def own_key() -> str:
        return servers.read_key(server.name) if key is None else key

    return ModelServer(server.address, access, ledger, own_key, authorities=server.authorities)
