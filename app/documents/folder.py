"""Collect the documents in a list of files and folders."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from app.core.lazy_dataclasses import dataclass

MOST_FILES = 200
MOST_ENTRIES = 50_000
"""Limit of entries visited: someone may drop the root of a disk."""
# Pictures, sound and archives are read when a person names one; of a folder they would come by the hundred.
NO_DOCUMENTS = {
    ".a", ".avi", ".bin", ".bmp", ".bz2", ".class", ".dat", ".db", ".dll", ".dmg", ".dylib", ".exe", ".flac", ".gguf",
    ".gif", ".gz", ".heic", ".ico", ".img", ".iso", ".jar", ".jpeg", ".jpg", ".lib", ".lnk", ".lock", ".m4a", ".mkv",
    ".mov", ".mp3", ".mp4", ".mpeg", ".msi", ".o", ".obj", ".ogg", ".onnx", ".otf", ".pack", ".parquet", ".part",
    ".png", ".psd", ".pyc", ".pyd", ".rar", ".raw", ".safetensors", ".so", ".sqlite", ".svgz", ".tar", ".tgz", ".tif",
    ".tiff", ".ttf", ".wasm", ".wav", ".webm", ".webp", ".whl", ".wmv", ".woff", ".woff2", ".xz", ".zip", ".zst",
    ".7z",
}  # fmt: skip
"""Endings without text to read. Skipped in folders; a file named itself is tried."""
_NUMBER = re.compile(r"(\d{1,18})")
# Locks of Word and LibreOffice hold the user's name as text, and macOS puts a shadow of each file into its ZIPs.
_LEFT_BEHIND = ("~$", ".~lock", "__MACOSX", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class SkippedPath:
    """A path that isn't read. `reason`: missing, denied, not_a_file (device, pipe) or no_document."""

    path: Path
    reason: str


@dataclass(frozen=True)
class ExpandedPaths:
    """The files, in the order of the paths and by name within a folder. `is_cut`: there are more than are taken."""

    files: tuple[Path, ...]
    skipped: tuple[SkippedPath, ...] = ()
    is_cut: bool = False


def expand(paths: Iterable[Path]) -> ExpandedPaths:
    """Files stay, folders become the files in them and below, each file once however many names it has.

    Links are followed, but no folder is entered twice. Hidden files and folders (`.git`) are left out, and what office
    programs leave beside an open file. Takes as long as the disk needs for it.
    """
    return _FolderSearch().search_paths(paths)


class _FolderSearch:
    def __init__(self) -> None:
        self._files: list[Path] = []
        self._skipped: list[SkippedPath] = []
        self._seen: set[tuple[int, int]] = set()
        self._entries = 0

    def search_paths(self, paths: Iterable[Path]) -> ExpandedPaths:
        for path, is_named in self._walk_files(paths):
            # Counted before anything is looked at: also what is skipped takes a visit to the disk.
            self._entries += 1
            found = self._stat_path(path)
            if found is None or self._was_seen(found):
                continue
            if not stat.S_ISREG(found.st_mode):
                self._skipped.append(SkippedPath(path, "not_a_file"))
            elif not is_named and path.suffix.lower() in NO_DOCUMENTS:
                self._skipped.append(SkippedPath(path, "no_document"))
            # A marker for more: the caller says so, instead of passing for complete.
            elif len(self._files) == MOST_FILES or self._entries > MOST_ENTRIES:
                return ExpandedPaths(tuple(self._files), tuple(self._skipped), is_cut=True)
            else:
                self._files.append(path)
        return ExpandedPaths(tuple(self._files), tuple(self._skipped))

    def _walk_files(self, paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
        """Yield every path that isn't a folder, in order, and whether the user named it."""
        waiting = [(path, True) for path in reversed(list(paths))]
        while waiting:
            path, is_named = waiting.pop()
            # A link to a folder is followed, so circles are told by device and inode, not by name.
            if not path.is_dir():
                yield path, is_named
                continue
            found = self._stat_path(path)
            if found is not None and not self._was_seen(found):
                # On a stack, so the last in is the first out: reversed, a folder's files come in their order.
                waiting += [(entry, False) for entry in reversed(self._entries_of(path))]

    def _entries_of(self, folder: Path) -> list[Path]:
        try:
            with os.scandir(folder) as entries:
                shown = [Path(entry.path) for entry in entries if not _is_hidden(entry)]
        except OSError as error:
            self._note_skipped(folder, error)
            return []
        return sorted(shown, key=lambda path: (_in_order(path.name), path.name))

    def _stat_path(self, path: Path) -> os.stat_result | None:
        try:
            return path.stat()
        except (OSError, ValueError) as error:
            self._note_skipped(path, error)
            return None

    def _note_skipped(self, path: Path, error: Exception) -> None:
        self._skipped.append(SkippedPath(path, "denied" if isinstance(error, PermissionError) else "missing"))

    def _was_seen(self, found: os.stat_result) -> bool:
        key = (found.st_dev, found.st_ino)
        if key in self._seen:
            return True
        self._seen.add(key)
        return False


def _in_order(name: str) -> list[str | int]:
    """Return a sort key for natural order: 2 before 10."""
    # Odd places of the split are the digits; int and str are never compared, for they alternate.
    return [int(part) if place % 2 else part.casefold() for place, part in enumerate(_NUMBER.split(name))]


def documents_in(names: Iterable[str]) -> list[str]:
    """Return the members of an archive that may be documents, as far as their names say; other archives are none."""
    return [
        name for name in names if not _is_left_behind(name) and PurePosixPath(name).suffix.lower() not in NO_DOCUMENTS
    ]


def _is_left_behind(name: str) -> bool:
    """Return whether a path is hidden, or a leftover of the system or an office program."""
    return any(part.startswith((".", *_LEFT_BEHIND)) for part in name.split("/"))


def _is_hidden(entry: os.DirEntry[str]) -> bool:
    if _is_left_behind(entry.name):
        return True
    # Windows marks hidden files by an attribute, not by a dot.
    hidden = getattr(stat, "FILE_ATTRIBUTE_HIDDEN", 0)
    try:
        return bool(getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0) & hidden)
    except OSError:
        return False
