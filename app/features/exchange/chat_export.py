"""Chats to a file: all of them with every branch as JSON, or what is open as Markdown, HTML or a Word document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from app.core.catalogue import tr_count
from app.core.events import CancelToken
from app.core.lazy_dataclasses import dataclass
from app.features.exchange import chat_file
from app.features.exchange.chat_file import ChatArchive
from app.features.exchange.chat_pictures import FolderBeside, address_of
from app.features.exchange.open_branch import as_html, as_markdown, open_branches
from app.features.work.saved_file import write_file
from app.store.conversation_row import Conversation

ENDINGS = (".json", ".md", ".html", ".docx")
"""Suffixes `export_chats` can write. PDFs are made by the window (`app/ui/paper`), which knows its fonts."""
EVERY = 50
"""Messages between two events."""


@dataclass(frozen=True)
class ExportProgress:
    """Progress in messages written, of about `total`."""

    done: int
    total: int


@dataclass(frozen=True)
class ExportFinished:
    """The file is whole and in its place; or it was cancelled, and what was there before is as it was."""

    chats: int
    messages: int
    is_cancelled: bool = False
    pages: int = 0
    """Pages of a PDF; 0 for other formats."""


class _ExportCancelled(Exception):
    pass


def _raise_if_cancelled(cancel: CancelToken) -> None:
    if cancel.cancelled:
        raise _ExportCancelled


def export_chats(
    path: Path, chats: Sequence[Conversation], shelf: ChatArchive, cancel: CancelToken, *, with_thinking: bool = False
) -> Iterator[ExportProgress | ExportFinished]:
    """Export chats in the format of the suffix, one of `ENDINGS`, replacing the file at the end.

    Pictures are inside the file; for Markdown they are in a folder next to it. `with_thinking` is for readable
    formats: JSON always has everything. Raises DiskFull or FolderNotWritable.
    """
    total, done = sum(shelf.whole.message_count(chat.id) for chat in chats), 0
    try:
        with write_file(path) as file:
            # Each step is at most a message, so that a cancel counts soon.
            for messages in _export_steps(path, chats, shelf, file, with_thinking=with_thinking):
                done += messages
                _raise_if_cancelled(cancel)
                if messages and done % EVERY == 0:
                    yield ExportProgress(done, max(done, total))
            _raise_if_cancelled(cancel)
    except _ExportCancelled:
        yield ExportFinished(0, done, is_cancelled=True)
        return
    yield ExportFinished(len(chats), done)


def _export_steps(
    path: Path, chats: Sequence[Conversation], shelf: ChatArchive, file: IO[bytes], *, with_thinking: bool
) -> Iterator[int]:
    """Write the file; yields the number of messages at each step."""
    ending, media = path.suffix.lower(), shelf.media
    branches = open_branches(chats, shelf, with_thinking=with_thinking)
    if ending == ".docx":
        from app.features.exchange.word_document import write_docx  # loads python-docx (0.1 s)

        yield from write_docx(branches, file, shelf.media)
        return
    if ending == ".json":
        parts = chat_file.file_parts(shelf, chats)
    elif ending == ".html":
        parts = as_html(
            branches,
            chats[0].title if len(chats) == 1 else tr_count("1 chat", "{count} chats", len(chats)),
            lambda use: address_of(media, use) if media is not None else "",
        )
    else:
        folder = FolderBeside(path)
        parts = as_markdown(branches, lambda use: folder.copy_picture(media, use) if media is not None else "")
    for text, messages in parts:
        # Lone surrogates come from tokens cut in the middle; a file has to be written all the same.
        file.write(text.encode("utf-8", "backslashreplace"))
        yield messages
