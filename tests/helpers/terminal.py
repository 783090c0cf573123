"""Runs the program's terminal face as a person would: a real process, a fresh home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.helpers import warm

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 90


def fireside(
    *arguments: str, text: str | None = None, environment: dict[str, str] | None = None, timeout_s: float = TIMEOUT_S
) -> subprocess.CompletedProcess[str]:
    """`python -m app ARGUMENTS`, with `text` on standard input (None: nothing there) and no display."""
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    with warm.Process(
        command(arguments),
        cwd=ROOT,
        env=env | (environment or {}),
        stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            out, err = process.communicate(text, timeout=timeout_s)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def command(arguments: Sequence[str]) -> list[str]:
    """The program's command line in a checkout."""
    return [sys.executable, "-m", "app", *arguments]


def only_json(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one JSON object on standard output; anything else there fails."""
    lines = result.stdout.splitlines()
    assert len(lines) == 1, f"not one line: {result.stdout!r} {result.stderr!r}"
    body = json.loads(lines[0])
    assert isinstance(body, dict)
    return body
