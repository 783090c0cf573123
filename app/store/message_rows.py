"""The messages of a conversation as a tree: versions are siblings, and the latest choices make the branch."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from app.core.events import AnswerStats, FinishReason, Role
from app.core.lazy_dataclasses import dataclass, replace


class MessageState(StrEnum):
    """State of a message: being written, complete or why it ended."""

    COMPLETE = "complete"
    WRITING = "writing"
    INTERRUPTED = "interrupted"
    """The program or the engine ended in the middle."""
    STOPPED = "stopped"
    """The person pressed Stop."""
    FAILED = "failed"
    """Nothing came at all."""


@dataclass(frozen=True)
class StoredMessage:
    """A message and the ids of all its versions (siblings including itself), oldest first.

    `thinking` is the reasoning before the answer and took `thinking_s` seconds (None: unknown or none). `pinned`
    messages are sent even when the conversation exceeds the context. `sources` are citations as
    `app.features.retrieval.citations` writes them. `recalled` are earlier messages sent again with this question.
    """

    id: int
    conversation_id: int
    parent_id: int | None
    role: Role
    text: str
    state: MessageState
    model: str
    created_at: float
    stats: AnswerStats | None
    versions: tuple[int, ...]
    thinking: str = ""
    thinking_s: float | None = None
    pinned: bool = False
    sources: tuple[dict[str, Any], ...] = ()
    recalled: tuple[int, ...] = ()


@dataclass(frozen=True)
class TreeMessage:
    """A message of a full tree. Among siblings, the one with the highest `chosen` is shown."""

    id: int
    parent_id: int | None
    role: Role
    text: str
    state: MessageState
    model: str
    created_at: float
    chosen: int = 0
    stats: AnswerStats | None = None
    thinking: str = ""
    thinking_s: float | None = None
    pinned: bool = False
    sources: tuple[dict[str, Any], ...] = ()
    recalled: tuple[int, ...] = ()
    other_texts: tuple[tuple[str, str], ...] = ()
    """(text without some of its media, text with this one's) pairs of the same message from other copies."""


@dataclass(frozen=True)
class OutlineMessage:
    """A message of a tree with its first words in one line."""

    id: int
    parent_id: int | None
    role: Role
    words: str
    model: str


WORDS_CHARACTERS = 160
# All siblings in the same statement: asked for each message, a long chat would need thousands.
_COLUMNS = """
    m.id, m.conversation_id, m.parent_id, m.role, m.text, m.state, m.model, m.created_at, m.stats,
    m.thinking, m.thinking_s, m.pinned, m.sources, m.recalled,
    (SELECT group_concat(s.id) FROM messages s WHERE s.conversation_id = m.conversation_id
        AND s.parent_id IS m.parent_id AND s.deleted_at IS NULL) AS versions
"""


def find_message(connection: sqlite3.Connection, message_id: int) -> StoredMessage | None:
    """Return a message with the ids of its versions; None if it is deleted or was never there."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM messages m WHERE m.id = ? AND m.deleted_at IS NULL", (message_id,)
    ).fetchone()
    return None if row is None else _read_message(row)


def load_branch(connection: sqlite3.Connection, conversation_id: int) -> list[StoredMessage]:
    """Return the messages of the chosen branch, from root to leaf."""
    # From the leaf up: a parent is one look by key, while going down would need all siblings.
    rows = connection.execute(
        f"""
        WITH RECURSIVE branch (id, parent_id, height) AS (
            SELECT m.id, m.parent_id, 0 FROM conversations c JOIN messages m ON m.id = c.leaf_id WHERE c.id = ?
            UNION ALL
            SELECT m.id, m.parent_id, height + 1 FROM branch b JOIN messages m ON m.id = b.parent_id
        )
        SELECT {_COLUMNS} FROM branch b JOIN messages m ON m.id = b.id ORDER BY b.height DESC
        """,
        (conversation_id,),
    )
    return [_read_message(row) for row in rows]


def tree_ids(connection: sqlite3.Connection, conversation_id: int) -> list[int]:
    """Return all live messages; a parent comes before what is below it."""
    # A message is always added after its parent, so the order of ids is a right one.
    rows = connection.execute(
        "SELECT id FROM messages WHERE conversation_id = ? AND deleted_at IS NULL ORDER BY id", (conversation_id,)
    )
    return [row[0] for row in rows]


_UPWARDS = """
    UNION ALL
    SELECT m.parent_id, height + 1 FROM branch b JOIN messages m ON m.id = b.id WHERE m.parent_id IS NOT NULL
)
SELECT id FROM branch ORDER BY height DESC
"""
"""Follows the branch from the message it begins with to the root; the root comes first."""


def branch_ids(connection: sqlite3.Connection, conversation_id: int) -> list[int]:
    """Return the ids of the chosen branch, from root to leaf."""
    rows = connection.execute(
        "WITH RECURSIVE branch (id, height) AS ("
        f"SELECT leaf_id, 0 FROM conversations WHERE id = ? AND leaf_id IS NOT NULL {_UPWARDS}",
        (conversation_id,),
    )
    return [row[0] for row in rows]


def ids_up_to(connection: sqlite3.Connection, message_id: int) -> list[int]:
    """Return a message and all above it, root first."""
    rows = connection.execute(f"WITH RECURSIVE branch (id, height) AS (SELECT ?, 0 {_UPWARDS}", (message_id,))
    return [row[0] for row in rows]


def read_outline(connection: sqlite3.Connection, conversation_id: int) -> list[OutlineMessage]:
    """Return all live messages, a parent before what is below it."""
    rows = connection.execute(
        "SELECT id, parent_id, role, substr(text, 1, ?), model FROM messages"
        " WHERE conversation_id = ? AND deleted_at IS NULL ORDER BY id",
        (WORDS_CHARACTERS, conversation_id),
    )
    return [OutlineMessage(row[0], row[1], Role(row[2]), " ".join(row[3].split()), row[4]) for row in rows]


def tree_messages(connection: sqlite3.Connection, ids: Sequence[int]) -> list[TreeMessage]:
    """Return these messages in this order, without any deleted meanwhile."""
    rows = connection.execute(
        # `json_each` keeps the order that was asked for; IN would not.
        "SELECT m.* FROM json_each(?) AS wanted JOIN messages m ON m.id = wanted.value WHERE m.deleted_at IS NULL"
        " ORDER BY wanted.key",
        (json.dumps(list(ids)),),
    )
    return [_tree_message(row) for row in rows]


def insert_tree(
    connection: sqlite3.Connection, conversation_id: int, messages: Sequence[TreeMessage]
) -> dict[int, int]:
    """Insert messages, each after its parent; return their new ids by the given ones.

    Messages with the same place, role and text are not added again. New siblings of existing messages aren't shown; new
    descendants of a branch's end are.
    """
    here, lowest = _live_places(connection, conversation_id)
    ids: dict[int, int] = {}
    for message in messages:
        # A parent comes before its children, so its new id is known.
        parent_id = None if message.parent_id is None else ids[message.parent_id]
        # The text that another copy without some pictures has stands for the same message.
        texts = {message.text: message.text, **dict(message.other_texts)}
        places = {(parent_id, message.role.value, text): merged for text, merged in texts.items()}
        if place := next(filter(here.get, places), None):  # versions may say the same: each is found once, in order
            ids[message.id] = here[place].pop()  # each message that is here can stand for one only
            if places[place] != place[2]:
                connection.execute("UPDATE messages SET text = ? WHERE id = ?", (places[place], ids[message.id]))
            continue
        # Below all that were chosen here: what comes from elsewhere must not change what is shown.
        chosen = message.chosen
        if parent_id in lowest:
            chosen = lowest[parent_id] = lowest[parent_id] - 1
        # References to messages that were left out are dropped.
        recalled = tuple(ids[number] for number in message.recalled if number in ids)
        new = replace(message, chosen=chosen, recalled=recalled)
        ids[message.id] = _insert_tree_message(connection, conversation_id, parent_id, new)
    return ids


def _live_places(
    connection: sqlite3.Connection, conversation_id: int
) -> tuple[dict[tuple[int | None, str, str], list[int]], dict[int | None, int]]:
    """Return the live messages by parent, role and text, the first one last; and the lowest choice below each
    parent.
    """
    here: dict[tuple[int | None, str, str], list[int]] = {}
    lowest: dict[int | None, int] = {}
    for row in connection.execute(
        "SELECT id, parent_id, role, text, chosen FROM messages WHERE conversation_id = ? AND deleted_at IS NULL"
        # Descending, so that `pop` above gives the first.
        " ORDER BY id DESC",
        (conversation_id,),
    ):
        here.setdefault((row["parent_id"], row["role"], row["text"]), []).append(row["id"])
        lowest[row["parent_id"]] = min(lowest.get(row["parent_id"], row["chosen"]), row["chosen"])
    return here, lowest


def _insert_tree_message(
    connection: sqlite3.Connection, conversation_id: int, parent_id: int | None, message: TreeMessage
) -> int:
    cursor = connection.execute(
        "INSERT INTO messages (conversation_id, parent_id, role, text, state, model, created_at, chosen, stats,"
        " thinking, thinking_s, pinned, sources, recalled) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            conversation_id,
            parent_id,
            message.role,
            message.text,
            message.state,
            message.model,
            message.created_at,
            message.chosen,
            stats_to_text(message.stats),
            message.thinking,
            message.thinking_s,
            message.pinned,
            json.dumps(list(message.sources)),
            json.dumps(message.recalled),
        ),
    )
    return int(cursor.lastrowid or 0)


def insert_message(
    connection: sqlite3.Connection, place: tuple[int, int | None], values: tuple[Role, str, MessageState, str, float]
) -> int:
    """Insert a message at (conversation, parent) from (role, text, state, model, created at); return its id."""
    cursor = connection.execute(
        "INSERT INTO messages (conversation_id, parent_id, role, text, state, model, created_at, chosen)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        place + values,
    )
    return int(cursor.lastrowid or 0)


def choose_branch(connection: sqlite3.Connection, message_id: int) -> None:
    """Make a message and its ancestors the latest choice among their siblings."""
    # Only where another sibling was chosen later: otherwise every click would write rows all the way up.
    connection.execute(
        """
        WITH RECURSIVE above (id, parent_id) AS (
            SELECT id, parent_id FROM messages WHERE id = ?
            UNION ALL
            SELECT m.id, m.parent_id FROM above a JOIN messages m ON m.id = a.parent_id
        )
        UPDATE messages AS m SET chosen = 1 + (
            SELECT max(s.chosen) FROM messages s
            WHERE s.conversation_id = m.conversation_id AND s.parent_id IS m.parent_id
        )
        WHERE m.id IN (SELECT id FROM above) AND EXISTS (
            SELECT 1 FROM messages s WHERE s.conversation_id = m.conversation_id
            AND s.parent_id IS m.parent_id AND s.chosen >= m.chosen AND s.id <> m.id
        )
        """,
        (message_id,),
    )


def settle_leaf(connection: sqlite3.Connection, conversation_id: int) -> None:
    """Move the conversation's leaf to where the latest choices lead from the root."""
    # Goes down from the root by the highest choice at each step; the last live message is the leaf.
    connection.execute(
        """
        WITH RECURSIVE down (id, depth) AS (
            SELECT (SELECT m.id FROM messages m WHERE m.conversation_id = :conversation AND m.parent_id IS NULL
                AND m.deleted_at IS NULL ORDER BY m.chosen DESC LIMIT 1), 0
            UNION ALL
            SELECT (SELECT m.id FROM messages m WHERE m.conversation_id = :conversation AND m.parent_id = down.id
                AND m.deleted_at IS NULL ORDER BY m.chosen DESC LIMIT 1), depth + 1
            FROM down WHERE down.id IS NOT NULL
        )
        UPDATE conversations SET leaf_id = (SELECT id FROM down WHERE id IS NOT NULL ORDER BY depth DESC LIMIT 1)
        WHERE id = :conversation
        """,
        {"conversation": conversation_id},
    )


