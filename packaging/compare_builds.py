"""Makes the packages of one commit twice, here and in a clone elsewhere, and says what differs and why.

usage: compare_builds.py. The clone has its own environment, under another path, in another time zone and language, with
other rights for new files; what is compiled (the engine, NumPy) is kept by `make setup` and the same for both. Takes as
long as `make package` twice, and set-up once.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from portable import ROOT, TARGET, this_source

SCRIPTS = ("portable.py", "linux_packages.py")
HERE = {"TZ": "Pacific/Apia", "LANG": "C.UTF-8"}
ELSEWHERE = {"TZ": "America/Caracas", "LANG": "de_DE.UTF-8"}
EXPLAINED: dict[str, str] = {}
"""What may differ, by a pattern of its name, and why. Nothing does."""


def build(checkout: Path, environment: dict[str, str]) -> dict[str, str]:
    """Both steps of `make package` that make something, in a checkout; what is then in its dist/."""
    shutil.rmtree(checkout / "dist", ignore_errors=True)
    for script in SCRIPTS:
        command = [checkout / ".venv" / "bin" / "python", checkout / "packaging" / script]
        subprocess.run(command, cwd=checkout, env=os.environ | environment, check=True, stdout=sys.stderr)
    return digests(checkout / "dist")


def clone(folder: Path, commit: str) -> Path:
    """That commit, set up by itself; here others may have come meanwhile."""
    checkout = folder / "another place" / "fireside"
    subprocess.run(["git", "clone", "--quiet", "--no-local", "--no-checkout", f"file://{ROOT}", checkout], check=True)
    subprocess.run(["git", "checkout", "--quiet", "--detach", commit], cwd=checkout, check=True)
    pictures = Path("resources/help/pictures")  # taken of a running program, and so never twice the same
    if (ROOT / pictures).is_dir():
        shutil.copytree(ROOT / pictures, checkout / pictures)
    subprocess.run(["make", "--silent", "dev"], cwd=checkout, check=True, stdout=sys.stderr)
    return checkout


def digests(folder: Path) -> dict[str, str]:
    """By their names, all files and links below a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[path.relative_to(folder).as_posix()] = f"-> {path.readlink()}"
        elif path.is_file():
            found[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def explanation(name: str) -> str:
    """Why a file may differ; "" where nothing explains it."""
    return next((why for pattern, why in EXPLAINED.items() if fnmatch.fnmatch(name, pattern)), "")


def compared(first: dict[str, str], second: dict[str, str]) -> tuple[list[str], int]:
    """A line for each file that is another, and how many of these nothing explains."""
    different = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    lines = []
    for name in different:
        where = "only here" if name not in second else "only in the clone" if name not in first else "differs"
        lines.append(f"  {where}: {name} ({explanation(name) or 'NOT EXPLAINED'})")
    return lines, sum(not explanation(name) for name in different)


def main() -> int:
    """1 when a file of a package, or a package, is another and nothing explains it."""
    commit = this_source().commit
    if commit.endswith("+"):
        raise SystemExit("Files here differ from the commit: commit them first, or the clone is made of others.")
    first = build(ROOT, HERE)
    with tempfile.TemporaryDirectory(prefix="fireside-second-", dir="/var/tmp") as scratch:
        os.umask(0o077)
        second = build(clone(Path(scratch), commit), ELSEWHERE)
    lines, unexplained = compared(first, second)
    print("\n".join([*lines, f"{len(second) - len(lines)} of {len(second)} files in {TARGET.parent} are the same."]))
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main())
