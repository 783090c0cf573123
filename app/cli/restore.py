"""`restore FILE` in the terminal: replace current data by a backup; the old data can be put back."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from app import APP_ID, APP_NAME
from app.cli import terminal
from app.core.catalogue import tr
from app.core.joined_texts import join_entries
from app.core.paths import AppPaths
from app.features.exchange.backup import BackupUnpacked
from app.features.exchange.restore_backup import (
    accept,
    last_aside,
    put_back,
    put_in_place,
    stage_snapshot,
    unpack_backup,
)
from app.store.snapshots import compare_snapshot, list_snapshots

NOTHING_TO_UNDO = "Nothing to undo: no backup was restored in the last 30 days."
NO_DAYS = "There are no daily copies yet."
NO_SUCH_DAY = "There’s no daily copy of {day}. To list them: fireside restore --days"
UNDONE = "Restore undone. The replaced data is kept for 30 days in {before}."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = tr(
        "Replace your data with a backup or a daily copy. The current data is kept for 30 days. "
        "If the window is open, the backup is restored the next time {app} starts.",
        app=APP_NAME,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("file", metavar="FILE", nargs="?", type=Path)
    what.add_argument("--days", action="store_true", help=tr("list the daily copies, and what each would change"))
    what.add_argument(
        "--day", metavar="DAY", type=date.fromisoformat, help=tr("restore a daily copy, such as 2026-12-01")
    )
    what.add_argument("--undo", action="store_true", help=tr("undo the last restore"))
    terminal.add_json(parser, run_restore)


def run_restore(options: argparse.Namespace) -> int:
    """`restore`: nothing here is changed by one that is interrupted, or whose file is damaged."""
    if options.undo:
        return _undo_restore(options)
    if options.days or options.day:
        return _list_days(options) if options.days else _restore_day(options)
    places, path, line = AppPaths.from_environment(), options.file.expanduser().absolute(), terminal.TerminalProgress()
    unpacked = None
    with terminal.interruptible_token() as cancel:
        # Unpacked beside the data and checked; nothing in place is touched.
        for event in unpack_backup(path, places, cancel):
            if isinstance(event, BackupUnpacked):
                unpacked = event
            elif event.total_bytes:
                line.show(tr("Reading {name}", name=path.name), f"{event.done_bytes / event.total_bytes:.0%}")
    line.end()
    if unpacked is None or unpacked.is_cancelled:
        return terminal.INTERRUPTED
    body = {"program": unpacked.program, "made_at": unpacked.made_at, "contents": dict(unpacked.counts)}
    return _put_in_place(places, body, as_json=options.json)


def _put_in_place(places: AppPaths, body: dict[str, Any], *, as_json: bool) -> int:
    """Restore what is unpacked, at the latest when the window starts next; `body` is what JSON says of it."""
    accept(places)
    # None while the window is open: it holds the data.
    before = put_in_place(places)
    if as_json:
        terminal.print_json(body | {"restored": before is not None, "before": str(before) if before else None})
    elif before is None:
        print(tr("{app} is open. The backup will be restored the next time it starts.", app=APP_NAME))
    else:
        print(tr("Restored. The previous data is kept for 30 days in {before}.", before=before))
        print(tr("To undo this: {command} restore --undo", command=APP_ID))
    return 0


def _list_days(options: argparse.Namespace) -> int:
    places = AppPaths.from_environment()
    found = [(copy, compare_snapshot(copy.path, places.database)) for copy in list_snapshots(places.snapshots)]
    if options.json:
        days = [{"day": copy.day.isoformat()} | asdict(difference) for copy, difference in found]
        terminal.print_json({"days": days})
        return 0
    for copy, difference in found:
        counts = join_entries(f"{count:,} {kind}" for kind, count in difference.counts.items() if count)
        print(
            tr(
                "{day}  {counts}; changed since: {changed:,}",
                day=copy.day.isoformat(),
                counts=counts,
                changed=difference.changed,
            )
        )
        for sign, titles in (("+", difference.only_there), ("-", difference.only_here)):
            for title in titles:
                print(f"  {sign} {title or tr('(no title)')}")
    if not found:
        print(tr(NO_DAYS))
    return 0


def _restore_day(options: argparse.Namespace) -> int:
    places = AppPaths.from_environment()
    copy = next((copy for copy in list_snapshots(places.snapshots) if copy.day == options.day), None)
    if copy is None:
        print(tr(NO_SUCH_DAY, day=options.day.isoformat()), file=sys.stderr)
        return 1
    stage_snapshot(copy.path, places)
    return _put_in_place(places, {"day": copy.day.isoformat()}, as_json=options.json)


def _undo_restore(options: argparse.Namespace) -> int:
    """Run `restore --undo`: put back the data of before the last restore; current data is kept in its turn."""
    places = AppPaths.from_environment()
    # A restore that still waits has changed nothing yet; undone, it is only called off.
    was_waiting = places.restore.waiting.is_dir()
    if not was_waiting and last_aside(places) is None:
        print(tr(NOTHING_TO_UNDO), file=sys.stderr)
        return 1
    put_back(places)
    waits = places.restore.waiting.is_dir()
    before = put_in_place(places)
    if options.json:
        terminal.print_json({"restored": before is not None, "before": str(before) if before else None})
    elif before is not None:
        print(tr(UNDONE, before=before))
    elif waits:
        print(tr("{app} is open. The restore will be undone the next time it starts.", app=APP_NAME))
    else:
        print(tr("Canceled the pending restore. Nothing was changed."))
    return 0
