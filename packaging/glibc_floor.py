"""Says which C library a folder of programs needs at least, and so on which systems it runs.

usage: glibc_floor.py FOLDER [MOST]; with MOST, such as 2.34, it ends with 1 where a file needs a newer one.

The wheels that are taken as they are need 2.34 (Qt's, on x86-64; 2.39 on ARM). What is compiled here, which is the
engine, NumPy and Python itself, needs the builder's: so a package for older systems is made on an older system.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from parts import is_program

Version = tuple[int, ...]
SYSTEMS = {
    "RHEL 9": (2, 34),
    "Ubuntu 22.04": (2, 35),
    "Debian 12": (2, 36),
    "Ubuntu 24.04": (2, 39),
    "Debian 13": (2, 41),
}
"""Systems by the C library that they have."""
MOST_SHOWN = 10


def floor_of(path: Path) -> Version:
    """The newest version of glibc's symbols that a program or library asks for; () for none."""
    command = ["readelf", "--version-info", "--wide", path]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    needs = said[said.index("Version needs") :] if "Version needs" in said else ""
    return max((version_of(name) for name in re.findall(r"Name: GLIBC_([\d.]+)", needs)), default=())


def floors(folder: Path) -> dict[Path, Version]:
    """Of every program and library below a folder."""
    files = [path for path in sorted(folder.rglob("*")) if not path.is_symlink() and is_program(path)]
    return {path: floor_of(path) for path in files}


def version_of(name: str) -> Version:
    """2.34 as numbers that can be compared."""
    return tuple(map(int, name.split(".")))


def name_of(version: Version) -> str:
    """As people write it."""
    return ".".join(map(str, version))


def sentence(floor: Version) -> str:
    """What runs it and what does not, for whoever made it."""
    too_old = [system for system, has in SYSTEMS.items() if has < floor]
    return f"It needs glibc {name_of(floor)}" + (f": not {', '.join(too_old)}." if too_old else ": all known systems.")


def main(arguments: list[str]) -> int:
    """The sentence, and what is above the limit."""
    found = floors(Path(arguments[0]))
    if not found:
        raise SystemExit("There is no program.")
    print(sentence(max(found.values())))
    if len(arguments) < 2:
        return 0
    above = [path for path, floor in found.items() if floor > version_of(arguments[1])]
    for path in above[:MOST_SHOWN]:
        print(f"glibc {name_of(found[path])}: {path}")
    return int(bool(above))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
