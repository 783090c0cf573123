"""A tool that reads files that a person dropped, and those below folders that they granted, and no others.

Whether a path is inside is settled by its words before the disk is asked, so that nothing can be learnt of what lies
outside. The file is read by the document child in its cage, as any document is.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.visible import size_words, visible_name
from app.features.document_library import WHOLE, DocumentStored, ReadRange
from app.features.tools.document_tools import DocumentTools, pages_result
from app.features.tools.tool import IsStopped, StopToken, ToolRefused, ToolResult

if TYPE_CHECKING:
    from app.features.document_library import DocumentLibrary
    from app.store.document_store import StoredDocument

MOST_BYTES = 20_000_000
OUTSIDE = "{name} was not granted. Files that can be read: {granted}."
LINKED = "{name} is a link, or lies behind one, and links are not followed."
HIDDEN = "{name} is hidden, and hidden files are not read."
CHANGED = "{name} was changed while it was read. Try again."

Paths = Callable[[], Sequence[Path]]


class FileTool:
    """Reads granted files. `folders` and `files` say what is granted now; a grant ends where they no longer say it."""

    def __init__(self, library: DocumentLibrary, documents: DocumentTools, folders: Paths, files: Paths) -> None:
        self._library, self._documents, self._folders, self._files = library, documents, folders, files

    def read(self, arguments: Mapping[str, Any], is_stopped: IsStopped) -> ToolResult:
        """Return a file's text with its pages, or the names in a folder."""
        written = str(arguments["path"])
        path = self.find_granted(written)
        size, changed_ns, is_folder = _describe_path(path)
        if is_folder:
            return ToolResult(_list_folder(path))
        if size > MOST_BYTES:
            raise ToolRefused(f"{path.name} has {size_words(size)}; at most {size_words(MOST_BYTES)} are read.")
        document = read_document(self._library, path, is_stopped)
        # What was checked is what was read: nobody put a link or another file in its place meanwhile.
        read = document.size_bytes, document.mtime_ns, False
        if self.find_granted(written) != path or not _describe_path(path) == read == (size, changed_ns, False):
            raise ToolRefused(CHANGED.format(name=path.name))
        self._documents.add_document(document)
        return pages_result(document, self._library.read_texts(document.id))

    def find_granted(self, written: str) -> Path:
        """Return the path of a granted file or folder, without links in it; raises ToolRefused for all others."""
        folders, files = ([path.absolute() for path in paths()] for paths in (self._folders, self._files))
        shown = visible_name(written)
        if not written.strip() or "\0" in written:
            raise ToolRefused("Give the path of a file.")
        for file in files:
            if written in (str(file), file.name):
                return _checked_path(file.parent, Path(file.name), shown, may_hide=True)
        for folder in folders:
            if written.strip("/") == folder.name and not _exists(folder / folder.name):
                return _checked_path(folder, Path(), shown)
            # An absolute path stays what it is when it is joined.
            path = Path(os.path.normpath(folder / written))
            if path.is_relative_to(folder) and (Path(written).is_absolute() or len(folders) == 1 or _exists(path)):
                return _checked_path(folder, path.relative_to(folder), shown)
        names = [*(file.name for file in files), *(f"all in {folder}" for folder in folders)]
        granted = ", ".join(names)  # to a model, in every language
        raise ToolRefused(OUTSIDE.format(name=shown, granted=granted or "none"))


def read_document(
    library: DocumentLibrary, path: Path, is_stopped: IsStopped, *, part: ReadRange = WHOLE, name: str = ""
) -> StoredDocument:
    """Read a file into the library; raises ToolRefused when stopped, and what reading raises."""
    for event in library.read_file(path, StopToken(is_stopped), part=part, name=name):
        if isinstance(event, DocumentStored):
            return event.document
    raise ToolRefused("It was stopped.")


def _describe_path(path: Path) -> tuple[int, int, bool]:
    """Return size, time of the last change in nanoseconds, and whether it is a folder; raises ToolRefused."""
    try:
        found = path.lstat()
    except OSError:
        raise ToolRefused(CHANGED.format(name=path.name)) from None
    return found.st_size, found.st_mtime_ns, stat.S_ISDIR(found.st_mode)


def _exists(path: Path) -> bool:
    return os.path.lexists(path)


def _checked_path(folder: Path, inside: Path, shown: str, *, may_hide: bool = False) -> Path:
    """Return a path below a folder after a look at each part of it; raises ToolRefused.

    The folder itself may be reached by a link: that is where the person pointed.
    """
    try:
        path = folder.resolve(strict=True)
        for part in inside.parts:
            path /= part
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise ToolRefused(LINKED.format(name=shown))
            if part.startswith(".") and not may_hide:
                raise ToolRefused(HIDDEN.format(name=shown))
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise ToolRefused(f"{shown} is no file that can be read.")
        # Also what only looks like a folder: mounts and junctions of other systems.
        if path.resolve(strict=True) != path:
            raise ToolRefused(LINKED.format(name=shown))
    except (OSError, ValueError):
        raise ToolRefused(f"There is no file {shown}. Give the path of a folder to see what is in it.") from None
    return path


def _list_folder(folder: Path) -> str:
    """Return the names in a folder, a line each, without hidden ones and links."""
    lines = []
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name.casefold()):
                if entry.name.startswith(".") or entry.is_symlink():
                    continue
                name = visible_name(entry.name)
                lines.append(f"{name}/" if entry.is_dir() else f"{name} ({size_words(entry.stat().st_size)})")
    except OSError:
        raise ToolRefused(f"The folder {visible_name(folder.name)} can't be read.") from None
    return "\n".join(lines) or "The folder is empty."
