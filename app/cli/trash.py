"""`trash …` in the terminal: what was deleted, taken back or given up."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from datetime import datetime

from app import APP_NAME
from app.cli import terminal
from app.core.catalogue import Translatable, tr
from app.core.counted_units import count_units
from app.core.joined_texts import join_entries
from app.core.paths import AppPaths
from app.core.settings import load_settings
from app.features.trash import KINDS, TrashBin, TrashedItem, kept_until
from app.store.database import Database
from app.store.trash import TrashStore

NOT_IN_TRASH = "There’s no {kind} {number} in the trash."
TRASH_EMPTY = "The trash is empty."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parts = parser.add_subparsers(required=True, metavar="COMMAND")
    texts: dict[str, Translatable] = {
        "list": "list deleted items, most recent first, with kind and number",
        "restore": "restore an item from the trash",
        "empty": "permanently delete everything in the trash; traces are removed the next time {app} opens",
    }
    for name, text in texts.items():
        part: argparse.ArgumentParser = parts.add_parser(
            name, help=tr(text, app=APP_NAME), description=tr(text, app=APP_NAME)
        )
        if name == "restore":
            part.add_argument("kind", metavar="KIND", choices=KINDS, help=join_entries(KINDS))
            part.add_argument("number", metavar="NUMBER", type=int)
        terminal.add_json(part, globals()[f"run_{name}"])


def run_list(options: argparse.Namespace) -> int:
    places = AppPaths.from_environment()
    days = load_settings(places.settings)[0].trash.keep_days
    with closing(Database.open(places.database)) as database:
        rows = TrashStore(database).list_items()
    if options.json:
        told = [terminal.pick_fields(row, "kind", "id", "title", "within", "deleted_at") for row in rows]
        # The day depends on the settings, so it is told rather than left to other programs.
        whole = [fields | {"kept_until": kept_until(fields["deleted_at"], days)} for fields in told]
        terminal.print_json({"trash": whole, "keep_days": days})
        return 0
    for row in rows:
        day = f"{datetime.fromtimestamp(row.deleted_at):%Y-%m-%d}"
        print(f"{row.kind} {row.id}  {row.title or tr('(no title)')}  {tr('deleted {day}', day=day)}")
    if not rows:
        print(tr(TRASH_EMPTY))
    return 0


def run_restore(options: argparse.Namespace) -> int:
    with closing(Database.open(AppPaths.from_environment().database)) as database:
        found = [
            row for row in TrashStore(database).list_items() if (row.kind, row.id) == (options.kind, options.number)
        ]
        for trashed in found:
            _open_trash(database).restore(trashed)
    if not found:
        print(tr(NOT_IN_TRASH, kind=options.kind, number=options.number), file=sys.stderr)
        return 1
    _print_item(found[0], as_json=options.json)
    return 0


def run_empty(options: argparse.Namespace) -> int:
    with closing(Database.open(AppPaths.from_environment().database)) as database:
        store = TrashStore(database)
        count = len(store.list_items())
        store.give_up_all()
    if options.json:
        terminal.print_json({"given_up": count})
    else:
        print(
            tr(
                "Permanently deleted {items}. Traces are removed the next time {app} opens.",
                items=count_units("item", count),
                app=APP_NAME,
            )
        )
    return 0


def _open_trash(database: Database) -> TrashBin:
    """Open the trash for restoring only; nothing is purged."""

    def never(*_: object) -> None:
        raise AssertionError("the window removes")

    # Restoring needs neither; a call would mean that something is removed here.
    return TrashBin(database, translations=never, forget=never, began_at=0.0)  # type: ignore[arg-type]


def _print_item(item: TrashedItem, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json(terminal.pick_fields(item, "kind", "id", "title"))
    else:
        print(tr("Restored: {title}", title=item.title or item.kind))
