"""Qwen2.5-Coder-Instruct for tests, and the program as a person runs it with one of them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.helpers import warm
from tests.helpers.terminal import ROOT, command

NAMES = {"0.5B": "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", "1.5B": "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"}
CONTEXT_TOKENS = 4096
KEY = "the-key"
ANSWER_S = 600
"""Of a machine with two cores that is at work elsewhere."""


def qwen_path(size: str) -> Path:
    """Where `make test-qwen` puts the file; it may be missing."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fireside" / "models" / NAMES[size]


def fetched_qwen(size: str) -> Path:
    """The model's file; the test is skipped where it could not be fetched."""
    path = qwen_path(size)
    if not path.exists():
        pytest.skip(f"{NAMES[size]} is missing: run `make test-qwen`")
    return path


@contextmanager
def serve_model(path: Path, home: Path, *arguments: str) -> Iterator[httpx2.Client]:
    """A client of `fireside serve` with this model, in a process of its own."""
    environment = {"FIRESIDE_HOME": str(home), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    with warm.Process(
        command(["serve", "--port", "0", "--key", KEY, "--model", str(path), *arguments]),
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stderr is not None
        address = None
        while address is None:
            line = process.stderr.readline()
            assert line, "the server has ended"
            address = re.search(r"http://\S+", line)
        headers = {"Authorization": f"Bearer {KEY}"}
        try:
            with httpx2.Client(base_url=address[0], headers=headers, timeout=ANSWER_S) as client:
                yield client
        finally:
            process.terminate()
