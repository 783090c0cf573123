"""What the tests that play sessions in any order share: writes that fail when they are told to, and the playing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from app.core.errors.saving_errors import DiskFull
from app.store.database import Database


class FailingWrites:
    """Writes of which one fails: the `fails_in`th from now, 0 for none, while `is_armed`."""

    fails_in = 0
    is_armed = False

    def fail_in(self, database: Database) -> None:
        """From now on its transactions count."""
        begin = database.transaction

        @contextmanager
        def transaction() -> Iterator[sqlite3.Connection]:
            fails = self.count_down()
            with begin() as connection:
                yield connection
                if fails:
                    raise DiskFull("/home")

        database.transaction = transaction  # type: ignore[method-assign]

    def count_down(self) -> bool:
        """One more write; returns whether this is the one that fails."""
        if not self.is_armed or not self.fails_in:
            return False
        self.fails_in -= 1
        return self.fails_in == 0


def empty_tables(database: Database, tables: Sequence[str]) -> None:
    """As before the first start."""
    with database._begin_transaction("BEGIN IMMEDIATE") as connection:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        for table in tables:
            connection.execute(f"DELETE FROM {table}")


def play(
    machine: type[RuleBasedStateMachine], playground: Any, close: Callable[[], object], *, sequences: int, steps: int
) -> None:
    """Play so many sequences of a machine on its playground."""
    played = type("Played", (machine,), {"playground": playground})
    chosen = settings(
        max_examples=sequences,
        stateful_step_count=steps,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(played, settings=chosen)
    finally:
        close()
