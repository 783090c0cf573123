"""Which program's chats a file, a folder or a ZIP archive holds, and where in it they are."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, BinaryIO

from app.core.errors import ChatsUnreadable, DocumentUnreadable
from app.documents.archive import Archive, is_zip
from app.documents.source import Source
from app.features.exchange import chat_file, chatgpt, claude, lm_studio, open_webui
from app.features.exchange.backup import DATABASE, MANIFEST
from app.features.exchange.foreign import ForeignChat
from app.features.exchange.json_pieces import MOST_BYTES, NotJson, Piece, Pieces
from app.features.exchange.pictures import Find

MOST_FILES = 50_000
MOST_FOLDERS_DEEP = 8
FIRESIDE, CHATGPT, CLAUDE, LM_STUDIO, JAN, OPEN_WEBUI = (
    "fireside",
    "chatgpt",
    "claude",
    "lm_studio",
    "jan",
    "open_webui",
)
"""Whose chats they are."""
LISTS = ("chats", "conversations")
"""Keys of outermost objects whose lists are of chats."""

_MAKERS: tuple[tuple[str, Callable[[dict[str, Any]], bool], Callable[[dict[str, Any]], ForeignChat]], ...] = (
    (CHATGPT, chatgpt.is_chat, chatgpt.read_chat),
    (CLAUDE, claude.is_chat, claude.read_chat),
    (OPEN_WEBUI, open_webui.is_chat, open_webui.read_chat),
    (LM_STUDIO, lm_studio.is_chat, lm_studio.read_chat),
)
_CHATS_BESIDE, _GIVEN_FILES = "conversations", "user-files"
_LINES, _THREAD = "messages.jsonl", "thread.json"
_CONVERSATIONS = re.compile(r"conversations(?:[-_ ]?\d+)?\.json", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One file, by its path in the folder or archive. `modified_at` is in seconds since 1970."""

    name: str
    size_bytes: int
    modified_at: float
    open: Callable[[], BinaryIO]

    @property
    def folder(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def base(self) -> str:
        return self.name.rpartition("/")[2]


@dataclass(frozen=True)
class Thread:
    """A chat of Jan: what is known of it (None where that is missing) and its messages."""

    about: Entry | None
    lines: Entry


@dataclass(frozen=True)
class Contents:
    """Files of chats, and chats of Jan. `find` knows where the file of a picture is that a message names."""

    files: tuple[Entry, ...]
    threads: tuple[Thread, ...]
    find: Find = lambda _: None

    @property
    def size_bytes(self) -> int:
        return sum(one.size_bytes for one in (*self.files, *(thread.lines for thread in self.threads)))


@contextmanager
def contents_of(path: Path) -> Iterator[Contents]:
    """What there is to read. Raises ChatsUnreadable, also while it is read."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            yield replace(_sorted_out(list(_in_folder(path))), find=FilesBeside(path).find)
        elif not stat.S_ISREG(status.st_mode):
            raise ChatsUnreadable(str(path), "not_a_file")
        elif not status.st_size:
            raise ChatsUnreadable(str(path), "empty")
        elif is_zip(path):
            with Archive(Source(path)) as archive:
                if MANIFEST in archive and DATABASE in archive:
                    raise ChatsUnreadable(str(path), "backup")
                yield replace(_sorted_out(list(_in_archive(archive, status.st_mtime))), find=_finder_in(archive))
        else:
            entry = Entry(path.name, status.st_size, status.st_mtime, lambda: path.open("rb"))
            yield replace(_one_file(entry, path), find=FilesBeside(path.parent).find)
    except DocumentUnreadable as error:
        raise ChatsUnreadable(str(path), error.reason) from error
    except FileNotFoundError as error:
        raise ChatsUnreadable(str(path), "missing") from error
    except PermissionError as error:
        raise ChatsUnreadable(str(path), "denied") from error


def recognize(path: Path) -> str:
    """Whose chats these are, from the first that can be read; "" where there are none. Raises ChatsUnreadable."""
    with contents_of(path) as contents:
        if contents.threads:
            return JAN
        for entry in contents.files:
            with entry.open() as stream:
                for found in chats_in(stream):
                    if isinstance(found, FoundChat):
                        return found.kind
    return ""


@dataclass(frozen=True)
class FoundChat:
    """A chat of a file, and how it is read (None for our own, which `chat_file` reads)."""

    kind: str
    value: dict[str, Any]
    read: Callable[[dict[str, Any]], ForeignChat] | None


@dataclass(frozen=True)
class NoChat:
    """Something that could not be read. `reason`: not_json, unknown, newer, damaged, cut_off, too_deep or too_large."""

    reason: str


def chats_in(stream: BinaryIO) -> Iterator[FoundChat | NoChat | int]:
    """The chats of one JSON file; numbers are how many bytes were read so far."""
    pieces = Pieces(stream, LISTS)
    outermost: dict[str, Any] = {}
    has_list = False
    try:
        for piece in pieces:
            if piece is None:
                yield pieces.done_bytes
            elif piece.is_element:
                has_list = True
                yield _found(piece, outermost)
                if outermost.get("format") == chat_file.FORMAT and _is_newer(outermost):
                    return
            elif piece.problem:
                yield NoChat(piece.problem)
                has_list = has_list or piece.problem == "cut_off"
            elif has_list or pieces.done_bytes <= MOST_BYTES:
                outermost[piece.key] = piece.value
            else:
                yield NoChat("too_large")
                return
    except NotJson:
        yield NoChat("not_json")
        return
    if outermost and not has_list and outermost.get("format") != chat_file.FORMAT:
        yield _made_by(outermost)


def _found(piece: Piece, outermost: dict[str, Any]) -> FoundChat | NoChat:
    if outermost.get("format") == chat_file.FORMAT and _is_newer(outermost):
        return NoChat("newer")
    if piece.problem:
        return NoChat(piece.problem)
    if not isinstance(piece.value, dict):
        return NoChat("unknown")
    if outermost.get("format") == chat_file.FORMAT and piece.key == "chats":
        return FoundChat(FIRESIDE, piece.value, None)
    return _made_by(piece.value)


def _is_newer(outermost: dict[str, Any]) -> bool:
    version = outermost.get("version")
    return not isinstance(version, int) or version > chat_file.VERSION


def _made_by(value: dict[str, Any]) -> FoundChat | NoChat:
    for kind, is_chat, read in _MAKERS:
        if is_chat(value):
            return FoundChat(kind, value, read)
    return NoChat("unknown")


def _one_file(entry: Entry, path: Path) -> Contents:
    """A file by itself; with a chat of Jan, what is known of it lies beside."""
    if entry.base not in (_LINES, _THREAD):
        return Contents((entry,), ())
    return _sorted_out([one for one in _in_folder(path.parent) if one.name in (_LINES, _THREAD)])


def _sorted_out(entries: list[Entry]) -> Contents:
    """Exports have other JSON besides their chats, which is left aside where the chats are known by their names."""
    about = {one.folder: one for one in entries if one.base == _THREAD}
    threads = tuple(Thread(about.get(one.folder), one) for one in entries if one.base == _LINES)
    if threads:
        return Contents((), threads)
    files = [one for one in entries if one.base.endswith(".json")]
    for named in (
        [one for one in files if _CONVERSATIONS.fullmatch(one.base)],
        [one for one in files if one.base.endswith(".conversation.json")],
    ):
        if named:
            return Contents(tuple(named), ())
    return Contents(tuple(files), ())


def _in_folder(folder: Path) -> Iterator[Entry]:
    for path, status in _files(folder, lambda name: name.endswith((".json", ".jsonl"))):
        relative = path.relative_to(folder).as_posix()
        yield Entry(relative, status.st_size, status.st_mtime, lambda path=path: path.open("rb"))  # type: ignore[misc]


def _files(folder: Path, is_wanted: Callable[[str], bool]) -> Iterator[tuple[Path, os.stat_result]]:
    """Files below a folder, by name; links are not followed, for they may lead in circles or out of it."""
    count = 0
    for here, inner, names in os.walk(folder):
        depth = len(Path(here).relative_to(folder).parts)
        inner[:] = sorted(inner) if depth < MOST_FOLDERS_DEEP else []
        for name in sorted(filter(is_wanted, names)):
            path = Path(here) / name
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode):
                continue
            count += 1
            if count > MOST_FILES:
                return
            yield path, status


_ASSET = re.compile(r"(file[-_][A-Za-z0-9]+)(?=[-.])")
"""How ChatGPT's names of files begin."""


def _keys(base: str) -> list[str]:
    """What a message may call a file with this name."""
    asset = _ASSET.match(base)
    return [base, asset[1]] if asset else [base]


class FilesBeside:
    """The files of an export that lies in a folder, by what messages call them; looked for when one is first wanted.

    LM Studio keeps what was given to its chats beside the folder of these.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, asset: str) -> Path | None:
        """Where one is."""
        return self._known.get(asset)

    @cached_property
    def _known(self) -> dict[str, Path]:
        known: dict[str, Path] = {}
        beside = self._folder.parent / _GIVEN_FILES
        for root in (self._folder, *([beside] if self._folder.name == _CHATS_BESIDE and beside.is_dir() else [])):
            for path, _ in _files(root, lambda name: not name.endswith((".json", ".jsonl"))):
                for key in _keys(path.name):
                    known.setdefault(key, path)
        return known


def _finder_in(archive: Archive) -> Find:
    known: dict[str, str] = {}
    for name in archive.names:
        for key in _keys(name.rpartition("/")[2]):
            known.setdefault(key, name)
    return lambda asset: partial(archive.open, known[asset]) if asset in known else None


def _in_archive(archive: Archive, modified_at: float) -> Iterator[Entry]:
    for name in archive.names:
        if name.endswith((".json", ".jsonl")):
            yield Entry(name, archive.size(name), modified_at, lambda name=name: archive.open(name))  # type: ignore[misc]
