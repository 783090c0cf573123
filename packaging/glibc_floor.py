"""Says which C and C++ libraries a folder of programs needs at least, and so on which systems it runs.

usage: glibc_floor.py FOLDER [MOST]; with MOST, a version of glibc such as 2.34 or a system such as "RHEL 9", it ends
with 1 where a file needs a newer one.

The wheels that are taken as they are need 2.34 (Qt's, on x86-64; 2.39 on ARM). What is compiled here, which is the
engine, NumPy and Python itself, needs the builder's: so a package for older systems is made in an older system
(older_root.py).
"""

from __future__ import annotations

import lzma
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from parts import is_program

Version = tuple[int, ...]
Needs = dict[str, Version]
"""By families of symbols: the C library's (GLIBC), the C++ library's (GLIBCXX, CXXABI) and the compiler's (GCC)."""
SYSTEMS: dict[str, Needs] = {
    "RHEL 9": {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13), "GCC": (7, 0, 0)},
    "Ubuntu 22.04": {"GLIBC": (2, 35), "GLIBCXX": (3, 4, 30), "CXXABI": (1, 3, 13), "GCC": (12, 0, 0)},
    "Debian 12": {"GLIBC": (2, 36), "GLIBCXX": (3, 4, 30), "CXXABI": (1, 3, 13), "GCC": (12, 0, 0)},
    "Ubuntu 24.04": {"GLIBC": (2, 39), "GLIBCXX": (3, 4, 33), "CXXABI": (1, 3, 15), "GCC": (14, 0, 0)},
    "Debian 13": {"GLIBC": (2, 41), "GLIBCXX": (3, 4, 33), "CXXABI": (1, 3, 15), "GCC": (14, 0, 0)},
}
"""Systems by what they have."""
MOST_SHOWN = 10


def needs_of(path: Path) -> Needs:
    """The newest version of each family that a program or library asks for."""
    command = ["readelf", "--version-info", "--wide", path]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    asked = said[said.index("Version needs") :] if "Version needs" in said else ""
    found: Needs = {}
    for family, name in re.findall(r"Name: (GLIBC|GLIBCXX|CXXABI|GCC)_(\d[\d.]*)", asked):
        found[family] = max(found.get(family, ()), version_of(name))
    return found


def floor_of(path: Path) -> Version:
    """The newest version of glibc's symbols that a program or library asks for; () for none."""
    return needs_of(path).get("GLIBC", ())


def needs(folder: Path) -> dict[Path, Needs]:
    """Of every program and library below a folder, packed ones too."""
    files = [path for path in sorted(folder.rglob("*")) if not path.is_symlink() and is_program(path)]
    found = {path: needs_of(path) for path in files}
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted(folder.rglob("*.so.xz")):
            unpacked = Path(scratch) / path.stem
            unpacked.write_bytes(lzma.decompress(path.read_bytes()))
            found[path] = needs_of(unpacked)
    return found


def together(each: Iterable[Needs]) -> Needs:
    """What all of them need."""
    found: Needs = {}
    for one in each:
        for family, version in one.items():
            found[family] = max(found.get(family, ()), version)
    return found


def runs(asked: Needs, has: Needs) -> bool:
    """Whether a system that has so much has all that is asked for."""
    return all(version <= has[family] for family, version in asked.items() if family in has)


def version_of(name: str) -> Version:
    """2.34 as numbers that can be compared."""
    return tuple(map(int, name.split(".")))


def name_of(version: Version) -> str:
    """As people write it."""
    return ".".join(map(str, version))


def listed(asked: Needs) -> str:
    """As people write it: the C library first."""
    return ", ".join(
        f"{'glibc' if family == 'GLIBC' else family} {name_of(asked[family])}"
        for family in SYSTEMS["RHEL 9"]
        if family in asked
    )


def sentence(asked: Needs) -> str:
    """What runs it and what does not, for whoever made it."""
    too_old = [system for system, has in SYSTEMS.items() if not runs(asked, has)]
    return f"It needs {listed(asked)}" + (f": not {', '.join(too_old)}." if too_old else ": all known systems.")


def main(arguments: list[str]) -> int:
    """The sentence, and what is above the limit."""
    found = needs(Path(arguments[0]))
    if not found:
        raise SystemExit("There is no program.")
    print(sentence(together(found.values())))
    if len(arguments) < 2:
        return 0
    most = SYSTEMS[arguments[1]] if arguments[1] in SYSTEMS else {"GLIBC": version_of(arguments[1])}
    above = [path for path, asked in found.items() if not runs(asked, most)]
    for path in above[:MOST_SHOWN]:
        print(f"{listed(found[path])}: {path}")
    return int(bool(above))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