def mark_deleted(connection: sqlite3.Connection, message_id: int, deleted_at: float) -> None:
    """Hide a message and its descendants, recording which deletion hid them."""
    connection.execute(
        """
        WITH RECURSIVE below (id) AS (
            SELECT id FROM messages WHERE id = :top AND deleted_at IS NULL
            UNION ALL
            SELECT m.id FROM below b JOIN messages m ON m.parent_id = b.id WHERE m.deleted_at IS NULL
        )
        UPDATE messages SET deleted_at = :at, deleted_with = :top WHERE id IN (SELECT id FROM below)
        """,
        {"top": message_id, "at": deleted_at},
    )


def mark_restored(connection: sqlite3.Connection, message_id: int) -> None:
    """Restore what one deletion hid. Below a hidden parent it stays hidden until that is restored."""
    # What was deleted inside of something else stays hidden with that; it belongs to that deletion then.
    hidden = connection.execute(
        "SELECT p.deleted_at, p.deleted_with FROM messages m JOIN messages p ON p.id = m.parent_id WHERE m.id = ?",
        (message_id,),
    ).fetchone()
    connection.execute(
        "UPDATE messages SET deleted_at = ?, deleted_with = ? WHERE deleted_with = ?",
        (*(hidden or (None, None)), message_id),
    )


