"""Import chats from files: detect the program, compare with stored chats, add each completely or not at all."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any, BinaryIO

from app import APP_NAME
from app.core.catalogue import Translatable, tr_count
from app.core.errors.document_errors import DocumentUnreadable
from app.core.errors.exchange_errors import ChatsUnreadable
from app.core.events import CancelToken
from app.core.joined_texts import join_entries
from app.core.lazy_dataclasses import dataclass, field, replace
from app.core.visible import clean_text
from app.documents.archive import Archive, is_zip
from app.documents.source import FileSource
from app.features.exchange import chat_file, other_programs, read_chat_file
from app.features.exchange.backup import DATABASE, MANIFEST
from app.features.exchange.chat_file import ChatArchive
from app.features.exchange.chat_pictures import Find, bring_along
from app.features.exchange.foreign import ForeignChat, TooManyMessages, fields_of, grow_tree
from app.features.exchange.json_pieces import MOST_BYTES, JsonPiece, JsonPieces, NotJson, read_value
from app.features.exchange.read_chat_file import ReadChat

MOST_LINE_BYTES = 16_000_000
MOST_TOLD = 1_000
"""Of what could not be read; more are counted."""


@dataclass(frozen=True)
class ImportProgress:
    """Progress in bytes read, over all files."""

    done_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class ChatImported:
    """A chat is here. `left_out` counts what of it could not be taken over."""

    kind: str
    title: str
    conversation_id: int
    messages: int
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ChatIsHere:
    """A chat that began at the same moment with the same text is here already, with all that is in the file."""

    kind: str
    title: str
    conversation_id: int


@dataclass(frozen=True)
class ChatContinued:
    """An existing chat to which this many new messages were added."""

    kind: str
    title: str
    conversation_id: int
    messages: int
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ChatNotRead:
    """A chat, or a file of chats, that could not be read. `reason` is one of `NoChat`, or denied, empty or too_many."""

    file: str
    title: str
    reason: str


@dataclass(frozen=True)
class ImportFinished:
    """All is read, or it was cancelled; what was imported stays."""

    imported: int
    continued: int
    already_here: int
    not_read: int
    is_cancelled: bool = False


ImportEvent = ImportProgress | ChatImported | ChatContinued | ChatIsHere | ChatNotRead | ImportFinished


def import_chats(
    path: Path, shelf: ChatArchive, cancel: CancelToken, *, with_copies: bool = False
) -> Iterator[ImportEvent]:
    """Import the chats of a file, folder or archive; `with_copies` also imports existing ones again.

    New messages of an existing chat are added below it or as another version. Each chat is one transaction. Raises
    ChatsUnreadable (nothing more can be read; unknown: nothing was there), DiskFull or FolderNotWritable; chats
    imported before stay.
    """
    counts: Counter[str] = Counter()
    strange: list[ChatNotRead] = []  # to be told only where something is known
    known, twins = 0, _KnownChats(shelf)
    with contents_of(path) as contents:
        for found in _read_all(contents, shelf, cancel):
            if cancel.cancelled:
                break
            if isinstance(found, int):
                yield ImportProgress(min(found, contents.size_bytes), contents.size_bytes)
                continue
            event = (
                found if isinstance(found, ChatNotRead) else _keep_chat(*found, shelf, twins, with_copies=with_copies)
            )
            # By class, since these are the sums that are told at the end.
            counts[type(event).__name__] += 1
            if isinstance(event, ChatNotRead) and event.reason in ("unknown", "not_json"):
                strange += [event] * (len(strange) < MOST_TOLD)
                continue
            known += 1
            # Nothing of it could be read by this program; an error says so better than an empty list.
            if isinstance(event, ChatNotRead) and event.reason == "newer" and len(counts) == 1:
                raise ChatsUnreadable(str(path), "newer")
            # A file of a million strange objects is counted, not listed.
            elif not isinstance(event, ChatNotRead) or counts[ChatNotRead.__name__] <= MOST_TOLD:
                yield event
    if not (known or cancel.cancelled):
        raise ChatsUnreadable(str(path), "unknown" if strange else "empty")
    yield from strange
    imported, continued, here, not_read = (
        counts[callable_type.__name__] for callable_type in (ChatImported, ChatContinued, ChatIsHere, ChatNotRead)
    )
    yield ImportFinished(imported, continued, here, not_read, cancel.cancelled)


Read = tuple[str, ReadChat]
"""Whose chat it is, and the chat."""


class _KnownChats:
    """Finds chats already stored: those that began at the same time with the same text."""

    def __init__(self, shelf: ChatArchive) -> None:
        self._archive = shelf
        self._ids_by_time: dict[int, list[int]] = {}
        for conversation_id, created_at in shelf.whole.read_start_times().items():
            self.add(conversation_id, created_at)

    def add(self, conversation_id: int, created_at: float) -> None:
        # In milliseconds: programs write the same moment with other digits.
        self._ids_by_time.setdefault(round(created_at * 1000), []).append(conversation_id)

    def find(self, read: ReadChat) -> int | None:
        # By when it began and with which words: titles are changed and chats grow.
        moment = round(read.chat.created_at * 1000)
        message = read.messages[0] if read.messages else None
        texts = (message.text, *(text for text, _ in message.other_texts)) if message else ()
        # The text may have been imported with other pictures, which changes what it says of them.
        firsts: list[str | None] = [clean_text(text) for text in texts] or [None]
        # A millisecond either way is rounding.
        near = [number for at in (moment - 1, moment, moment + 1) for number in self._ids_by_time.get(at, [])]
        return next((number for number in near if self._archive.whole.first_text(number) in firsts), None)


def _keep_chat(
    kind: str, read: ReadChat, shelf: ChatArchive, twins: _KnownChats, *, with_copies: bool
) -> ChatImported | ChatContinued | ChatIsHere:
    title = clean_text(read.chat.title)
    twin = None if with_copies else twins.find(read)
    # Added once more as a copy only if a person wants that.
    if twin is not None:
        # What the person wrote below it since stays; only what is new comes.
        added = shelf.whole.add_new(twin, read.messages, read.attached, read.chat.updated_at, media=read.media)
        return ChatContinued(kind, title, twin, added, +read.left_out) if added else ChatIsHere(kind, title, twin)
    # The project first, so that the chat never stands outside of it for a moment.
    chat = read.chat
    if shelf.around is not None:
        project_id, assistant_id = shelf.around.project_of(read.around), shelf.around.assistant_of(read.around)
        chat = replace(chat, project_id=project_id, assistant_id=assistant_id)
    conversation_id = shelf.whole.add_tree(chat, read.messages, read.attached, read.media)
    if shelf.around is not None:
        shelf.around.apply_tags(conversation_id, read.around)
    twins.add(conversation_id, read.chat.created_at)
    return ChatImported(kind, title, conversation_id, len(read.messages), +read.left_out)


def _read_all(contents: ImportContents, shelf: ChatArchive, cancel: CancelToken) -> Iterator[Read | ChatNotRead | int]:
    """Yield everything in order, and byte counts of progress, which repeat while pictures are processed.

    Chats yielded after cancelling may be incomplete.
    """
    before = 0

    def with_pictures(chat: ForeignChat, done: int) -> Iterator[int]:
        # Pictures are decoded in the child, which takes time; the count comes again meanwhile.
        for _ in bring_along(shelf.media, chat, contents.find, cancel):
            yield before + done

    for entry in contents.files:
        try:
            stream = entry.open()
        except OSError:  # one of many in a folder
            yield ChatNotRead(entry.name, "", "denied")
            continue
        with stream:
            done = 0
            for found in chats_in(stream):
                if isinstance(found, int):
                    done = found
                    yield before + done
                elif isinstance(found, NoChat):
                    yield ChatNotRead(entry.name, "", found.reason)
                elif found.read is None:
                    yield _read_own(found, entry, shelf)
                else:
                    foreign = found.read(found.value)
                    yield from with_pictures(foreign, done)
                    yield _read_foreign(found.kind, foreign, entry)
        before += entry.size_bytes
        yield before
    for thread in contents.threads:
        foreign = _in_thread(thread)
        yield from with_pictures(foreign, 0)
        yield _read_foreign(JAN, foreign, thread.lines)
        before += thread.lines.size_bytes
        yield before


def _read_own(found: FoundChat, entry: ImportedFile, shelf: ChatArchive) -> Read | ChatNotRead:
    try:
        return found.kind, read_chat_file.read_chat(found.value, shelf, entry.modified_at)
    except TooManyMessages:
        return ChatNotRead(entry.name, clean_text(str(found.value.get("title", ""))[:200]), "too_many")


def _read_foreign(kind: str, foreign: ForeignChat, entry: ImportedFile) -> Read | ChatNotRead:
    try:
        chat, messages, media = grow_tree(foreign, entry.modified_at)
    except TooManyMessages:
        return ChatNotRead(entry.name, clean_text(foreign.title[:200]), "too_many")
    if not messages:
        return ChatNotRead(entry.name, clean_text(chat.title), "empty")
    return kind, ReadChat(chat, messages, {}, foreign.left_out, media)


def _in_thread(thread: JanThread) -> ForeignChat:
    about = {}
    is_damaged = False
    if thread.about is not None:
        with thread.about.open() as stream:
            try:
                about = fields_of(read_value(stream.read(MOST_LINE_BYTES)))
            except ValueError:
                is_damaged = True
    with thread.lines.open() as stream:
        foreign = other_programs.read_jan(about, _read_lines(stream))
    # Titles and times are in a file of their own; without it the messages are still worth having.
    foreign.left_out["title"] += is_damaged
    return foreign


def _read_lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Yield a file's lines, up to the size of one chat; None for a line that is too long."""
    rest, buffer = MOST_BYTES, b""
    is_skipping = False
    while rest > 0 and (data := stream.read(min(rest, 1 << 18))):
        rest -= len(data)
        *whole, buffer = (buffer + data).split(b"\n")
        for line in whole:
            # An export cut off, or a bomb: such a line is given up, those behind it are read.
            yield None if is_skipping else line
            is_skipping = False
        if len(buffer) > MOST_LINE_BYTES:
            buffer, is_skipping = b"", True
    yield None if is_skipping or rest <= 0 else buffer


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
    (CHATGPT, other_programs.is_of_chatgpt, other_programs.read_chatgpt),
    (CLAUDE, other_programs.is_of_claude, other_programs.read_claude),
    (OPEN_WEBUI, other_programs.is_of_open_webui, other_programs.read_open_webui),
    (LM_STUDIO, other_programs.is_of_lm_studio, other_programs.read_lm_studio),
)
_CHATS_BESIDE, _GIVEN_FILES = "conversations", "user-files"
_LINES, _THREAD = "messages.jsonl", "thread.json"
_CONVERSATIONS = re.compile(r"conversations(?:[-_ ]?\d+)?\.json", re.IGNORECASE)


