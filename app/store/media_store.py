"""Pictures and sounds of messages: the files once by their content, and where each of them is used; from any thread.

The files themselves lie in a folder, see `app.features.media`; this is what is known of them.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable

from app.core.lazy_dataclasses import dataclass, replace
from app.core.visible import clean_text, visible_name
from app.store.database import Database


@dataclass(frozen=True)
class StoredMedia:
    """An image or sound as added by the user, identified by the SHA-256 of its file.

    `kind` is picture or sound, `format` its content's (png, jpeg, flac …); `width` and `height` are its own pixels, as
    oriented for viewing.
    """

    sha256: str
    kind: str
    format: str
    size_bytes: int
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    created_at: float = 0.0


@dataclass(frozen=True)
class MediaUse:
    """A medium at a message, a queued message or in a draft (all ids None: a new chat's).

    `name` is safe to show. `most_tokens` as in `Media`.
    """

    id: int
    media: StoredMedia
    position: int
    name: str
    most_tokens: int = 0
    conversation_id: int | None = None
    message_id: int | None = None
    queued_id: int | None = None


NewUse = tuple[str, str, int]
"""(SHA-256, name, most tokens)."""

_MEDIA = "m.sha256, m.kind, m.format, m.size_bytes, m.width, m.height, m.seconds, m.created_at"
_USES = (
    f"SELECT u.id, u.position, u.name, u.most_tokens, u.conversation_id, u.message_id, u.queued_id, {_MEDIA}"
    " FROM media_uses u JOIN media m ON m.sha256 = u.sha256"
)
_IN_DRAFT = "message_id IS NULL AND queued_id IS NULL"
# One row of numbers for all owners: only the order within one matters.
_NEXT = "(SELECT coalesce(max(position), 0) + 1 FROM media_uses)"


class MediaStore:
    """Writes may raise DiskFull or FolderNotWritable; nothing of the call is then stored."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def add(self, media: StoredMedia) -> StoredMedia:
        """Register a file. A known one stays as it is but counts as just added, so it isn't purged."""
        now = self._clock()
        values = (media.kind, media.format, media.size_bytes, media.width, media.height, media.seconds, now)
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO media (sha256, kind, format, size_bytes, width, height, seconds, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO UPDATE SET created_at = excluded.created_at",
                (media.sha256, *values),
            )
        return replace(media, created_at=now)

    def get(self, sha256: str) -> StoredMedia | None:
        """Return what is known of a file, or None."""
        with self._database.reading() as connection:
            row = connection.execute(f"SELECT {_MEDIA} FROM media m WHERE sha256 = ?", (sha256,)).fetchone()
        return None if row is None else StoredMedia(**dict(row))

    def put_into_draft(self, conversation_id: int | None, sha256: str, name: str, most_tokens: int = 0) -> MediaUse:
        """Add a medium at the end of a draft. Its file must be known, see `add`."""
        with self._database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO media_uses (sha256, position, name, most_tokens, conversation_id)"
                f" VALUES (?, {_NEXT}, ?, ?, ?) RETURNING id",
                (sha256, clean_text(name), most_tokens, conversation_id),
            ).fetchone()
        return self._find_where("u.id = ?", (row[0],))[0]

    def in_draft(self, conversation_id: int | None) -> list[MediaUse]:
        """Return what waits to be sent, in its order."""
        return self._find_where(f"{_IN_DRAFT} AND u.conversation_id IS ?", (conversation_id,))

    def of_messages(self, message_ids: Iterable[int]) -> dict[int, list[MediaUse]]:
        """Return media by message; messages without any are absent."""
        found: dict[int, list[MediaUse]] = {}
        where = "u.message_id IN (SELECT value FROM json_each(?))"
        for use in self._find_where(where, (json.dumps(list(message_ids)),)):
            found.setdefault(use.message_id or 0, []).append(use)
        return found

    def copy(self, from_message_id: int, to_message_id: int) -> None:
        """Copy another message's media: versions of a question keep them."""
        self.add_uses(to_message_id, [(u.media.sha256, u.name, u.most_tokens) for u in self._find_of(from_message_id)])

    def add_uses(self, message_id: int, uses: Iterable[NewUse]) -> None:
        """Append media (SHA-256, name, most tokens) to those of a message."""
        with self._database.transaction() as connection:
            add_uses(connection, "message_id", message_id, uses)

    def set_most_tokens(self, use_id: int, most_tokens: int) -> None:
        """Limit the tokens spent on one image; 0 uses the model's own choice."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE media_uses SET most_tokens = ? WHERE id = ?", (most_tokens, use_id))

    def remove(self, use_id: int) -> None:
        """Remove a use. The file is deleted at a later start if nothing else uses it."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM media_uses WHERE id = ?", (use_id,))

    def put_back(self, use: MediaUse) -> None:
        """Restore a use removed from a draft, at its place, unless the conversation or file is gone."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO media_uses (id, sha256, position, name, most_tokens, conversation_id)"
                " SELECT :id, :sha256, :position, :name, :most, :chat"
                " WHERE EXISTS (SELECT 1 FROM media WHERE sha256 = :sha256)"
                " AND (:chat IS NULL OR EXISTS (SELECT 1 FROM conversations WHERE id = :chat))",
                {"id": use.id, "sha256": use.media.sha256, "position": use.position, "name": use.name}
                | {"most": use.most_tokens, "chat": use.conversation_id},
            )

    def all(self) -> list[str]:
        """Return the SHA-256 of every known file, used or not."""
        with self._database.reading() as connection:
            return [row[0] for row in connection.execute("SELECT sha256 FROM media ORDER BY sha256")]

    def forget_unused(self, before: float) -> list[str]:
        """Forget unused files added before that time (seconds since 1970); return their SHA-256."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                # The time keeps what was added for a message that is only now being written.
                "DELETE FROM media WHERE created_at < ? AND sha256 NOT IN (SELECT sha256 FROM media_uses)"
                " RETURNING sha256",
                (before,),
            ).fetchall()
        return [row[0] for row in rows]

    def _find_of(self, message_id: int) -> list[MediaUse]:
        return self._find_where("u.message_id = ?", (message_id,))

    def _find_where(self, where: str, values: tuple[object, ...]) -> list[MediaUse]:
        with self._database.reading() as connection:
            rows = connection.execute(f"{_USES} WHERE {where} ORDER BY u.position, u.id", values).fetchall()
        return [_read_use(row) for row in rows]


