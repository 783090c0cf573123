"""Rows that can be deleted with a way back: hidden until they are restored, or purged for good."""

from __future__ import annotations

import math
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from app.store.database import Database
from app.store.trash import leave_traces

T = TypeVar("T")


class DeletableRows(ABC, Generic[T]):
    """Rows of one table, each as a `T`; from any thread. Writing to an id that doesn't exist raises KeyError.

    A subclass names its table, the columns that `_read_row` reads, their order and the table's full-text indexes.
    Deleted rows are found only by `restore` and `purge_deleted`. Writes may raise DiskFull or FolderNotWritable;
    nothing of the call is then stored.
    """

    table: ClassVar[str]
    columns: ClassVar[str]
    order: ClassVar[str] = "id"
    indexes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    @staticmethod
    @abstractmethod
    def _read_row(row: sqlite3.Row) -> T: ...

    def get(self, row_id: int | None) -> T | None:
        """Return a row, or None if it is deleted or was never there."""
        return next(iter(self._find_where("id = ?", (row_id,))), None)

    def all(self) -> list[T]:
        return self._find_where("true")

    def delete(self, row_id: int) -> None:
        self._set_columns(row_id, {"deleted_at": self._clock()})

    def restore(self, row_id: int) -> None:
        self._set_columns(row_id, {"deleted_at": None})

    def purge_deleted(self, before: float = math.inf) -> list[int]:
        """Remove rows deleted before that time (seconds since 1970) for good, and return their ids. Where the table has
        full-text indexes, call `erase_traces` afterwards.
        """
        with self._database.transaction() as connection:
            return self._remove_where(connection, "deleted_at < ?", (before,))

    def _remove_where(self, connection: sqlite3.Connection, where: str, values: Sequence[object]) -> list[int]:
        return remove_rows(connection, self.table, where, values, self.indexes)

    def _find_where(self, where: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[T]:
        """Return the rows that aren't deleted and meet a condition."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {self.columns} FROM {self.table} WHERE deleted_at IS NULL AND {where} ORDER BY {self.order}",
                values,
            ).fetchall()
        return [self._read_row(row) for row in rows]

    def _insert(self, values: Mapping[str, object]) -> T:
        with self._database.transaction() as connection:
            return self._insert_into(connection, values)

    def _insert_into(self, connection: sqlite3.Connection, values: Mapping[str, object]) -> T:
        names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
        insert = f"INSERT INTO {self.table} ({names}) VALUES ({places}) RETURNING {self.columns}"
        return self._read_row(connection.execute(insert, values).fetchone())

    def _set_columns(self, row_id: int, values: Mapping[str, object]) -> None:
        with self._database.transaction() as connection:
            set_columns(connection, self.table, row_id, values)


def set_columns(connection: sqlite3.Connection, table: str, row_id: int, values: Mapping[str, Any]) -> None:
    """Change columns of one row. Raises KeyError if it doesn't exist, also where there is nothing to change."""
    columns = ", ".join(f"{name} = :{name}" for name in values) or "id = id"
    changed = connection.execute(f"UPDATE {table} SET {columns} WHERE id = :id", {**values, "id": row_id}).rowcount
    if not changed:
        raise KeyError(row_id)


def remove_rows(
    connection: sqlite3.Connection, table: str, where: str, values: Sequence[object], indexes: Iterable[str] = ()
) -> list[int]:
    """Remove rows for good, quickly from full-text indexes; return their ids."""
    # Looked for first, since `leave_traces` alone would already make work for `erase_traces`.
    if not connection.execute(f"SELECT EXISTS (SELECT 1 FROM {table} WHERE {where})", values).fetchone()[0]:
        return []
    for index in indexes:
        leave_traces(connection, index)
    return [row[0] for row in connection.execute(f"DELETE FROM {table} WHERE {where} RETURNING id", values).fetchall()]