@dataclass(frozen=True)
class ImportedFile:
    """A file, by its path in the folder or archive. `modified_at` is in seconds since 1970."""

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
class JanThread:
    """A chat of Jan: its metadata (None if missing) and its messages."""

    about: ImportedFile | None
    lines: ImportedFile


@dataclass(frozen=True)
class ImportContents:
    """Files of chats, and chats of Jan. `find_asset` knows where the file of a picture is that a message names."""

    files: tuple[ImportedFile, ...]
    threads: tuple[JanThread, ...]
    find: Find = lambda _: None

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in (*self.files, *(thread.lines for thread in self.threads)))


@contextmanager
def contents_of(path: Path) -> Iterator[ImportContents]:
    """List what can be read. Raises ChatsUnreadable, also during reading."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            yield replace(_group_files(list(_in_folder(path))), find=FilesBeside(path).find_asset)
        elif not stat.S_ISREG(status.st_mode):
            raise ChatsUnreadable(str(path), "not_a_file")
        elif not status.st_size:
            raise ChatsUnreadable(str(path), "empty")
        elif is_zip(path):
            with Archive(FileSource(path)) as archive:
                # A backup is a ZIP file too, and people drop it on the same window.
                if MANIFEST in archive and DATABASE in archive:
                    raise ChatsUnreadable(str(path), "backup")
                yield replace(_group_files(list(_in_archive(archive, status.st_mtime))), find=_finder_in(archive))
        else:
            entry = ImportedFile(path.name, status.st_size, status.st_mtime, lambda: path.open("rb"))
            # The pictures of a single file lie around it.
            yield replace(_one_file(entry, path), find=FilesBeside(path.parent).find_asset)
    except DocumentUnreadable as error:
        raise ChatsUnreadable(str(path), error.reason) from error
    except FileNotFoundError as error:
        raise ChatsUnreadable(str(path), "missing") from error
    except PermissionError as error:
        raise ChatsUnreadable(str(path), "denied") from error


def recognize_format(path: Path) -> str:
    """Return the program of the first readable chat; "" if there is none. Raises ChatsUnreadable."""
    with contents_of(path) as contents:
        # Jan's folder says what it is without being read.
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
    """Yield the chats of a JSON file, and the bytes read so far."""
    pieces = JsonPieces(stream, LISTS)
    outermost: dict[str, Any] = {}
    has_list = False
    try:
        for piece in pieces:
            if piece is None:
                yield pieces.done_bytes
            elif piece.is_element:
                has_list = True
                yield _found_chat(piece, outermost)
                # All others in the file are newer, too.
                if outermost.get("format") == chat_file.FORMAT and _is_newer(outermost):
                    return
            elif piece.problem:
                yield NoChat(piece.problem)
                has_list = has_list or piece.problem == "cut_off"
            # What stands around the list is small; a member larger than a chat is not ours.
            elif has_list or pieces.done_bytes <= MOST_BYTES:
                outermost[piece.key] = piece.value
            else:
                yield NoChat("too_large")
                return
    except NotJson:
        yield NoChat("not_json")
        return
    # One chat by itself, as LM Studio and Open WebUI save it.
    if outermost and not has_list and outermost.get("format") != chat_file.FORMAT:
        yield _made_by(outermost)


def _found_chat(piece: JsonPiece, outermost: dict[str, Any]) -> FoundChat | NoChat:
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
    # By its form, not its file's name, which people change.
    for kind, is_chat, read in _MAKERS:
        if is_chat(value):
            return FoundChat(kind, value, read)
    return NoChat("unknown")


def _one_file(entry: ImportedFile, path: Path) -> ImportContents:
    """Return a single file; for a chat of Jan, with its metadata file."""
    if entry.base not in (_LINES, _THREAD):
        return ImportContents((entry,), ())
    return _group_files(
        [imported_file for imported_file in _in_folder(path.parent) if imported_file.name in (_LINES, _THREAD)]
    )


def _group_files(entries: list[ImportedFile]) -> ImportContents:
    """Drop other JSON of an export if its chat files are recognised by name."""
    # Jan splits a chat over two files.
    about = {entry.folder: entry for entry in entries if entry.base == _THREAD}
    threads = tuple(JanThread(about.get(file.folder), file) for file in entries if file.base == _LINES)
    if threads:
        return ImportContents((), threads)
    files = [imported_file for imported_file in entries if imported_file.base.endswith(".json")]
    # An export holds other JSON (users, settings), which would be told as chats that couldn't be read.
    for named in (
        [file for file in files if _CONVERSATIONS.fullmatch(file.base)],
        [file for file in files if file.base.endswith(".conversation.json")],
    ):
        if named:
            return ImportContents(tuple(named), ())
    return ImportContents(tuple(files), ())


def _in_folder(folder: Path) -> Iterator[ImportedFile]:
    for path, status in _files_below(folder, lambda name: name.endswith((".json", ".jsonl"))):
        relative = path.relative_to(folder).as_posix()
        yield ImportedFile(relative, status.st_size, status.st_mtime, lambda path=path: path.open("rb"))  # type: ignore[misc]


def _files_below(folder: Path, is_wanted: Callable[[str], bool]) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield files below a folder, by name. Links aren't followed, because they may form cycles or lead out of it."""
    count = 0
    for here, inner, names in os.walk(folder):
        depth = len(Path(here).relative_to(folder).parts)
        # The list is changed in place: that is how os.walk is told not to go down.
        inner[:] = sorted(inner) if depth < MOST_FOLDERS_DEEP else []
        for name in sorted(filter(is_wanted, names)):
            path = Path(here) / name
            status = path.lstat()
            # lstat: a link may lead anywhere, or to itself.
            if not stat.S_ISREG(status.st_mode):
                continue
            count += 1
            if count > MOST_FILES:
                return
            yield path, status


