"""Full-text search of everything stored: the newest hits of each kind, in nearly constant time.

Ranking every hit of a common word takes a quarter of a second for 100,000 messages; walking the index from its newest
end until there are enough takes a twentieth of that. Scripts without spaces are one long word for the index: there the
texts themselves are scanned, in steps between which others can use the database.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence

from app.core.lazy_dataclasses import dataclass
from app.core.visible import clean_text
from app.language.language_names import WITHOUT_SPACES
from app.store.conversations import match_expression
from app.store.database import Database, fold_text
from app.store.jobs import JobResults
from app.store.page_store import PageRow, PageStore

# Texts without spaces are walked: a trigram index would be larger than the chats, and cannot find two signs.
STRETCH = 10_000
"""Messages whose texts are walked at once."""
MOST_TEXT = 1_000_000
"""Characters of a long text in which the words are looked for, to show them."""
MOST_WORDS = 50  # of a query that is looked for in names; SQLite's expressions have an end
_NOT_LISTED = ("draft", "adding")
"""States of jobs that are still being put together."""


@dataclass(frozen=True)
class FoundText:
    """A hit. `message_id` is 0 and `text` "" for a chat's title; `at` in seconds since 1970."""

    kind: str
    id: int
    message_id: int
    title: str
    text: str
    at: float


