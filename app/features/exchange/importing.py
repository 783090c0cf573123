"""Chats from files: each is read, compared with those that are here, and added in one step or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from app.core.errors import ChatsUnreadable
from app.core.events import CancelToken
from app.core.visible import clean_text
from app.features.exchange import chat_file, jan
from app.features.exchange.chat_file import ReadChat, Shelf
from app.features.exchange.foreign import ForeignChat, TooManyMessages, fields_of, grown
from app.features.exchange.json_pieces import MOST_BYTES, read_value
from app.features.exchange.pictures import bring_along
from app.features.exchange.recognition import (
    JAN,
    Contents,
    Entry,
    FoundChat,
    NoChat,
    Thread,
    chats_in,
    contents_of,
)

MOST_LINE_BYTES = 16_000_000
MOST_TOLD = 1_000
"""Of what could not be read; more are counted."""


@dataclass(frozen=True)
class ImportProgress:
    """How many bytes of the files have been read."""

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
    """A chat that is here already, and to which so many messages came that were new."""

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


def import_chats(path: Path, shelf: Shelf, cancel: CancelToken, *, with_copies: bool = False) -> Iterator[ImportEvent]:
    """Imports what a file, a folder or an archive holds; `with_copies`: also what is here already, once more.

    Of a chat that is here already only what is new comes, below what is there or as another version beside it.
    Each chat is added in one transaction. Raises ChatsUnreadable (nothing more can be read; unknown: there was
    nothing), DiskFull or FolderNotWritable; what was imported before stays.
    """
    counts: Counter[str] = Counter()
    strange: list[ChatNotRead] = []  # to be told only where something is known
    known, twins = 0, _Twins(shelf)
    with contents_of(path) as contents:
        for found in _all(contents, shelf, cancel):
            if cancel.cancelled:
                break
            if isinstance(found, int):
                yield ImportProgress(min(found, contents.size_bytes), contents.size_bytes)
                continue
            event = found if isinstance(found, ChatNotRead) else _kept(*found, shelf, twins, with_copies=with_copies)
            counts[type(event).__name__] += 1
            if isinstance(event, ChatNotRead) and event.reason in ("unknown", "not_json"):
                strange += [event] * (len(strange) < MOST_TOLD)
                continue
            known += 1
            if isinstance(event, ChatNotRead) and event.reason == "newer" and len(counts) == 1:
                raise ChatsUnreadable(str(path), "newer")
            elif not isinstance(event, ChatNotRead) or counts[ChatNotRead.__name__] <= MOST_TOLD:
                yield event
    if not (known or cancel.cancelled):
        raise ChatsUnreadable(str(path), "unknown" if strange else "empty")
    yield from strange
    imported, continued, here, not_read = (
        counts[one.__name__] for one in (ChatImported, ChatContinued, ChatIsHere, ChatNotRead)
    )
    yield ImportFinished(imported, continued, here, not_read, cancel.cancelled)


Read = tuple[str, ReadChat]
"""Whose chat it is, and the chat."""


class _Twins:
    """Which chats are here already: those that began at the same moment with the same text."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._by_moment: dict[int, list[int]] = {}
        for conversation_id, created_at in shelf.whole.beginnings().items():
            self.add(conversation_id, created_at)

    def add(self, conversation_id: int, created_at: float) -> None:
        self._by_moment.setdefault(round(created_at * 1000), []).append(conversation_id)

    def find(self, read: ReadChat) -> int | None:
        """The one that is here, or None."""
        moment = round(read.chat.created_at * 1000)
        first = clean_text(read.messages[0].text) if read.messages else None
        near = [one for at in (moment - 1, moment, moment + 1) for one in self._by_moment.get(at, [])]
        return next((one for one in near if self._shelf.whole.first_text(one) == first), None)


def _kept(
    kind: str, read: ReadChat, shelf: Shelf, twins: _Twins, *, with_copies: bool
) -> ChatImported | ChatContinued | ChatIsHere:
    title = clean_text(read.chat.title)
    twin = None if with_copies else twins.find(read)
    if twin is not None:
        added = shelf.whole.add_new(twin, read.messages, read.attached, read.chat.updated_at, media=read.media)
        return ChatContinued(kind, title, twin, added, +read.left_out) if added else ChatIsHere(kind, title, twin)
    chat = read.chat
    if shelf.around is not None:
        project_id, assistant_id = shelf.around.project_of(read.around), shelf.around.assistant_of(read.around)
        chat = replace(chat, project_id=project_id, assistant_id=assistant_id)
    conversation_id = shelf.whole.add_tree(chat, read.messages, read.attached, read.media)
    if shelf.around is not None:
        shelf.around.tag(conversation_id, read.around)
    twins.add(conversation_id, read.chat.created_at)
    return ChatImported(kind, title, conversation_id, len(read.messages), +read.left_out)


def _all(contents: Contents, shelf: Shelf, cancel: CancelToken) -> Iterator[Read | ChatNotRead | int]:
    """Everything in its order; numbers are bytes that were read, and come again while pictures are looked at.

    What comes after it was cancelled may lack some.
    """
    before = 0

    def with_pictures(chat: ForeignChat, done: int) -> Iterator[int]:
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
                    yield _own(found, entry, shelf)
                else:
                    foreign = found.read(found.value)
                    yield from with_pictures(foreign, done)
                    yield _grown(found.kind, foreign, entry)
        before += entry.size_bytes
        yield before
    for thread in contents.threads:
        foreign = _in_thread(thread)
        yield from with_pictures(foreign, 0)
        yield _grown(JAN, foreign, thread.lines)
        before += thread.lines.size_bytes
        yield before


def _own(found: FoundChat, entry: Entry, shelf: Shelf) -> Read | ChatNotRead:
    try:
        return found.kind, chat_file.read_chat(found.value, shelf, entry.modified_at)
    except TooManyMessages:
        return ChatNotRead(entry.name, clean_text(str(found.value.get("title", ""))[:200]), "too_many")


def _grown(kind: str, foreign: ForeignChat, entry: Entry) -> Read | ChatNotRead:
    try:
        chat, messages, media = grown(foreign, entry.modified_at)
    except TooManyMessages:
        return ChatNotRead(entry.name, clean_text(foreign.title[:200]), "too_many")
    if not messages:
        return ChatNotRead(entry.name, clean_text(chat.title), "empty")
    return kind, ReadChat(chat, messages, {}, foreign.left_out, media)


def _in_thread(thread: Thread) -> ForeignChat:
    about = {}
    is_damaged = False
    if thread.about is not None:
        with thread.about.open() as stream:
            try:
                about = fields_of(read_value(stream.read(MOST_LINE_BYTES)))
            except ValueError:
                is_damaged = True
    with thread.lines.open() as stream:
        foreign = jan.read_chat(about, _lines(stream))
    foreign.left_out["title"] += is_damaged
    return foreign


def _lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """The lines of a file, up to the size that one chat may have; None for one that is too long."""
    rest, buffer = MOST_BYTES, b""
    is_skipping = False
    while rest > 0 and (data := stream.read(min(rest, 1 << 18))):
        rest -= len(data)
        *whole, buffer = (buffer + data).split(b"\n")
        for line in whole:
            yield None if is_skipping else line
            is_skipping = False
        if len(buffer) > MOST_LINE_BYTES:
            buffer, is_skipping = b"", True
    yield None if is_skipping or rest <= 0 else buffer
