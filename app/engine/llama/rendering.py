"""Has a chat template rendered by a process of its own, which can be ended whatever the template does.

It is there as long as the model is, so no answer waits for its start. One that was ended is started anew by the next
rendering.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.core.child import Child, own_command

log = logging.getLogger(__name__)

START_TIMEOUT_S = 20.0
DEADLINE_S = 4.0  # less than the engine may take to hear a cancel
MOST_PROCESSOR_S = 2  # where the system counts it; a rendering takes a few milliseconds
AVOIDED_S = 60.0  # for so long a template that had to be ended is not tried again: writing a message would ask often

_End = tuple[int, str]


class TemplateProblem(Exception):
    """The template failed; the text says how."""


class TemplateAbandoned(TemplateProblem):
    """The template wanted more time or memory than it may have; trying again in another way is of no use."""


class TemplateProcess:
    """A template and the process that renders it; `folder` is that one's working directory. For one thread."""

    def __init__(self, source: str, folder: Path) -> None:
        self._source, self._folder = source, folder
        self._said: queue.SimpleQueue[bytes | _End] = queue.SimpleQueue()
        self._child: Child | None = None
        self._is_ready = False
        self._avoided_until_s = 0.0
        self._problem = ""
        with contextlib.suppress(OSError):  # then the first rendering says so
            self._running()

    def render(self, variables: Mapping[str, Any]) -> str:
        """The text; raises TemplateProblem."""
        if time.monotonic() < self._avoided_until_s:
            raise TemplateAbandoned(self._problem)
        try:
            child = self._running()
            if not self._is_ready:
                self._answer(START_TIMEOUT_S)
                self._is_ready = True
            child.send(json.dumps(variables).encode("ascii") + b"\n")
        except OSError as error:
            self.close()
            raise TemplateProblem(f"it cannot be rendered: {error}") from error
        answer = self._answer(DEADLINE_S)
        if answer.get("abandoned"):
            raise self._abandoned(str(answer["problem"]))
        if "problem" in answer:
            raise TemplateProblem(str(answer["problem"]))
        return str(answer["text"])

    def close(self) -> None:
        """Ends the process."""
        if self._child is not None:
            self._child.kill_tree()
            self._child.close()
            self._child = None

    def _running(self) -> Child:
        if self._child is None or not self._child.running:
            self.close()
            self._said, self._is_ready = queue.SimpleQueue(), False
            said = self._said
            self._child = Child(own_command("--template-renderer"), self._folder)
            self._child.listen(said.put, lambda code, tail: said.put((code, tail)))
            self._child.send(json.dumps(self._source).encode("ascii") + b"\n")
        return self._child

    def _answer(self, timeout_s: float) -> dict[str, Any]:
        try:
            item = self._said.get(timeout=timeout_s)
        except queue.Empty:
            raise self._abandoned(f"it did not come to an end within {timeout_s:.0f} seconds") from None
        if isinstance(item, bytes):
            return dict(json.loads(item))
        code, tail = item
        log.info("the process of a template ended with %s: %s", code, tail)
        if code == -getattr(signal, "SIGXCPU", 0):
            raise self._abandoned(f"it computed for more than {MOST_PROCESSOR_S} seconds")
        raise self._abandoned(f"the process that rendered it ended with {code}")

    def _abandoned(self, problem: str) -> TemplateAbandoned:
        self.close()
        self._problem, self._avoided_until_s = problem, time.monotonic() + AVOIDED_S
        return TemplateAbandoned(problem)
