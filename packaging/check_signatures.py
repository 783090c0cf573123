"""Fails when a program or library of a package for macOS or Windows has no valid signature.

usage: check_signatures.py FOLDER_OR_APP_OR_INSTALLER... Run by the workflow of hosted builders, on the system itself.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MACH_O = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")
PE = b"MZ"
MOST_SHOWN = 20
FROM_A_DEVELOPER = "anchor apple generic and certificate leaf[field.1.2.840.113635.100.6.1.13]"
"""A Developer ID: without an identity codesign signs, too, for nobody, which is a valid signature."""


def programs(place: Path) -> Iterator[Path]:
    """Files that the system would run, told by their first bytes, whatever their names."""
    for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                head = file.read(4)
            if head in MACH_O or head.startswith(PE):
                yield path


def command_for(path: Path, system: str) -> list[str]:
    """What asks that system about one file; it ends with 0 when the signature holds."""
    if system == "darwin":
        return ["codesign", "--verify", "--strict", "--verbose=2", f"-R={FROM_A_DEVELOPER}", str(path)]
    name = str(path).replace("'", "''")
    asked = f"exit [int]((Get-AuthenticodeSignature -LiteralPath '{name}').Status -ne 'Valid')"
    return ["powershell", "-NoProfile", "-Command", asked]


def unsigned(places: list[Path], system: str) -> tuple[list[Path], int]:
    """Files without a valid signature, and how many were asked about."""
    found = [path for place in places for path in programs(place)]
    wrong = [
        path
        for path in found
        if subprocess.run(command_for(path, system), capture_output=True, check=False).returncode != 0
    ]
    return wrong, len(found)


def main(names: list[str]) -> int:
    """1 with unsigned files, and where there is no program at all: then something else went wrong."""
    wrong, count = unsigned([Path(name) for name in names], sys.platform)
    for path in wrong[:MOST_SHOWN]:
        print(f"not signed: {path}")
    print(f"{count - len(wrong)} of {count} programs and libraries are signed.")
    return int(bool(wrong) or not count)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
