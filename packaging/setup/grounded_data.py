"""Fetches the documents that the questions in `tests/data/grounded` are about: a novel, minutes, rules and manuals.

Debian's packages come by apt, which checks their signature, the novel and the minutes out of a source archive pinned by
hash. Everything goes into ``${XDG_CACHE_HOME:-~/.cache}/fireside/grounded``; nothing of it is installed, committed or
shipped. What cannot be had is said and left out.
"""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from debian_source import take_files
from pinned_wheel import cache_folder, copy_whole, say, write_whole

ARCHIVE, ARCHIVE_SHA256 = "snappy_1.2.2.orig.tar.gz", "90f74bc1fbf78a6c56b3c4a082a05103b3a56bb17bca1a27e052ea11723292dc"
ARCHIVED = {"testdata/alice29.txt": "novel.txt", "testdata/lcet10.txt": "minutes.txt"}
"""Texts by which compression is measured: Alice in Wonderland, and the proceedings of a workshop of 1992."""


@dataclass(frozen=True)
class PackagedDocument:
    """A document inside a Debian package, unpacked where its name ends in .gz."""

    package: str
    member: str
    name: str


PACKAGED = (
    PackagedDocument("debian-faq", "usr/share/doc/debian/FAQ/debian-faq.en.pdf.gz", "faq.pdf"),
    PackagedDocument("debian-faq-de", "usr/share/doc/debian/FAQ/debian-faq.de.pdf.gz", "faq.de.pdf"),
    PackagedDocument("debian-policy", "usr/share/doc/debian-policy/fhs/fhs-3.0.pdf.gz", "filesystem.pdf"),
    PackagedDocument(
        "developers-reference", "usr/share/developers-reference/developers-reference.pdf", "reference.pdf"
    ),
    PackagedDocument(
        "debian-reference-de", "usr/share/doc/debian-reference-common/docs/debian-reference.de.pdf", "handbook.de.pdf"
    ),
    PackagedDocument("doc-debian", "usr/share/doc/debian/constitution.1.8.txt.gz", "constitution.txt"),
    PackagedDocument(
        "developers-reference-de", "usr/share/developers-reference/de/developers-reference.pdf", "reference.de.pdf"
    ),
    PackagedDocument(
        "debian-edu-doc-de", "usr/share/doc/debian-edu-doc-de/debian-edu-bookworm-manual.pdf", "school.de.pdf"
    ),
    PackagedDocument("maint-guide-es", "usr/share/doc/maint-guide-es/maint-guide.es.pdf", "guide.es.pdf"),
    PackagedDocument(
        "debian-reference-es", "usr/share/doc/debian-reference-common/docs/debian-reference.es.pdf", "reference.es.pdf"
    ),
)


def grounded_folder() -> Path:
    """The folder with the documents that can be had; fetched where they are not there yet."""
    folder = cache_folder("grounded")
    folder.mkdir(parents=True, exist_ok=True)
    for document in PACKAGED:
        if not (folder / document.name).is_file():
            _take_packaged(document, folder)
    if not all((folder / name).is_file() for name in ARCHIVED.values()):
        _take_archived(folder)
    return folder


def _take_archived(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="fireside-texts-") as scratch:
        if take_files("snappy", ARCHIVE, ARCHIVE_SHA256, list(ARCHIVED), Path(scratch)):
            for member, name in ARCHIVED.items():
                copy_whole(Path(scratch) / Path(member).name, folder / name)


def _take_packaged(document: PackagedDocument, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="fireside-package-") as scratch:
        download = ["apt-get", "-o", "APT::Sandbox::User=", "-qq", "download", document.package]
        has_apt = shutil.which("apt-get") is not None
        if not has_apt or subprocess.run(download, cwd=scratch, stdout=sys.stderr, check=False).returncode:
            say(f"Debian's {document.package} could not be fetched; the questions about {document.name} are left out.")
            return
        whole = Path(scratch) / "all"
        subprocess.run(["dpkg-deb", "--extract", next(Path(scratch).glob("*.deb")), whole], check=True)
        source = whole / document.member
        if not source.is_file():
            say(f"Debian's {document.package} no longer has {document.name}; its questions are left out.")
            return
        content = source.read_bytes()
        unpacked = gzip.decompress(content) if source.suffix == ".gz" else content
        write_whole(folder / document.name, lambda file: file.write(unpacked))


if __name__ == "__main__":
    grounded_folder()
