"""`restore FILE` in the terminal: replace current data by a backup; the old data can be put back."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app import APP_ID, APP_NAME
from app.cli import terminal
from app.core.paths import AppPaths
from app.features.exchange.backup import BackupUnpacked
from app.features.exchange.restore_backup import accept, last_aside, put_back, put_in_place, unpack_backup

NOTHING_TO_UNDO = "Nothing to undo: no backup was restored in the last 30 days."
UNDONE = "Restore undone. The replaced data is kept for 30 days in {before}."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Replace your data with a backup. The current data is kept for 30 days. If the window is open, the backup is"
        f" restored the next time {APP_NAME} starts."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("file", metavar="FILE", nargs="?", type=Path)
    what.add_argument("--undo", action="store_true", help="undo the last restore")
    terminal.add_json(parser, run_restore)


def run_restore(options: argparse.Namespace) -> int:
    """`restore`: nothing here is changed by one that is interrupted, or whose file is damaged."""
    if options.undo:
        return _undo_restore(options)
    places, path, line = AppPaths.from_environment(), options.file.expanduser().absolute(), terminal.TerminalProgress()
    unpacked = None
    with terminal.interruptible_token() as cancel:
        # Unpacked beside the data and checked; nothing in place is touched.
        for event in unpack_backup(path, places, cancel):
            if isinstance(event, BackupUnpacked):
                unpacked = event
            elif event.total_bytes:
                line.show(f"Reading {path.name}", f"{event.done_bytes / event.total_bytes:.0%}")
    line.end()
    if unpacked is None or unpacked.is_cancelled:
        return terminal.INTERRUPTED
    # From here on it takes its place, at the latest when the window starts next.
    accept(places)
    # None while the window is open: it holds the data.
    before = put_in_place(places)
    if options.json:
        body = {"program": unpacked.program, "made_at": unpacked.made_at, "restored": before is not None}
        body["contents"] = dict(unpacked.counts)
        terminal.print_json(body | {"before": str(before) if before else None})
    elif before is None:
        print(f"{APP_NAME} is open. The backup will be restored the next time it starts.")
    else:
        print(f"Restored. The previous data is kept for 30 days in {before}.")
        print(f"To undo this: {APP_ID} restore --undo")
    return 0


def _undo_restore(options: argparse.Namespace) -> int:
    """Run `restore --undo`: put back the data of before the last restore; current data is kept in its turn."""
    places = AppPaths.from_environment()
    # A restore that still waits has changed nothing yet; undone, it is only called off.
    was_waiting = places.restoring.is_dir()
    if not was_waiting and last_aside(places) is None:
        print(NOTHING_TO_UNDO, file=sys.stderr)
        return 1
    put_back(places)
    waits = places.restoring.is_dir()
    before = put_in_place(places)
    if options.json:
        terminal.print_json({"restored": before is not None, "before": str(before) if before else None})
    elif before is not None:
        print(UNDONE.format(before=before))
    elif waits:
        print(f"{APP_NAME} is open. The restore will be undone the next time it starts.")
    else:
        print("Canceled the pending restore. Nothing was changed.")
    return 0
