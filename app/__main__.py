"""The one entrance: branches to a child, a terminal command or the window before any heavy import."""

from __future__ import annotations

import gc
import importlib
import os
import sys

CHILDREN = {
    "--engine-worker": "app.engine.worker",
    "--fit-probe": "app.engine.llama.fit_probe",
    "--template-renderer": "app.engine.llama.sandbox",
    "--download-worker": "app.hub.transfer",
    "--document-worker": "app.documents.worker",
}


def main(arguments: list[str] | None = None) -> int:
    """Runs Fireside; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    child = CHILDREN.get(arguments[0]) if arguments else None
    if child is not None:
        return int(importlib.import_module(child).main(arguments[1:]))
    if _wants_window(arguments):
        if has_display():
            gc.disable()  # nothing that is imported is garbage; the window looks after it once it is there
            from app.ui.application import run as run_window

            return run_window(arguments)
        print("There is no display here, so this is the terminal chat.", file=sys.stderr)  # noqa: T201
        arguments = ["chat"]
    from app.cli.main import run as run_command

    return run_command(arguments)


def has_display() -> bool:
    """Whether a window can be shown; an explicit Qt platform counts as one."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _wants_window(arguments: list[str]) -> bool:
    """No arguments, or just model files, as a desktop entry hands over."""
    return all(argument.lower().endswith(".gguf") for argument in arguments)


if __name__ == "__main__":
    sys.exit(main())