def stats_to_text(stats: AnswerStats | None) -> str | None:
    return None if stats is None else json.dumps(dataclasses.asdict(stats))


def _read_stats(text: str | None) -> AnswerStats | None:
    if text is None:
        return None
    fields: dict[str, Any] = json.loads(text)
    return AnswerStats(**{**fields, "finish_reason": FinishReason(fields["finish_reason"])})


# Looked up in a dict, which is faster than calling the Enum for each row.
_ROLES, _STATES = {role.value: role for role in Role}, {state.value: state for state in MessageState}


def _read_versions(text: str | None) -> tuple[int, ...]:
    if not text:
        return ()
    return tuple(sorted(map(int, text.split(",")))) if "," in text else (int(text),)


def _read_message(row: sqlite3.Row) -> StoredMessage:
    """Make a message of a row. What most messages lack isn't parsed, so a chat of 10,000 opens in a moment."""
    number, conversation, parent, role, text, state, model, created_at, stats = row[:9]
    thinking, thinking_s, pinned, sources, recalled, versions = row[9:]
    return StoredMessage(
        number,
        conversation,
        parent,
        _ROLES[role],
        text,
        _STATES[state],
        model,
        created_at,
        _read_stats(stats),
        _read_versions(versions),
        thinking,
        thinking_s,
        bool(pinned),
        tuple(json.loads(sources)) if sources != "[]" else (),
        tuple(json.loads(recalled)) if recalled != "[]" else (),
    )


def _tree_message(row: sqlite3.Row) -> TreeMessage:
    return TreeMessage(
        row["id"],
        row["parent_id"],
        Role(row["role"]),
        row["text"],
        MessageState(row["state"]),
        row["model"],
        row["created_at"],
        row["chosen"],
        _read_stats(row["stats"]),
        row["thinking"],
        row["thinking_s"],
        bool(row["pinned"]),
        tuple(json.loads(row["sources"])),
        tuple(json.loads(row["recalled"])),
    )
