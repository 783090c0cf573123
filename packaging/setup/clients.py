"""Installs other programs' libraries for `make test-clients`, where they cannot meet this program's own.

Five environments for Python (aider, the agents, the pipelines and the tool servers want other versions than the rest)
and one for Node, in ``${XDG_CACHE_HOME:-~/.cache}/fireside/clients``; another list makes them anew.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys

from pinned_wheel import REQUIREMENTS, cache_folder, say

ENVIRONMENTS = ("clients", "agents", "pipelines", "aider", "tool_servers")
LISTS = (*(f"{name}.in" for name in ENVIRONMENTS), "clients.json")


def main() -> None:
    """What is there stays."""
    target = cache_folder("clients")
    wanted = hashlib.sha256(b"".join((REQUIREMENTS / name).read_bytes() for name in LISTS)).hexdigest()
    whole = target / "whole"
    if whole.exists() and whole.read_text() == wanted:
        return
    shutil.rmtree(target, ignore_errors=True)
    say("Installing the clients and tool servers of other programs for the tests (1 GB).")
    for name in ENVIRONMENTS:
        python = target / name / "bin" / "python"
        run(sys.executable, "-m", "venv", target / name)
        run(python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "-r", REQUIREMENTS / f"{name}.in")
    shutil.copy(REQUIREMENTS / "clients.json", target / "package.json")
    run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", target)
    whole.write_text(wanted)


def run(*command: object) -> None:
    """Ends with the command's own words where it fails."""
    if subprocess.run([str(part) for part in command], stdout=sys.stderr, check=False).returncode:
        raise SystemExit(f"{command[0]} failed; it says above why.")


if __name__ == "__main__":
    main()
