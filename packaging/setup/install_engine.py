"""Installs the built engine wheel into this environment, unless exactly that wheel is installed already.

``--portable`` installs the one that packages hold, which runs on every computer.
"""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import engine_wheel
from pinned_wheel import say, sha256

NAME = "llama-cpp-python"


def installed_sha256() -> str:
    """The hash of the wheel file that the installed engine came from, as pip noted it; empty when unknown."""
    try:
        note = importlib.metadata.distribution(NAME).read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        return ""
    return json.loads(note)["archive_info"].get("hash", "").removeprefix("sha256=") if note else ""


def main(wheel: Path) -> None:
    """pip does not replace a package by another build of the same version unless it is forced to."""
    if installed_sha256() == sha256(wheel):
        return
    say(f"Installing the engine ({wheel.name}).")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--force-reinstall", wheel]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise SystemExit("The engine could not be installed; pip says above why.")


if __name__ == "__main__":
    for_all = "--portable" in sys.argv[1:]
    main(engine_wheel.find_wheel(for_all) or engine_wheel.build_wheel(for_all))
