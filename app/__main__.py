"""The one entrance: branches to a child, a terminal command or the window before any heavy import."""

from __future__ import annotations

import os
import sys


def main(arguments: list[str] | None = None) -> int:
    """Runs Fireside; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["--engine-worker"]:
        from app.engine.worker import main as run_worker

        return run_worker(arguments[1:])
    if arguments[:1] == ["--fit-probe"]:
        from app.engine.llama.fit_probe import main as run_probe

        return run_probe(arguments[1:])
    if arguments[:1] == ["--download-worker"]:
        from app.hub.transfer import main as run_transfer

        return run_transfer(arguments[1:])
    if arguments[:1] == ["--document-worker"]:
        from app.documents.worker import main as run_reader

        return run_reader(arguments[1:])
    if _wants_window(arguments):
        if has_display():
            from app.ui.application import run as run_window

            return run_window(arguments)
        print("There is no display here, so this is the terminal chat.", file=sys.stderr)  # noqa: T201
        arguments = ["chat"]
    from app.cli import run as run_command

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
