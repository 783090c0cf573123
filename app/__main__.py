"""The one entrance: branches to a child, a terminal command or the window before any heavy import."""

from __future__ import annotations

import gc
import importlib
import os
import sys

CHILDREN = {
    "--engine-worker": "app.engine.worker",
    "--fit-probe": "app.engine.llama.fit_probe",
    "--lend-worker": "app.engine.llama.lender",
    "--template-renderer": "app.engine.llama.sandbox",
    "--download-worker": "app.hub.transfer",
    "--record-worker": "app.documents.microphone",
    "--document-worker": "app.documents.worker",
    "--tool-server": "app.features.mcp.launcher",
    "--voice-worker": "app.ui.shell.voice_worker",
    "--try-imports": "app.core.build",
}


ASK = "--ask"
"""Before words: the small window for a quick question."""
TABS = ("--summarize", "--translate")
"""Before files: the tab of the window that takes them."""


def main(arguments: list[str] | None = None) -> int:
    """Runs Fireside; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    child = CHILDREN.get(arguments[0]) if arguments else None
    if child is not None:
        return int(importlib.import_module(child).main(arguments[1:]))
    if _wants_window(arguments):
        if has_display():
            gc.disable()  # nothing that is imported is garbage; the window looks after it once it is there
            from app.ui.qt_application import run as run_window

            return run_window(arguments)
        arguments = _without_window(arguments)
        if not arguments:
            return 2
    from app.cli.main import run as run_command

    return run_command(arguments)


def has_display() -> bool:
    """Whether a window can be shown; an explicit Qt platform counts as one."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _wants_window(arguments: list[str]) -> bool:
    """No arguments; files, as a desktop entry hands them over, or the tab that takes them; a quick question."""
    if not arguments or arguments[0] in (ASK, *TABS):
        return True
    return all(_is_file(argument) for argument in arguments) and not _is_command(arguments[0])


def _is_file(argument: str) -> bool:
    is_there = not argument.startswith("-") and os.path.exists(argument)  # noqa: PTH110 - pathlib is not needed yet
    return is_there or argument.startswith("file:") or argument.lower().endswith(".gguf")


def _is_command(argument: str) -> bool:
    """Commands go before files that are called like them."""
    if not argument.isalpha():
        return False
    from app.cli.main import COMMANDS

    return argument in COMMANDS


def _without_window(arguments: list[str]) -> list[str]:
    """The command that comes nearest to what a window would have done; nothing where none does."""
    if arguments and arguments[0] in TABS:
        return [arguments[0][2:], *arguments[1:]]
    if arguments and arguments[0] == ASK:
        return ["chat", *(["-p", " ".join(arguments[1:])] if arguments[1:] else [])]
    if all(argument.lower().endswith(".gguf") for argument in arguments):
        print("No display found, so this is the terminal chat.", file=sys.stderr)  # noqa: T201
        return ["chat", *(["--model", arguments[0]] if arguments else [])]
    print("No display found. “fireside summarize FILE” works without one.", file=sys.stderr)  # noqa: T201
    return []


if __name__ == "__main__":
    sys.exit(main())
