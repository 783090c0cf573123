"""The real engine's child, which kills itself at a chosen moment of writing a state. usage: dying_engine.py MOMENT."""

from __future__ import annotations

import os
import runpy
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

AMID_CHECKPOINTS = "amid checkpoints"
BEFORE_NAME = "before its name"
BEFORE_SIDECAR = "before its sidecar"
AMID_SIDECAR = "amid its sidecar"
MOMENTS = (AMID_CHECKPOINTS, BEFORE_NAME, BEFORE_SIDECAR, AMID_SIDECAR)
STATE_PART, SIDECAR_PART = ".state.", ".json."


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def watch(moment: str) -> Callable[[str, tuple[Any, ...]], None]:
    """Return an audit hook that dies where the moment is the opening or renaming of an unfinished file."""
    kinds = {BEFORE_NAME: ("os.rename", STATE_PART), BEFORE_SIDECAR: ("open", SIDECAR_PART)}
    wanted, part = kinds.get(moment, ("", ""))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == wanted and part in str(arguments[0]) and str(arguments[0]).endswith(".part"):
            die()

    return hook


def break_writes(moment: str) -> None:
    """Die when half of a state's checkpoints, or half of its sidecar, is written."""
    from app.engine.llama.saved_states import SavedStates

    choose, write_text = SavedStates._checkpoints_of, Path.write_text

    class LastData:
        """A checkpoint whose bytes nobody gets."""

        count = size_bytes = 1

        @property
        def data(self) -> bytes:
            die()
            return b""

    def choose_half(states: SavedStates, *arguments: Any) -> list[Any]:
        found = choose(states, *arguments)
        assert found, "nothing to die amid"
        return [*found[: len(found) // 2 + 1], LastData()]

    def write_half(path: Path, text: str, *arguments: Any, **options: Any) -> int:
        if SIDECAR_PART in path.name:
            write_text(path, text[: len(text) // 2], *arguments, **options)
            die()
        return write_text(path, text, *arguments, **options)

    if moment == AMID_CHECKPOINTS:
        SavedStates._checkpoints_of = choose_half  # type: ignore[method-assign]
    elif moment == AMID_SIDECAR:
        Path.write_text = write_half  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    break_writes(sys.argv[1])
    sys.addaudithook(watch(sys.argv[1]))
    sys.argv = ["app", "--engine-worker"]
    runpy.run_module("app", run_name="__main__")
