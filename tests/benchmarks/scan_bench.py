"""A thousand models in the folders of other programs: how long it takes to find them all."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from run import Row

from app.hub.model_library import scan_others
from tests.helpers.models_on_disk import in_hub_cache, in_jan, in_ollama, write_model

MODELS = 1000
ROUNDS = 9
MOST_S = 1.0


def rows() -> Iterator[Row]:
    """One number: all six programs together, the files in the system's cache as after their first use."""
    with tempfile.TemporaryDirectory(prefix="fireside-bench-") as name:
        home = Path(name)
        _fill(home)
        environment = {"OLLAMA_MODELS": str(home / ".ollama" / "models")}
        taken_s = []
        for _ in range(ROUNDS):
            began_s = time.monotonic()
            found = sum(1 for _ in scan_others(environment, home, "linux"))
            taken_s.append(time.monotonic() - began_s)
            if found != MODELS:
                raise AssertionError(f"{found} of {MODELS} models were found")
    spread = f"{min(taken_s):.3f} to {max(taken_s):.3f}, {ROUNDS} rounds"
    yield Row(f"scan_of_{MODELS}_models", round(statistics.median(taken_s), 3), "s", MOST_S, spread, at_most=1.0)


def _fill(home: Path) -> None:
    """Each program has as many as the others; a header is as long as real ones are before the vocabulary."""
    facts = {f"llama.fact_{number}": number for number in range(30)}
    tokens = [f"token {number}" for number in range(2000)]
    for number in range(MODELS):
        name = f"model-{number}-Q4_K_M"
        match number % 6:
            case 0:
                in_hub_cache(home / ".cache" / "huggingface" / "hub", f"org/{name}", f"{name}.gguf")
            case 1:
                in_ollama(home / ".ollama" / "models", f"library/{name}")
            case 2:
                in_jan(home / ".local" / "share" / "Jan" / "data", name)
            case 3:
                _write(home / ".cache" / "llama.cpp" / f"{name}.gguf", facts, tokens)
            case 4:
                _write(home / ".lmstudio" / "models" / "org" / name / f"{name}.gguf", facts, tokens)
            case _:
                _write(home / ".local" / "share" / "nomic.ai" / "GPT4All" / f"{name}.gguf", facts, tokens)


def _write(path: Path, facts: dict[str, int], tokens: list[str]) -> None:
    write_model(path, **facts, **{"tokenizer.ggml.tokens": tokens})
