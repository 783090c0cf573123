"""What the worker expects of a backend: the real one in `app.engine.llama`, or the scripted one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from app.engine import protocol


@dataclass(frozen=True)
class Job:
    """One request while it is carried out: where replies go, and whether the person wants to stop."""

    reply: Callable[[protocol.Reply], None]
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def cancelled(self) -> bool:
        """Whether `Cancel` came for this request."""
        return self.stop.is_set()


class Backend(Protocol):
    """Carries out requests one after the other. AppErrors become `Failed`; anything else ends the child.

    A load tells `Loading` with 0 when it gives up the former model, and answers `Done` when it was cancelled.
    """

    name: str

    def prepare(self) -> None:
        """Gets slow imports done while nobody waits; problems wait for the request they concern."""

    def load(self, request: protocol.LoadModel, job: Job) -> protocol.Loaded | protocol.Done:
        """Replaces the loaded model."""

    def unload(self) -> None:
        """Frees the model."""

    def generate(self, request: protocol.Generate, job: Job) -> protocol.Answered:
        """Answers a conversation."""

    def count_tokens(self, request: protocol.CountTokens) -> protocol.TokensCounted:
        """Measures a conversation's prompt."""

    def describe_devices(self, request: protocol.DescribeDevices) -> protocol.DevicesDescribed:
        """Lists what really exists."""
