"""Whole conversations, as they leave for a file or come from one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.core.visible import clean_text
from app.store import message_rows as tree
from app.store.attachments import DocumentUse
from app.store.conversation_row import Conversation
from app.store.database import Database
from app.store.media_store import NewUse, add_uses, uses_of
from app.store.message_rows import TreeMessage

BATCH = 200
"""Messages that are read at once where a conversation is walked through."""


def _clean_fields(values: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: clean_text(getattr(values, name)) for name in names}


Attached = Mapping[int | None, Sequence[tuple[int, DocumentUse]]]
"""Documents and their use, by the message that they are attached to; None: the draft."""
Media = Mapping[int | None, Sequence[NewUse]]
"""Pictures and sounds, in the same way."""


class WholeConversations:
    """Reads all branches of a conversation some messages at a time, and adds one as a whole; from any thread.

    Writes may raise DiskFull or FolderNotWritable; nothing of the call is then stored.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all_messages(self, conversation_id: int) -> Iterator[TreeMessage]:
        """Yield every live message of all branches, each after its parent; some are read at a time."""
        return self._iterate_messages(tree.tree_ids, conversation_id)

    def iterate_branch(self, conversation_id: int) -> Iterator[TreeMessage]:
        """Yield the chosen branch as `read_branch` has it; some are read at a time."""
        return self._iterate_messages(tree.branch_ids, conversation_id)

    def _iterate_messages(
        self, ids_of: Callable[[sqlite3.Connection, int], list[int]], conversation_id: int
    ) -> Iterator[TreeMessage]:
        # Ids first and texts in batches: a chat may be larger than memory, and others want the database in between.
        with self._database.reading() as connection:
            ids = ids_of(connection, conversation_id)
        # Each batch is a transaction of its own, so a message deleted meanwhile is simply missing.
        for first in range(0, len(ids), BATCH):
            with self._database.reading() as connection:
                found = tree.tree_messages(connection, ids[first : first + BATCH])
            yield from found

    def message_count(self, conversation_id: int) -> int:
        """Return how many live messages all branches have together."""
        with self._database.reading() as connection:
            return len(tree.tree_ids(connection, conversation_id))

    def add_tree(
        self,
        chat: Conversation,
        messages: Sequence[TreeMessage],
        attached: Attached | None = None,
        media: Media | None = None,
    ) -> int:
        """Add a whole conversation from elsewhere, with its times, in one transaction; return its id.

        `chat` counts but for its ids: `first_kept_id` and the ids of messages, each after its parent, are only among
        themselves. `attached` are documents of messages by these ids, None for the draft's. Raises KeyError for a
        parent that is not there.
        """
        plain = ("temperature", "created_at", "updated_at", "pinned", "project_id", "assistant_id")
        values = {name: getattr(chat, name) for name in plain}
        # Texts from other programs may hold lone surrogates or zero bytes, which SQLite refuses or cuts at.
        values |= _clean_fields(chat, ("title", "system_prompt", "model", "draft", "thinking"))
        values["sampling"] = json.dumps(chat.sampling, sort_keys=True)
        values["titled_by"] = "person" if chat.title else ""
        names = ", ".join(values)
        with self._database.transaction() as connection:
            row = connection.execute(
                f"INSERT INTO conversations ({names}) VALUES ({', '.join(f':{name}' for name in values)}) RETURNING id",
                values,
            ).fetchone()
            conversation_id = int(row[0])
            ids, _ = _insert_messages(connection, conversation_id, messages, attached or {}, media or {})
            # Ids of the messages are new here, so what refers to one is translated.
            kept_id = None if chat.first_kept_id is None else ids.get(chat.first_kept_id)
            connection.execute("UPDATE conversations SET first_kept_id = ? WHERE id = ?", (kept_id, conversation_id))
        return conversation_id

    def add_new(
        self,
        conversation_id: int,
        messages: Sequence[TreeMessage],
        attached: Attached | None = None,
        updated_at: float = 0,
        *,
        media: Media | None = None,
    ) -> int:
        """Add the messages of a tree that the conversation lacks, in one transaction; return how many.

        Messages with the same role and text below the same parent count as present. The shown branch stays, and
        continues if new messages follow it. `messages` and `attached` as in `add_tree`.
        """
        # One transaction: a person who looks meanwhile sees all of it or nothing.
        with self._database.transaction() as connection:
            at_messages: Attached = {
                place: documents for place, documents in (attached or {}).items() if place is not None
            }
            at_places: Media = {place: uses for place, uses in (media or {}).items() if place is not None}
            _, added = _insert_messages(connection, conversation_id, messages, at_messages, at_places)
            if added:
                # Only if something came: importing the same export again must not reorder the list.
                connection.execute(
                    "UPDATE conversations SET updated_at = max(updated_at, ?) WHERE id = ?",
                    (updated_at, conversation_id),
                )
        return added

    def read_start_times(self) -> dict[int, float]:
        """Return the creation time of each conversation that isn't deleted, by id."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT id, created_at FROM conversations WHERE deleted_at IS NULL").fetchall()
        return {row[0]: row[1] for row in rows}

    def first_text(self, conversation_id: int) -> str | None:
        """Return the first message of a conversation; None without any."""
        with self._database.reading() as connection:
            row = connection.execute(
                # The + keeps SQLite from the index by parent, which holds the beginnings of all chats together.
                "SELECT text FROM messages WHERE conversation_id = ? AND +parent_id IS NULL AND deleted_at IS NULL"
                " ORDER BY id LIMIT 1",
                (conversation_id,),
            ).fetchone()
        return None if row is None else str(row[0])


def _insert_messages(
    connection: sqlite3.Connection,
    conversation_id: int,
    messages: Sequence[TreeMessage],
    attached: Attached,
    media: Media,
) -> tuple[dict[int, int], int]:
    """Insert messages with their documents and media; return their new ids and how many are new or completed."""
    cleaned = [
        replace(
            message,
            **_clean_fields(message, ("text", "model", "thinking")),
            other_texts=tuple((clean_text(there), clean_text(merged)) for there, merged in message.other_texts),
        )
        for message in messages
    ]
    # New ones have higher ids than all before, as AUTOINCREMENT gives none out twice.
    before = connection.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()[0]
    ids = tree.insert_tree(connection, conversation_id, cleaned)
    new = {old_id: number for old_id, number in ids.items() if number > before}
    # Known messages whose other copy lacks some pictures.
    partly, fuller = ({tree_message.id for tree_message in cleaned if tree_message.other_texts}, 0)
    for place, documents in attached.items():
        if place is None or place in new:
            owner = (None, new[place]) if place is not None else (conversation_id, None)
            connection.executemany(
                "INSERT INTO attachments (document_id, conversation_id, message_id, use) VALUES (?, ?, ?, ?)",
                [(document_id, *owner, use) for document_id, use in documents],
            )
    for place, uses in media.items():
        if place is None:
            add_uses(connection, "conversation_id", conversation_id, uses)
        elif place in new:
            add_uses(connection, "message_id", new[place], uses)
        # The same question with and without its picture is one message; what it lacks is added.
        elif place in partly:
            here = uses_of(connection, ids[place])
            lacking = [use for use in uses if use[0] not in here]
            add_uses(connection, "message_id", ids[place], lacking)
            fuller += bool(lacking)
    # Chosen anew, as messages may have come below the one that was shown.
    tree.settle_leaf(connection, conversation_id)
    return ids, len(new) + fuller