_ASSET = re.compile(r"(file[-_][A-Za-z0-9]+)(?=[-.])")
"""Prefix of ChatGPT's file names."""


def _asset_keys(base: str) -> list[str]:
    """Return the names a message may use for this file."""
    asset = _ASSET.match(base)
    return [base, asset[1]] if asset else [base]


class FilesBeside:
    """Files of an unpacked export, by the names messages use; scanned on first use.

    LM Studio stores attachments next to the folder of its chats.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_asset(self, asset: str) -> Path | None:
        return self._known.get(asset)

    @cached_property
    def _known(self) -> dict[str, Path]:
        known: dict[str, Path] = {}
        beside = self._folder.parent / _GIVEN_FILES
        for root in (self._folder, *([beside] if self._folder.name == _CHATS_BESIDE and beside.is_dir() else [])):
            for path, _ in _files_below(root, lambda name: not name.endswith((".json", ".jsonl"))):
                for key in _asset_keys(path.name):
                    # The first one found: exports have the same file in several folders.
                    known.setdefault(key, path)
        return known


def _finder_in(archive: Archive) -> Find:
    known: dict[str, str] = {}
    for name in archive.names:
        for key in _asset_keys(name.rpartition("/")[2]):
            known.setdefault(key, name)
    return lambda asset: partial(archive.open, known[asset]) if asset in known else None


def _in_archive(archive: Archive, modified_at: float) -> Iterator[ImportedFile]:
    for name in archive.names:
        if name.endswith((".json", ".jsonl")):
            yield ImportedFile(name, archive.size(name), modified_at, lambda name=name: archive.open(name))  # type: ignore[misc]


KINDS = {
    FIRESIDE: APP_NAME,
    CHATGPT: "ChatGPT",
    CLAUDE: "Claude",
    LM_STUDIO: "LM Studio",
    JAN: "Jan",
    OPEN_WEBUI: "Open WebUI",
}
"""Whose chats they are."""

_LEFT_OUT = {
    "file": ("1 file is included by name only", "{count} files are included by name only"),
    "picture": ("1 picture was left out", "{count} pictures were left out"),
    "voice": ("1 recording was left out", "{count} recordings were left out"),
    "tool": ("1 tool call was left out", "{count} tool calls were left out"),
    "system": ("1 hidden instruction was left out", "{count} hidden instructions were left out"),
    "reference": ("1 reference was left out", "{count} references were left out"),
    "error": ("1 answer is just an error", "{count} answers are just errors"),
    "unknown": ("1 part of an unknown kind was left out", "{count} parts of an unknown kind were left out"),
    "damaged": ("1 damaged message was left out", "{count} damaged messages were left out"),
    "circle": ("1 message in a loop was left out", "{count} messages in a loop were left out"),
    "parent": ("1 message lost its earlier messages", "{count} messages lost their earlier messages"),
    "title": ("its title couldn’t be read", "its title couldn’t be read"),
}
"""For every name in `left_out`: of one, of others."""

_NOT_READ = {
    "denied": "you don’t have permission to read it",
    "not_json": "it isn’t a chat export",
    "unknown": "its format isn’t supported",
    "newer": f"it was written by a newer version of {APP_NAME}",
    "damaged": "it’s damaged",
    "cut_off": "the file is cut off",
    "too_deep": "it’s too deeply nested",
    "too_large": "it’s too large",
    "too_many": "it has too many messages",
    "empty": "it has no messages",
}


def left_out_words(left_out: Mapping[str, int]) -> str:
    """Format as "2 pictures were left out, 1 tool call was left out"; "" if nothing was."""
    return join_entries(tr_count(*_LEFT_OUT[name], count) for name, count in left_out.items())


def not_read_words(reason: str) -> Translatable:
    """Return why a chat wasn't read, to follow its name."""
    return _NOT_READ[reason]