class TextSearch:
    """Search of everything stored. Thread-safe. A query is words in any order, the last a prefix; case and accents are
    ignored.

    Deleted items are never found. `is_cancelled` is called between two steps.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs, self._pages = JobResults(database), PageStore(database)

    def chats_in(self, tags: Sequence[str], projects: Sequence[str]) -> list[int]:
        """Return the chats that have a tag and a project for each of these beginnings of names, the last used first."""
        where, values = "", {}
        for number, name in enumerate(tags):
            where += (
                " AND EXISTS (SELECT 1 FROM conversation_tags ct JOIN tags t ON t.id = ct.tag_id"
                # = 1: at the beginning, so that tag:wo finds work while it is typed.
                f" AND t.deleted_at IS NULL WHERE ct.conversation_id = c.id AND instr(fold(t.name), :tag{number}) = 1)"
            )
            values[f"tag{number}"] = fold_text(clean_text(name))
        for number, name in enumerate(projects):
            where += (
                " AND EXISTS (SELECT 1 FROM projects p WHERE p.id = c.project_id AND p.deleted_at IS NULL"
                f" AND instr(fold(p.name), :project{number}) = 1)"
            )
            values[f"project{number}"] = fold_text(clean_text(name))
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT c.id FROM conversations c WHERE c.deleted_at IS NULL{where}"
                " ORDER BY c.updated_at DESC, c.id DESC",
                values,
            ).fetchall()
        return [row[0] for row in rows]

    def find_titles(self, query: str, most: int, *, within: Sequence[int] | None = None) -> list[FoundText]:
        """Chats that have the words in their title, the last used first; `within`: only of these, also for no words."""
        words, unspaced = _query_parts(query)
        if not words and not unspaced and within is None:
            return []
        # Without words for the index all titles are walked; there are few enough.
        index = "titles_index JOIN conversations c ON c.id = titles_index.rowid" if words else "conversations c"
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT c.id, c.title, c.updated_at FROM {index} WHERE c.deleted_at IS NULL"
                + (" AND titles_index MATCH :words" if words else "")
                + _has_all("c.title", unspaced)
                + _WITHIN
                + " ORDER BY c.updated_at DESC, c.id DESC LIMIT :most",
                {"words": words, "most": most, "within": _json_list(within)} | _name_parts(unspaced),
            ).fetchall()
        return [FoundText("chat", row[0], 0, row[1], "", row[2]) for row in rows]

    def find_messages(
        self,
        query: str,
        most: int,
        *,
        is_phrase: bool = False,
        within: Sequence[int] | None = None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> list[int]:
        """Return the ids of messages that have the words, the newest first; `is_phrase`: one right behind the other.

        `within`: only those of these chats.
        """
        words, unspaced = _query_parts(query, is_phrase=is_phrase)
        if words:
            with self._database.reading() as connection:
                return _find_ids(connection, words, unspaced, most, _json_list(within))
        found: list[int] = []
        # From the newest end, a stretch at a time, until there are enough or somebody types on.
        last = self.last_message() if unspaced else 0
        while last > 0 and len(found) < most and not is_cancelled():
            with self._database.reading() as connection:
                found += _ids_between(
                    connection, last - STRETCH, last, unspaced, most - len(found), within=_json_list(within)
                )
            # Outside of the transaction others get at the database.
            last -= STRETCH
        return found

    def texts_of(self, message_ids: Sequence[int]) -> dict[int, FoundText]:
        """Messages with the title of their chat, by their ids."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT m.conversation_id, m.id, c.title, substr(m.text, 1, ?), m.created_at FROM messages m"
                " JOIN conversations c ON c.id = m.conversation_id WHERE m.id IN (SELECT value FROM json_each(?))",
                (MOST_TEXT, json.dumps(list(message_ids))),
            ).fetchall()
        return {row[1]: FoundText("chat", *row) for row in rows}

    def messages_after(self, message_id: int, most: int) -> list[tuple[int, str]]:
        """Return (id, text) of the next complete messages, oldest first, without deleted chats."""
        # For the index by meaning, which takes up what was written since it was made.
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT m.id, substr(m.text, 1, ?) FROM messages m JOIN conversations c ON c.id = m.conversation_id"
                " WHERE m.id > ? AND m.state <> 'writing' AND m.deleted_at IS NULL AND c.deleted_at IS NULL"
                " ORDER BY m.id LIMIT ?",
                (MOST_TEXT, message_id, most),
            ).fetchall()
        return [(row[0], row[1]) for row in rows]

    def not_deleted(self, message_ids: Sequence[int]) -> set[int]:
        """Return which of these messages exist, in an existing chat."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation_id"
                " WHERE m.id IN (SELECT value FROM json_each(?)) AND m.deleted_at IS NULL AND c.deleted_at IS NULL",
                (json.dumps(list(message_ids)),),
            ).fetchall()
        return {row[0] for row in rows}

    def times_of(self, message_ids: Sequence[int]) -> dict[int, float]:
        """Return the times of messages (seconds since 1970) by id."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id, created_at FROM messages WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(message_ids)),),
            ).fetchall()
        return {row[0]: row[1] for row in rows}

    def find_jobs(self, query: str, kinds: Sequence[str], most: int) -> list[FoundText]:
        """Jobs of these kinds that have the words in title, documents' names or result, the last changed first."""
        # Signs alone would find everything.
        if not any(_query_parts(query)):
            return []
        found = self._jobs.search_text(query)
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT j.kind, j.id, 0, j.title, substr(coalesce(r.text, ''), 1, ?), j.updated_at FROM jobs j"
                " LEFT JOIN job_results r ON r.job_id = j.id WHERE j.deleted_at IS NULL"
                " AND j.id IN (SELECT value FROM json_each(?)) AND j.kind IN (SELECT value FROM json_each(?))"
                " AND j.state NOT IN (SELECT value FROM json_each(?)) ORDER BY j.updated_at DESC, j.id DESC LIMIT ?",
                (MOST_TEXT, json.dumps(list(found)), json.dumps(list(kinds)), json.dumps(_NOT_LISTED), most),
            ).fetchall()
        return [FoundText(*row) for row in rows]

    def find_pictures(self, query: str, most: int, *, within: Sequence[int] | None = None) -> list[FoundText]:
        """Messages by the names of their pictures and sounds, the last added first. There are few of these."""
        words = fold_text(clean_text(query)).split()[:MOST_WORDS]
        if not words:
            return []
        named = "".join(f" AND instr(fold(u.name), :word{number})" for number in range(len(words)))
        values = {f"word{number}": word for number, word in enumerate(words)} | {
            "most": most,
            "within": _json_list(within),
        }
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT 'chat', c.id, m.id, c.title, u.name, m.created_at FROM media_uses u"
                " JOIN messages m ON m.id = u.message_id JOIN conversations c ON c.id = m.conversation_id"
                f" WHERE m.deleted_at IS NULL AND c.deleted_at IS NULL{named}{_WITHIN} ORDER BY u.id DESC LIMIT :most",
                values,
            ).fetchall()
        return [FoundText(*row) for row in rows]

    def find_pages(self, query: str, most: int) -> list[PageRow]:
        """Return matching pages, last changed first; snippets show the words."""
        return self._pages.find(query)[:most] if any(_query_parts(query)) else []

    def every_title(self, kinds: Sequence[str]) -> list[FoundText]:
        """Return the titles of all chats, and of all jobs of these kinds."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT 'chat', id, 0, title, '', updated_at FROM conversations WHERE deleted_at IS NULL"
                " UNION ALL SELECT kind, id, 0, title, '', updated_at FROM jobs WHERE deleted_at IS NULL"
                " AND kind IN (SELECT value FROM json_each(?)) AND state NOT IN (SELECT value FROM json_each(?))",
                (json.dumps(list(kinds)), json.dumps(_NOT_LISTED)),
            ).fetchall()
        return [FoundText(*row) for row in rows]

    def every_page(self) -> list[FoundText]:
        """Return all pages by title, or by their first line."""
        return [
            FoundText("page", page_row.id, 0, page_row.title, "", page_row.updated_at)
            for page_row in self._pages.find()
        ]

    def last_message(self) -> int:
        """Return the highest id of all messages; 0 without any."""
        with self._database.reading() as connection:
            return int(connection.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()[0])


def is_common_letter(word: str) -> bool:
    """Return whether it is one letter of an alphabet: as a beginning it would be in nearly everything."""
    return len(word) == 1 and word.lower() != word.upper()


def _query_parts(query: str, *, is_phrase: bool = False) -> tuple[str, tuple[str, ...]]:
    """Return what the index is asked for, "" for nothing, and the parts that it does not know since they have no
    spaces.
    """
    # A mixed query has both: the index knows the words, the parts without spaces are looked for among its hits.
    words = clean_text(query).split()
    unspaced = tuple(word for word in words if WITHOUT_SPACES.search(word))
    spaced = [word for word in words if word not in unspaced]
    expression = match_expression(" ".join(spaced))
    if is_phrase and expression:
        expression = '"' + " ".join(spaced).replace('"', '""') + '"*'
    # One letter as a prefix would be in nearly everything; and a prefix is the last word only, which is still being
    # typed.
    if spaced and expression and (is_common_letter(spaced[-1]) or spaced[-1] != words[-1]):
        expression = expression.removesuffix("*")
    return expression, unspaced


_WITHIN = " AND (:within IS NULL OR c.id IN (SELECT value FROM json_each(:within)))"


def _json_list(ids: Sequence[int] | None) -> str | None:
    return None if ids is None else json.dumps(list(ids))


def _find_ids(
    connection: sqlite3.Connection, words: str, unspaced: Sequence[str], most: int, within: str | None
) -> list[int]:
    rows = connection.execute(
        "SELECT m.id FROM messages_index JOIN messages m ON m.id = messages_index.rowid"
        " JOIN conversations c ON c.id = m.conversation_id"
        " WHERE messages_index MATCH :words AND m.deleted_at IS NULL AND c.deleted_at IS NULL"
        + _has_all("m.text", unspaced)
        + _WITHIN
        # By rowid, so that SQLite walks the index from its end and stops when it has enough; by rank it would read all.
        + " ORDER BY messages_index.rowid DESC LIMIT :most",
        {"words": words, "most": most, "within": within} | _name_parts(unspaced),
    ).fetchall()
    return [row[0] for row in rows]


def _ids_between(
    connection: sqlite3.Connection,
    after: int,
    last: int,
    unspaced: Sequence[str],
    most: int,
    *,
    within: str | None,
) -> list[int]:
    rows = connection.execute(
        "SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation_id"
        # Half of an answer isn't found, as in the index.
        " WHERE m.id > :after AND m.id <= :last AND m.deleted_at IS NULL AND c.deleted_at IS NULL"
        " AND m.state <> 'writing'" + _has_all("m.text", unspaced) + _WITHIN + " ORDER BY m.id DESC LIMIT :most",
        {"after": after, "last": last, "most": most, "within": within} | _name_parts(unspaced),
    ).fetchall()
    return [row[0] for row in rows]


def _has_all(column: str, parts: Sequence[str]) -> str:
    return "".join(f" AND instr({column}, :part{number})" for number in range(len(parts)))


def _name_parts(parts: Sequence[str]) -> dict[str, str]:
    return {f"part{number}": part for number, part in enumerate(parts)}
