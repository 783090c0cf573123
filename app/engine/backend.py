"""Interface between the worker and its backends: llama.cpp's in `app.engine.llama`, or the tests' scripted one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Protocol

from app.core.lazy_dataclasses import dataclass, field
from app.engine import protocol


@dataclass(frozen=True)
class EngineJob:
    """A request in progress: where to send replies, and whether it was cancelled."""

    reply: Callable[[protocol.Reply], None]
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def cancelled(self) -> bool:
        """True once `Cancel` came for this request; the work ends at its next chance."""
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
        """True if answers are running or waiting, so that the worker has to go on stepping."""

    @property
    def interactive(self) -> bool:
        """True if somebody waits for one of the answers; background work pauses then."""

    @property
    def waits_for_device(self) -> bool:
        """True if a GPU computes, so that this process may use no processor time for long."""

    @property
    def unsaved(self) -> bool:
        """True if `close` has states to write, which may take seconds."""

    def prepare(self) -> None:
        """Do slow imports ahead of time. Failures are reported by the request they concern."""

    def load(self, request: protocol.LoadModel, job: EngineJob) -> protocol.Loaded | protocol.Done:
        """Replace the loaded model. Running background answers fail with `ModelReplaced`."""

    def unload(self) -> None:
        """Save the sessions, then free the model; running answers fail with `ModelReplaced`."""

    def begin_answer(self, request: protocol.Generate, job: EngineJob) -> None:
        """Start an answer, which `step` moves on; its replies go to the job."""

    def step(self, urgent: Callable[[], bool]) -> None:
        """Advance the running answers by one decode. `urgent` returns True once a request has arrived."""

    def forget_session(self, session: str) -> None:
        """Drop a session's tokens from memory; its files are the parent's to delete."""

    def forget_texts(self, names: AbstractSet[str]) -> None:
        """Drop from memory what was made of texts with these names, or belongs to such sessions."""

    def count_tokens(self, request: protocol.CountTokens) -> protocol.TokensCounted:
        """Count the tokens of a conversation's prompt as its template renders it."""

    def count_texts(self, request: protocol.CountTexts) -> protocol.TextsCounted:
        """Count the tokens of each text by itself, without template and start token."""

    def count_media(self, request: protocol.CountMedia) -> protocol.MediaCounted:
        """Count the tokens of each image and sound; 0 for one that the model can't take."""

    def call_syntax(self, request: protocol.FindCallSyntax) -> protocol.CallSyntaxFound:
        """Return how the model's template has functions called; no syntax where it isn't understood."""

    def embed(self, request: protocol.Embed, job: EngineJob) -> protocol.Embedded | protocol.Done:
        """Return one vector per text, of length 1; `Done` if cancelled."""

    def classify_tokens(
        self, request: protocol.ClassifyTokens, job: EngineJob
    ) -> protocol.TokensClassified | protocol.Done:
        """Label the tokens of a text that its source doesn't support; `Done` if cancelled."""

    def inspect(self, request: protocol.Inspect, job: EngineJob) -> protocol.Inspected | protocol.Done:
        """Return tokens, layers or attention of a text; `Done` if cancelled."""

    def tune(
        self, request: protocol.TuneModel, job: EngineJob, urgent: Callable[[], bool]
    ) -> protocol.TuningFound | protocol.Done:
        """Measure how the model runs fastest; `Done` if cancelled, or once `urgent` says that a request has arrived."""

    def describe_devices(self, request: protocol.DescribeDevices) -> protocol.DevicesDescribed:
        """List the devices that the backend really found, which may be fewer than the computer has."""

    def close(self) -> None:
        """Save the sessions before the process ends; nothing is called afterwards."""
