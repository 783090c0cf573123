"""Looks at the subjects of the commits since [tool.fireside.commits] `since`: `area: verb object`, 72 characters."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOST_CHARACTERS = 72
_FORM = re.compile(r"[a-z][\w ,/.-]*: [a-z][\w'’-]* \S")


def complaints(subjects: list[str]) -> list[str]:
    """Return a sentence for each subject that is too long or not of the form."""
    found = []
    for subject in subjects:
        if len(subject) > MOST_CHARACTERS:
            found.append(f"{len(subject)} characters, at most {MOST_CHARACTERS}: {subject}")
        elif not _FORM.match(subject):
            found.append(f"not “area: verb object”: {subject}")
    return found


def subjects_since(commit: str, root: Path) -> list[str] | None:
    """Return the newer subjects, merges left out; None where git or that commit is missing, as in a shallow clone."""
    command = ["git", "-C", str(root), "log", "--no-merges", "--format=%s", f"{commit}..HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.splitlines()


def main(root: Path = ROOT) -> int:
    """Print what is wrong with the newer subjects; 1 when something is."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    subjects = subjects_since(project["tool"]["fireside"]["commits"]["since"], root)
    if subjects is None:
        print("commit subjects: this checkout does not have the history to look at")
        return 0
    found = complaints(subjects)
    print("\n".join(found) or f"commit subjects: {len(subjects)} looked at")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