def hand_over(
    connection: sqlite3.Connection,
    draft_of: int | None,
    *,
    message_id: int | None = None,
    queued_id: int | None = None,
    to_draft_of: int | None = None,
) -> None:
    """Move a draft's media (None: a new chat's) to a message, a queued message or another draft."""
    connection.execute(
        "UPDATE media_uses SET message_id = ?, queued_id = ?, conversation_id = ?"
        f" WHERE {_IN_DRAFT} AND conversation_id IS ?",
        (message_id, queued_id, to_draft_of, draft_of),
    )


def add_uses(connection: sqlite3.Connection, owner: str, owner_id: int, uses: Iterable[NewUse]) -> None:
    """Append media to an owner's: message_id, queued_id or, for its draft, conversation_id."""
    for sha256, name, most_tokens in uses:
        connection.execute(
            f"INSERT INTO media_uses (sha256, position, name, most_tokens, {owner}) VALUES (?, {_NEXT}, ?, ?, ?)",
            (sha256, clean_text(name), most_tokens, owner_id),
        )


def uses_of(connection: sqlite3.Connection, message_id: int) -> set[str]:
    """Return the SHA-256 of each of a message's pictures and sounds."""
    rows = connection.execute("SELECT sha256 FROM media_uses WHERE message_id = ?", (message_id,))
    return {row[0] for row in rows}


def copy_uses(connection: sqlite3.Connection, ids: dict[int, int]) -> None:
    """Copy media between messages, from each key's to its value's."""
    connection.executemany(
        "INSERT INTO media_uses (sha256, position, name, most_tokens, message_id)"
        " SELECT sha256, position, name, most_tokens, ? FROM media_uses WHERE message_id = ? ORDER BY position, id",
        [(new, old) for old, new in ids.items()],
    )


def _read_use(row: sqlite3.Row) -> MediaUse:
    values = dict(row)
    names = ("sha256", "kind", "format", "size_bytes", "width", "height", "seconds", "created_at")
    media = StoredMedia(**{name: values.pop(name) for name in names})
    return MediaUse(media=media, **values | {"name": visible_name(values["name"])})  # names come from files
