"""A question to the person about a tool that a model called: the answer waits for it on its own thread."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

from app.core.lazy_dataclasses import dataclass
from app.core.visible import visible_name

PATIENCE_S = 600.0
"""Then nobody is there: the model is free again, and the lock may close."""
STEP_S = 0.02


@dataclass(frozen=True)
class ToolReach:
    """What the person granted the program of a tool: folders and the network. `host` is where one elsewhere runs."""

    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    has_network: bool = False
    host: str = ""


@dataclass(frozen=True)
class ToolCall:
    """What a model wants to call: the tool as its server names it, and the arguments as JSON text."""

    tool: str
    server: str
    arguments: str
    changes: bool
    reach: ToolReach = ToolReach()
    is_temporary: bool = False
    """In a chat that is temporary, while its server may keep what it gets."""
    address: str = ""
    """Of a page of the web, whose host `tool` is then; it is all that is sent."""


class ToolQuestion:
    """Asked on one thread, answered or closed once on another. `answers` are values of `PermissionAnswer`."""

    def __init__(self, call: ToolCall, answers: tuple[str, ...], patience_s: float = PATIENCE_S) -> None:
        self.call, self.answers, self._patience_s = call, answers, patience_s
        self._lock, self._settled = threading.Lock(), threading.Event()
        self._answer: str | None = None

    @property
    def is_open(self) -> bool:
        return not self._settled.is_set()

    def settle(self, answer: str | None = None) -> bool:
        """Answer the question, or close it with None; return False if that was done before."""
        with self._lock:
            if not self.is_open:
                return False
            self._answer = answer
            self._settled.set()
            return True

    def wait_for_answer(self, is_stopped: Callable[[], bool]) -> str | None:
        """Wait for the answer; None if the question was closed, nobody answered for long, or `is_stopped`."""
        until_s = time.monotonic() + self._patience_s
        while not self._settled.wait(STEP_S):
            if is_stopped() or time.monotonic() > until_s:
                self.settle()
        return self._answer


@dataclass(frozen=True)
class ToolAsks:
    """Event: an answer waits until the person has said whether a tool may be called."""

    question: ToolQuestion


@dataclass(frozen=True)
class ToolAnswered:
    """Event: the answer waits no more, and the tool may still run."""


def shown_arguments(text: str) -> str:
    """Return arguments as they are sent, a value a line; what hides, acts or turns letters around is written out."""
    try:
        text = json.dumps(json.loads(text or "{}"), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        pass
    return "\n".join(map(visible_name, text.split("\n")))
