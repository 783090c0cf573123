"""Messages that wait until an answer has ended, in their order, with the documents that go with them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from app.core.lazy_dataclasses import dataclass
from app.core.visible import clean_text
from app.store.database import Database
from app.store.media_store import NewUse, add_uses, hand_over


@dataclass(frozen=True)
class QueuedMessage:
    """A message waiting in a conversation, with its documents, their use, and its media."""

    id: int
    conversation_id: int
    position: int
    text: str
    documents: tuple[tuple[int, str], ...] = ()
    media: tuple[NewUse, ...] = ()


class QueuedMessages:
    """All that wait; from any thread. Writing to an id that does not exist raises KeyError.

    Writes may raise DiskFull or FolderNotWritable; nothing of the call is then stored.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, conversation_id: int, text: str, *, draft_of: int | None = 0) -> QueuedMessage:
        """Queue a message at the end of its conversation, whose draft is emptied; return it.

        `draft_of` is the draft whose documents go with it: a conversation's, or None for that of a new chat.
        """
        with self._database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO queued_messages (conversation_id, position, text) SELECT id,"
                # Over all chats: positions need only grow.
                " (SELECT coalesce(max(position), 0) + 1 FROM queued_messages), ? FROM conversations WHERE id = ?"
                " RETURNING id",
                (clean_text(text), conversation_id),
            ).fetchone()
            if row is None:
                raise KeyError(conversation_id)
            connection.execute("UPDATE conversations SET draft = '' WHERE id = ?", (conversation_id,))
            # 0 is no conversation's id; None has a meaning here.
            if draft_of != 0:
                move_draft(connection, draft_of, queued_id=row[0])
        return next(
            queued_message for queued_message in self.list_waiting(conversation_id) if queued_message.id == row[0]
        )

    def list_waiting(self, conversation_id: int) -> list[QueuedMessage]:
        """Return what waits in a conversation, the next one first; nothing in one that was deleted."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT q.id, q.conversation_id, q.position, q.text,"
                # As JSON in the same statement, so that a list of messages is one query.
                " (SELECT json_group_array(json_array(document_id, use))"
                " FROM (SELECT document_id, use FROM attachments WHERE queued_id = q.id ORDER BY id)),"
                " (SELECT json_group_array(json_array(sha256, name, most_tokens))"
                " FROM (SELECT * FROM media_uses WHERE queued_id = q.id ORDER BY position, id))"
                " FROM queued_messages q JOIN conversations c ON c.id = q.conversation_id"
                " WHERE q.conversation_id = ? AND c.deleted_at IS NULL ORDER BY q.position",
                (conversation_id,),
            ).fetchall()
        return [
            QueuedMessage(
                *(row[0], row[1], row[2], row[3]),
                documents=tuple((document[0], document[1]) for document in json.loads(row[4])),
                media=tuple((medium[0], medium[1], medium[2]) for medium in json.loads(row[5])),
            )
            for row in rows
        ]

    def list_conversations(self) -> list[int]:
        """Return conversations with waiting messages, the longest waiting first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT q.conversation_id FROM queued_messages q JOIN conversations c ON c.id = q.conversation_id"
                " WHERE c.deleted_at IS NULL GROUP BY q.conversation_id ORDER BY min(q.id)"
            ).fetchall()
        return [row[0] for row in rows]

    def edit_text(self, queued_id: int, text: str) -> None:
        with self._database.transaction() as connection:
            changed = connection.execute(
                "UPDATE queued_messages SET text = ? WHERE id = ?", (clean_text(text), queued_id)
            ).rowcount
        if not changed:
            raise KeyError(queued_id)

    def set_order(self, ids: Sequence[int]) -> None:
        """Reorder messages of one conversation among the places they hold."""
        with self._database.transaction() as connection:
            places = connection.execute(
                "SELECT position FROM queued_messages WHERE id IN (SELECT value FROM json_each(?)) ORDER BY position",
                (json.dumps(list(ids)),),
            ).fetchall()
            # The places stay, only who holds them changes: messages of other chats between them keep theirs.
            for (place,), queued_id in zip(places, ids, strict=True):
                connection.execute("UPDATE queued_messages SET position = ? WHERE id = ?", (place, queued_id))

    def remove(self, queued_id: int) -> None:
        """Remove a waiting message, and what was attached to it with it."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM queued_messages WHERE id = ?", (queued_id,))

    def put_back(self, message: QueuedMessage) -> None:
        """Put a removed message back. Raises KeyError if its conversation is gone."""
        with self._database.transaction() as connection:
            # Checked here, since the error of a foreign key would not say which.
            if not connection.execute(
                "SELECT count(*) FROM conversations WHERE id = ?", (message.conversation_id,)
            ).fetchone()[0]:
                raise KeyError(message.conversation_id)
            connection.execute(
                "INSERT INTO queued_messages (id, conversation_id, position, text) VALUES (?, ?, ?, ?)",
                (message.id, message.conversation_id, message.position, message.text),
            )
            connection.executemany(
                "INSERT INTO attachments (document_id, queued_id, use) VALUES (?, ?, ?)",
                [(document_id, message.id, use) for document_id, use in message.documents],
            )
            add_uses(connection, "queued_id", message.id, message.media)


def move_draft(
    connection: sqlite3.Connection,
    draft_of: int | None,
    *,
    message_id: int | None = None,
    queued_id: int | None = None,
    to_draft_of: int | None = None,
) -> None:
    """Move all that is attached to a draft (None: a new chat's) to a message, a queued message or another draft."""
    connection.execute(
        "UPDATE attachments SET message_id = ?, queued_id = ?, conversation_id = ?"
        " WHERE message_id IS NULL AND queued_id IS NULL AND project_id IS NULL AND conversation_id IS ?",
        (message_id, queued_id, to_draft_of, draft_of),
    )
    hand_over(connection, draft_of, message_id=message_id, queued_id=queued_id, to_draft_of=to_draft_of)


def take_queued(connection: sqlite3.Connection, queued_id: int, message_id: int) -> None:
    """Move a queued message's attachments to the message that takes its place."""
    for table in ("attachments", "media_uses"):
        connection.execute(
            f"UPDATE {table} SET message_id = ?, queued_id = NULL WHERE queued_id = ?", (message_id, queued_id)
        )
    connection.execute("DELETE FROM queued_messages WHERE id = ?", (queued_id,))
