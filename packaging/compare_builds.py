"""Makes the packages of this commit twice and says what differs: nothing should.

usage: compare_builds.py; takes as long as `make package` twice. What is in dist/ afterwards is the second.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from portable import ROOT, TARGET

FIRST = ROOT / "build" / "first"
SCRIPTS = ("portable.py", "linux_packages.py")


def build() -> None:
    """Both steps of `make package` that make something."""
    for script in SCRIPTS:
        command = [sys.executable, ROOT / "packaging" / script]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def digests(folder: Path) -> dict[str, str]:
    """By their names, all files and links below a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[path.relative_to(folder).as_posix()] = f"-> {path.readlink()}"
        elif path.is_file():
            found[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def main() -> int:
    """1 when a file of a package or a package is another."""
    os.environ["TZ"] = "Pacific/Apia"
    build()
    shutil.rmtree(FIRST, ignore_errors=True)
    FIRST.parent.mkdir(exist_ok=True)
    TARGET.parent.rename(FIRST)
    os.environ["TZ"] = "America/Caracas"
    build()
    first, second = digests(FIRST), digests(TARGET.parent)
    different = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    for name in different:
        print(f"  differs: {name}")
    packages = sum(1 for name in second if "/" not in name)
    print(f"{len(second) - len(different)} of {len(second)} files are the same, {packages} packages among them.")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
