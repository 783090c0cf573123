"""What the worker expects of a backend: the real one in `app.engine.llama`, or the scripted one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from app.engine import protocol


@dataclass(frozen=True)
class EngineJob:
    """One request while it is carried out: where replies go, and whether the person wants to stop."""

    reply: Callable[[protocol.Reply], None]
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def cancelled(self) -> bool:
        """True if `Cancel` came for this request."""
        return self.stop.is_set()


class Backend(Protocol):
    """Carries out requests on one thread. AppErrors become `Failed`; anything else ends the child.

    Answers run side by side: `begin_answer` adds one, `step` moves all of them on by a little, and each replies its own
    last reply. Everything else is done at once. A load tells `Loading` with 0 when it gives up the former model, and
    answers `Done` when it was cancelled.
    """

    name: str

    @property
    def busy(self) -> bool:
        """True if answers run or wait."""

    @property
    def interactive(self) -> bool:
        """True if somebody waits for one of them."""

    @property
    def waits_for_device(self) -> bool:
        """True if a GPU computes, for which this process may wait long and do nothing."""

    @property
    def unsaved(self) -> bool:
        """True if `close` has something to write."""

    def prepare(self) -> None:
        """Get slow imports done while nobody waits; problems wait for the request they concern."""

    def load(self, request: protocol.LoadModel, job: EngineJob) -> protocol.Loaded | protocol.Done:
        """Replace the loaded model. Running background answers fail with `ModelReplaced`."""

    def unload(self) -> None:
        """Free the model, after its sessions are saved."""

    def begin_answer(self, request: protocol.Generate, job: EngineJob) -> None:
        """Start an answer."""

    def step(self, urgent: Callable[[], bool]) -> None:
        """Move the running answers on. `urgent` says that a request has come meanwhile."""

    def forget_session(self, session: str) -> None:
        """Drop what is in memory of a session."""

    def count_tokens(self, request: protocol.CountTokens) -> protocol.TokensCounted:
        """Measure a conversation's prompt."""

    def count_texts(self, request: protocol.CountTexts) -> protocol.TextsCounted:
        """Measure texts."""

    def count_media(self, request: protocol.CountMedia) -> protocol.MediaCounted:
        """Measure pictures and sounds."""

    def call_syntax(self, request: protocol.FindCallSyntax) -> protocol.CallSyntaxFound:
        """Return how the model calls functions."""

    def embed(self, request: protocol.Embed, job: EngineJob) -> protocol.Embedded | protocol.Done:
        """Turn texts into vectors; `Done` when that was cancelled."""

    def classify_tokens(
        self, request: protocol.ClassifyTokens, job: EngineJob
    ) -> protocol.TokensClassified | protocol.Done:
        """Tell which tokens of a text its source does not support; `Done` when that was cancelled."""

    def inspect(self, request: protocol.Inspect, job: EngineJob) -> protocol.Inspected | protocol.Done:
        """Look into the model while it reads a text; `Done` when that was cancelled."""

    def describe_devices(self, request: protocol.DescribeDevices) -> protocol.DevicesDescribed:
        """List what really exists."""

    def close(self) -> None:
        """Save the sessions; the process ends next."""
