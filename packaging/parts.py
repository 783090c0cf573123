"""What a package is made of: which part each file belongs to, what the parts weigh, and the archive in that order."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

STARTER = "starter model"
# The first that fits a file's path inside the folder has it.
PARTS = (
    (STARTER, r"/resources/models/"),
    ("engine: Vulkan", r"/bin/libggml-vulkan"),
    ("engine: processors, llama.cpp", r"/bin/libggml|/llama_cpp/"),
    ("Qt libraries and plug-ins", r"/PySide6/Qt/"),
    ("PySide6 modules", r"/(PySide6|shiboken6)/"),
    ("language data", r"/resources/languages/|/py3langid/"),
    ("fonts and icons", r"\.(ttf|otf)$|/resources/icons/|/fireside\.png$|/share/icons/"),
    ("NumPy", r"/numpy(\.libs)?/"),
    ("documents (PDFium, lxml, …)", r"/(pypdfium2_raw|pypdfium2|lxml|python_calamine|chardet|docx)/|__mypyc\."),
    ("other libraries", r"/_internal/[^/]+/(?!lib-dynload)"),
    ("Python and modules", r"/libpython|/lib-dynload/|/base_library\.zip$|/program/fireside(\.exe)?$"),
    ("libraries of the system", r"/_internal/lib[^/]*\.so"),
    ("licences and the rest", r""),
)
RESOURCES = re.compile(r"/resources/(?!models/|languages/|icons/)")
ELF = b"\x7fELF"
BLOCK = 512
LEVEL = int(os.environ.get("PACK_LEVEL", "19"))
"""Of zstd; 3 is for trying."""


@dataclass
class Part:
    """`packed_bytes` is 0 until the archive is made."""

    name: str
    files: list[Path] = field(default_factory=list)
    installed_bytes: int = 0
    packed_bytes: int = 0


def parts_of(folder: Path) -> list[Part]:
    """All files of a folder, links too, each in one part; within a part by name."""
    parts = {name: Part(name) for name, _ in PARTS}
    for path in sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()):
        part = parts[part_of("/" + path.relative_to(folder).as_posix())]
        part.files.append(path)
        part.installed_bytes += path.lstat().st_size if not path.is_symlink() else 0
    return [part for part in parts.values() if part.files]


def part_of(path: str) -> str:
    """The part of a file by its path, which begins with a slash."""
    if RESOURCES.search(path) and not path.endswith((".ttf", ".otf")):
        return PARTS[-1][0]
    return next(name for name, pattern in PARTS if re.search(pattern, path))


def write_archive(folder: Path, target: Path, parts: Iterable[Part], epoch: int) -> None:
    """A .tar.zst of a folder, which is its one top entry; fills in what each part weighs in it.

    Each part is a frame of its own. Names are in order, times are `epoch` and nobody's name is in it, so that the same
    files make the same archive.
    """
    with target.open("wb") as out:
        _write_frame(out, (_folder_entry(path, folder, epoch) for path in _folders(folder)))
        for part in parts:
            before = out.seek(0, 2)
            pieces = (_file_entry(path, folder, epoch) for path in part.files)
            _write_frame(out, pieces, level=3 if part.name == STARTER else LEVEL)
            part.packed_bytes = out.seek(0, 2) - before
        _write_frame(out, [bytes(2 * BLOCK)])


def _write_frame(out: BinaryIO, pieces: Iterable[bytes], level: int = LEVEL) -> None:
    """More than 19 needs more memory to unpack than some machines give by themselves; weights do not get smaller."""
    command = ["zstd", "--quiet", f"-{level}", "--long=27", "-T2", "--stdout"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out) as packing:
        assert packing.stdin is not None
        for piece in pieces:
            packing.stdin.write(piece)
        packing.stdin.close()
    if packing.returncode:
        raise SystemExit("zstd could not pack the folder.")


def _folders(folder: Path) -> Iterator[Path]:
    yield folder
    yield from sorted(path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())


def _entry(path: Path, folder: Path, epoch: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path.relative_to(folder.parent).as_posix())
    entry.mtime = epoch
    entry.mode = 0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644
    return entry


def _folder_entry(path: Path, folder: Path, epoch: int) -> bytes:
    entry = _entry(path, folder, epoch)
    entry.type = tarfile.DIRTYPE
    return entry.tobuf(tarfile.GNU_FORMAT)


def _file_entry(path: Path, folder: Path, epoch: int) -> bytes:
    entry = _entry(path, folder, epoch)
    if path.is_symlink():
        entry.type, entry.linkname = tarfile.SYMTYPE, str(path.readlink())
        return entry.tobuf(tarfile.GNU_FORMAT)
    content = path.read_bytes()
    entry.size = len(content)
    return entry.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % BLOCK)


def settle(folder: Path, epoch: int) -> None:
    """Gives everything in a folder the rights and the time that do not depend on who makes it, and when."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def table(parts: Iterable[Part]) -> str:
    """What each part weighs, installed and packed, in MB; the sums with and without the model."""
    rows = [(part.name, part.installed_bytes, part.packed_bytes) for part in parts]
    sums = [("together", sum(row[1] for row in rows), sum(row[2] for row in rows))]
    rest = [row for row in rows if row[0] != STARTER]
    if len(rest) < len(rows):
        sums.append(("without the model", sum(row[1] for row in rest), sum(row[2] for row in rest)))
    head = f"  {'part':<30} {'installed':>10} {'packed':>10}"
    lines = [f"  {name:<30} {installed / 1e6:>7.1f} MB {packed / 1e6:>7.1f} MB" for name, installed, packed in rows]
    feet = [f"  {name:<30} {installed / 1e6:>7.1f} MB {packed / 1e6:>7.1f} MB" for name, installed, packed in sums]
    return "\n".join([head, *lines, *feet])


def folder_bytes(folder: Path) -> int:
    """The size of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def is_program(path: Path) -> bool:
    """Whether a file is a library or a program of Linux."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(ELF)) == ELF
