"""Orca, the screen reader of Linux, on buses of its own: what it would say of the program is read, not heard."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.helpers.bus import private_bus
from tests.helpers.program import WAIT_S, wait_until

LAUNCHER = "/usr/libexec/at-spi-bus-launcher"
BUS_ADDRESS = ("--dest", "org.a11y.Bus", "--object-path", "/org/a11y/bus", "--method", "org.a11y.Bus.GetAddress")
STARTED = "Screen reader on."
_SAID = re.compile(r"^[\d:.]+ - SPEECH OUTPUT: '(.*?)'(?= \{|\n)", re.DOTALL | re.MULTILINE)
SETTINGS = {
    "general": {},
    "profiles": {"default": {"profile": ["Default", "default"], "enableKeyEcho": False, "enableBraille": False}},
    "pronunciations": {},
    "keybindings": {},
}
"""What is typed is not said letter by letter: that is not the program's."""
AT_ONCE = "from orca import debug\n\ndebug.debugFile.reconfigure(line_buffering=True)\n"
"""Orca runs it when it starts: each line is in the log as soon as it is written."""


class OrcaReader:
    """A running Orca, whose words are told step by step."""

    def __init__(self, log: Path) -> None:
        self._log, self._told = log, 0
        self.transcript: list[str] = []
        """What was done and what was said, as it is kept."""

    def said(self) -> list[str]:
        """Return every utterance so far."""
        return _SAID.findall(self._log.read_text("utf-8", "replace")) if self._log.exists() else []

    def hear_until(self, done: str, *words: str) -> list[str]:
        """Wait until all these words were said since the last step, each in an utterance; return all of them."""

        def heard() -> bool:
            since = self.said()[self._told :]
            return all(any(wanted in line for line in since) for wanted in words)

        try:
            wait_until(heard, f"Orca to say {words} after {done}", WAIT_S)
        finally:
            since = self.said()[self._told :]
            self._told += len(since)
            self.transcript += [f"> {done}", *(f"    {line}" for line in since)]
        return since


@contextmanager
def running_orca(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OrcaReader]:
    """Orca with a session bus, an accessibility bus and settings of its own; all end behind the block, by their ids.

    It finds nothing that speaks, and then writes into its log what it would say.
    """
    home, log = folder / "reader", folder / "orca.log"
    settings = home / "orca" / "user-settings.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(SETTINGS), "utf-8")
    settings.with_name("orca-customizations.py").write_text(AT_ONCE, "utf-8")
    with ExitStack() as stack:
        stack.enter_context(private_bus(folder, monkeypatch))
        env = os.environ | {"GSETTINGS_BACKEND": "memory", "SPEECHD_ADDRESS": f"unix_socket:{home}/none"}
        folders = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")
        env |= dict.fromkeys(folders, str(home))
        errors = stack.enter_context((folder / "orca.errors").open("wb"))

        def start(*command: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                command, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors
            )
            stack.callback(_end, process)
            return process

        def has_bus() -> bool:
            asked = subprocess.run(
                ["gdbus", "call", "--session", *BUS_ADDRESS], env=env, capture_output=True, check=False
            )
            return asked.returncode == 0

        start(LAUNCHER, "--launch-immediately", "--a11y=1", "--screen-reader=1")
        wait_until(has_bus, "the accessibility bus")
        orca = start("orca", "--user-prefs", str(settings.parent), "--debug-file", str(log))
        reader = OrcaReader(log)
        wait_until(lambda: STARTED in reader.said() or orca.poll() is not None, "Orca")
        assert orca.poll() is None, (folder / "orca.errors").read_text("utf-8", "replace")
        yield reader


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=30)
