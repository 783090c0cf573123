"""Have a chat template rendered by a process of its own, which can be ended whatever the template does."""

from __future__ import annotations

import contextlib
import logging
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.core.child import Child, own_command
from app.core.errors.engine_errors import ProtocolViolation
from app.core.lazy_dataclasses import dataclass
from app.core.wire import Caged, Ended, Wire, WireClient, WireInbox

log = logging.getLogger(__name__)


START_TIMEOUT_S = 20.0
LOOK_EVERY_S = 0.25
DEADLINE_S = 4.0  # without a sign of life, where processor time is counted; a slow computer may need longer
MOST_PROCESSOR_S = 2  # where the system counts it; a rendering takes a few milliseconds
AVOIDED_S = 60.0  # for so long a template that had to be ended is not tried again: writing a message would ask often


@dataclass(frozen=True)
class Template:
    """Request to use this template from now on; there is no reply, its errors come with the first `Render`."""

    source: str


@dataclass(frozen=True)
class Render:
    """Request to render with these variables; answered by `Rendered` or `Unrendered`."""

    variables: Mapping[str, object]


@dataclass(frozen=True)
class TemplateReady:
    """First reply: the process runs and its memory is limited."""


@dataclass(frozen=True)
class Rendered:
    """Reply to `Render`: the text that the template wrote."""

    text: str


@dataclass(frozen=True)
class Unrendered:
    """Reply to `Render` without a text; `is_abandoned` as in `TemplateAbandoned`."""

    problem: str
    is_abandoned: bool


RENDER_WIRE = Wire(3, (Template, Render), (Caged, TemplateReady, Rendered, Unrendered))


class TemplateProblem(Exception):
    """The template failed; the message says how. Another shape of the conversation may work."""


class TemplateAbandoned(TemplateProblem):
    """The template wanted more time or memory than it may have; trying again in another way is of no use."""


class TemplateProcess:
    """A template and the process that renders it; `folder` is that one's working directory. For one thread."""

    def __init__(self, source: str, folder: Path) -> None:
        self.source, self._folder = source, folder
        self._said = WireInbox()
        self._child: Child | None = None
        self._conversation: WireClient | None = None
        self._is_ready = False
        self._avoided_until_s = 0.0
        self._problem = ""
        # Started at once, so that no answer waits for a process.
        with contextlib.suppress(OSError):  # then the first rendering says so
            self._running_client()

    def render(self, variables: Mapping[str, Any]) -> str:
        """Return the text that the process writes. Raises TemplateProblem, or TemplateAbandoned if it was ended."""
        # A hostile template would otherwise cost seconds of processor time with each letter typed in a chat.
        if time.monotonic() < self._avoided_until_s:
            raise TemplateAbandoned(self._problem)
        try:
            conversation = self._running_client()
        except OSError as error:
            self.close()
            raise TemplateProblem(f"it cannot be rendered: {error}") from error
        # Its start is waited for here and not where the model is loaded.
        if not self._is_ready:
            self._read_answer(START_TIMEOUT_S)
            self._is_ready = True
        conversation.send(Render(variables))
        answer = self._read_answer(DEADLINE_S)
        if isinstance(answer, Rendered):
            return answer.text
        raise self._abandon_process(answer.problem) if answer.is_abandoned else TemplateProblem(answer.problem)

    def close(self) -> None:
        if self._child is not None:
            self._child.kill_tree()
            self._child.close()
            self._child = None

    def _running_client(self) -> WireClient:
        if self._child is None or self._conversation is None or not self._child.running:
            self.close()
            # A new inbox: what the old process still says is not for this one.
            self._said, self._is_ready = WireInbox(), False
            self._child = Child(own_command("--template-renderer"), self._folder)
            self._conversation = WireClient(RENDER_WIRE, self._child, self._said.add_item)
            self._conversation.send(Template(self.source))
        return self._conversation

    def _read_answer(self, timeout_s: float) -> Any:
        try:
            answer = self._await_message(timeout_s)
        except ProtocolViolation:
            raise self._abandon_process("the process that rendered it spoke nonsense") from None
        if answer is None:
            raise self._abandon_process(f"it did not come to an end within {timeout_s:.0f} seconds")
        if not isinstance(answer, Ended):
            return answer
        log.info("the process of a template ended with %s: %s", answer.code, answer.tail)
        # SIGXCPU: the system has ended it at its limit of processor time, which the message can say.
        if answer.code == -getattr(signal, "SIGXCPU", 0):
            raise self._abandon_process(f"it computed for more than {MOST_PROCESSOR_S} seconds")
        raise self._abandon_process(f"the process that rendered it ended with {answer.code}")

    def _await_message(self, timeout_s: float) -> Any:
        """Return what it says next; None where it does not, and what it computes is not limited or it computes
        nothing.
        """
        assert self._child is not None
        lives, until_s = self._child.life_check(), time.monotonic() + timeout_s
        while (answer := self._said.next_item(LOOK_EVERY_S)) is None and time.monotonic() < until_s:
            # As long as it computes, the limit of processor time is the one that counts; a slow disk or swapping is no
            # fault.
            if lives() and hasattr(signal, "SIGXCPU"):
                until_s = time.monotonic() + timeout_s
        return answer

    def _abandon_process(self, problem: str) -> TemplateAbandoned:
        self.close()
        # Remembered, so that whoever asks in the next minute gets the reason at once.
        self._problem, self._avoided_until_s = problem, time.monotonic() + AVOIDED_S
        return TemplateAbandoned(problem)
