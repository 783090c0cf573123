"""Somebody who types at the program on a terminal."""

from __future__ import annotations

import os
import pty
import select

from tests.helpers import warm
from tests.helpers.terminal import ROOT, command


class Typist:
    """The program on a terminal of its own, with somebody who types."""

    def __init__(self, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self._terminal, there = pty.openpty()
        self.process = warm.Process(
            command(arguments),
            cwd=ROOT,
            env=os.environ | (environment or {}),
            stdin=there,
            stdout=there,
            stderr=there,
            start_new_session=True,
        )
        os.close(there)
        self.shown = ""

    def wait_for(self, text: str) -> None:
        """Until it is shown."""
        while text not in self.shown:
            assert select.select([self._terminal], [], [], 30)[0], self.shown
            try:
                self.shown += os.read(self._terminal, 65536).decode("utf-8", "replace")
            except OSError:  # the other side is closed
                break
        assert text in self.shown

    def type(self, text: str) -> None:
        """As on a keyboard."""
        os.write(self._terminal, text.encode())

    def end(self) -> int:
        """The exit code."""
        return self.process.wait(timeout=30)

    def close(self) -> None:
        """Leaves nothing running."""
        self.process.kill()
        self.process.wait()
        os.close(self._terminal)
